"""Writing files: wholly or not at all."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from seq2seq.errors import Seq2SeqError
from seq2seq.storage import write_atomically


def test_writes_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"one")
    assert path.read_bytes() == b"one"
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["file"]


def test_writes_through_a_function_beside_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(temporary: Path) -> None:
        assert temporary.parent == path.parent  # the same file system, or it could not be renamed
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"

    write_atomically(path, write)
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_content_is_on_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, os.replace

    def log_fsync(descriptor: int) -> None:
        events.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def log_replace(source: Any, target: Any) -> None:
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", log_fsync)
    monkeypatch.setattr(os, "replace", log_replace)
    write_atomically(tmp_path / "file", b"content")
    assert events == ["file", "rename", "folder"]


def full_disk(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def in_safetensors(path: Path) -> None:
    save_file({"weights": torch.zeros(50_000)}, path)


WRITERS: list[bytes | Callable[[Path], None]] = [b"x" * 200_000, in_safetensors]


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
@pytest.mark.parametrize("content", WRITERS)
def test_a_full_disk_leaves_the_old_file(
    call: str, content: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, full_disk)
    with pytest.raises(Seq2SeqError) as caught:
        write_atomically(path, content)
    monkeypatch.undo()
    assert str(caught.value) == (
        f"{path}: cannot be saved (No space left on device); what was saved before is untouched"
    )  # fmt: skip
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("content", WRITERS)
def test_what_the_system_refuses_to_write(content: Any, tmp_path: Path) -> None:
    """No pretending: the system lets files grow to 64 KiB and no further."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    try:
        with pytest.raises(
            Seq2SeqError, match=r"file: cannot be saved \(.*[Ff]ile too large.*\); what was saved before"
        ):
            write_atomically(path, content)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_in_the_way_and_a_folder_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(Seq2SeqError, match=r"file: cannot be saved \(Is a directory\)"):
        write_atomically(tmp_path / "file", b"content")
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(Seq2SeqError, match=r"cannot be saved \(No such file or directory\)"):
        write_atomically(tmp_path / "missing" / "file", b"content")


def test_defects_keep_their_own_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("content", WRITERS)
def test_the_umask_decides_who_may_read(content: Any, tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomically(tmp_path / "file", content)
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode
