"""BLEU of Moses' tokens: what becomes of a line, a figure worked out by hand, and wrong input."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tools import score_tokenized


def test_lowercased_and_taken_apart() -> None:
    prepare = score_tokenized.preparation("fr", lowercase=True)
    assert prepare("L'homme court, « vite ».\n") == 'l\' homme court , " vite " .'
    assert score_tokenized.preparation("fr", lowercase=False)("L'homme") == "L' homme"


def test_a_figure_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # SacreBLEU's tokens would be 3 (`l'homme court .`), Moses' are 5: `l' homme court vite .` against `... bien .`.
    (tmp_path / "ref").write_text("L'homme court bien.\n", encoding="utf-8")
    (tmp_path / "out").write_text("l'homme court vite.\n", encoding="utf-8")
    (tmp_path / "same").write_text("L'homme court bien.\n", encoding="utf-8")
    files = [str(tmp_path / name) for name in ("out", "same")]
    assert score_tokenized.main(["--language", "fr", "--reference", str(tmp_path / "ref"), *files]) == 0
    # 4 of 5 words, 2 of 4 pairs, 1 of 3 triples, none of 2 fours, which smoothing makes half a match.
    expected = 100 * math.prod([4 / 5, 2 / 4, 1 / 3, 0.5 / 2]) ** 0.25
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{files[0]}: BLEU = {expected:.2f} (Moses tokens, lowercased)"
    assert second.startswith(f"{files[1]}: BLEU = 100.00 ")


def test_other_numbers_of_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ref").write_text("a\nb\n", encoding="utf-8")
    (tmp_path / "out").write_text("a\n", encoding="utf-8")
    assert score_tokenized.main(["--language", "fr", "--reference", str(tmp_path / "ref"), str(tmp_path / "out")]) == 2
    assert f"{tmp_path / 'out'}: 1 translations of 2 references" in capsys.readouterr().err
