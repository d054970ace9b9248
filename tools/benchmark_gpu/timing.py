"""Cases in turn: each is prepared, warmed up and timed; what fails is a row that says so."""

from __future__ import annotations

import gc
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import torch

Step = Callable[[], object]
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a case does again and again: `steps` in turn, with the real tokens of both sides and the operations of each.

    `done` is called when the case has been timed.
    """

    steps: Sequence[Step]
    tokens: Sequence[int]
    flops: Sequence[float]
    done: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row: its table and labels, a function that prepares its work, and the type whose peak it is held against.

    Rows of a table have one `unit`.
    """

    table: str
    labels: dict[str, str]
    dtype: torch.dtype
    prepare: Callable[[], Work]
    #: What its tokens are.
    unit: str = "source+target tokens/s"


@dataclass
class Row:
    """What came of a case; rates are medians over the rounds."""

    case: Case
    seconds: list[float] = field(default_factory=list)
    tokens: int = 0
    flops: float = 0.0
    memory_gib: float = 0.0
    kernel: str = ""
    notes: list[str] = field(default_factory=list)
    failure: str = ""

    @property
    def tokens_per_second(self) -> float:
        """Of the case's unit, padding not counted."""
        return self.tokens / statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """The range of the rounds' times divided by their median."""
        return (max(self.seconds) - min(self.seconds)) / statistics.median(self.seconds)

    def utilisation(self, peak: float) -> float:
        """Share of `peak`, in operations per second."""
        return self.flops / statistics.median(self.seconds) / peak


class Clock:
    """Time of a device, and how much of a run's is left."""

    def __init__(self, device: torch.device, *, budget: float) -> None:
        """`budget` in seconds."""
        self.device = device
        self._end = time.monotonic() + budget

    @property
    def over(self) -> bool:
        """Whether nothing new should be begun."""
        return time.monotonic() >= self._end

    def seconds(self, steps: Sequence[Step]) -> float:
        """How long the steps take, with nothing waited for but the end."""
        self.wait()
        began = time.perf_counter()
        for step in steps:
            step()
        self.wait()
        return time.perf_counter() - began

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def take_turns(cases: Sequence[Case], clock: Clock, *, rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Time the cases, which are alike but for what is compared, round by round."""
    rows = [Row(case) for case in cases]
    ready: list[tuple[Row, Work]] = []
    for row in rows:
        if clock.over:
            row.failure = "not measured: the time was over"
            continue
        say(" ".join([row.case.table, *row.case.labels.values()]))
        if (work := _attempt(row, partial(_warmed, row, clock))) is not None:
            ready.append((row, work))
    for _ in range(rounds):
        for row, work in ready:
            if not row.failure:
                seconds = _attempt(row, partial(clock.seconds, work.steps))
                row.seconds += [] if seconds is None else [seconds]
    for _, work in ready:
        work.done()
    return rows


def _attempt(row: Row, what: Callable[[], Result]) -> Result | None:
    """What `what` gives, or None and the failure in the row."""
    try:
        return what()
    except torch.OutOfMemoryError:
        row.failure = "out of memory"
    except Exception as error:  # a row must never cost the others
        row.failure = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    # Outside of the handlers, which keep what the failure kept.
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def _warmed(row: Row, clock: Clock) -> Work:
    """The case's work, done twice: for the libraries' choices, and for memory and recordings."""
    work = row.case.prepare()
    cuda = clock.device.type == "cuda"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clock.seconds(work.steps)
        if cuda:
            torch.cuda.reset_peak_memory_stats(clock.device)
        clock.seconds(work.steps)
    if cuda:
        row.memory_gib = torch.cuda.max_memory_allocated(clock.device) / 2**30
    if any("single contiguous chunk" in str(warning.message) for warning in caught):
        row.notes.append("weights copied at every call")
    row.tokens, row.flops = sum(work.tokens), sum(work.flops)
    row.kernel = _longest_kernel(work.steps[0], clock) if cuda else ""
    return work


def _longest_kernel(step: Step, clock: Clock) -> str:
    """The name of the kernel that takes most of a step, where the profiler works; it tells which algorithm ran."""
    try:
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CUDA]) as profiler:
            step()
            clock.wait()
        events = profiler.key_averages()
        longest = max(events, key=lambda event: float(getattr(event, "self_device_time_total", 0.0)), default=None)
    except Exception:  # a figure beside the figures
        return ""
    return "" if longest is None else str(longest.key)
