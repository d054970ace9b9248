"""The table of beams and length penalties: that it scores the validation corpus, best last, and wrong input."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sacrebleu

from seq2seq.recipe import recipe_from_text
from tools import tune_search

REFERENCES = ["the cat sat on the mat today", "a dog ran over the road"]


class FakeTranslator:
    """The better, the wider the beam; a length penalty of 2 loses the last word."""

    def translate(self, sources: list[str], *, beam: int, length_penalty: float, alignment: bool) -> list[Any]:
        assert sources == ["eins", "zwei"]
        words = [text.split() for text in REFERENCES]
        kept = [text[: len(text) - (length_penalty == 2)] for text in words]
        return [SimpleNamespace(text=" ".join(["x"] * (beam == 1) + text)) for text in kept]


def test_a_table_best_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "val.de").write_text("eins\nzwei\n", encoding="utf-8")
    (tmp_path / "val.en").write_text("\n".join(REFERENCES) + "\n", encoding="utf-8")
    recipe = recipe_from_text(
        f"corpus: {{source_language: de, target_language: en, train: [{{prefix: {tmp_path}/val}}], "
        f"validation: [{{prefix: {tmp_path}/val}}]}}\nrun: {{name: m}}",
        "recipe",
    )
    monkeypatch.setattr(tune_search, "load_description", lambda _: (recipe, None, None))
    monkeypatch.setattr(tune_search.Translator, "load", lambda *_, **__: FakeTranslator())
    assert tune_search.main(["--model", "m", "--beams", "1", "4", "--length-penalties", "1", "2"]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][2:]
    assert (rows[-1][0].strip("| "), rows[-1][1], float(rows[-1][2])) == ("4", "1", 100.0)
    assert [float(row[2]) for row in rows] == sorted(float(row[2]) for row in rows)
    shortened = [" ".join(text.split()[:-1]) for text in REFERENCES]
    expected = sacrebleu.corpus_bleu(shortened, [REFERENCES])
    found = next(row for row in rows if row[0].strip("| ") == "4" and row[1] == "2")
    assert float(found[2]) == pytest.approx(expected.score, abs=0.01)
    assert float(found[4].strip("| ")) == pytest.approx(11 / 13, abs=0.001)


def test_no_model(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert tune_search.main(["--model", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err
