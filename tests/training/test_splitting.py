"""Batches that do not fit: nothing is dropped, and the gradient is that of the whole batch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seq2seq.data.batch import Batch
from seq2seq.errors import TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder, Prediction
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.splitting import Splitter, is_out_of_memory, memory_needed_for
from seq2seq.training.step import StepReport, train_step

CPU = torch.device("cpu")
FULL = "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate"
ERRORS = [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), RuntimeError(FULL), MemoryError()]

MakeModel = Callable[..., EncoderDecoder]
MakePairs = Callable[..., Batch]


class _Late(torch.autograd.Function):
    """Runs out of memory in the backward pass, when some parameters have their gradients already."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, fails: list[bool]) -> Tensor:
        ctx.fails = fails
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        if ctx.fails[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return gradients[0], None


class Small(nn.Module):
    """A network on a machine that holds at most `rows` pairs, or `places` source places."""

    def __init__(self, model: EncoderDecoder, error: Exception, *, rows: int, late: bool = False) -> None:
        super().__init__()
        self.model = model
        self.error = error
        self.rows = rows
        self.late = late
        self.seen: list[tuple[int, int]] = []
        self._fails = [False]

    def forward(self, source: Tensor, source_lengths: Tensor, target_in: Tensor) -> Prediction:
        too_many = source.shape[0] > self.rows
        if too_many and not self.late:
            raise self.error
        prediction = self.model(source, source_lengths, target_in)
        if self.late:
            self._fails[0] = too_many
        if not too_many:
            self.seen.append((source.shape[0], int(source_lengths.sum())))
        return prediction


def late_embedding(model: EncoderDecoder, fails: list[bool]) -> None:
    """Let the backward pass break off at the encoder's embedding, the last that it comes to."""
    model.encoder.embedding.register_forward_hook(lambda _, __, output: _Late.apply(output, fails))


def update(model: Any, batches: list[Batch], splitter: Splitter | None, **changes: Any) -> StepReport:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    arguments: dict[str, Any] = {"learning_rate": 0.5, "clip_by": "none", "clip_threshold": 1.0}
    arguments["objective"] = Objective(label_smoothing=0.1)
    precision = Precision(dtype=torch.float32, device=CPU)
    return train_step(
        model.train(), batches, optimizer=optimizer, precision=precision, splitter=splitter, **arguments | changes
    )


def gradients(model: nn.Module) -> list[Tensor]:
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", ERRORS, ids=["cuda", "cpu", "python"])
@pytest.mark.parametrize(("rows", "splits"), [(4, 0), (3, 1), (2, 1), (1, 3)])
def test_the_gradient_is_that_of_the_whole_batch(
    rows: int, splits: int, error: Exception, late: bool, make_model: MakeModel, make_pairs: MakePairs
) -> None:
    """Two batches to an update: a small one that is through when the large one breaks off, and must not count twice."""
    model = make_model().double()
    twin = copy.deepcopy(model)
    batches = [make_pairs([1]), make_pairs([0, 1, 2, 3])]
    expected = update(twin, batches, None)
    small, said = Small(model, error, rows=rows, late=late), []
    if late:
        late_embedding(model, small._fails)
    splitter = Splitter(device=CPU, say=said.append)
    report = update(small, batches, splitter)
    ours, theirs = gradients(model), gradients(twin)
    assert len(ours) == len(theirs) > 10
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)
    assert (report.target_tokens, report.source_tokens) == (21, 19)  # 6 + 3 + 6 + 2 + 4 and 2 + 5 + 2 + 7 + 3
    torch.testing.assert_close(report.loss, expected.loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(report.gradient_norm, expected.gradient_norm, rtol=1e-12, atol=0)
    assert splitter.taken() == splits
    assert splitter.taken() == 0
    assert len(said) == (splits > 0)
    # The last attempt, in which nothing failed, saw every pair once.
    parts = 2 + splits
    assert [sum(column) for column in zip(*small.seen[-parts:], strict=True)] == [5, 19]


def test_what_did_not_fit_is_not_tried_again(make_model: MakeModel, make_pairs: MakePairs) -> None:
    model = make_model().double()
    small, said = Small(model, ERRORS[0], rows=2), []
    splitter = Splitter(device=CPU, say=said.append)
    batch = make_pairs()
    update(small, [batch], splitter)
    assert splitter.taken() == 1
    small.error = AssertionError("tried again")  # type: ignore[assignment]
    update(small, [batch], splitter)
    assert splitter.taken() == 1
    assert len(said) == 1
    assert "a batch of 4 pairs, 7 and 6 pieces long, did not fit into memory and was split" in said[0]


def test_a_single_pair_that_does_not_fit(make_model: MakeModel, make_pairs: MakePairs) -> None:
    small = Small(make_model().double(), ERRORS[1], rows=0)
    with pytest.raises(TrainingError) as caught:
        update(small, [make_pairs()], Splitter(device=CPU, say=lambda text: None))
    assert str(caught.value) == (
        "a single pair of 5 source and 3 target pieces does not fit into the memory of cpu; lower corpus.max_pieces, "
        f"make the network smaller, or free memory ({FULL})"
    )


def test_another_error_is_not_hidden(make_model: MakeModel, make_pairs: MakePairs) -> None:
    small = Small(make_model().double(), RuntimeError("expected scalar type Float"), rows=0)
    with pytest.raises(RuntimeError, match="expected scalar type"):
        update(small, [make_pairs()], Splitter(device=CPU, say=lambda text: None))


def test_the_baseline_of_a_hard_attention_is_moved_once(make_model: MakeModel, make_pairs: MakePairs) -> None:
    """The part that was through before the attempt broke off has moved it; what it adds is taken back."""
    batches = [make_pairs([1]), make_pairs([0, 3])]
    model = make_model(attention={"type": "hard", "context": "output"}).double()
    twin = copy.deepcopy(model)
    moved = []
    for network, parts in ((Small(model, ERRORS[0], rows=1), batches),
                           (twin, [make_pairs([1]), make_pairs([0]), make_pairs([3])])):  # fmt: skip
        torch.manual_seed(3)
        reinforce = Reinforce(reward_weight=0.0, entropy_weight=0.0, device=CPU)
        calls: list[Tensor] = []
        loss = reinforce.loss

        def counted(*arguments: Any, loss: Any = loss, calls: list[Tensor] = calls) -> Tensor:
            calls.append(arguments[0])
            return loss(*arguments)

        reinforce.loss = counted  # type: ignore[method-assign]
        update(network, parts, Splitter(device=CPU, say=lambda text: None), objective=Objective(reinforce=reinforce))
        # Its mean over the calls of the last attempt, from the definition: 0.9 of the old and 0.1 of the new.
        expected: Any = None
        for logits, part in zip(calls[-3:], ([1], [0], [3]), strict=True):
            batch = make_pairs(part)
            reward = logits.log_softmax(-1)[0, torch.arange(batch.target_tokens), batch.target_out[0]].mean()
            expected = reward if expected is None else expected
            expected = 0.9 * expected + 0.1 * reward
        moved.append((reinforce.state()["baseline"].item(), expected.item()))
    for found, expected in moved:
        assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        *((error, True) for error in ERRORS),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("could not create a memory object"), True),
        (RuntimeError("could not create a primitive"), True),  # oneDNN, under a limit of the address space
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
        (KeyboardInterrupt(), False),
    ],
)
def test_what_out_of_memory_looks_like(error: BaseException, found: bool) -> None:
    assert is_out_of_memory(error) is found


def test_memory_for_something_else() -> None:
    with pytest.raises(TrainingError) as caught, memory_needed_for("the optimizer's state", "free memory"):
        raise MemoryError
    assert str(caught.value) == "the optimizer's state does not fit into memory; free memory"
    with pytest.raises(RuntimeError, match="other"), memory_needed_for("it", "do"):
        raise RuntimeError("other")


def test_halves_hold_every_pair_and_are_as_narrow_as_they_can_be(make_pairs: MakePairs) -> None:
    first, second = make_pairs([1, 3, 0]).halves()
    for half, pairs in ((first, [1]), (second, [3, 0])):
        expected = make_pairs(pairs)
        for name in ("source", "source_lengths", "target_in", "target_out", "target_lengths"):
            assert torch.equal(getattr(half, name), getattr(expected, name)), name
        assert (half.source_tokens, half.target_tokens) == (expected.source_tokens, expected.target_tokens)
    with pytest.raises(ValueError, match="no halves"):
        first.halves()
