"""Reading lines as they come: a thread reads, and the translator takes what has arrived."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from seq2seq.errors import CorpusError
from seq2seq.text.lines import check_file

_BLOCK = 1 << 16
#: Characters that wait at most, unless a single line is longer.
_WAITING_CHARACTERS = 1 << 22
#: Lines that are worked on together, counted in batches: few at first, so that the first results appear soon, then more
#: and more, since of many lines batches of equal length can be made.
_FIRST_CHUNK, _GROWTH, _LARGEST_CHUNK = 1, 4, 16
#: The same in lines, for whoever asks for huge batches.
MOST_LINES = 8192
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass
class InvalidBytes:
    """What was not UTF-8, and was replaced by U+FFFD."""

    replaced: int = 0
    lines: int = 0
    first_line: int = 0
    utf_16: bool = False

    def message(self) -> str:
        """One sentence about it; empty if there was nothing."""
        if not self.lines:
            return ""
        places = "1 place" if self.replaced == 1 else f"{self.replaced} places"
        lines = "1 line" if self.lines == 1 else f"{self.lines} lines"
        hint = "; it looks like UTF-16, which iconv converts" if self.utf_16 else ""
        return (
            f"the input is not UTF-8 in {places} of {lines}, first in line {self.first_line}; "
            f"U+FFFD stands there now{hint}"
        )


class LineReader:
    """Lines of a stream of UTF-8, read ahead by a thread, but not far: memory stays bounded.

    Only a line feed ends a line, and one carriage return before it is dropped; U+2028, U+0085, form feeds and other
    carriage returns stay. A byte order mark at the start is dropped. A last line counts with or without its break.
    """

    def __init__(self, stream: BinaryIO, *, name: str, ahead: int, closing: bool) -> None:
        """Begin to read.

        Args:
            stream: gives bytes as they arrive.
            name: for errors.
            ahead: lines that wait at most, and those of a block of 64 KiB.
            closing: close the stream at its end.
        """
        self.invalid = InvalidBytes()
        #: Bytes of the lines that were taken.
        self.bytes_taken = 0
        #: Bytes of the whole stream, None where that is not known.
        self.size = _size_in_bytes(stream)
        self._stream = stream
        self._name = name
        self._ahead = ahead
        self._closing = closing
        self._lines: deque[tuple[str, int]] = deque()
        self._characters = 0
        self._ended = False
        self._closed = False
        self._failure: Exception | None = None
        self._changed = threading.Condition()
        # A daemon, for nothing can end a read of a terminal or a pipe that gives nothing.
        threading.Thread(target=self._read, name="line reader", daemon=True).start()

    @property
    def _full(self) -> bool:
        return len(self._lines) >= self._ahead or self._characters >= _WAITING_CHARACTERS

    def chunks(self, sizes: Iterator[int], *, patient: bool) -> Iterator[list[str]]:
        """Lists of lines, each of as many as have arrived, one at least and the next of `sizes` at most.

        `patient` waits until there are so many, or an end: for files, which have them soon.

        Raises:
            CorpusError: the stream cannot be read; what came before has been given.
        """
        for size in sizes:
            with self._changed:
                while len(self._lines) < (size if patient else 1) and not self._full and not self._ended:
                    self._changed.wait()
                if not self._lines:
                    break
                taken = [self._lines.popleft() for _ in range(min(size, len(self._lines)))]
                self._characters -= sum(len(text) for text, _ in taken)
                self.bytes_taken += sum(length for _, length in taken)
                self._changed.notify_all()
            yield [text for text, _ in taken]
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Let the thread end when it next has something to say."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __enter__(self) -> LineReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        try:
            number = 0
            for lines in _blocks_of_lines(self._stream):
                texts = []
                for line in lines:
                    number += 1
                    texts.append((self._decode(line, number), len(line) + 1))
                with self._changed:
                    self._lines.extend(texts)
                    self._characters += sum(len(text) for text, _ in texts)
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: not self._full or self._closed)
                    if self._closed:
                        return
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self._failure = CorpusError(f"{self._name} is a damaged or incomplete gz file; compress it again")
        except OSError as error:
            self._failure = CorpusError(f"cannot read {self._name}: {error.strerror or error}")
        except Exception as error:  # a defect, which must not look like the end of the input
            self._failure = error
        finally:
            if self._closing:
                self._stream.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _decode(self, line: bytes, number: int) -> str:
        if number == 1:
            self.invalid.utf_16 = line[:2] in (b"\xff\xfe", b"\xfe\xff")
            line = line.removeprefix(_BYTE_ORDER_MARK)
        line = line.removesuffix(b"\r")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            text = line.decode("utf-8", "replace")
            self.invalid.replaced += text.count("\ufffd") - line.count("\ufffd".encode())
            self.invalid.lines += 1
            self.invalid.first_line = self.invalid.first_line or number
            return text


def open_reader(path: Path | None, *, ahead: int = 4096) -> LineReader:
    """Begin to read a file, plain or gz as its first bytes say, or stdin for None; `ahead` as in :class:`LineReader`.

    Raises:
        CorpusError: there is no such file, or it is a folder or may not be read.
    """
    if path is None:
        if sys.stdin is None:
            raise CorpusError("there is no standard input; name a file with --input")
        stream = sys.stdin.buffer
        # What lies beneath the buffer gives at once what has arrived, and has no lock that a waiting thread could hold.
        raw = cast(BinaryIO, getattr(stream, "raw", stream))
        return LineReader(raw, name="standard input", ahead=ahead, closing=False)
    check_file(path, what="the input file")
    try:
        return LineReader(_open(path), name=f"the input file {path}", ahead=ahead, closing=True)
    except OSError as error:
        raise CorpusError(f"cannot read the input file {path}: {error.strerror or error}") from None


def file_or_stream(given: Path | None) -> Path | None:
    """The path of an option, or None for `-` or nothing: stdin or stdout."""
    return None if given == Path("-") else given


def chunk_sizes(batch_size: int) -> Iterator[int]:
    """How many lines are worked on together, first, next and so on."""
    batches = _FIRST_CHUNK
    while True:
        yield min(batches * batch_size, MOST_LINES)
        batches = min(_GROWTH * batches, _LARGEST_CHUNK)


def _open(path: Path) -> BinaryIO:
    compressed = False
    if path.is_file():  # of a pipe, what is read to look at it would be lost
        with open(path, "rb") as file:
            compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path) if compressed else open(path, "rb", buffering=0))


def _size_in_bytes(stream: BinaryIO) -> int | None:
    """How much there is to read, if that is known: of a plain file."""
    if isinstance(stream, gzip.GzipFile):
        return None
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _blocks_of_lines(stream: BinaryIO) -> Iterator[list[bytes]]:
    """The lines of every block read, without their breaks."""
    begun: list[bytes] = []  # of the line that has not ended yet
    while block := _read_block(stream):
        first, *others = block.split(b"\n")
        begun.append(first)
        if others:
            yield [b"".join(begun), *others[:-1]]
            begun = [others[-1]]
    if rest := b"".join(begun):
        yield [rest]


def _read_block(stream: BinaryIO) -> bytes:
    """What has arrived, waiting for it; nothing at the end."""
    # A pipe that another program has set not to block gives None, for nothing yet.
    while (block := cast("bytes | None", stream.read(_BLOCK))) is None:
        time.sleep(0.01)
    return block
