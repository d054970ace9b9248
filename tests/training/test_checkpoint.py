"""The checkpoint: a run continued is the run uninterrupted, bit for bit."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from seq2seq.data.batch import Batch
from seq2seq.errors import ModelError, Seq2SeqError, TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import CellName, OptimizerName, TyingName
from seq2seq.training.average import RunningMean
from seq2seq.training.checkpoint import load_checkpoint, save_checkpoint
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.progress import Progress
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.step import train_step

CPU = torch.device("cpu")

MakeModel = Callable[..., EncoderDecoder]
MakePairs = Callable[..., Batch]


@dataclass
class Run:
    """Everything that a checkpoint holds."""

    model: EncoderDecoder
    optimizer: torch.optim.Optimizer
    mean: RunningMean | None
    precision: Precision
    progress: Progress
    reinforce: Reinforce | None = None

    def train(self, batch: Batch, updates: int) -> None:
        self.model.train()
        for _ in range(updates):
            self.progress.update += 1
            train_step(
                self.model, [batch], optimizer=self.optimizer, precision=self.precision,
                learning_rate=0.02 / self.progress.update**0.5, clip_by="norm", clip_threshold=1.0,
                objective=Objective(label_smoothing=0.1, reinforce=self.reinforce),
            )  # fmt: skip
            if self.mean is not None:
                self.mean.update(self.progress.update)

    def save(self, path: Path) -> None:
        save_checkpoint(
            path,
            model=self.model,
            optimizer=self.optimizer,
            mean=self.mean,
            precision=self.precision,
            progress=self.progress,
            reinforce=self.reinforce,
        )

    def load(self, path: Path) -> None:
        self.progress = load_checkpoint(
            path,
            model=self.model,
            optimizer=self.optimizer,
            mean=self.mean,
            precision=self.precision,
            reinforce=self.reinforce,
        )

    def everything(self) -> dict[str, Any]:
        tensors = {f"model {name}": parameter.detach().clone() for name, parameter in self.model.named_parameters()}
        if self.mean is not None:
            tensors |= {f"mean {name}": tensor.clone() for name, tensor in self.mean.state().items()}
        if self.reinforce is not None:
            tensors |= {f"reinforce {name}": tensor.clone() for name, tensor in self.reinforce.state().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer {index} {key}": copied(value) for key, value in state.items()}
        return tensors | {"random": torch.get_rng_state(), "scale": self.precision.state(), "progress": self.progress}


def copied(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, torch.Tensor):
            assert value.dtype == other[name].dtype, name
            assert torch.equal(value, other[name]), name
        else:
            assert value == other[name], name


@pytest.fixture
def make_run(make_model: MakeModel) -> Callable[..., Run]:
    """A function that makes a run at its start."""

    def make(
        optimizer: Any = "adam", *, momentum: float = 0.9, mean: bool = True, dtype: torch.dtype = torch.float32,
        dropout: float = 0.3, **network: Any,
    ) -> Run:  # fmt: skip
        model = make_model(dropout=dropout, **network)
        made = make_optimizer(
            model.parameters(), name=optimizer, learning_rate=0.02, betas=(0.9, 0.98), epsilon=1e-8, weight_decay=0.01,
            momentum=momentum, rho=0.95,
        )  # fmt: skip
        running = RunningMean(model, decay=0.9) if mean else None
        progress = Progress(epoch=3, corpus="abc", best=0.1)
        reinforce = None
        if (network.get("attention") or {}).get("type") == "hard":
            reinforce = Reinforce(reward_weight=1.5, entropy_weight=0.1, device=CPU)
        return Run(model, made, running, Precision(dtype=dtype, device=CPU), progress, reinforce)

    return make


MakeRun = Callable[..., Run]


@pytest.mark.parametrize(
    "kind",
    [
        *({"optimizer": name} for name in get_args(OptimizerName)),
        {"optimizer": "sgd", "momentum": 0.0},
        {"mean": False},
        {"dtype": torch.bfloat16},
        {"dtype": torch.float16},
        *({"cell": name} for name in get_args(CellName)),
        *({"tying": name} for name in get_args(TyingName)),
        *({"attention": {"type": "hard", "context": context}} for context in ("output", "conditional")),
        {"attention": {"type": "hard", "context": "input-feeding"}, "dropout": 0.0},
        {"attention": {"type": "coverage", "context": "previous-state"}},
    ],
    ids=lambda kind: "-".join(f"{key}_{value}" for key, value in kind.items()),
)
def test_continued_is_uninterrupted(
    kind: dict[str, Any], make_run: MakeRun, make_pairs: MakePairs, tmp_path: Path
) -> None:
    path, batch = tmp_path / "checkpoint.safetensors", make_pairs()
    run = make_run(**kind)
    run.train(batch, 3)
    run.save(path)
    saved = run.everything()
    run.train(batch, 3)
    uninterrupted = run.everything()
    assert not torch.equal(saved["model output.bias"], uninterrupted["model output.bias"])

    fresh = make_run(**kind)
    with torch.no_grad():
        for parameter in fresh.model.parameters():
            parameter.mul_(-3.0)
    torch.manual_seed(12345)
    fresh.load(path)
    same(fresh.everything(), saved | {"progress": fresh.progress})
    assert fresh.progress == Progress(update=3, epoch=3, corpus="abc", best=0.1)
    fresh.train(batch, 3)
    same(fresh.everything(), uninterrupted)
    # What went on did not change the file that it came from.
    again = make_run(**kind)
    again.load(path)
    same(again.everything(), saved | {"progress": again.progress})


def test_without_dropout_the_random_numbers_would_not_matter(
    make_run: MakeRun, make_pairs: MakePairs, tmp_path: Path
) -> None:
    """So the test above is one of the generator's state, too."""
    outcomes = []
    for seed in (1, 2):
        run = make_run()
        torch.manual_seed(seed)
        run.train(make_pairs(), 1)
        outcomes.append(run.everything()["model output.bias"])
    assert not torch.equal(*outcomes)


