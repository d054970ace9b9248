"""Two pieces of work at a time on one GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

Result = TypeVar("Result")


def has_streams(device: torch.device) -> bool:
    """Whether work on `device` can be put on several streams."""
    return device.type == "cuda"


@cache
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """The second stream of a device, always the same, so that memory that was used on it is used on it again."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def side_by_side(
    first: Callable[[], Result],
    second: Callable[[], Result],
    *,
    device: torch.device,
    reads: Iterable[Tensor],
    made: Callable[[Result], Iterable[Tensor]],
) -> tuple[Result, Result]:
    """What `first` and `second` return, the second computed on another stream of the GPU `device`.

    A direction of a recurrent layer is a chain of small products, which leaves most of a large GPU idle: two directions
    may take little longer than one. autograd runs backward on the stream of forward, and orders the streams there.

    Args:
        first: work on the current stream.
        second: work that does not depend on the first.
        device: a CUDA device.
        reads: the tensors that `second` reads, parameters aside, which live longer than any work.
        made: the tensors in what `second` returns.
    """
    here, side = torch.cuda.current_stream(device), _side_stream(device)
    side.wait_stream(here)
    with torch.cuda.stream(side):
        beside = second()
    own = first()
    here.wait_stream(side)
    # The allocator knows of the stream on which memory was taken alone. Told of the other, it waits for that one too
    # before it gives the memory away, which may be in the middle of backward.
    for tensor in reads:
        tensor.record_stream(side)
    for tensor in made(beside):
        tensor.record_stream(here)
    return own, beside
