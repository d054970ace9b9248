"""Good updates and bad ones: the verdict by the definition, and what an update that is left out leaves alone."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.training import step
from seq2seq.training.average import RunningMean
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import OptimizerName, make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.spikes import SpikeWatch, Verdict
from seq2seq.training.step import StepReport, train_step

CPU = torch.device("cpu")
INF, NAN = math.inf, math.nan


def judge(watch: SpikeWatch, loss: float, norm: float, **settings: bool) -> Verdict:
    return Verdict(int(watch.judge(torch.tensor(loss), torch.tensor(norm), **settings)))


class Twin:
    """The definition once more, in Python's own floats, with the losses and norms of the good updates kept."""

    def __init__(self, *, norm: float, loss: float) -> None:
        self.norm, self.loss = norm, loss
        self.count, self.log, self.mean, self.variance = 0, 0.0, 0.0, 0.0

    def judge(self, loss: float, norm: float) -> Verdict:
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return Verdict.NOT_FINITE
        if self.count >= 100 and norm > self.norm * math.exp(self.log):
            return Verdict.SPIKE
        if self.count and loss > self.mean + self.loss * max(math.sqrt(self.variance), 0.1 * self.mean, 0.3):
            return Verdict.SPIKE
        self.count += 1
        new = 1 / min(self.count, 100)
        self.log = (1 - new) * self.log + new * math.log(norm)
        # The mean of the squares is variance + mean^2, before and after.
        squares = (1 - new) * (self.variance + self.mean**2) + new * loss**2
        self.mean = (1 - new) * self.mean + new * loss
        self.variance = squares - self.mean**2
        return Verdict.APPLIED


def test_verdicts_are_those_of_the_definition() -> None:
    watch, twin = SpikeWatch(norm=20.0, loss=6.0, device=CPU), Twin(norm=20.0, loss=6.0)
    found = []
    for update in range(400):
        loss = 2 + 6 * 0.99**update + 0.8 * math.sin(update * update)
        norm = math.exp(1.5 * math.sin(3.7 * update) - 0.005 * update)
        if update % 37 == 36:
            norm *= 200.0
        if update % 41 == 40:
            loss *= 5.0
        if update % 53 == 52:
            norm = (INF, NAN)[update % 2]
        if update % 59 == 58:
            loss = (INF, NAN)[update % 2]
        verdict = judge(watch, loss, norm)
        assert verdict is twin.judge(loss, norm), update
        found.append(verdict)
    assert 10 <= found.count(Verdict.NOT_FINITE) <= 14
    assert 8 <= found.count(Verdict.SPIKE) <= 20
    record = watch.state()["record"].tolist()
    assert record == pytest.approx([twin.count, twin.log, twin.mean, twin.variance], rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "numbers", "verdict"),
    [
        ({"norm": None, "loss": None}, (1e30, 1e30), Verdict.APPLIED),
        ({"norm": None, "loss": None}, (1.0, INF), Verdict.NOT_FINITE),
        ({"norm": None, "loss": None}, (NAN, 1.0), Verdict.NOT_FINITE),
        ({"norm": 100.0, "loss": 10.0}, (2.0, 99.0), Verdict.APPLIED),
        ({"norm": 100.0, "loss": 10.0}, (2.0, 101.0), Verdict.SPIKE),
        ({"norm": 100.0, "loss": None}, (1e9, 99.0), Verdict.APPLIED),
        ({"norm": None, "loss": 10.0}, (2.0, 1e9), Verdict.APPLIED),
        # A constant loss of 2 has a deviation of 0.3 at least: ten of them are 3 nats.
        ({"norm": 100.0, "loss": 10.0}, (4.99, 1.0), Verdict.APPLIED),
        ({"norm": 100.0, "loss": 10.0}, (5.01, 1.0), Verdict.SPIKE),
    ],
)
def test_after_a_hundred_equal_updates(
    settings: dict[str, Any], numbers: tuple[float, float], verdict: Verdict
) -> None:
    watch = SpikeWatch(**settings, device=CPU)
    for _ in range(100):
        assert judge(watch, 2.0, 1.0) is Verdict.APPLIED
    before = watch.state()["record"].clone()
    assert judge(watch, *numbers) is verdict
    assert torch.equal(watch.state()["record"], before) is (verdict is not Verdict.APPLIED)


def test_norms_are_not_judged_at_the_beginning() -> None:
    watch = SpikeWatch(norm=10.0, loss=10.0, device=CPU)
    assert [judge(watch, 9.0, 1e-6 * 100.0**update) for update in range(8)] == [Verdict.APPLIED] * 8
    assert judge(SpikeWatch(norm=10.0, loss=10.0, device=CPU), 9.0, 0.0) is Verdict.APPLIED  # nothing trains, perhaps
    assert judge(watch, 90.0, 1.0) is Verdict.SPIKE  # the loss is


