from __future__ import annotations

import io
import os
import random
import threading
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from seq2seq.cli.reading import LineReader, open_reader
from seq2seq.errors import CorpusError


def read(data: bytes, *, size: int = 7, patient: bool = True, ahead: int = 10) -> list[list[str]]:
    with LineReader(io.BytesIO(data), name="test", ahead=ahead, closing=True) as reader:
        return list(reader.chunks(repeat(size), patient=patient))


def expected_lines(data: bytes) -> list[str]:
    """The slow twin: every line by itself."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [(line[:-1] if line.endswith(b"\r") else line).decode("utf-8", "replace") for line in lines]


@pytest.mark.parametrize("seed", range(8))
def test_lines_are_those_between_line_feeds(seed: int) -> None:
    draw = random.Random(seed)
    parts = [b"\n", b"\r\n", b"\r", b"a", "é".encode(), b"\xff", "\u2028".encode(), b"\0", b"x" * 70_000, b"\x85"]
    data = b"".join(draw.choices(parts, [9, 3, 2, 9, 5, 1, 1, 1, 0.2, 1], k=draw.randint(0, 300)))
    chunks = read(data)
    assert [line for chunk in chunks for line in chunk] == expected_lines(data)
    assert all(len(chunk) == 7 for chunk in chunks[:-1])


def test_chunks_grow_as_they_are_told() -> None:
    with LineReader(io.BytesIO(b"x\n" * 20), name="test", ahead=100, closing=True) as reader:
        sizes = [len(chunk) for chunk in reader.chunks(iter([1, 4, 10, 10]), patient=True)]
        assert sizes == [1, 4, 10, 5]
        assert reader.bytes_taken == 40


class Slow(io.RawIOBase):
    """Gives a line when it is told to."""

    def __init__(self, lines: int) -> None:
        self.asked = 0
        self._lines = lines
        self.more = threading.Semaphore(0)

    def read(self, size: int = -1) -> bytes:
        self.asked += 1
        if self._lines == 0:
            return b""
        if not self.more.acquire(timeout=10):
            return b""  # nobody asks for more: an end, so that the test fails and does not hang
        self._lines -= 1
        return b"line\n"


def test_what_has_arrived_is_given_without_waiting_for_more() -> None:
    stream = Slow(3)
    with LineReader(stream, name="test", ahead=100, closing=True) as reader:  # type: ignore[arg-type]
        chunks = reader.chunks(repeat(1000), patient=False)
        for _ in range(3):
            stream.more.release()
            assert next(chunks) == ["line"]
        assert list(chunks) == []


class Endless(io.RawIOBase):
    """Gives blocks of lines for ever, and counts them."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.blocks = 0

    def read(self, size: int = -1) -> bytes:
        self.blocks += 1
        return self.block


@pytest.mark.parametrize(("block", "most"), [(b"line\n" * 10, 12), (b"x" * 3_000_000 + b"\n", 8)])
def test_little_is_read_ahead(block: bytes, most: int) -> None:
    stream = Endless(block)
    with LineReader(stream, name="test", ahead=100, closing=True) as reader:  # type: ignore[arg-type]
        chunks = reader.chunks(repeat(2), patient=True)
        for _ in range(3):
            assert next(chunks)
        reading = next(thread for thread in threading.enumerate() if thread.name == "line reader")
        reading.join(0.2)
        assert stream.blocks <= most + 3
    reading.join(10)
    assert not reading.is_alive()


def test_a_stream_that_does_not_block_is_waited_for() -> None:
    receiving, sending = os.pipe()
    os.set_blocking(receiving, False)
    with LineReader(open(receiving, "rb", buffering=0), name="test", ahead=9, closing=True) as reader:
        chunks = reader.chunks(repeat(5), patient=False)
        threading.Timer(0.05, lambda: (os.write(sending, b"late\n"), os.close(sending))).start()
        assert list(chunks) == [["late"]]


def test_what_is_not_utf_8_is_counted() -> None:
    text = "fine �\n".encode() + b"\xff\xff bad\n" + b"fine\n" + b"bad \xc3\n"
    with LineReader(io.BytesIO(text), name="test", ahead=9, closing=True) as reader:
        lines = [line for chunk in reader.chunks(repeat(9), patient=True) for line in chunk]
    assert lines == ["fine �", "�� bad", "fine", "bad �"]
    assert (reader.invalid.replaced, reader.invalid.lines, reader.invalid.first_line) == (3, 2, 2)
    assert reader.invalid.message() == (
        "the input is not UTF-8 in 3 places of 2 lines, first in line 2; U+FFFD stands there now"
    )


class Failing(io.RawIOBase):
    """Gives a line and then fails."""

    def __init__(self, error: Exception) -> None:
        self._reads: Iterator[bytes] = iter([b"good\n"])
        self._error = error

    def read(self, size: int = -1) -> bytes:
        for block in self._reads:
            return block
        raise self._error


def test_failures_come_after_what_could_be_read() -> None:
    with LineReader(Failing(OSError(5, "Input/output error")), name="test", ahead=9, closing=True) as reader:  # type: ignore[arg-type]
        chunks = reader.chunks(repeat(9), patient=True)
        assert next(chunks) == ["good"]
        with pytest.raises(CorpusError, match=r"^cannot read test: Input/output error$"):
            next(chunks)
    broken = LineReader(Failing(ZeroDivisionError()), name="test", ahead=9, closing=True)  # type: ignore[arg-type]
    with broken, pytest.raises(ZeroDivisionError):
        list(broken.chunks(repeat(9), patient=True))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
def test_a_named_pipe_is_read_from_its_first_byte(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writing = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"one\ntwo\n"))
    writing.start()
    with open_reader(tmp_path / "pipe") as reader:
        assert [line for chunk in reader.chunks(repeat(9), patient=False) for line in chunk] == ["one", "two"]
        assert reader.size is None
    writing.join(10)


def test_the_size_of_a_plain_file_is_known(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc\nd")
    with open_reader(tmp_path / "file") as reader:
        assert reader.size == 5
        assert list(reader.chunks(repeat(9), patient=True)) == [["abc", "d"]]


def test_a_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert read(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\r\n") == [["one", "\ufefftwo"]]
    assert read(b"\xef\xbb\xbf") == [[""]]
