"""TSV in and out: one column is translated, and the others stay as they are. Quotation marks mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from seq2seq.cli.formats import pharaoh
from seq2seq.cli.layout import Entry, passed_through
from seq2seq.errors import CorpusError

if TYPE_CHECKING:
    from seq2seq.translation import Translation

#: Heading of the translations where none is asked for.
HEADING = "translation"

#: A number, from 1, or a name, which the first line has then.
Column = int | str


@final
class TabSeparated:
    """The layout of a TSV file: which column is translated, and where the translation goes.

    With a name for either column the first line is a header. A blank line stays blank.
    """

    copies = True

    def __init__(
        self, *, name: str, source: Column, target: Column | None, scores: bool = False, alignment: bool = False
    ) -> None:
        """Choose columns.

        Args:
            name: of the file, for errors.
            source: the column to translate.
            target: the column of the translations: one that is there is overwritten; None makes a new last one.
            scores: add a column for the score after all others,
            alignment: and one for the alignment as `0-0 1-2`.
        """
        self._name = name
        self._source, self._target = source, target
        self._scores, self._alignment = scores, alignment
        self._headed = isinstance(source, str) or isinstance(target, str)
        self._columns: int | None = None

    def entry(self, line: str, number: int) -> Entry:
        """The entry of a line. Raises CorpusError for one without the columns."""
        where = f"{self._name}, line {number}"
        cells = line.split("\t")
        if self._headed and number == 1:
            return passed_through("\t".join(self._header(cells, where)))
        if len(cells) == 1 and not line.strip():
            return passed_through(line)
        source, target = self._places(cells, where)

        def lines(number: int, translations: Sequence[Translation]) -> list[str]:
            best = translations[0]
            filled = [*cells[:target], _cell(best.text), *cells[target + 1 :]]
            filled += [f"{best.score:.4f}"] if self._scores else []
            filled += [pharaoh(best)] if self._alignment else []
            return ["\t".join(filled)]

        return Entry(cells[source], lines)

    def _header(self, cells: list[str], where: str) -> list[str]:
        """The header of the output; from here on, columns are numbers."""
        self._columns = len(cells)
        names = [cell.strip() for cell in cells]
        self._source = _number_of(self._source, names, where)
        added = []
        if isinstance(self._target, str) and self._target in names:
            self._target = _number_of(self._target, names, where)
        elif isinstance(self._target, str):
            added, self._target = [self._target], None
        elif self._target is None or self._target == len(names) + 1:
            added, self._target = [HEADING], None
        self._places(cells, where)
        if HEADING in added and HEADING in names:
            raise CorpusError(
                f"{where}: there is a column {HEADING} already; overwrite it with --target-column {HEADING}, or name "
                "another one"
            )
        for wanted, heading in ((self._scores, "score"), (self._alignment, "alignment")):
            if wanted and heading in [*names, *added]:
                option = "--scores" if heading == "score" else "--alignment"
                raise CorpusError(f"{where}: there is a column {heading} already; rename it, or leave out {option}")
            added += [heading] if wanted else []
        return [*cells, *added]

    def _places(self, cells: list[str], where: str) -> tuple[int, int]:
        """Indices of the text and of its translation in a row."""
        found = f"{len(cells)} column{'s' * (len(cells) != 1)}"
        if self._columns is not None and len(cells) != self._columns:
            raise CorpusError(f"{where}: {found}, but the header has {self._columns}")
        source = self._source
        assert isinstance(source, int)  # with a name there is a header, which made it a number
        if source > len(cells):
            raise CorpusError(f"{where}: {found}, but column {source} is to be translated; see --source-column")
        target = len(cells) + 1 if self._target is None else self._target
        assert isinstance(target, int)
        if target > len(cells) + 1:
            raise CorpusError(f"{where}: {found}, so the translation cannot be column {target}; see --target-column")
        return source - 1, target - 1


def _number_of(column: Column, names: list[str], where: str) -> int:
    if isinstance(column, int):
        return column
    if names.count(column) > 1:
        raise CorpusError(f"{where}: there are {names.count(column)} columns {column}; rename them")
    if column not in names:
        raise CorpusError(f"{where}: there is no column {column}, only {', '.join(names)}")
    return names.index(column) + 1


def _cell(text: str) -> str:
    """A text that is one cell: a tab or a line break in it is a space."""
    return text.replace("\t", " ").replace("\n", " ").replace("\r", " ")
