from __future__ import annotations

import io
import sys

import pytest

from seq2seq.cli.failure import run, say
from seq2seq.errors import Seq2SeqError, UsageError


def fail(error: BaseException) -> int:
    raise error


class OtherError(Seq2SeqError):
    exit_code = 7


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UsageError("no such thing"), 2, "program: error: no such thing\n"),
        (OtherError("déjà vu"), 7, "program: error: déjà vu\n"),
        (KeyboardInterrupt(), 130, "program: interrupted\n"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_how_errors_end(error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("program", lambda: fail(error)) == status
    assert capsys.readouterr() == ("", said)


def test_a_status_is_passed_on_and_nothing_means_success() -> None:
    assert run("program", lambda: 3) == 3
    assert run("program", lambda: None) == 0


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run("program", lambda: fail(ZeroDivisionError()))


def test_saying_never_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii"))
    say("é \ud800")
    assert raw.getvalue() == b"\\xe9 \\ud800\n"
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody listens")