def test_an_overflow_is_of_the_gradient_alone_and_of_a_loss_scale() -> None:
    watch = SpikeWatch(norm=None, loss=None, device=CPU)
    assert judge(watch, 2.0, INF, loss_scaled=True) is Verdict.OVERFLOW
    assert judge(watch, 2.0, NAN, loss_scaled=True) is Verdict.OVERFLOW
    assert judge(watch, NAN, NAN, loss_scaled=True) is Verdict.NOT_FINITE
    assert judge(watch, 2.0, INF) is Verdict.NOT_FINITE


def test_a_loss_measured_elsewhere() -> None:
    watch = SpikeWatch(norm=None, loss=10.0, device=CPU)
    assert not watch.is_high(1e9)
    assert watch.is_high(NAN)
    judge(watch, 2.0, 1.0)
    assert (watch.is_high(4.9), watch.is_high(5.1), watch.is_high(INF)) == (False, True, True)
    assert not SpikeWatch(norm=1.1, loss=None, device=CPU).is_high(1e9)


def test_the_record_goes_with_the_checkpoint() -> None:
    watch, other = (SpikeWatch(norm=2.0, loss=1.0, device=CPU) for _ in range(2))
    for loss in (5.0, 4.0, 4.5):
        judge(watch, loss, loss)
    other.load_state({name: tensor.clone() for name, tensor in watch.state().items()})
    assert judge(other, 6.0, 1.0) is judge(watch, 6.0, 1.0) is Verdict.SPIKE
    other.load_state({})  # of an earlier release
    assert judge(other, 4.0, 1.0) is Verdict.APPLIED


# What is left out leaves everything alone.


def optimizer_of(model: EncoderDecoder, name: OptimizerName) -> torch.optim.Optimizer:
    return make_optimizer(
        model.parameters(), name=name, learning_rate=1.0, betas=(0.9, 0.99), epsilon=1e-8, weight_decay=0.01,
        momentum=0.9, rho=0.9,
    )  # fmt: skip


def train(
    model: EncoderDecoder, batches: list[Batch | None], *, name: OptimizerName, precision: Precision
) -> tuple[torch.optim.Optimizer, RunningMean, list[StepReport]]:
    """Updates 1, 2, ... one for each batch; none where there is none, but the next has the next one's number."""
    optimizer, mean = optimizer_of(model, name), RunningMean(model, decay=0.9)
    reports = []
    for update, batch in enumerate(batches, start=1):
        if batch is None:
            continue
        report = train_step(
            model.train(), [batch], optimizer=optimizer, precision=precision, learning_rate=0.01 * update,
            objective=Objective(label_smoothing=0.1), clip_by="norm", clip_threshold=0.5,
        )  # fmt: skip
        mean.update(update, applied=report.applied)
        reports.append(report)
    return optimizer, mean, reports


def state_of(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    states = optimizer.state_dict()["state"].values()
    return [torch.as_tensor(state[key]) for state in states for key in sorted(state) if state[key] is not None]


@pytest.mark.parametrize("on_device", [False, True])
@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "adagrad", "adadelta"])
@pytest.mark.parametrize("bad", [1, 3])
def test_a_bad_update_is_as_if_it_were_omitted(
    name: OptimizerName,
    bad: int,
    on_device: bool,
    make_model: Callable[..., EncoderDecoder],
    make_pairs: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One number of one gradient is no number. `on_device` takes the way of a GPU, with the processor's kernels."""
    model = make_model()
    twin = copy.deepcopy(model)
    batches: list[Batch | None] = [make_pairs([update % 4, (update + 1) % 4]) for update in range(4)]
    precision = Precision(dtype=torch.float32, device=CPU)
    expected = train(twin, [None if update == bad else each for update, each in enumerate(batches, 1)], name=name,
                     precision=precision)  # fmt: skip
    clip, calls = step.clip_gradients, []

    def poisoned(parameters: Any, **settings: Any) -> torch.Tensor:
        parameters = list(parameters)
        calls.append(None)
        if len(calls) == bad:
            parameters[3].grad.view(-1)[1] = NAN
        return clip(parameters, **settings)

    monkeypatch.setattr(step, "clip_gradients", poisoned)
    if on_device:
        real = precision.step

        def on_gpu(optimizer: torch.optim.Optimizer, apply: torch.Tensor) -> None:
            precision.device = torch.device("cuda")
            real(optimizer, apply)
            precision.device = CPU

        monkeypatch.setattr(precision, "step", on_gpu)
    optimizer, mean, reports = train(model, batches, name=name, precision=precision)
    verdicts = [Verdict(int(report.verdict)) for report in reports]
    assert verdicts == [Verdict.NOT_FINITE if update == bad else Verdict.APPLIED for update in range(1, 5)]
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(one, other)
    ours, theirs = state_of(optimizer), state_of(expected[0])
    assert len(ours) == len(theirs) > 0 or (len(ours), name) == (0, "sgd")
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
    for parameter, tensor in mean.state().items():
        assert torch.equal(tensor, expected[1].state()[parameter]), parameter
