from __future__ import annotations

import gzip
import os
from contextlib import suppress
from pathlib import Path

import pytest

from seq2seq.cli.writing import Output, check_output
from seq2seq.errors import UsageError


def test_lines_go_to_stdout_at_once_in_utf_8(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    with Output(None) as output:
        output.write(["été", "a\nb\r\nc\rd", "", "\ud800"])
        assert capsysbinary.readouterr().out == "été\na b  c d\n\n?\n".encode()


def test_a_file_has_its_name_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    with Output(target) as output:
        output.write(["one"])
        assert target.read_text() == "old"
        assert (tmp_path / "out.partial").read_text() == "one\n"
        output.write(["two"])
    assert target.read_text() == "one\ntwo\n"
    assert output.lines == 2
    with Output(target):
        pass
    assert target.read_text() == ""
    assert os.listdir(tmp_path) == ["out"]


def test_after_an_error_what_is_done_stays_beside_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    output = Output(target)
    with suppress(KeyboardInterrupt), output:
        output.write(["one", "two"])
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert (tmp_path / "out.partial").read_text() == "one\ntwo\n"
    assert output.kept() == f"the first 2 lines are in {tmp_path}/out.partial"
    output = Output(tmp_path / "other")
    with suppress(KeyboardInterrupt), output:
        raise KeyboardInterrupt
    assert output.kept() == ""
    assert sorted(os.listdir(tmp_path)) == ["out", "out.partial"]


def test_a_compressed_file_does_not_depend_on_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, now in (("a.gz", 1e9), ("b.gz", 2e9)):
        monkeypatch.setattr("time.time", lambda now=now: now)
        with Output(tmp_path / name) as output:
            output.write(["été"])
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == "été\n".encode()
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Output(tmp_path / "link") as output:
        output.write(["new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new\n"


def test_a_device_is_written_as_it_is() -> None:
    with Output(Path(os.devnull)) as output:
        output.write(["one"])
    assert output.partial is None
    assert not os.path.exists(os.devnull + ".partial")


def test_where_no_file_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder; name a file in it$"):
        check_output(tmp_path)
    with pytest.raises(UsageError, match=r"^the folder .*/no for the output out does not exist; make it first$"):
        Output(tmp_path / "no" / "out")
