"""A toy language pair and a recipe for it, small enough to be trained through the commands in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
TRANSLATIONS = ("un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix")

RECIPE = """\
corpus:
  source_language: en
  target_language: fr
  train: [{prefix: toy/train}]
  validation: [{prefix: toy/valid}]
  test: [{name: toy, prefix: toy/test, groups: toy/test.groups}]
  cache: cache
tokenizer: {vocabulary_size: 40}
model:
  encoder: {hidden_size: 48, embedding_size: 32}
  decoder: {hidden_size: 96, embedding_size: 32, output_dropout: 0.1}
  tying: all
training:
  epochs: 8
  batch: 256
  optimizer: {learning_rate: 0.01}
  schedule: {name: inverse-sqrt, warmup_updates: 50}
run: {name: toy, threads: 1, log_seconds: 1}
"""


def sentences(first: int, count: int) -> list[tuple[str, str]]:
    """Pairs of number words, the target reversed; sentence k spells a number that a fixed formula makes of k."""
    pairs = []
    for index in range(first, first + count):
        number = (index * 7919 + 104729) % 99991
        digits = [int(digit) for digit in str(number)]
        source = " ".join(WORDS[digit] for digit in digits)
        target = " ".join(TRANSLATIONS[digit] for digit in reversed(digits))
        pairs.append((source, target))
    return pairs


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder with the toy corpus and `toy.yaml`."""
    (tmp_path / "toy").mkdir()
    for name, first, count in (("train", 0, 2000), ("valid", 2000, 50), ("test", 2050, 100)):
        pairs = sentences(first, count)
        for language, side in (("en", 0), ("fr", 1)):
            text = "".join(pair[side] + "\n" for pair in pairs)
            (tmp_path / "toy" / f"{name}.{language}").write_text(text, encoding="utf-8")
    labels = "".join("even\n" if index % 2 == 0 else "odd\n" for index in range(100))
    (tmp_path / "toy" / "test.groups").write_text(labels, encoding="utf-8")
    (tmp_path / "toy.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


Start = Callable[..., "subprocess.Popen[str]"]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def start(toy: Path) -> Start:
    """Start `seq2seq-<command> arguments...` in the toy's folder."""

    def run(command: str, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}
        environment.pop("SEQ2SEQ_MODEL", None)
        return subprocess.Popen(
            [sys.executable, "-c", f"import sys; from seq2seq.cli.{command} import main; sys.exit(main())", *arguments],
            cwd=toy,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    return run


@pytest.fixture
def command(start: Start) -> Command:
    """Run `seq2seq-<command> arguments...` to its end."""

    def run(command: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        process = start(command, *arguments)
        output, errors = process.communicate(stdin, timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    return run
