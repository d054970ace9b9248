"""What a training does about bad updates: count them, distrust the weights, and say when to go back."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

import torch
from torch import Tensor

from seq2seq.errors import DivergenceError
from seq2seq.training.progress import Progress
from seq2seq.training.spikes import SpikeWatch, Verdict

#: Consecutive overflows of fp16 after which the loss scale is not to blame: the first scale is used up after 16.
_OVERFLOWS = 25
#: Updates that may be under way on a GPU before the verdict on the first of them is read.
_UNDER_WAY = 2
_REASONS = {Verdict.NOT_FINITE: "not finite", Verdict.SPIKE: "spike", Verdict.OVERFLOW: "overflow"}


class Recovery:
    """Keeps the record of updates that were left out, in the run's progress, and decides what follows from it.

    The verdict on an update is made and obeyed on the device (:class:`SpikeWatch`, :meth:`Precision.step`); the host
    only counts. On a GPU it reads each verdict two updates late, when it has long been computed and further work is
    queued, so that counting does not stall the device: the weights are safe in the meantime.
    """

    def __init__(
        self, *, watch: SpikeWatch, progress: Progress, skips: int, window: int, factor: float, rollbacks: int
    ) -> None:
        """Begin counting.

        Args:
            watch: what judges the updates.
            progress: where the counts are kept.
            skips: updates left out, of the last `window`, after which the training has failed.
            window: see `skips`.
            factor: what a rollback multiplies the learning rate by.
            rollbacks: rollbacks without a better validation in between after which there is no hope.
        """
        self.watch = watch
        self._progress = progress
        self._skips = skips
        self._window = window
        self._factor = factor
        self._rollbacks = rollbacks
        self._unread: deque[tuple[int, Tensor, torch.cuda.Event | None]] = deque()
        self._news: Counter[Verdict] = Counter()
        self._last = Verdict.APPLIED

    def take(self, update: int, verdict: Tensor) -> None:
        """Take note of the verdict on `update`."""
        if verdict.device.type != "cuda":
            self._count(update, Verdict(int(verdict)))
            return
        host = torch.empty((), dtype=verdict.dtype, pin_memory=True)
        host.copy_(verdict, non_blocking=True)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self._unread.append((update, host, event))
        if len(self._unread) > _UNDER_WAY:
            self._read_one()

    def settle(self) -> None:
        """Read what is unread; waits for a GPU."""
        while self._unread:
            self._read_one()

    @property
    def failed(self) -> bool:
        """Whether so many updates have been left out that training cannot go on as it does."""
        return len(self._progress.skips) >= self._skips or self._progress.overflows >= _OVERFLOWS

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against the weights: the last update read was good.

        An update that was left out may be bad by itself, or because the weights are bad that the one before it has
        made. Until the next good one they are not written over others.
        """
        return self._last is Verdict.APPLIED or (self._last is Verdict.OVERFLOW and not self.failed)

    def accepts(self, validation_loss: float) -> bool:
        """Whether weights with this validation loss may be kept; a good one restores trust in them."""
        if not self.trusted and not self.watch.is_high(validation_loss):
            self._last = Verdict.APPLIED
        return self.trusted and validation_loss - validation_loss == 0.0  # infinite or not a number otherwise

    def news(self) -> tuple[int, str]:
        """Updates left out since this was last asked, and in words: "3 updates left out (2 not finite, 1 spike)"."""
        found = {verdict: count for verdict, count in self._news.items() if verdict is not Verdict.OVERFLOW}
        self._news.clear()
        total = sum(found.values())
        reasons = ", ".join(f"{count} {_REASONS[verdict]}" for verdict, count in sorted(found.items()))
        return total, f"{total} update{'s' if total > 1 else ''} left out ({reasons})"

    def give_up_or_count(self, *, good_update: int, why: str) -> None:
        """Count a rollback to the weights of `good_update`, and lower the learning rate.

        Raises:
            DivergenceError: there have been too many.
        """
        self.settle()
        progress = self._progress
        if progress.setbacks >= self._rollbacks:
            raise DivergenceError(
                f"update {progress.update}: {why}, and {self._rollbacks} returns to the last good weights (update "
                f"{good_update}), each with a lower learning rate, have not helped; lower "
                "training.optimizer.learning_rate, or use training.precision fp32. The last good checkpoint is "
                "untouched"
            )
        progress.setbacks += 1
        progress.rollbacks += 1
        progress.rate_scale *= self._factor
        progress.weights_update = good_update
        progress.skips = []
        progress.overflows = 0
        self._last = Verdict.APPLIED

    def why(self) -> str:
        """Why the training has failed, where :attr:`failed` says so."""
        progress = self._progress
        if progress.overflows >= _OVERFLOWS:
            return f"the gradients of the last {progress.overflows} updates were infinite"
        return f"{len(progress.skips)} of the last {self._window} updates were left out, not finite or spikes"

    def _read_one(self) -> None:
        update, verdict, event = self._unread.popleft()
        if event is not None:
            event.synchronize()
        self._count(update, Verdict(int(verdict)))

    def _count(self, update: int, verdict: Verdict) -> None:
        progress = self._progress
        self._last = verdict
        progress.skips = [skip for skip in progress.skips if skip > update - self._window]
        progress.overflows = progress.overflows + 1 if verdict is Verdict.OVERFLOW else 0
        if verdict is Verdict.APPLIED:
            progress.weights_update = update
            return
        self._news[verdict] += 1
        if verdict is not Verdict.OVERFLOW:
            progress.skips.append(update)
            progress.skipped += 1


@torch.no_grad()
def all_finite(parameters: Iterable[Tensor]) -> bool:
    """Whether all of the numbers are finite; waits for a GPU, once."""
    return bool(torch.stack([torch.isfinite(parameter).all() for parameter in parameters]).all())
