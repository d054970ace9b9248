"""docs/evaluation.md: its commands print what stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from seq2seq.cli import evaluate
from seq2seq.cli.evaluation_options import check

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("seq2seq-evaluate ")]


@pytest.mark.parametrize("line", [*COMMANDS, *re.findall(r"`(seq2seq-evaluate --[^`]+)`", TEXT)])
def test_every_command_is_one(line: str) -> None:
    check(evaluate._parser().parse_args(shlex.split(line)[1:]))


def test_two_systems_compare_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    first = next(place for place, block in enumerate(BLOCKS) if block.startswith("sed "))
    *shell, command = BLOCKS[first].splitlines()
    for line in shell:
        subprocess.run(line, shell=True, check=True)
    assert evaluate.main(shlex.split(command)[1:]) == 0
    printed = re.sub(r"version:[\d.]+", "version:2.6.0", capsys.readouterr().out)
    expected = BLOCKS[first + 1]
    assert printed.startswith(expected)
    assert [line for line in printed[len(expected) :].splitlines() if line.endswith(":")] == [
        "precision by frequency of words in train.fr:",
        "recall by frequency of words in train.fr:",
    ]
    assert (tmp_path / "systems.png").read_bytes().startswith(b"\x89PNG")


def test_the_example_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    exec(compile(code, "docs/evaluation.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["BLEU", "chrF2"]
    assert lines[2] == "test: 2 sentences, 2 systems, by paired bootstrap resampling:"
    assert [line.split()[0] for line in lines[-2:]] == ["1-4", "5+"]
