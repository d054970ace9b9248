"""What a run leaves to look at: curves, samples, TensorBoard and the report, against its journal."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import seq2seq.training.observer as observing
from seq2seq.errors import Seq2SeqError
from seq2seq.model_directory import read_weights
from seq2seq.recipe import load_stored_recipe, recipe_from_text
from seq2seq.training.history import JournalReader
from seq2seq.training.journal import duration
from seq2seq.training.observer import curves_of
from seq2seq.training.report import report_of
from seq2seq.training.run import TrainingResult, train
from seq2seq.training.samples import read_entries
from tests.training.silent import Silent

NUMBERS = {"one": "Un", "two": "deux", "three": "Trois", "four": "quatre", "five": "cinq"}
PAIRS = [course for length in (1, 2, 3) for course in itertools.product(NUMBERS, repeat=length)]

RECIPE = """\
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
  test: [{name: held-out, prefix: valid}]
tokenizer: {algorithm: char, vocabulary_size: 40}
model:
  encoder: {cell: gru, hidden_size: 6, embedding_size: 5}
  decoder: {cell: gru, hidden_size: 6, embedding_size: 5, dropout: 0.1}
training:
  epochs: 3
  batch: 512
  precision: fp32
  label_smoothing: 0.1
  validation: {metric: loss, samples: 2}
search: {max_length_ratio: 1.0, max_length_offset: 4, beam: 2}
run: {name: tiny, threads: 1, log_seconds: 0.000001}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, pairs in (("train", PAIRS), ("valid", PAIRS[20:140:20])):
        english = "".join(" ".join(pair) + "\n" for pair in pairs)
        french = "".join(" ".join(NUMBERS[word] for word in reversed(pair)) + "\n" for pair in pairs)
        (tmp_path / f"{name}.en").write_text(english, "utf-8")
        (tmp_path / f"{name}.fr").write_text(french, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*overrides: str) -> tuple[TrainingResult, Silent]:
    display = Silent()
    return train(recipe_from_text(RECIPE, "recipe.yaml", overrides), display=display), display


