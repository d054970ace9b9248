"""Whole runs in small: what a recipe says reaches the tokenizer, the schedule, the optimizer and the checkpoint."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from seq2seq import Translator
from seq2seq.build import build_tokenizers
from seq2seq.errors import TokenizerError
from seq2seq.model_directory import load_description, load_model, read_weights
from seq2seq.recipe import recipe_from_text
from seq2seq.training.run import TrainingResult, train
from tests.training.silent import Silent

NUMBERS = {"one": "un", "two": "deux", "three": "trois", "four": "quatre", "five": "cinq", "six": "six"}
#: Every course of two or three of the six words, the target reversed: 36 + 216 pairs.
PAIRS = [course for length in (2, 3) for course in itertools.product(NUMBERS, repeat=length)]

RECIPE = """\
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: train}]
  validation: [{prefix: valid}]
tokenizer: {algorithm: char, vocabulary_size: 40}
model:
  encoder: {cell: gru, hidden_size: 6, embedding_size: 5}
  decoder: {cell: gru, hidden_size: 6, embedding_size: 5, dropout: 0.1}
training:
  epochs: 1
  batch: 512
  precision: fp32
  validation: {sentences: 2}
  checkpoint_minutes: 1000
run: {name: tiny, tensorboard: false, threads: 1, log_seconds: 0.000001}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, pairs in (("train", PAIRS), ("valid", PAIRS[100:104])):
        english = "".join(" ".join(pair) + "\n" for pair in pairs)
        french = "".join(" ".join(NUMBERS[word] for word in reversed(pair)) + "\n" for pair in pairs)
        (tmp_path / f"{name}.en").write_text(english, "utf-8")
        (tmp_path / f"{name}.fr").write_text(french, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*overrides: str) -> tuple[TrainingResult, Silent]:
    display = Silent()
    return train(recipe_from_text(RECIPE, "recipe.yaml", overrides), display=display), display


def journal(result: TrainingResult, event: str) -> list[dict[str, Any]]:
    """The records of a kind."""
    (path,) = result.directory.glob("*.jsonl")
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [record for record in records if event in record.values()]


def weights(result: TrainingResult) -> dict[str, torch.Tensor]:
    """Everything in the checkpoint."""
    return read_weights(result.directory / "training" / "checkpoint.safetensors")[0]


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


# The schedule


@pytest.mark.parametrize("accumulation", [1, 2])
def test_steps_are_counted_in_epochs(accumulation: int) -> None:
    """The rate falls after one and a half epochs, and after every quarter of one from there on."""
    schedule = "{name: step, factor: 0.5, step_after: 1.5, step_every: 0.25, minimum_learning_rate: 0.0002}"
    result, _ = run("training.epochs=3", f"training.accumulation={accumulation}", f"training.schedule={schedule}")
    rates = [record["learning_rate"] for record in journal(result, "train")]
    per_epoch = len(rates) / 3
    assert per_epoch == result.updates / 3 >= 5  # else there would be little to see
    expected = []
    for update in range(1, result.updates + 1):
        epochs = update / per_epoch
        falls = sum(epochs > 1.5 + 0.25 * number + 1e-9 for number in range(20))
        expected.append(max(0.001 * 0.5**falls, 0.0002))
    assert rates == pytest.approx(expected)
    assert len(set(rates)) == 4  # 0.001, 0.0005, 0.00025 and the least


# The optimizer


def test_adadelta() -> None:
    optimizer = "{name: adadelta, learning_rate: 1.0, rho: 0.9, epsilon: 1.0e-6}"
    result, _ = run(f"training.optimizer={optimizer}", "training.epochs=3")
    losses = [record["loss"] for record in journal(result, "validation")]
    assert losses[0] > losses[1] > losses[2]
    stored = weights(result)
    averages = {name.rpartition(".")[2] for name in stored if name.startswith("optimizer.")}
    assert averages == {"step", "square_avg", "acc_delta"}


# Tokenizers


def test_whole_words_with_a_vocabulary_for_each_language() -> None:
    words = "{algorithm: word, vocabulary_size: 2000, target_vocabulary_size: 16, joint: false}"
    result, display = run(f"tokenizer={words}", "training.epochs=1")
    assert "tokenizer: 10 pieces in the source, 10 in the target" in display.said  # six words and four special pieces
    _, source, target = load_description(result.directory)
    assert set(source.pieces(range(4, 10))) == {f"▁{word}" for word in NUMBERS}
    assert set(target.pieces(range(4, 10))) == {f"▁{word}" for word in NUMBERS.values()}
    translation = Translator.load(result.directory, device="cpu").translate("one seven five")
    assert translation.source_pieces == 3  # of which one is unknown
    assert "⁇" not in translation.text
    assert set(translation.text.split()) <= set(NUMBERS.values())


def test_a_vocabulary_of_its_own_size_for_the_target() -> None:
    sizes = {"algorithm": "bpe", "joint": "false", "vocabulary_size": 26, "target_vocabulary_size": 23}
    recipe = recipe_from_text(RECIPE, "recipe.yaml", [f"tokenizer.{key}={value}" for key, value in sizes.items()])
    source, target = build_tokenizers(recipe)
    assert (source.vocabulary_size, target.vocabulary_size) == (26, 23)
    same = recipe_from_text(RECIPE, "recipe.yaml", ["tokenizer={algorithm: bpe, joint: false, vocabulary_size: 26}"])
    assert [tokenizer.vocabulary_size for tokenizer in build_tokenizers(same)] == [26, 26]


