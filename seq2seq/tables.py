"""Tables for a terminal, aligned, and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: What fits into most terminals that people compare systems in.
WIDTH = 120
_GAP = "  "


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        heads: of the columns.
        rows: cells, as many in each as there are heads.
        fixed: leading columns that say what a row is, and come again where the others do not fit beside each other.
        together: columns after those that stay side by side.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    fixed: int = 1
    together: int = 1

    def lines(self, *, width: int = WIDTH) -> list[str]:
        """Aligned for `width` columns of a terminal: the first column to the left, the others to the right.

        Columns that do not fit go below, after an empty line. What is wider than the terminal on its own stays so.
        """
        widths = [max(_width(cell) for cell in column) for column in zip(self.heads, *self.rows, strict=True)]
        blocks: list[list[int]] = []
        room = -1
        for first in range(self.fixed, len(self.heads), self.together):
            columns = list(range(first, min(first + self.together, len(self.heads))))
            needed = sum(widths[column] + len(_GAP) for column in columns)
            if needed > room:
                blocks.append(list(range(self.fixed)))
                room = width - sum(widths[column] + len(_GAP) for column in blocks[-1]) + len(_GAP)
            blocks[-1] += columns
            room -= needed
        lines: list[str] = []
        for columns in blocks or [list(range(self.fixed))]:
            lines += [""] if lines else []
            for row in (self.heads, *self.rows):
                cells = [_aligned(row[column], widths[column], left=column == 0) for column in columns]
                lines.append(_GAP.join(cells).rstrip())
        return lines

    def markdown(self) -> list[str]:
        """The lines of a Markdown table."""
        rule = ["---", *["---:"] * (len(self.heads) - 1)]
        rows = [self.heads, rule, *self.rows]
        return [f"| {' | '.join(cell.strip().replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


def _width(text: str) -> int:
    """Columns of a terminal, of which a Chinese character takes two."""
    from rich.cells import cell_len

    return cell_len(text)


def _aligned(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if left else space + text
