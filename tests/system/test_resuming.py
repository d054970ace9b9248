"""A run that is killed, stopped or changed, and started again."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq.model_directory import read_weights
from tests.system.conftest import Command, Start

pytestmark = pytest.mark.system

#: Everything whose state a resumed run must restore: dropout, subword sampling, running mean, accumulation, plateau.
EVERYTHING = (
    "tokenizer.sampling.alpha=0.3",
    "model.encoder.dropout=0.2",
    "training.exponential_smoothing=0.99",
    "training.accumulation=2",
    "training.schedule={name: plateau, patience: 0, warmup_updates: 30}",
    "training.validation.every_updates=97",
    "training.epochs=4",
    "training.checkpoint_minutes=0.003",
    "evaluation.after_training=false",
)


def _stop(start: Start, name: str, number: int, *, after: int, journal: Path) -> int:
    """Start the run, send signal `number` once the journal has grown by `after` bytes, and return the exit code."""
    size = journal.stat().st_size if journal.is_file() else 0
    process = start("train", "toy.yaml", f"run.name={name}", "run.log_seconds=0.05", *EVERYTHING)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if journal.is_file() and journal.stat().st_size >= size + after:
            process.send_signal(number)
            break
        time.sleep(0.01)
    process.communicate(timeout=120)
    return process.returncode


def _validations(run: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = ("update", "loss", "perplexity", "bleu", "chrf", "epoch", "best", "reductions")
    return [{key: record[key] for key in kept} for record in records if record["kind"] == "validation"]


def test_a_killed_run_ends_with_the_same_weights(toy: Path, start: Start, command: Command) -> None:
    whole = command("train", "toy.yaml", "run.name=whole", "run.log_seconds=0.05", *EVERYTHING)
    assert whole.returncode == 0, whole.stderr
    killed = toy / "runs" / "killed"
    for after in (900, 2500, 4100):
        code = _stop(start, "killed", signal.SIGKILL, after=after, journal=killed / "journal.jsonl")
        assert code in (-signal.SIGKILL, 0)
    finished = command("train", "toy.yaml", "run.name=killed", *EVERYTHING)
    assert finished.returncode == 0, finished.stderr
    for name in ("weights.safetensors", "training/checkpoint.safetensors"):
        expected, _ = read_weights(toy / "runs" / "whole" / name)
        actual, _ = read_weights(killed / name)
        assert expected.keys() == actual.keys()
        differing = [key for key in expected if not torch.equal(expected[key], actual[key])]
        assert not differing, name
    assert _validations(killed) == _validations(toy / "runs" / "whole")
    assert not list(killed.rglob("*.tmp")), "half-written files of killed saves are gone"
    updates = [
        json.loads(line)["update"] for line in (killed / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert updates == sorted(updates), "records of lost work are cut off"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_exits(toy: Path, start: Start, command: Command, number: int, code: int) -> None:
    run = toy / "runs" / "stopped"
    assert _stop(start, "stopped", number, after=700, journal=run / "journal.jsonl") == code
    assert (run / "training" / "checkpoint.safetensors").is_file()
    continued = command("train", "toy.yaml", "run.name=stopped", *EVERYTHING)
    assert continued.returncode == 0
    assert "continuing after update" in continued.stderr


def test_a_changed_recipe_is_refused_unless_the_key_may_change(toy: Path, command: Command) -> None:
    short = ("training.epochs=1", "evaluation.after_training=false")
    assert command("train", "toy.yaml", *short).returncode == 0
    refused = command("train", "toy.yaml", *short, "training.optimizer.learning_rate=0.02")
    assert refused.returncode == 2
    assert "training.optimizer.learning_rate: 0.01 -> 0.02" in refused.stderr
    assert "Traceback" not in refused.stderr
    longer = command("train", "toy.yaml", "training.epochs=2", "evaluation.after_training=false")
    assert longer.returncode == 0
    assert "training.epochs: 1 -> 2" in longer.stderr
    assert "continuing after update" in longer.stderr


def test_fresh_starts_over_and_keeps_the_old_run(toy: Path, command: Command) -> None:
    short = ("training.epochs=1", "evaluation.after_training=false")
    assert command("train", "toy.yaml", *short).returncode == 0
    old = (toy / "runs" / "toy" / "weights.safetensors").read_bytes()
    fresh = command("train", "toy.yaml", *short, "--fresh", "run.seed=2")
    assert fresh.returncode == 0, fresh.stderr
    assert (toy / "runs" / "toy.1" / "weights.safetensors").read_bytes() == old
    assert (toy / "runs" / "toy" / "weights.safetensors").read_bytes() != old


def test_changed_text_is_noticed(toy: Path, command: Command) -> None:
    short = ("training.epochs=1", "evaluation.after_training=false")
    assert command("train", "toy.yaml", *short).returncode == 0
    for language in ("en", "fr"):
        with open(toy / "toy" / f"train.{language}", "a", encoding="utf-8") as file:
            file.write("six\n")
    changed = command("train", "toy.yaml", "training.epochs=2", "evaluation.after_training=false")
    assert changed.returncode == 2
    assert "the training text has changed" in changed.stderr


def test_a_damaged_checkpoint_is_one_sentence(toy: Path, command: Command) -> None:
    short = ("training.epochs=1", "evaluation.after_training=false")
    assert command("train", "toy.yaml", *short).returncode == 0
    checkpoint = toy / "runs" / "toy" / "training" / "checkpoint.safetensors"
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: len(content) // 2])
    damaged = command("train", "toy.yaml", "training.epochs=2", "evaluation.after_training=false")
    assert damaged.returncode == 2
    assert str(Path("training") / "checkpoint.safetensors") in damaged.stderr
    assert "Traceback" not in damaged.stderr
    shutil.rmtree(toy / "runs")