def test_the_start_of_a_run_can_be_saved(make_run: MakeRun, make_pairs: MakePairs, tmp_path: Path) -> None:
    run, other = make_run(), make_run()
    run.save(tmp_path / "checkpoint")
    run.train(make_pairs(), 2)
    other.load(tmp_path / "checkpoint")
    other.train(make_pairs(), 2)
    same(run.everything(), other.everything())


def test_one_file_without_pickles(make_run: MakeRun, make_pairs: MakePairs, tmp_path: Path) -> None:
    run = make_run()
    run.train(make_pairs(), 1)
    run.save(tmp_path / "checkpoint")
    run.save(tmp_path / "checkpoint")
    assert os.listdir(tmp_path) == ["checkpoint"]
    tensors = load_file(tmp_path / "checkpoint")
    assert {name.split(".")[0] for name in tensors} == {"model", "mean", "optimizer", "random"}


@pytest.mark.parametrize("kept", [0, 7, 1000, -1])
def test_a_truncated_file(kept: int, make_run: MakeRun, tmp_path: Path) -> None:
    run, path = make_run(), tmp_path / "checkpoint"
    run.save(path)
    path.write_bytes(path.read_bytes()[:kept])
    before = run.everything()
    with pytest.raises(ModelError) as caught:
        run.load(path)
    assert str(caught.value).startswith(f"{path}: the file is damaged or truncated (")
    assert "\n" not in str(caught.value)
    same(run.everything(), before)


def test_a_missing_file(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="checkpoint: the file is damaged or truncated"):
        make_run().load(tmp_path / "checkpoint")


@pytest.mark.parametrize("changes", [{"hidden_size": 7}, {"tying": "none"}, {"cell": "gru"}])
def test_another_network(changes: dict[str, Any], make_run: MakeRun, tmp_path: Path) -> None:
    make_run().save(tmp_path / "checkpoint")
    other = make_run(**changes)
    before = other.everything()
    with pytest.raises(TrainingError) as caught:
        other.load(tmp_path / "checkpoint")
    path = tmp_path / "checkpoint"
    assert str(caught.value) == f"{path}: the checkpoint is of another network; start over with --fresh"
    same(other.everything(), before)


def test_a_newer_version(make_run: MakeRun, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    run = make_run()
    run.save(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata=metadata | {"version": "3"})
    with pytest.raises(TrainingError) as caught:
        run.load(path)
    assert str(caught.value) == (
        f"{path}: the checkpoint has version 3, but this release continues versions up to 2; continue with the release "
        "that wrote it, or start over with --fresh"
    )


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_previous_checkpoint(
    call: str, make_run: MakeRun, make_pairs: MakePairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint"
    run = make_run()
    run.train(make_pairs(), 1)
    run.save(path)
    saved = run.everything() | {"progress": Progress(update=1, epoch=3, corpus="abc", best=0.1)}
    run.train(make_pairs(), 1)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(Seq2SeqError, match=r"checkpoint: cannot be saved \(No space left on device\); what was saved"):
        run.save(path)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["checkpoint"]
    other = make_run()
    other.load(path)
    same(other.everything(), saved)