def records(directory: Path, kind: str) -> list[dict[str, Any]]:
    lines = (directory / "journal.jsonl").read_text("utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == kind]


def test_a_run_in_two_sittings(folder: Path) -> None:
    run("training.epochs=2")
    result, display = run("evaluation.lowercase=both")
    directory = result.directory
    assert not any("cannot be made" in line for line in display.said)
    validations = records(directory, "validation")
    updates = [record["update"] for record in validations]
    assert len(updates) == 3

    # The curves have the journal's figures.
    history = JournalReader(directory / "journal.jsonl").read()
    curves = curves_of(history, load_stored_recipe(directory / "recipe.yaml"))
    assert (curves.bleu.updates, curves.bleu.values) == (updates, [record["bleu"] for record in validations])
    assert curves.validation_loss.values == [record["loss"] for record in validations]
    trained = records(directory, "train")
    assert curves.objective.values == [record["loss"] for record in trained]
    assert curves.loss.values == pytest.approx([math.log(record["perplexity"]) for record in trained])
    assert curves.learning_rate.updates == [record["update"] for record in trained]
    assert curves.gradient_norm.values == [record["gradient_norm"] for record in trained]
    assert (curves.epochs.updates, curves.epochs.values) == (updates, [1, 2, 3])
    assert curves.best == result.best_update
    assert list(curves.resumed) == [updates[1]]
    assert (directory / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"

    # The samples, once for every validation, and all the translations of the best model.
    entries = read_entries(directory / "samples")
    assert [entry["update"] for entry in entries] == updates
    sources = (folder / "valid.en").read_text("utf-8").splitlines()
    assert [sources[sample["line"] - 1] for sample in entries[0]["samples"]] == [
        sample["source"] for sample in entries[0]["samples"]
    ]
    best = next(entry for entry in entries if entry["update"] == result.best_update)
    kept = (directory / "samples" / "validation.fr").read_text("utf-8").split("\n")
    assert len(kept) == len(sources) + 1
    assert [kept[sample["line"] - 1] for sample in best["samples"]] == [each["translation"] for each in best["samples"]]

    # TensorBoard has the same, once for every validation.
    events = EventAccumulator(str(directory / "tensorboard"), size_guidance={"images": 0, "tensors": 0})
    events.Reload()
    assert [event.step for event in events.Scalars("validation/bleu")] == updates
    shown = events.Tensors("samples/1/text_summary")
    assert [event.step for event in shown] == updates
    assert entries[-1]["samples"][0]["source"].encode() in shown[-1].tensor_proto.string_val[0]
    pictures = events.Images("attention/2")
    assert {event.step for event in pictures} <= set(updates)
    assert len(pictures) == len({event.step for event in pictures}) > 0
    assert all(event.encoded_image_string[:4] == b"\x89PNG" for event in pictures)

    # The report has the figures of the journal and of the evaluation.
    report = (directory / "report.md").read_text("utf-8")
    (test,) = json.loads((directory / "evaluation.json").read_text("utf-8"))
    names = ["BLEU", "chrF2", "lowercased BLEU", "lowercased chrF2"]
    assert [score["name"] for score in test["scores"]] == names
    for score in test["scores"]:
        assert f"| held-out | 6 | {score['name']} | {score['score']:.2f} |" in report
        assert f"- {score['name']}: `{score['signature']}`" in report
    found = next(record for record in validations if record["update"] == result.best_update)
    row = f"| {found['update']:,} | {found['epoch']} | {found['loss']:.3f} | {found['perplexity']:.2f} |"
    assert row in report
    end = records(directory, "end")[-1]
    assert f"| Updates | {end['update']} |" in report
    assert f"| Ended after | {end['reason']} |" in report
    assert f"| Time in all, validations included | {duration(end['seconds'])} |" in report
    begun, resumed = records(directory, "start")[0], records(directory, "resume")[0]
    assert f"| 1 | 0 | {duration(resumed['seconds'] - begun['seconds'])} |" in report
    assert f"| 2 | {updates[1]} | {duration(end['seconds'] - resumed['seconds'])} |" in report
    assert f"| Parameters | {begun['parameters']:,} |" in report
    assert f"| training | {len(PAIRS)} | " in report
    assert begun["corpora"]["training"]["pairs"] == len(PAIRS)
    assert f"torch {torch.__version__}" in report
    assert "](curves.png)" in report
    assert "label_smoothing: 0.1" in report
    assert "seq2seq-train runs/tiny/recipe.yaml run.name=tiny-again" in report
    assert report_of(directory) == report


def test_an_evaluation_again_makes_the_report_again() -> None:
    result, _ = run("training.epochs=1")
    assert "lowercased" not in (result.directory / "report.md").read_text("utf-8")
    run("training.epochs=1", "evaluation.lowercase=both")
    assert "| held-out | 6 | lowercased BLEU |" in (result.directory / "report.md").read_text("utf-8")


def weights(result: TrainingResult) -> dict[str, torch.Tensor]:
    return read_weights(result.directory / "training" / "checkpoint.safetensors")[0]


@pytest.mark.parametrize(("attention", "context"), [("hard", "output"), ("none", "none")])
def test_watching_changes_no_number(attention: str, context: str) -> None:
    """Not even where attention is drawn at random in training; without attention there are no pictures of it."""
    choices = (
        "training.epochs=2",
        f"model.attention={{type: {attention}, context: {context}}}",
        "evaluation.after_training=false",
    )
    watched, display = run(*choices)
    alone, _ = run(*choices, "run.name=alone", "training.validation.samples=0", "run.tensorboard=false")
    assert not any("cannot be made" in line for line in display.said)
    ours, theirs = weights(watched), weights(alone)
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    pictures = [path.name for path in sorted((watched.directory / "samples").glob("*.png"))]
    assert pictures == ([] if attention == "none" else ["attention-1.png", "attention-2.png"])
    assert [path.name for path in (alone.directory / "samples").iterdir()] == ["validation.fr"]
    assert "## Samples" not in (alone.directory / "report.md").read_text("utf-8")
    assert "has not been evaluated" in (alone.directory / "report.md").read_text("utf-8")


def test_a_failure_to_draw_is_said_once_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Seq2SeqError("the disk is full")

    monkeypatch.setattr(observing, "draw_curves", fail)
    monkeypatch.setattr(observing.SampleBook, "add", lambda *_, **__: 1 / 0)
    result, display = run("evaluation.after_training=false")
    assert len(records(result.directory, "validation")) == 3
    assert [line for line in display.said if line.startswith("note: ")] == [
        "note: sample translations cannot be made (division by zero); the training goes on, and will not say so again",
        "note: curves.png cannot be made (the disk is full); the training goes on, and will not say so again",
    ]
    assert "](curves.png)" not in (result.directory / "report.md").read_text("utf-8")
