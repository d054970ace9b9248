import os
import time
from pathlib import Path

import numpy
import pytest

from seq2seq.data.cache import EntryWriter, read_entry


def write(folder: Path, first: int = 1) -> None:
    with EntryWriter(folder) as writer:
        writer.append("ids", numpy.array([first, 2], dtype=numpy.uint16))
        writer.append("ids", numpy.array([3], dtype=numpy.uint16))
        writer.append("offsets", numpy.array([0, 2**40], dtype=numpy.int64))
        writer.append("nothing", numpy.zeros(0, dtype=numpy.uint8))
        writer.finish({"pairs": 7})


def test_an_entry_comes_back(tmp_path: Path) -> None:
    write(tmp_path / "cache" / "key")
    entry = read_entry(tmp_path / "cache" / "key")
    assert entry is not None
    arrays, facts = entry
    assert facts == {"pairs": 7}
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "ids": [1, 2, 3],
        "offsets": [0, 2**40],
        "nothing": [],
    }
    assert arrays["ids"].dtype == numpy.uint16
    assert not arrays["ids"].flags.writeable
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["key"]


def test_nothing_is_there_before_the_end(tmp_path: Path) -> None:
    with EntryWriter(tmp_path / "key") as writer:
        writer.append("ids", numpy.array([1]))
        assert read_entry(tmp_path / "key") is None
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with EntryWriter(tmp_path / "key") as writer:
            writer.append("ids", numpy.array([1]))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["shorter", "longer", "changed", "removed", "table", "half a table"])
def test_damage_is_seen_and_mended(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "key"
    write(folder)
    ids, table = folder / "ids", folder / "contents.json"
    match damage:
        case "shorter":
            ids.write_bytes(ids.read_bytes()[:-1])
        case "longer":
            ids.write_bytes(ids.read_bytes() + b"\0")
        case "changed":
            ids.write_bytes(bytes([ids.read_bytes()[0] ^ 1]) + ids.read_bytes()[1:])
        case "removed":
            ids.unlink()
        case "table":
            table.unlink()
        case "half a table":
            table.write_bytes(table.read_bytes()[:40])
    assert read_entry(folder) is None
    write(folder, first=5)
    entry = read_entry(folder)
    assert entry is not None
    assert entry[0]["ids"].tolist() == [5, 2, 3]


def test_the_first_of_two_writers_provides_the_entry(tmp_path: Path) -> None:
    with EntryWriter(tmp_path / "key") as slow:
        slow.append("ids", numpy.array([9]))
        write(tmp_path / "key")
        slow.finish({})
    entry = read_entry(tmp_path / "key")
    assert entry is not None
    assert entry[1] == {"pairs": 7}
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_what_a_killed_run_left_is_removed_after_a_while(tmp_path: Path) -> None:
    fresh, old, other = tmp_path / ".key.fresh", tmp_path / ".key.old", tmp_path / ".other.old"
    for folder in (fresh, old, other):
        folder.mkdir()
        (folder / "ids").write_bytes(b"x")
    long_ago = time.time() - 4_000
    for path in (old / "ids", old, other / "ids", other):
        os.utime(path, (long_ago, long_ago))
    write(tmp_path / "key")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".key.fresh", ".other.old", "key"]


def test_a_disk_error_is_raised_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []
