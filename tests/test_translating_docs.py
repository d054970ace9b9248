"""docs/translating.md: its commands are commands, and what it asks of translations they have."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from seq2seq.cli import benchmark, shortlist, translate

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "translating.md").read_text("utf-8")
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
BLOCKS = [block for language, block in FENCED if not language]
COMMANDS = [
    found for block in BLOCKS for found in re.findall(r"^(?:\$ .*\| )?(seq2seq-[^<>|\n]+)", block, re.MULTILINE)
]
PARSERS = {
    "seq2seq-translate": translate._parser,
    "seq2seq-benchmark": benchmark._parser,
    "seq2seq-shortlist": shortlist._parser,
}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_one(line: str) -> None:
    name, *arguments = shlex.split(line)
    PARSERS[name]().parse_args(arguments)


def test_all_commands_were_found() -> None:
    assert len(COMMANDS) == len(re.findall(r"^(?:\$ .*)?seq2seq-", "\n".join(BLOCKS), re.MULTILINE))


def test_objects_ask_as_the_page_says(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (asked,) = (block for language, block in FENCED if language == "json")
    (tmp_path / "asked.jsonl").write_text(asked, "utf-8")
    (line,) = [line for line in COMMANDS if "-i asked.jsonl" in line]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQ2SEQ_MODEL", str(small_model))
    assert translate.main(shlex.split(line)[1:]) == 0
    assert len(capsys.readouterr().err.splitlines()) == 2
    begun, built, free = (json.loads(line) for line in (tmp_path / "translated.jsonl").read_text("utf-8").splitlines())
    assert begun["translation"].startswith("Mais")
    assert "une chambre" in built["translation"]
    assert "pièce" not in built["translation"]
    assert list(free) == ["text", "translation"]
