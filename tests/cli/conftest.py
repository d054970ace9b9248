from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from seq2seq.cli import benchmark, evaluate, export, score, shortlist, translate, translate_onnx


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit status, its output and what it said."""

    status: int
    output: bytes
    said: str

    @property
    def lines(self) -> list[str]:
        """The output's lines, which only a line feed ends."""
        text = self.output.decode("utf-8")
        assert text == "" or text.endswith("\n")
        return text.split("\n")[:-1]

    @property
    def error(self) -> str:
        """The one sentence of an error, after which nothing is said or written."""
        assert self.status == 2
        assert self.output == b""
        said = [line for line in self.said.splitlines() if ": model " not in line]
        assert len(said) == 1
        program, _, message = said[0].partition(": error: ")
        assert program.startswith("seq2seq-")
        return message


Command = Callable[..., Ended]
MAINS = {
    "translate": translate.main,
    "evaluate": evaluate.main,
    "score": score.main,
    "benchmark": benchmark.main,
    "shortlist": shortlist.main,
    "export": export.main,
    "translate-onnx": translate_onnx.main,
}


@pytest.fixture
def command(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in this process: `command("translate", *arguments, stdin=b"...")`."""

    def run(name: str, *arguments: object, stdin: bytes = b"") -> Ended:
        # As under a locale that is not UTF-8, which must make no difference.
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        status = MAINS[name]([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Ended(status, captured.out, captured.err.decode("utf-8"))

    return run
