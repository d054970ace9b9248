"""What a translation looked at, line by line, as a web page beside the output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.writing import Output
from seq2seq.plots.alignment_page import AlignedLine, alignment_page

if TYPE_CHECKING:
    from seq2seq.translation import Translation

#: Lines that a page shows; the first ones of the input.
MOST_LINES = 200


class PageOfAlignments:
    """Collects the first lines with their translations, and writes the page."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[AlignedLine] = []
        self._count = 0

    def add(self, texts: Sequence[str], translations: Sequence[Sequence[Translation]]) -> None:
        """The next lines of the input, as text, and their translations, best first."""
        for text, best_first in zip(texts, translations, strict=True):
            self._count += 1
            best = best_first[0]
            words = best.text.split()
            if words and len(self._lines) < MOST_LINES:
                # What was carried over from the source has neither.
                confidences = best.word_confidences or (0.0,) * len(words)
                self._lines.append(
                    AlignedLine(
                        source=text.split(),
                        target=words,
                        weights=best.soft_alignment,
                        pairs=best.alignment,
                        confidences=confidences,
                        score=best.score,
                    )
                )

    def write(self) -> None:
        """Write the page. Raises UsageError where that cannot be."""
        shown = (
            f"{len(self._lines)} of {self._count} lines" if self._count > len(self._lines) else f"{self._count} lines"
        )
        note = f"{shown}; the darker a cell, the more attention; what is outlined is the word alignment."
        with Output(self._path) as output:
            page = "".join(alignment_page(self._lines, title="Alignments", note=note))
            output.write(page.rstrip("\n").split("\n"))
