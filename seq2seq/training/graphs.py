"""CUDA graphs: an update of the weights is recorded once for every shape of batch, and replayed after that.

A small network keeps a GPU waiting: starting its many small kernels takes longer than they run. A recording starts all
kernels of an update, from the zeroed gradients to the optimizer, at once. It reads the same memory at every replay, so
batches are copied, with some padding, into tensors that stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Protocol

import torch
from torch import Tensor

from seq2seq.data.batch import Batch
from seq2seq.data.loader import Share
from seq2seq.errors import TrainingError
from seq2seq.recipe import AttentionName, Training
from seq2seq.recording import CudaRecorder, Recorder
from seq2seq.training.noise import seed_noise
from seq2seq.training.optimizer import set_learning_rate
from seq2seq.training.step import StepReport

#: Lengths are padded up to a multiple of this, so that there are few shapes.
LENGTH_MULTIPLE = 4
#: Rows of a full batch, as the loader has them.
_ROW_MULTIPLE = 8
#: Networks with more keep a GPU busy without recordings.
MOST_PARAMETERS = 50_000_000
#: Shapes that are recorded; batches of others are trained on without.
_MOST_SHAPES = 128

Work = Callable[[], StepReport]


class UpdateStep(Protocol):
    """An update, all but its batches and the learning rate given: :func:`~seq2seq.training.step.train_step`."""

    def __call__(
        self,
        batches: Sequence[Batch],
        *,
        learning_rate: float | None,
        share: Share | None = None,
        divisor: Tensor | None = None,
    ) -> StepReport:
        """Update the weights once."""
        ...


@dataclass(frozen=True)
class Shape:
    """Rows and lengths of the tensors of a batch."""

    rows: int
    source_length: int
    target_length: int


def padded_shape(batch: Batch, *, batch_tokens: int) -> Shape:
    """The shape in which `batch` is trained on: its lengths rounded up, and the rows of a full batch of that length.

    `batch_tokens` is the loader's budget: what a full batch has on its longer side, at most.
    """
    source, target = (_round_up(tensor.shape[1]) for tensor in (batch.source, batch.target_out))
    rows = batch_tokens // max(source, target)
    if rows > _ROW_MULTIPLE:
        rows -= rows % _ROW_MULTIPLE
    return Shape(max(rows, batch.size), source, target)


def _round_up(length: int) -> int:
    return -(-length // LENGTH_MULTIPLE) * LENGTH_MULTIPLE


class StaticBatch:
    """A batch of one shape whose tensors stay where they are, and take the contents of other batches.

    Rows that are left over have a source of one piece, since an attention needs something to look at, and no target.
    What a network makes of them, and of all padding, is masked and counts for nothing.
    """

    def __init__(self, shape: Shape, device: torch.device) -> None:
        self._shape = shape
        self._memory = torch.zeros(_size(shape), dtype=torch.int64, device=device)
        source, target_in, target_out, source_lengths, target_lengths, counts = _parts(self._memory, shape)
        self.batch = Batch(
            source=source,
            source_lengths=source_lengths,
            target_in=target_in,
            target_out=target_out,
            target_lengths=target_lengths,
            source_tokens=0,
            target_tokens=0,
        )
        #: Number of target pieces, a scalar on the device; that of `batch` means nothing.
        self.target_tokens = counts[0]

    def fill(self, batch: Batch) -> None:
        """Take the contents of `batch`, in main memory, with one copy to the device that nobody waits for."""
        # Taken anew every time: the last copy may still be reading the memory of the last time, and torch, which knows,
        # does not give that away before.
        memory = torch.zeros(self._memory.shape, dtype=torch.int64, pin_memory=self._memory.is_cuda)
        source, target_in, target_out, source_lengths, target_lengths, counts = _parts(memory, self._shape)
        source[: batch.size, : batch.source.shape[1]] = batch.source
        target_in[: batch.size, : batch.target_in.shape[1]] = batch.target_in
        target_out[: batch.size, : batch.target_out.shape[1]] = batch.target_out
        source_lengths.fill_(1)
        source_lengths[: batch.size] = batch.source_lengths
        target_lengths[: batch.size] = batch.target_lengths
        counts.fill_(batch.target_tokens)
        self._memory.copy_(memory, non_blocking=True)


def _size(shape: Shape) -> int:
    return shape.rows * (shape.source_length + 2 * shape.target_length + 2) + 1


def _parts(memory: Tensor, shape: Shape) -> tuple[Tensor, ...]:
    """Source, target_in, target_out, both lengths and a count of one block of memory."""
    rows, source, target = shape.rows, shape.source_length, shape.target_length
    shapes = ((rows, source), (rows, target), (rows, target), (rows,), (rows,), (1,))
    parts = torch.split(memory, [torch.Size(each).numel() for each in shapes])
    return tuple(part.view(each) for part, each in zip(parts, shapes, strict=True))


@dataclass
class _Known:
    """A shape that has been seen: its tensors, and how far it has come."""

    static: StaticBatch
    warm: bool = False
    replay: Work | None = None
    failed: bool = False


class GraphedUpdates:
    """Makes updates by replaying recordings: an :class:`UpdateStep` around another, with the same results.

    The first batch of a shape warms up, the second is recorded, and from then on the recording is replayed. Updates of
    several batches, and batches of shapes that cannot be recorded, are left to the other step.
    """

    def __init__(
        self,
        step: UpdateStep,
        *,
        optimizer: torch.optim.Optimizer,
        recorder: Recorder,
        device: torch.device,
        batch_tokens: int,
        say: Callable[[str], None],
    ) -> None:
        """The learning rate of `optimizer`, which is fused, becomes a tensor. `say` is told what cannot be recorded."""
        self._step = step
        self._optimizer = optimizer
        self._recorder = recorder
        self._device = device
        self._batch_tokens = batch_tokens
        self._say = say
        self._known: dict[Shape, _Known] = {}
        self._state: list[Tensor] = []
        self._said = False
        for group in optimizer.param_groups:
            # A number would become a part of the recordings.
            group["lr"] = torch.tensor(float(group["lr"]), dtype=torch.float32).to(device)

    @property
    def recordings(self) -> int:
        """How many shapes are replayed."""
        return sum(known.replay is not None for known in self._known.values())

    def __call__(
        self,
        batches: Sequence[Batch],
        *,
        learning_rate: float | None,
        share: Share | None = None,
        divisor: Tensor | None = None,
    ) -> StepReport:
        """Update the weights once from `batches`, which are in main memory; `share` has no more than these."""
        known = self._find(batches[0]) if len(batches) == 1 and divisor is None else None
        if known is None:
            return self._step(batches, learning_rate=learning_rate, share=share, divisor=divisor)
        if learning_rate is not None:
            set_learning_rate(self._optimizer, learning_rate)
        if share is not None:
            # A number, which would become a part of a recording; the generators' state is none.
            seed_noise(share.seeds[0], self._device)
        batch, static = batches[0], known.static
        static.fill(batch)

        def work() -> StepReport:
            return self._step([static.batch], learning_rate=None, divisor=static.target_tokens)

        if not known.warm:
            report = self._recorder.warm_up(work)
            known.warm = True
            self._state = self._optimizer_state()
        else:
            known.replay = known.replay or self._record(work, known)
            if known.replay is None:
                return self._step(batches, learning_rate=None, share=share)
            report = known.replay()
        return _kept(report, batch)

    def _find(self, batch: Batch) -> _Known | None:
        """The tensors for a batch like this one; None where it is to be trained on without."""
        state = self._optimizer_state()
        if len(state) != len(self._state) or any(new is not old for new, old in zip(state, self._state, strict=True)):
            # A checkpoint has been loaded. Recordings would go on with what they know, which is no longer used.
            self._known.clear()
        shape = padded_shape(batch, batch_tokens=self._batch_tokens)
        known = self._known.get(shape)
        if known is None and len(self._known) < _MOST_SHAPES:
            known = self._known[shape] = _Known(StaticBatch(shape, self._device))
        return None if known is None or known.failed else known

    def _record(self, work: Work, known: _Known) -> Work | None:
        try:
            with _capturable(self._optimizer):
                return self._recorder.record(work)
        except (RuntimeError, TrainingError) as error:  # what torch and CUDA raise, out of memory included
            known.failed = True
            if not self._said:
                self._said = True
                reason = (str(error).splitlines() or ["no reason given"])[0]
                self._say(f"note: an update could not be recorded as a CUDA graph and is made without: {reason}")
            return None

    def _optimizer_state(self) -> list[Tensor]:
        """Every tensor that the optimizer changes or reads, parameters and gradients aside."""
        tensors = [value for state in self._optimizer.state.values() for value in state.values()]
        return [tensor for tensor in tensors if isinstance(tensor, Tensor)] + [
            group["lr"] for group in self._optimizer.param_groups
        ]


@contextmanager
def _capturable(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Tell the optimizer that it is recorded. A fused one computes the same, but refuses without."""
    groups = [group for group in optimizer.param_groups if "capturable" in group]
    before = [group["capturable"] for group in groups]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group, value in zip(groups, before, strict=True):
            group["capturable"] = value


