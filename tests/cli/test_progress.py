from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from seq2seq.cli.progress import TranslationProgress, is_watched
from seq2seq.translation import Translation


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stderr", "stdout", "output_is_file", "watched"),
    [
        (Terminal(), io.StringIO(), False, True),
        (Terminal(), Terminal(), False, False),
        (Terminal(), Terminal(), True, True),
        (io.StringIO(), io.StringIO(), True, False),
        (None, None, True, False),
    ],
)
def test_a_bar_is_for_somebody_who_sees_no_translations(
    monkeypatch: pytest.MonkeyPatch, stderr: object, stdout: object, output_is_file: bool, watched: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert is_watched(output_is_file=output_is_file) == watched


def test_the_bar_reaches_its_end(command, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    (tmp_path / "in").write_text("dog\ncat\n")
    arguments = ("-m", small_model, "-i", tmp_path / "in", "--beam", 1)
    command("translate", *arguments, "-o", tmp_path / "out")
    shown = terminal.getvalue()
    assert "translating" in shown
    assert "100%" in shown
    assert "2 sentences, " in shown
    assert shown.splitlines()[-1].split("seq2seq-translate: ")[1].startswith("2 sentences in ")
    terminal.truncate(0)
    command("translate", *arguments, "-o", tmp_path / "out", "--quiet")
    assert terminal.getvalue().strip("\0") == ""


def test_the_summary_counts_tokens_of_both_sides() -> None:
    progress = TranslationProgress()
    assert progress.summary() == ("0 sentences in 0.0 s: 0.0 sentences/s, 0.0 source and 0.0 target tokens/s")
    best = Translation("a b", -1.0, -3.0, ("a", "b"), (-1.0, -1.0, -1.0), (), True, 5)
    progress.add([[best, best], [best]], seconds=0.02)
    assert progress.summary() == ("2 sentences in 0.0 s: 100 sentences/s, 500 source and 300 target tokens/s")
