"""Batches that do not fit into memory: they are split, never dropped, and their gradient stays that of the whole."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch

from seq2seq.allocator import return_freed_memory
from seq2seq.data.batch import Batch
from seq2seq.errors import TrainingError

Result = TypeVar("Result")

#: What PyTorch and the libraries below it say when there is no memory left; most of them have no error of their own.
_SIGNS = (
    "can't allocate memory",
    "out of memory",
    "bad_alloc",
    "bad allocation",
    "_alloc_failed",
    "could not create a memory object",
    "could not create a primitive",
    "could not execute a primitive",
    "could not allocate",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out, of a GPU or of the processor."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)


@contextmanager
def memory_needed_for(what: str, advice: str) -> Iterator[None]:
    """Turn running out of memory, within, into one sentence: `what` does not fit; `advice` is what to do.

    Raises:
        TrainingError: memory ran out.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(f"{what} does not fit into memory; {advice}") from None


class Splitter:
    """Runs a step's batches through work that may run out of memory, in smaller and smaller parts if it must.

    The losses of the parts are sums over pieces, divided by the pieces of the whole update, so that the gradients of
    two halves add up to that of the batch: all that differs is the rounding, and the noise of dropout.
    """

    def __init__(self, *, device: torch.device, say: Callable[[str], None]) -> None:
        """`say` is told of the first batch that is split."""
        self.splits = 0
        self._device = device
        self._say = say
        #: Places of the smallest batch that did not fit. As large ones are split without another try.
        self._too_large: int | None = None

    def run(
        self, batches: Sequence[Batch], *, begin: Callable[[], None], work: Callable[[Batch, int], Result]
    ) -> list[Result]:
        """What `work` gives for every batch, or part of one.

        When memory runs out everything is begun again with the batch in two: a backward pass that broke off has added
        to some of the gradients already, and nobody knows to which.

        Args:
            batches: the batches of one update, not yet on the device.
            begin: sets the gradients, and whatever else `work` changes, to what they were before; called at least once.
            work: forward and backward of a batch, or of a part of it; it is told the batch's place among `batches`.

        Raises:
            TrainingError: a single pair does not fit.
        """
        parts = [(part, number) for number, batch in enumerate(batches) for part in self._fitting(batch)]
        while True:
            begin()
            done: list[Result] = []
            failed: int | None = None
            reason = ""
            for place, (part, number) in enumerate(parts):
                try:
                    done.append(work(part, number))
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                    failed, reason = place, str(error).partition("\n")[0]
                if failed is not None:  # The error is gone by now, and with it the tensors that its frames held.
                    break
            if failed is None:
                return done
            done.clear()
            begin()
            self._let_go()
            part, number = parts[failed]
            parts[failed : failed + 1] = [(half, number) for half in self._halves(part, reason)]

    def taken(self) -> int:
        """How many splits there have been since this was last asked."""
        splits, self.splits = self.splits, 0
        return splits

    def _fitting(self, batch: Batch) -> list[Batch]:
        """The batch in parts that are smaller than what is known not to fit."""
        if self._too_large is None or batch.cells < self._too_large or batch.size == 1:
            return [batch]
        self.splits += 1
        return [part for half in batch.halves() for part in self._fitting(half)]

    def _halves(self, batch: Batch, reason: str) -> tuple[Batch, Batch]:
        source, target = batch.source.shape[1], batch.target_out.shape[1]
        if batch.size == 1:
            raise TrainingError(
                f"a single pair of {source} source and {target} target pieces does not fit into the memory of "
                f"{self._device}; lower corpus.max_pieces, make the network smaller, or free memory"
                + (f" ({reason})" if reason else "")
            )
        if self._too_large is None:
            self._say(
                f"note: a batch of {batch.size} pairs, {source} and {target} pieces long, did not fit into memory and "
                "was split; the gradient is that of the whole batch (training.batch makes batches smaller)"
            )
        self._too_large = min(batch.cells, self._too_large or batch.cells)
        self.splits += 1
        return batch.halves()

    def _let_go(self) -> None:
        """Give the memory of the attempt back, so that smaller pieces of it can be used."""
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        else:
            return_freed_memory()
