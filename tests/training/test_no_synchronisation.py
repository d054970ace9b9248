"""An update never waits for a GPU: of any cell, wiring, attention and optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from seq2seq.build import build_model
from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Model
from seq2seq.recipe.recurrence import CellName
from seq2seq.training.average import RunningMean
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import OptimizerName, make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.step import StepReport, train_step
from tests.tape import NoReading

#: An attention for every kind and a context for every wiring.
ATTENTIONS: list[dict[str, Any]] = [
    {"type": "none", "context": "none"},
    {"type": "summary", "context": "previous-state"},
    {"type": "general", "context": "output"},
    {"type": "scaled-dot", "context": "upper-layers"},
    {"type": "dot", "context": "upper-layers"},
    {"type": "concat", "context": "output", "size": 4},
    {"type": "additive", "context": "input-feeding", "size": 4, "dropout": 0.1},
    {"type": "normalized-additive", "context": "previous-state", "size": 4},
    {"type": "multihead", "context": "output", "heads": 2, "size": 4},
    {"type": "multihead-additive", "context": "upper-layers", "heads": 2, "size": 4},
    {"type": "local-m", "context": "output"},
    {"type": "local-p", "context": "conditional", "size": 4},
    {"type": "coverage", "context": "output", "size": 4},
    {"type": "location", "context": "input-feeding", "size": 4},
    {"type": "hard", "context": "output", "size": 4},
]
NOISES: list[dict[str, Any]] = [
    {"recurrent_dropout": 0.2, "recurrent_dropout_kind": kind}
    for kind in ("variational", "candidate", "zoneout", "dropconnect")
]


def network(attention: dict[str, Any], *, cell: str = "lstm", **others: Any) -> EncoderDecoder:
    """A small network with dropout wherever there can be any."""
    stack = {"hidden_size": 6, "embedding_size": 5, "layers": 2, "dropout": 0.2, "embedding_dropout": 0.2}
    stack |= {"cell": cell, "word_dropout": 0.1, **others}
    if cell == "lstm-projected":
        stack |= {"projection_size": 4}
    encoder = stack | {"directions": "forward"}
    decoder = stack | {"output_dropout": 0.2}
    description = {"encoder": encoder, "decoder": decoder, "attention": attention, "bridge": "learned"}
    return build_model(Model.model_validate(description), source_vocabulary=11, target_vocabulary=11)


def update(
    model: EncoderDecoder,
    batch: Batch,
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    optimizer: OptimizerName = "adam",
    clip_by: str = "norm",
    consistency: float = 0.0,
    updates: int = 1,
) -> Callable[[], list[StepReport]]:
    """A function that makes updates, all that it needs being there."""
    model.train()
    reinforce = Reinforce(reward_weight=0.1, entropy_weight=0.1, device=device)
    made = make_optimizer(
        model.parameters(), name=optimizer, learning_rate=0.01, betas=(0.9, 0.98), epsilon=1e-8, weight_decay=0.01,
        momentum=0.5, rho=0.9,
    )  # fmt: skip
    precision = Precision(dtype=dtype, device=device)
    mean = RunningMean(model, decay=0.9)
    objective = Objective(label_smoothing=0.1, consistency=consistency, reinforce=reinforce)

    def run() -> list[StepReport]:
        reports = []
        for number in range(updates):
            reports.append(
                train_step(
                    model, [batch, batch], objective=objective, optimizer=made, precision=precision,
                    learning_rate=0.01, clip_by=clip_by, clip_threshold=0.1,
                )
            )  # fmt: skip
            # The mean's other way, without a look at the verdict, is one for GPUs.
            mean.update(number + 1, applied=reports[-1].applied if device.type == "cuda" else None)
        return reports

    return run


CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    *((attention, {}) for attention in ATTENTIONS),
    *(({"type": "general", "context": "output"}, {"cell": cell}) for cell in get_args(CellName)),
    *(({"type": "general", "context": "output"}, {"cell": "gru", **noise}) for noise in NOISES),
    *(({"type": "general", "context": "output"}, {"connection": kind}) for kind in ("residual", "highway", "dense")),
]
UPDATES: list[dict[str, Any]] = [
    *({"optimizer": name} for name in ("adam", "adamw", "sgd")),
    {"clip_by": "value"},
    {"clip_by": "none"},
    {"consistency": 2.0},
]


def ids(case: tuple[dict[str, Any], dict[str, Any]]) -> str:
    attention, others = case
    return "-".join([attention["type"], attention["context"], *map(str, others.values())])


@pytest.fixture
def as_a_gpu(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """The CPU, treated as a device that works on while the program does."""

    def fail(tensor: Tensor, *_: Any) -> None:
        raise AssertionError("this waits for the device")

    monkeypatch.setattr(Precision, "asynchronous", True)
    for name in ("tolist", "numpy", "cpu"):  # no operators, on a CPU
        monkeypatch.setattr(Tensor, name, fail)
    return torch.device("cpu")


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_no_operator_reads_a_number(
    case: tuple[dict[str, Any], dict[str, Any]], as_a_gpu: torch.device, make_pairs: Callable[..., Batch]
) -> None:
    attention, others = case
    run = update(network(attention, **others), make_pairs(), device=as_a_gpu)
    run()  # the very first update looks at its verdict, since the optimizer has no state that could be left alone
    with NoReading():
        assert len(run()) == 1


@pytest.mark.parametrize("arguments", UPDATES, ids=lambda arguments: "-".join(map(str, arguments.values())))
def test_no_update_reads_a_number(
    arguments: dict[str, Any], as_a_gpu: torch.device, make_pairs: Callable[..., Batch]
) -> None:
    run = update(network(ATTENTIONS[2]), make_pairs(), device=as_a_gpu, updates=2, **arguments)
    run()
    with NoReading():
        run()


def test_what_waits_is_found(make_pairs: Callable[..., Batch]) -> None:
    """On the CPU an update looks at its gradient; and so on with whatever else would wait."""
    run = update(network(ATTENTIONS[2]), make_pairs(), device=torch.device("cpu"))
    with NoReading(), pytest.raises(RuntimeError, match="_local_scalar_dense waits"):
        run()
    numbers = torch.tensor([1.0, 0.0, 2.0])
    for wait in (
        lambda: numbers.nonzero(),
        lambda: numbers[numbers > 0],
        lambda: [1, 2][numbers[1].int()],
        lambda: numbers.masked_select(numbers > 0),
        lambda: torch.equal(numbers, numbers),
        lambda: numbers.unique(),
        lambda: numbers.multinomial(1),
        lambda: numbers.index_put_((numbers > 0,), numbers[0]),
    ):
        with NoReading(), pytest.raises(RuntimeError, match="waits for the device"):
            wait()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_gpu_is_not_waited_for(
    case: tuple[dict[str, Any], dict[str, Any]], dtype: torch.dtype, make_pairs: Callable[..., Batch]
) -> None:
    attention, others = case
    device = torch.device("cuda", 0)
    run = update(network(attention, **others).to(device), make_pairs().pin_memory(), device=device, dtype=dtype)
    run()  # the first update makes the optimizer's state, the scale and the libraries' own
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        reports = run()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.isfinite(reports[0].loss)
