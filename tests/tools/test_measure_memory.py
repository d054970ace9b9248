from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import measure_memory


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no VmHWM here")
def test_as_many_lines_out_as_in(small_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("the small dog\n\nWhere is the station?\n", "utf-8")
    arguments = ["--model", str(small_model), "--input", str(tmp_path / "text"), "--lines", "7", "2500"]
    assert measure_memory.main([*arguments, "--", "--beam", "1", "--device", "cpu"]) == 0
    pattern = r"([\d,]+) lines in, ([\d,]+) lines out, peak memory ([\d,.]+) MiB, [\d,.]+ s"
    found = [re.fullmatch(pattern, line) for line in capfd.readouterr().out.splitlines()]
    assert [each and each.groups()[:2] for each in found] == [("7", "7"), ("2,500", "2,500")]
    assert all(each is not None and 50.0 < float(each[3].replace(",", "")) < 2000.0 for each in found)
    assert measure_memory.main([*arguments, "--", "--beam", "none"]) == 2
    said = capfd.readouterr().err.splitlines()
    assert "must be a whole number of 1 or more, not 'none'" in said[0]
    assert said[1:] == ["measure_memory: error: seq2seq-translate ended with status 2 after 0 lines"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no VmHWM here")
def test_the_peak_is_that_of_the_process() -> None:
    code = "import sys; block = b'x' * (200 << 20); del block; print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 200 << 10 < measure_memory.peak_of(process.pid) < 300 << 10
        process.communicate()
    assert measure_memory.peak_of(process.pid) == 0


def test_lines_are_repeated() -> None:
    assert b"".join(measure_memory._blocks(["a", "é"], 5)) == "a\né\na\né\na\n".encode()
    blocks = list(measure_memory._blocks(["a"], 2500))
    assert sum(block.count(b"\n") for block in blocks) == 2500
    assert len(blocks) > 1


def test_what_cannot_be_read(small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", str(small_model), "--input"]
    assert measure_memory.main([*arguments, str(tmp_path / "no")]) == 2
    (tmp_path / "empty").write_bytes(b"")
    assert measure_memory.main([*arguments, os.devnull, "--lines", "1"]) == 2
    assert measure_memory.main([*arguments, str(tmp_path / "empty")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert said[2].endswith("empty has no lines")
