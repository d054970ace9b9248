"""Reading pairs of source and target as they come: line by line from two files, or as two columns of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, repeat, zip_longest
from pathlib import Path
from types import TracebackType

from seq2seq.cli.reading import MOST_LINES, LineReader, open_reader
from seq2seq.errors import CorpusError

Pair = tuple[str, str]


@dataclass(frozen=True)
class PairFiles:
    """Where pairs come from: the lines of `source` and of `target`, or both from those of a `table`; None is stdin."""

    source: Path | None
    target: Path | None = None
    is_table: bool = False

    @property
    def paths(self) -> list[Path | None]:
        """All of them."""
        return [self.source] if self.is_table else [self.source, self.target]

    def count(self) -> int | None:
        """Number of pairs, found by reading all files once; None where one of them can be read only once.

        Raises:
            CorpusError: a file cannot be read, or the two do not belong together.
        """
        if not all(path is not None and path.is_file() for path in self.paths):
            return None
        with PairReader(self) as reader:
            return sum(len(chunk) for chunk in reader.chunks(repeat(MOST_LINES)))


class PairReader:
    """Pairs of :class:`PairFiles`, read ahead; a context manager."""

    def __init__(self, files: PairFiles) -> None:
        """Begin to read. Raises CorpusError for a file that cannot be read."""
        self._files = files
        self._names = [name_of(path) for path in files.paths]
        with ExitStack() as opened:
            self._readers = [opened.enter_context(open_reader(path, ahead=2 * MOST_LINES)) for path in files.paths]
            self._stack = opened.pop_all()

    def chunks(self, sizes: Iterator[int]) -> Iterator[list[Pair]]:
        """Lists of pairs, each of the next of `sizes`; of a table that is no file, of as many as have arrived.

        Raises:
            CorpusError: a file cannot be read, two files are not of one length, or a line of a table has not two
                columns; the chunks before have been given.
        """
        if self._files.is_table:
            is_file = self._files.source is not None and self._files.source.is_file()
            first = 1
            for lines in self._readers[0].chunks(sizes, patient=is_file):
                yield [self._columns(line, number) for number, line in enumerate(lines, start=first)]
                first += len(lines)
            return
        pairs = self._line_by_line()
        for size in sizes:
            chunk = list(islice(pairs, size))
            if not chunk:
                return
            yield chunk

    def warnings(self) -> list[str]:
        """What was not UTF-8, by file."""
        found = zip(self._names, self._readers, strict=True)
        return [f"{name}: {message}" for name, reader in found if (message := reader.invalid.message())]

    def __enter__(self) -> PairReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _line_by_line(self) -> Iterator[Pair]:
        sides = [lines_of(reader) for reader in self._readers]
        for number, (source, target) in enumerate(zip_longest(*sides)):
            if source is None or target is None:
                short, long = self._names if source is None else reversed(self._names)
                raise CorpusError(f"{short} has {number} lines but {long} has more: they do not belong together")
            yield source, target

    def _columns(self, line: str, number: int) -> Pair:
        columns = line.split("\t")
        if len(columns) == 1 and not line.strip():
            return "", ""
        if len(columns) != 2:
            raise CorpusError(
                f"{self._names[0]}, line {number}: {len(columns)} column{'s' * (len(columns) != 1)} where a source, a "
                "tab and its target were expected"
            )
        return columns[0], columns[1]


def lines_of(reader: LineReader) -> Iterator[str]:
    """The lines of a reader, one by one."""
    for chunk in reader.chunks(repeat(MOST_LINES), patient=False):
        yield from chunk


def name_of(path: Path | None) -> str:
    """How errors call an input."""
    return "standard input" if path is None else str(path)
