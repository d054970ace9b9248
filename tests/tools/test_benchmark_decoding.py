from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import SENTENCES
from tools.benchmark_decoding import main


def test_four_settings(small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text"
    text.write_text("\n".join(SENTENCES[:3]), "utf-8")
    arguments = ["--model", str(small_model), "--input", str(text), "--rounds", "1", "--single", "1", "--device", "cpu"]
    assert main(arguments) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"torch \S+, cpu, 1 threads; loaded in \d+\.\d\d s", first)
    pattern = r"beam (\d+), batch (\d+): [\d.,]+ sentences/s \([\d.,]+ to [\d.,]+\), [\d.,]+ target tokens/s"
    found = [re.fullmatch(pattern, line) for line in lines]
    assert [each and each.groups() for each in found] == [("1", "64"), ("5", "64"), ("5", "16"), ("5", "1")]


def test_what_cannot_be_read(small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", str(tmp_path / "no"), "--input", "x", "--device", "cpu"]) == 2
    assert main(["--model", str(small_model), "--input", str(tmp_path / "no"), "--device", "cpu"]) == 2
    assert [line[:26] for line in capsys.readouterr().err.splitlines()] == ["benchmark_decoding: error:"] * 2