def _kept(report: StepReport, batch: Batch) -> StepReport:
    """A report that the next replay does not change, with the counts of `batch`."""
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    copies = {name: value.clone() for name, value in values.items() if isinstance(value, Tensor)}
    return replace(report, **copies, source_tokens=batch.source_tokens, target_tokens=batch.target_tokens)


def obstacle(
    training: Training, *, attention: AttentionName, device: torch.device, parameters: int, processes: int
) -> str | None:
    """Why the updates of a training with `cuda_graphs: auto` are not recorded; None where they are."""
    if device.type != "cuda":
        return "the device is no GPU"
    if parameters > MOST_PARAMETERS:
        return f"{parameters:,} parameters keep a GPU busy without"
    if processes > 1:
        return "several processes exchange their gradients in the middle of an update"
    if training.accumulation > 1:
        return "an update has several batches"
    if attention == "hard":
        return "hard attention carries a baseline from update to update"
    if training.optimizer.name not in ("adam", "adamw", "sgd"):
        return f"{training.optimizer.name} is not fused"
    return None


def recorder_for(
    training: Training,
    *,
    attention: AttentionName,
    device: torch.device,
    parameters: int,
    processes: int,
    say: Callable[[str], None],
) -> CudaRecorder | None:
    """What records the updates of a training; None, and `say` is told why, where the recipe asks for it in vain."""
    if training.cuda_graphs == "never":
        return None
    reason = obstacle(training, attention=attention, device=device, parameters=parameters, processes=processes)
    if reason is not None:
        say(f"training without CUDA graphs: {reason}")
        return None
    return CudaRecorder(device)