@pytest.mark.parametrize(
    ("sizes", "key"),
    [
        ("vocabulary_size: 22, target_vocabulary_size: 900", "target_vocabulary_size is 900"),
        ("vocabulary_size: 900, target_vocabulary_size: 22", "vocabulary_size is 900"),
        ("vocabulary_size: 900", "vocabulary_size is 900"),
    ],
)
def test_a_size_that_does_not_fit_is_called_by_its_key(sizes: str, key: str) -> None:
    recipe = recipe_from_text(RECIPE, "recipe.yaml", [f"tokenizer={{joint: false, algorithm: unigram, {sizes}}}"])
    with pytest.raises(TokenizerError, match=rf"^tokenizer\.{key}, but the training text supports at most \d+ unigram"):
        build_tokenizers(recipe)


# Continuing

HARD = ("model.attention={type: hard, context: input-feeding, reward_weight: 2.0, entropy_weight: 0.05}",)


@pytest.mark.parametrize("choices", [HARD, ("model.attention={type: coverage, context: conditional}",)])
def test_a_run_in_two_parts_is_the_run_in_one(choices: Sequence[str]) -> None:
    """With the baseline of a hard attention, the draws of its positions and those of dropout."""
    whole, _ = run(*choices, "training.epochs=2", "run.name=whole")
    run(*choices, "training.epochs=1", "run.name=parts")
    parts, display = run(*choices, "training.epochs=2", "run.name=parts")
    assert any("continuing after update" in line for line in display.said)
    assert_equal(weights(whole), weights(parts))
    assert ("reinforce.baseline" in weights(parts)) == (choices is HARD)
    if choices is HARD:
        assert weights(parts)["reinforce.begun"].item() == 1.0
        assert weights(parts)["reinforce.baseline"].item() < -0.1  # a mean log-probability
    ours, theirs = (journal(result, "train") for result in (whole, parts))
    assert [record["loss"] for record in ours] == [record["loss"] for record in theirs]


def test_the_weights_of_reward_and_entropy_reach_the_training() -> None:
    """Against the run without a change, each of them changes what the attention learns."""
    learned = []
    for index, change in enumerate(("", "reward_weight: 4.0", "entropy_weight: 1.0")):
        overrides = (f"model.attention={{type: hard, {change}}}", "training.max_updates=3", f"run.name=run{index}")
        learned.append(weights(run(*overrides)[0])["model.decoder.attention.query.weight"])
    for one, other in itertools.combinations(learned, 2):
        assert not torch.equal(one, other)


def as_format_1(directory: Path) -> None:
    """Write a model directory's recipe and format as version 1 had them."""
    path = directory / "recipe.yaml"
    tree = yaml.safe_load(path.read_text("utf-8"))
    encoder, decoder = tree["model"]["encoder"], tree["model"]["decoder"]
    encoder["bidirectional"] = encoder.pop("directions") == "bidirectional"
    for section in (encoder, decoder):
        section["residual"] = section.pop("connection") == "residual"
        section.pop("connection_from", None)
        for key in ("word_dropout", "variational", "recurrent_dropout_kind", "recurrent_dropout"):
            del section[key]
    for key in ("reverse_source", "output_size", "embedding_in_output"):
        del encoder[key]
    for key in ("readout", "readout_size", "context_gate"):
        del decoder[key]
    for key in ("generator", "initialization"):
        del tree["model"][key]
    del tree["tokenizer"]["target_vocabulary_size"]
    path.write_text(yaml.safe_dump(tree, sort_keys=False), "utf-8")
    description = json.loads((directory / "format.json").read_text())
    (directory / "format.json").write_text(json.dumps(description | {"version": 1}))


@pytest.mark.parametrize(
    "network",
    [
        (),
        (
            "model.encoder={layers: 2, connection: residual, directions: forward, hidden_size: 6}",
            "model.decoder={layers: 2, connection: residual, hidden_size: 6}",
        ),
    ],
)
def test_a_run_begun_with_format_1_goes_on(network: Sequence[str]) -> None:
    result, _ = run(*network)
    as_format_1(result.directory)
    assert "bidirectional: " in (result.directory / "recipe.yaml").read_text()
    shutil.copytree("runs/tiny", "runs/old")
    continued, display = run(*network, "training.epochs=2")
    changes = [line for line in display.said if line.startswith("changed since")]
    assert changes == ["changed since the run was begun: training.epochs: 1 -> 2"]
    assert any("continuing after update" in line for line in display.said)
    assert json.loads((continued.directory / "format.json").read_text())["version"] == 3
    assert "bidirectional: " not in (continued.directory / "recipe.yaml").read_text()
    whole, _ = run(*network, "training.epochs=2", "run.name=whole")
    assert_equal(weights(continued), weights(whole))
    # What nobody trained further still loads, as what it was.
    old = load_model("runs/old", device=torch.device("cpu"))
    expected = recipe_from_text(RECIPE, "recipe.yaml", network)
    assert old.recipe == expected
    assert os.path.getsize("runs/old/weights.safetensors")


def test_a_run_begun_with_format_1_is_not_continued_with_another_network() -> None:
    result, _ = run()
    as_format_1(result.directory)
    with pytest.raises(Exception, match=r"model\.encoder\.directions: bidirectional -> forward"):
        run("model.encoder.directions=forward", "training.epochs=2")
