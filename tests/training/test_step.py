"""One update: its loss, its gradient, its report, and batches that make it together."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.step import StepReport, train_step

CPU = torch.device("cpu")

MakeModel = Callable[..., EncoderDecoder]
MakePairs = Callable[..., Batch]


def sgd(model: EncoderDecoder) -> torch.optim.Optimizer:
    return make_optimizer(
        model.parameters(),
        name="sgd",
        learning_rate=99.0,
        betas=(0.9, 0.999),
        epsilon=1e-8,
        weight_decay=0.0,
        momentum=0.0,
        rho=0.95,
    )


def update(
    model: EncoderDecoder, batches: list[Batch], *, dtype: torch.dtype = torch.float32, **changes: Any
) -> StepReport:
    arguments: dict[str, Any] = {"learning_rate": 0.5, "clip_by": "norm", "clip_threshold": 0.1}
    arguments |= {"optimizer": sgd(model), "precision": Precision(dtype=dtype, device=CPU)}
    arguments |= {"objective": Objective(label_smoothing=0.1)}
    return train_step(model.train(), batches, **arguments | changes)


def test_an_update_by_the_formula(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model, batch = make_model().double(), make_pairs()
    twin = copy.deepcopy(model)
    report = update(model, [batch])

    targets = batch.target_out.masked_fill(~batch.target_mask, -100).flatten()
    logits = twin(batch.source, batch.source_lengths, batch.target_in).logits.flatten(0, 1)
    loss = functional.cross_entropy(logits, targets, label_smoothing=0.1)  # a mean over 3 + 6 + 2 + 4 pieces
    gradients = torch.autograd.grad(loss, list(twin.parameters()))
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    assert norm > 0.1  # else nothing would be clipped
    for parameter, other, gradient in zip(model.parameters(), twin.parameters(), gradients, strict=True):
        expected = other - 0.5 * gradient * 0.1 / norm
        torch.testing.assert_close(parameter, expected, rtol=0, atol=1e-6)  # clipping adds 1e-6 to the norm
    assert report.target_tokens == 15
    assert report.source_tokens == 17
    assert report.loss.item() == pytest.approx(15 * loss.item())
    assert report.likelihood.item() == pytest.approx(functional.cross_entropy(logits, targets, reduction="sum").item())
    assert report.gradient_norm.item() == pytest.approx(norm.item())
    assert not report.loss.requires_grad


@pytest.mark.parametrize("parts", [[[0], [1, 2, 3]], [[1], [0, 3], [2]], [[0], [1], [2], [3]]])
def test_batches_together_are_one_batch(parts: list[list[int]], make_model: MakeModel, make_pairs: MakePairs) -> None:
    """The mean is over pieces: a short batch counts less than a long one."""
    model = make_model().double()
    twin = copy.deepcopy(model)
    report = update(model, [make_pairs(part) for part in parts])
    whole = update(twin, [make_pairs()])
    for parameter, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(parameter, other, rtol=0, atol=1e-12)
    assert (report.target_tokens, report.source_tokens) == (whole.target_tokens, whole.source_tokens)
    for ours, theirs in ((report.loss, whole.loss), (report.likelihood, whole.likelihood)):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)
    torch.testing.assert_close(report.gradient_norm, whole.gradient_norm, rtol=1e-12, atol=0)


def test_gradients_of_the_last_update_are_gone(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model = make_model().double()
    optimizer = sgd(model)
    first = update(model, [make_pairs()], optimizer=optimizer, learning_rate=0.0)
    second = update(model, [make_pairs()], optimizer=optimizer, learning_rate=0.0)
    assert second.gradient_norm.item() == first.gradient_norm.item()
    assert optimizer.param_groups[0]["lr"] == 0.0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_formats_stay_near_fp32(dtype: torch.dtype, make_model: MakeModel, make_pairs: MakePairs) -> None:
    model = make_model()
    twin, before = copy.deepcopy(model), torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    report = update(model, [make_pairs([0]), make_pairs([1, 2, 3])], dtype=dtype)
    full = update(twin, [make_pairs([0]), make_pairs([1, 2, 3])])
    assert report.loss.dtype == torch.float32
    assert report.loss.item() == pytest.approx(full.loss.item(), rel=0.01)
    assert report.gradient_norm.item() == pytest.approx(full.gradient_norm.item(), rel=0.05)
    moved = torch.cat([parameter.detach().flatten() for parameter in model.parameters()]) - before
    expected = torch.cat([parameter.detach().flatten() for parameter in twin.parameters()]) - before
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    assert (moved - expected).norm() < 0.05 * expected.norm()


def test_an_fp16_overflow_changes_nothing_but_the_scale(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model = make_model()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    precision = Precision(dtype=torch.float16, device=CPU)
    precision.load_state(precision.state() | {"scale": 2.0**60})
    report = update(model, [make_pairs()], precision=precision, dtype=torch.float16)
    assert not torch.isfinite(report.gradient_norm)
    assert all(torch.equal(parameter, old) for parameter, old in zip(model.parameters(), before, strict=True))
    assert precision.state()["scale"] == 2.0**59


def test_a_gradient_that_is_no_number_leaves_the_weights(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model = make_model()
    with torch.no_grad():
        model.output.bias[3] = float("inf")
    before = [parameter.detach().clone() for parameter in model.parameters()]
    report = update(model, [make_pairs()])
    assert not torch.isfinite(report.gradient_norm)
    assert all(torch.equal(parameter, old) for parameter, old in zip(model.parameters(), before, strict=True))


def test_it_learns(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model, batch = make_model(hidden_size=24), make_pairs()
    optimizer = make_optimizer(
        model.parameters(),
        name="adam",
        learning_rate=1.0,
        betas=(0.9, 0.98),
        epsilon=1e-8,
        weight_decay=0.0,
        momentum=0.0,
        rho=0.95,
    )
    for _ in range(60):
        report = update(model, [batch], optimizer=optimizer, learning_rate=0.03, objective=Objective())
    assert report.likelihood.item() / 15 < 0.1
    logits = model.eval()(batch.source, batch.source_lengths, batch.target_in).logits
    assert torch.equal(logits.argmax(-1)[batch.target_mask], batch.target_out[batch.target_mask])


def test_consistency_by_the_formula(make_model: MakeModel, make_pairs: MakePairs) -> None:
    """Without dropout both predictions agree, and the update is that of one."""
    model, batch = make_model().double(), make_pairs()
    twin = copy.deepcopy(model)
    report = update(model, [batch], objective=Objective(label_smoothing=0.1, consistency=3.0))
    once = update(twin, [batch])
    for parameter, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(parameter, other, rtol=0, atol=1e-12)
    assert report.target_tokens == once.target_tokens
    torch.testing.assert_close(report.loss, once.loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(report.likelihood, once.likelihood, rtol=1e-12, atol=0)


def test_consistency_weighs_the_disagreement(make_model: MakeModel, make_pairs: MakePairs) -> None:
    """With dropout the gradient is that of the mean loss and alpha / 4 of both divergences together, per piece."""
    model, batch = make_model(dropout=0.3).double(), make_pairs()
    twin = copy.deepcopy(model).train()
    torch.manual_seed(7)
    update(model, [batch], objective=Objective(label_smoothing=0.1, consistency=3.0), clip_by="none")

    torch.manual_seed(7)
    source, lengths = batch.source.repeat(2, 1), batch.source_lengths.repeat(2)
    log_probs = twin(source, lengths, batch.target_in.repeat(2, 1)).logits.log_softmax(dim=-1)
    targets = batch.target_out.masked_fill(~batch.target_mask, -100).repeat(2, 1).flatten()
    likelihood = functional.cross_entropy(log_probs.flatten(0, 1), targets, label_smoothing=0.1, reduction="sum")
    p, q = (half[batch.target_mask] for half in log_probs.chunk(2))
    divergences = ((p.exp() - q.exp()) * (p - q)).sum()
    loss = (likelihood / 2 + 3.0 / 4 * divergences) / 15
    for parameter, other, gradient in zip(
        model.parameters(), twin.parameters(), torch.autograd.grad(loss, list(twin.parameters())), strict=True
    ):
        torch.testing.assert_close(parameter, other - 0.5 * gradient, rtol=0, atol=1e-10)
