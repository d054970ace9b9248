"""CUDA graphs: work that a GPU is given is recorded once, and replayed with one command after that.

A replay reads and writes the memory that the recording did: what changes between two of them lies in tensors that stay
where they are, and what Python decided, or read from the device, is decided for good.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import torch

Result = TypeVar("Result")


class Recorder(Protocol):
    """What records work on a device."""

    def warm_up(self, work: Callable[[], Result]) -> Result:
        """Do the work in the way in which it will be recorded."""
        ...

    def record(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Record `work`, which has been done before, without doing it.

        Returns:
            A function that does it, and returns the same tensors every time.
        """
        ...


class CudaRecorder:
    """Records the kernels that work starts on a GPU."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        # Everything happens on one stream beside the usual one, as torch asks; all recordings share their memory,
        # which they may since only one runs at a time and nothing in it outlives a replay but what is returned.
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def warm_up(self, work: Callable[[], Result]) -> Result:
        """Do the work on the stream of the recordings."""
        usual = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(usual)
        with torch.cuda.stream(self._stream):
            result = work()
        usual.wait_stream(self._stream)
        return result

    def record(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Record the work as a CUDA graph."""
        graph = torch.cuda.CUDAGraph()
        # Threads that make the next batches may go on taking page-locked memory.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            result = work()

        def replay() -> Result:
            graph.replay()
            return result

        return replay
