import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.errors import CorpusError
from seq2seq.text import lines
from seq2seq.text.lines import read_lines


def write(folder: Path, content: bytes, name: str = "text.en") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_only_line_feed_ends_a_line(tmp_path: Path) -> None:
    text = "one\u2028two\u0085three\x0cfour\rfive\x0bsix\x1cseven\n\neight\u2029\x00nine\r\n last "
    assert list(read_lines(write(tmp_path, text.encode()))) == [
        "one\u2028two\u0085three\x0cfour\rfive\x0bsix\x1cseven",
        "",
        "eight\u2029\x00nine",
        " last ",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\n", ["a", ""]),
        (b"\r\n\r", ["", ""]),
        (b"a\r\r\n", ["a\r"]),
    ],
)
def test_the_end_of_the_file(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    assert list(read_lines(write(tmp_path, content))) == expected


def test_byte_order_mark_is_dropped_at_the_start_only(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n")
    assert list(read_lines(path)) == ["a", "\ufeffb"]


def test_gz_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    packed = gzip.compress("é\nb\n".encode())
    assert list(read_lines(write(tmp_path, packed, "text.en.gz"))) == ["é", "b"]
    assert list(read_lines(write(tmp_path, packed, "text.en"))) == ["é", "b"]
    assert list(read_lines(write(tmp_path, b"a\n", "plain.gz"))) == ["a"]


@settings(deadline=None)
@given(parts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=8), max_size=12))
def test_lines_come_back_whatever_the_size_of_blocks(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "text"
    path.write_bytes("".join(part + "\n" for part in parts).encode())
    expected = [part[:-1] if part.endswith("\r") else part for part in parts]
    if expected and expected[0].startswith("\ufeff"):
        expected[0] = expected[0][1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK", 5)
        assert list(read_lines(path)) == expected


@pytest.mark.parametrize("block", [1 << 20, 7, 8, 9])
def test_invalid_bytes_are_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(lines, "_BLOCK", block)
    # Line 3 is "é" (two bytes), a space, then the bad byte: byte 4 of the line; 6 + 4 bytes of lines stand before it.
    path = write(tmp_path, "first\nabc\né ".encode() + b"\xffz\nlast\n")
    with pytest.raises(CorpusError) as caught:
        list(read_lines(path))
    assert str(caught.value).startswith(f"{path}, line 3, byte 4 of the line (14 of the text): 0xff is not UTF-8")


def test_invalid_bytes_after_a_byte_order_mark_and_in_gz(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"\xef\xbb\xbfab\xc3\n"), "a.gz")
    with pytest.raises(CorpusError, match=r"line 1, byte 6 of the line \(6 of the text\): 0xc3 is not UTF-8"):
        list(read_lines(path))


def test_a_sequence_cut_off_at_the_end_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"line 2, byte 2 of the line \(5 of the text\): 0xe2"):
        list(read_lines(write(tmp_path, b"ok\nx\xe2\x80")))


def test_utf16_is_called_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="UTF-16"):
        list(read_lines(write(tmp_path, "hello\n".encode("utf-16"))))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere does not exist$"):
        list(read_lines(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match="is a folder; name the file in it"):
        list(read_lines(tmp_path))
    packed = gzip.compress(os.urandom(5000))
    with pytest.raises(CorpusError, match="damaged or incomplete gz"):
        list(read_lines(write(tmp_path, packed[:-2000], "a.gz")))
    with pytest.raises(CorpusError, match="damaged or incomplete gz"):
        list(read_lines(write(tmp_path, packed[:100] + b"?" * 50 + packed[150:], "b.gz")))


def test_reading_is_lazy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_BLOCK", 4)
    stream = read_lines(write(tmp_path, b"a\nb\n" * 10 + b"\xff\n"))
    assert [next(stream) for _ in range(6)] == ["a", "b"] * 3
