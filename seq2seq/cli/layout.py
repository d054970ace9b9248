"""What of a line of input is translated, and which lines of output its translations make."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, final

from seq2seq.cli.formats import Format
from seq2seq.errors import CorpusError

if TYPE_CHECKING:
    from seq2seq.demands import Source
    from seq2seq.translation import Translation


class Entry(NamedTuple):
    """A line of input: its text to translate, None where there is none (a header), and what becomes of it.

    `source` is the text with what the line asks of its translation, None where that is nothing.
    """

    text: str | None
    lines: Format
    source: Source | None = None


class Layout(Protocol):
    """How a line holds its text and the lines of output its translation."""

    @property
    def copies(self) -> bool:
        """Whether parts of a line are copied into the output, to the letter."""
        ...

    def entry(self, line: str, number: int) -> Entry:
        """The entry of a line; `number` counts from 1. Raises CorpusError, with file and line, for an unusable one."""
        ...


@final
class TextLayout:
    """Every line is text, all of it."""

    copies = False

    def __init__(self, lines: Format) -> None:
        self._lines = lines

    def entry(self, line: str, number: int) -> Entry:
        """The line as it is."""
        return Entry(line, self._lines)


def passed_through(line: str) -> Entry:
    """A line with nothing to translate, which stays as it is."""
    return Entry(None, lambda number, translations: [line])


class Feed:
    """Feeds a translator with the texts of lines, chunk by chunk, and makes lines of what comes back.

    An entry without text is an empty one to the translator, so that both count the same lines. Where a layout cannot
    use a line, what stands before it in its chunk is fed first, and the error raised when more is asked for. Phrases
    in `avoid` are avoided in every line.
    """

    def __init__(self, chunks: Iterable[list[str]], layout: Layout, *, avoid: Sequence[str] = ()) -> None:
        self._chunks = chunks
        self._layout = layout
        self._avoid = tuple(avoid)
        self._entries: list[Entry] = []
        self._first = 0
        self._began = 0.0

    def __iter__(self) -> Iterator[list[str | Source]]:
        for chunk in self._chunks:
            self._first += len(self._entries)
            self._entries = []
            self._began = time.monotonic()
            failure = None
            fed: list[str | Source] = []
            for number, line in enumerate(chunk, start=self._first + 1):
                try:
                    entry = self._layout.entry(line, number)
                    fed.append(self._asked(entry, number))
                except CorpusError as error:
                    failure = error
                    break
                self._entries.append(entry)
            if fed:
                yield fed
            if failure is not None:
                raise failure

    def _asked(self, entry: Entry, number: int) -> str | Source:
        """The text of an entry with all that is asked of its translation."""
        if entry.text is None or not self._avoid:
            return entry.source or entry.text or ""
        from seq2seq.demands import Source, problem_with

        source = entry.source or Source(text=entry.text)
        source = replace(source, avoid=(*source.avoid, *self._avoid))
        if problem := problem_with(source):
            raise CorpusError(f"line {number}: {problem}")
        return source

    def texts(self) -> list[str]:
        """The texts of the last chunk, empty where a line has none."""
        return [entry.text or "" for entry in self._entries]

    def lines(self, of_chunk: Sequence[Sequence[Translation]]) -> Iterator[str]:
        """The lines of output for the translations of the last chunk."""
        for number, (entry, translations) in enumerate(zip(self._entries, of_chunk, strict=True), start=self._first):
            yield from entry.lines(number, translations)

    def translated(self, of_chunk: Sequence[Sequence[Translation]]) -> list[Sequence[Translation]]:
        """Those of the translations for which there was a text."""
        return [
            translations for entry, translations in zip(self._entries, of_chunk, strict=True) if entry.text is not None
        ]

    def seconds(self) -> float:
        """How long ago the last chunk came: waiting for input is no time of translation."""
        return time.monotonic() - self._began
