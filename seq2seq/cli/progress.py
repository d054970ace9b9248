"""Progress on stderr: a bar where somebody looks at it, and one line at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from seq2seq.cli.failure import say
from seq2seq.scored import Scored, TextScore

if TYPE_CHECKING:
    from seq2seq.translation import Translation

Chunk = TypeVar("Chunk")


class TranslationProgress:
    """Counts what was translated, and says how fast it was."""

    def __init__(self, *, unit: str = "sentence") -> None:
        """`unit`: what a translation is one of, in the singular."""
        self._unit = unit
        self.sentences = 0
        self.source_tokens = 0
        self.target_tokens = 0
        self.seconds = 0.0

    def add(self, translations: Sequence[Sequence[Translation]], *, seconds: float) -> None:
        """Count the translations of some lines, best first, made in `seconds`."""
        best = [found[0] for found in translations]
        self.sentences += len(best)
        self.source_tokens += sum(translation.source_pieces for translation in best)
        self.target_tokens += sum(len(translation.piece_log_probs) for translation in best)
        self.seconds += seconds

    def figures(self) -> str:
        """Beside a bar."""
        return f"{self.sentences:,} {self._unit}s, {_rate(self.sentences, self.seconds)}/s"

    def summary(self) -> str:
        """Sentences, seconds and rates in one line; time spent waiting for input does not count."""
        count = f"{self.sentences} {self._unit}{'s' * (self.sentences != 1)}"
        return (
            f"{count} in {self.seconds:.1f} s: {_rate(self.sentences, self.seconds)} {self._unit}s/s, "
            f"{_rate(self.source_tokens, self.seconds)} source and {_rate(self.target_tokens, self.seconds)} "
            "target tokens/s"
        )


class ScoringProgress:
    """Adds up what was scored, and says how fast it was."""

    def __init__(self, *, longest: int) -> None:
        """`longest`: pieces of a source that translation would read at once."""
        self.text = TextScore()
        self.seconds = 0.0
        self._longest = longest
        self._longer = 0
        self._first_longer = 0

    def add(self, scored: Sequence[Scored], *, seconds: float) -> None:
        """Count these pairs, scored in `seconds`."""
        for number, each in enumerate(scored, start=self.text.pairs + 1):
            if each.source_pieces > self._longest:
                self._longer += 1
                self._first_longer = self._first_longer or number
        self.text.add(scored)
        self.seconds += seconds

    def figures(self) -> str:
        """Beside a bar."""
        return f"{self.text.pairs:,} pairs, {_rate(self.text.pairs, self.seconds)}/s"

    def summary(self) -> str:
        """Pairs, seconds and rate in one line; time spent waiting for input does not count."""
        pairs = "1 pair" if self.text.pairs == 1 else f"{self.text.pairs} pairs"
        return f"{pairs} in {self.seconds:.1f} s: {_rate(self.text.pairs, self.seconds)} pairs/s"

    def warning(self) -> str:
        """One sentence about sources that were longer than in translation; empty if there were none."""
        if not self._longer:
            return ""
        sources = "1 source has" if self._longer == 1 else f"{self._longer} sources have"
        return (
            f"{sources} more than the {self._longest} pieces that translation reads at once, first that of pair "
            f"{self._first_longer}; they were read whole"
        )


class Clock(Generic[Chunk]):
    """Passes chunks on, and knows how long ago it passed the last one: waiting for input is no time of work."""

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self._chunks = chunks
        self._began = 0.0

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self._chunks:
            self._began = time.monotonic()
            yield chunk

    def seconds(self) -> float:
        """Since the last chunk."""
        return time.monotonic() - self._began


class Bar:
    """A bar on stderr that vanishes at the end; a context manager."""

    def __init__(self, description: str, *, total: int | None) -> None:
        """`total`: the position at the end, or None where it is not known."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(description, total=total, figures="")

    def show(self, position: int, figures: str) -> None:
        """Move the bar to `position`, with a text beside it."""
        self._progress.update(self._task, completed=position, figures=figures)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def is_watched(*, output_is_file: bool) -> bool:
    """Whether a bar is wanted: somebody looks at stderr, and no translations appear between."""

    def terminal(stream: object) -> bool:
        return stream is not None and bool(getattr(stream, "isatty", lambda: False)())

    return terminal(sys.stderr) and (output_is_file or not terminal(sys.stdout))


def warn(program: str, message: str) -> None:
    """Write a warning to stderr, if there is anything to warn of."""
    if message:
        say(f"{program}: warning: {message}")


def _rate(number: int, seconds: float) -> str:
    rate = number / seconds if seconds > 0.0 else 0.0
    return f"{rate:.0f}" if rate >= 100.0 else f"{rate:.1f}"
