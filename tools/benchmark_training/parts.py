"""The time of an update by part, forward and backward, taken inside the very update that training makes.

Marks stand at the borders of the parts: around the encoder, behind the decoder's sequence, around backward. A mark at
the end of a part is an identity in the graph, and passes a second time when the gradient comes back through it, so that
the parts of both directions lie between neighbouring marks and add up to the whole. On a GPU marks are events in its
stream: nothing waits for them before the turn is over.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from seq2seq.data.batch import Batch
from tools.benchmark_training.contender import Contender, groups

#: The parts, in the order of an update.
PARTS = (
    "data",
    "rest",
    "encoder forward",
    "decoder forward",
    "output forward",
    "output backward",
    "decoder backward",
    "encoder backward",
    "optimizer",
)
T = TypeVar("T")


@dataclass(frozen=True)
class PartTimes:
    """Seconds of every part, summed over `updates`; `positions` are the target columns that were read."""

    seconds: dict[str, float]
    updates: int
    positions: int

    @property
    def total(self) -> float:
        """Of all parts but the data's."""
        return sum(seconds for part, seconds in self.seconds.items() if part != "data")


class Stopwatch:
    """The marks that an update passed: which part ended there, and when."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._marks: list[tuple[str, Any]] = []

    def mark(self, ended: str) -> None:
        """Say that the part `ended` ends now; an empty name begins a new count."""
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self._marks.append((ended, event))
        else:
            self._marks.append((ended, time.perf_counter()))

    def read(self, into: dict[str, float]) -> None:
        """Add the seconds between the marks, by part, and forget them. On a GPU after it has been waited for."""
        for (_, before), (ended, now) in zip(self._marks, self._marks[1:], strict=False):
            if ended:
                into[ended] += before.elapsed_time(now) / 1e3 if self._cuda else now - before
        self._marks.clear()


class _Border(torch.autograd.Function):
    """The identity of some tensors, which calls `passed` when their gradients are complete."""

    @staticmethod
    def forward(ctx: Any, passed: Callable[[], None], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.passed = passed
        ctx.set_materialize_grads(False)
        return tuple(tensor.view_as(tensor) for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        ctx.passed()
        return (None, *gradients)


def with_border(value: T, passed: Callable[[], None]) -> T:
    """`value`, a tree of dataclasses and tuples, whose tensors with a gradient go through one border."""
    tensors = [tensor for tensor in _tensors(value) if tensor.requires_grad]
    if not tensors:
        return value
    bordered = cast(tuple[Tensor, ...], _Border.apply(passed, *tensors))  # type: ignore[no-untyped-call]
    by_identity = {id(old): new for old, new in zip(tensors, bordered, strict=True)}
    return cast(T, _replaced(value, by_identity))


def _tensors(value: Any) -> Iterator[Tensor]:
    """Every tensor in the tree once."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Tensor):
            if id(item) not in seen:
                seen.add(id(item))
                yield item
        elif isinstance(item, tuple):
            waiting.extend(item)
        elif is_dataclass(item):
            waiting.extend(getattr(item, field.name) for field in fields(item))


def _replaced(value: Any, by_identity: dict[int, Tensor]) -> Any:
    if isinstance(value, Tensor):
        return by_identity.get(id(value), value)
    if isinstance(value, tuple):
        return tuple(_replaced(item, by_identity) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: _replaced(getattr(value, field.name), by_identity) for field in fields(value)}
        return replace(value, **changes)
    return value


@contextmanager
def watched(contender: Contender, watch: Stopwatch) -> Iterator[None]:
    """Let `contender` pass the marks of `watch`; afterwards it is as it was."""
    model, precision = contender.model, contender.precision
    decoder: Any = model.decoder
    sequence, backward = decoder.sequence, precision.backward

    def enter(*_: Any) -> None:
        watch.mark("rest")

    def leave(module: Any, inputs: Any, encoded: Any) -> Any:
        encoded = with_border(encoded, lambda: watch.mark("decoder backward"))
        watch.mark("encoder forward")
        return encoded

    def watched_sequence(*arguments: Any) -> Any:
        outputs, state = sequence(*arguments)
        outputs = with_border(outputs, lambda: watch.mark("output backward"))
        watch.mark("decoder forward")
        return outputs, state

    def watched_backward(loss: Tensor) -> None:
        watch.mark("output forward")
        backward(loss)
        watch.mark("encoder backward")

    handles = [model.encoder.register_forward_pre_hook(enter), model.encoder.register_forward_hook(leave)]
    decoder.sequence = watched_sequence
    precision.backward = watched_backward  # type: ignore[method-assign]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        del decoder.sequence
        del precision.backward


def time_parts(contender: Contender, batches: Iterator[Batch], *, updates: int) -> PartTimes:
    """Train on so many updates of `batches`, which are waited for under `data`, and take the time of every part."""
    watch = Stopwatch(contender.device)
    seconds: dict[str, float] = defaultdict(float, dict.fromkeys(PARTS, 0.0))
    positions = done = 0
    grouped = iter(groups(batches, contender.recipe.training.accumulation))
    contender.wait()
    with watched(contender, watch):
        for _ in range(updates):
            began = time.perf_counter()
            group = next(grouped, None)
            seconds["data"] += time.perf_counter() - began
            if group is None:
                break
            watch.mark("")
            contender.update(group)
            # Behind the last batch's backward there is only what the weights are changed by.
            watch.mark("optimizer")
            positions += sum(batch.target_out.shape[1] for batch in group)
            done += 1
    contender.wait()
    watch.read(seconds)
    return PartTimes(dict(seconds), done, positions)
