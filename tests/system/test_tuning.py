"""From one training to the next: kept weights, their average, fine-tuning from it, and all of them together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from seq2seq.model_directory import read_weights
from tests.system.conftest import Command

pytestmark = pytest.mark.system

FIRST = ("training.epochs=5", "training.keep={last: 3, best: 1}")
TUNED = (
    "run.name=tuned",
    "training.fine_tuning.model=runs/average",
    "training.fine_tuning.freeze=[encoder.stack]",
    "training.optimizer.learning_rate=0.002",
    "training.epochs=1",
    "run.seed=2",
)


def _bleu(output: str) -> float:
    """The first BLEU that a command has printed."""
    found = re.search(r"BLEU = (\S+)", output)
    assert found is not None, output
    return float(found[1])


def test_from_a_run_to_its_average_to_a_tuned_model_to_an_ensemble(toy: Path, command: Command) -> None:
    trained = command("train", "toy.yaml", *FIRST)
    assert trained.returncode == 0, trained.stderr
    averaged = command("average", "runs/toy", "--last", "3", "-o", "runs/average", "--evaluate")
    assert averaged.returncode == 0, averaged.stderr
    tuned = command("train", "toy.yaml", *TUNED)
    assert tuned.returncode == 0, tuned.stderr
    assert "starting from runs/average: all" in tuned.stderr
    before, after = (read_weights(toy / "runs" / name / "weights.safetensors")[0] for name in ("average", "tuned"))
    frozen = {name for name in before if torch.equal(before[name], after[name])}
    assert frozen == {name for name in before if name.startswith("encoder.stack.")}
    together = command("evaluate", "--model", "runs/toy", "runs/average", "runs/tuned")
    assert together.returncode == 0, together.stderr
    assert min(_bleu(each.stdout) for each in (trained, averaged, tuned)) > 60.0
    assert _bleu(together.stdout) >= min(_bleu(trained.stdout), _bleu(tuned.stdout))
