r"""Lines of a UTF-8 file, plain or gz: `\n` is the only line break, and what is not UTF-8 is refused with its place."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from seq2seq.errors import CorpusError

_BLOCK = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"


def check_file(path: str | os.PathLike[str], *, what: str = "the corpus file") -> None:
    """Raise CorpusError unless `path` is a file that can be read."""
    if os.path.isdir(path):
        raise CorpusError(f"{what} {os.fspath(path)} is a folder; name the file in it")
    if not os.path.exists(path):
        raise CorpusError(f"{what} {os.fspath(path)} does not exist")
    if not os.access(path, os.R_OK):
        raise CorpusError(f"{what} {os.fspath(path)} may not be read; change its permissions")


def read_lines(path: str | os.PathLike[str]) -> Iterator[str]:
    r"""Give the lines one after the other, without their `\n` and without a `\r` right before it.

    U+2028, U+0085, form feeds and lone `\r` stay in their line. A byte order mark at the start is dropped. A gz file is
    known by its first bytes, whatever its name. Raises CorpusError for a file that cannot be read and for bytes that
    are not UTF-8, with file, line and byte.
    """
    number, offset = 1, 0
    for block in _blocks_of_lines(path):
        start = len(_BYTE_ORDER_MARK) if offset == 0 and block.startswith(_BYTE_ORDER_MARK) else 0
        try:
            text = block[start:].decode("utf-8")
        except UnicodeDecodeError as error:
            raise _not_utf8(path, block, start + error.start, number=number, offset=offset) from None
        lines = text.split("\n")
        for line in lines:
            yield line.removesuffix("\r")
        number += len(lines)
        offset += len(block) + 1


def _blocks_of_lines(path: str | os.PathLike[str]) -> Iterator[bytes]:
    r"""Whole lines, about a mebibyte at a time, without the `\n` of the last."""
    check_file(path)
    kept: list[bytes] = []
    try:
        with _open(path) as stream:
            while block := stream.read(_BLOCK):
                cut = block.rfind(b"\n")
                if cut < 0:
                    kept.append(block)
                    continue
                kept.append(block[:cut])
                yield b"".join(kept)
                kept = [block[cut + 1 :]]
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise CorpusError(f"{os.fspath(path)} is a damaged or incomplete gz file; fetch or compress it again") from None
    except OSError as error:
        raise CorpusError(f"cannot read {os.fspath(path)}: {error.strerror or error}") from None
    if rest := b"".join(kept):
        yield rest


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    with open(path, "rb") as stream:
        magic = stream.read(len(_GZIP_MAGIC))
    if magic == _GZIP_MAGIC:
        return cast(BinaryIO, gzip.open(path, "rb"))
    return open(path, "rb")


def _not_utf8(path: str | os.PathLike[str], block: bytes, place: int, *, number: int, offset: int) -> CorpusError:
    """`place` counts from the start of the block, which begins with line `number` at byte `offset`; reported from 1."""
    if offset == 0 and block[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return CorpusError(f"{os.fspath(path)}, line 1, byte 1: the file is UTF-16, not UTF-8; convert it with iconv")
    line = number + block.count(b"\n", 0, place)
    column = place - (block.rfind(b"\n", 0, place) + 1)
    return CorpusError(
        f"{os.fspath(path)}, line {line}, byte {column + 1} of the line ({offset + place + 1} of the text): "
        f"0x{block[place]:02x} is not UTF-8; convert the file with iconv, or mend the line"
    )
