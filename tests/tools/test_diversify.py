"""Data diversification: which side is translated, what is left out as known, ensembles, and wrong models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from seq2seq.recipe import dump_recipe, recipe_from_text
from tools import diversify

GERMAN = ["ein hund", "eine katze", "ein hund"]
ENGLISH = ["a dog", "a cat", "the dog"]


class FakeTranslator:
    """Forward models know `ein hund`, as their training has it, and one thing more; backward ones say `rückwärts`."""

    teams: ClassVar[list[list[str]]] = []

    def __init__(self, team: Sequence[Path]) -> None:
        self.teams.append([directory.name for directory in team])
        self.forward = team[0].name.startswith("forward")

    def translate(self, sentences: list[str], *, n_best: int, alignment: bool) -> list[list[Any]]:
        if not self.forward:
            return [[SimpleNamespace(text=f"rückwärts {text}")] for text in sentences]
        known = {"ein hund": ["a dog", "one dog"], "eine katze": ["one\ncat", ""]}
        return [[SimpleNamespace(text=text) for text in known[sentence][:n_best]] for sentence in sentences]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.de").write_text("".join(f"{line}\n" for line in GERMAN), encoding="utf-8")
    (tmp_path / "train.en").write_text("".join(f"{line}\n" for line in ENGLISH), encoding="utf-8")

    def of(source: str, target: str) -> str:
        return (
            f"corpus: {{source_language: {source}, target_language: {target}, train: [{{prefix: {tmp_path}/train}}], "
            f"validation: [{{prefix: {tmp_path}/train}}]}}\nrun: {{name: m}}"
        )

    languages = {"forward": ("de", "en"), "backward": ("en", "de"), "other": ("de", "fr")}
    monkeypatch.setattr(
        diversify,
        "load_description",
        lambda directory: (recipe_from_text(of(*languages[directory.name[:-1]]), "recipe"), None, None),
    )
    monkeypatch.setattr(diversify.Translator, "load", lambda team, **_: FakeTranslator(team))
    monkeypatch.setattr(FakeTranslator, "teams", [])
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_recipe(recipe_from_text(of("de", "en"), "recipe")), encoding="utf-8")
    return path


def pairs_of(prefix: Path) -> list[tuple[str, str]]:
    sides = [prefix.with_suffix(f".{language}").read_text(encoding="utf-8").splitlines() for language in ("de", "en")]
    return list(zip(*sides, strict=True))


def test_sources_forward_and_targets_backward(recipe: Path) -> None:
    output = recipe.parent / "new" / "train"
    models = ["forward1", "backward1"]
    assert diversify.main([str(recipe), "--models", *models, "--output", str(output)]) == 0
    # `ein hund` as `a dog` is in the corpus.
    assert pairs_of(output) == [
        ("eine katze", "one cat"),
        ("rückwärts a dog", "a dog"),
        ("rückwärts a cat", "a cat"),
        ("rückwärts the dog", "the dog"),
    ]
    assert FakeTranslator.teams == [["forward1"], ["backward1"]]


def test_several_translations_of_a_sentence_and_none_twice(recipe: Path) -> None:
    output = recipe.parent / "train2"
    assert (
        diversify.main([str(recipe), "--models", "forward1", "forward2", "--output", str(output), "--n-best", "2"]) == 0
    )
    assert pairs_of(output) == [("ein hund", "one dog"), ("eine katze", "one cat")]


def test_an_ensemble_of_each_direction(recipe: Path) -> None:
    models = ["backward1", "forward1", "backward2", "forward2"]
    assert diversify.main([str(recipe), "--models", *models, "--output", str(recipe.parent / "x"), "--ensemble"]) == 0
    assert FakeTranslator.teams == [["forward1", "forward2"], ["backward1", "backward2"]]


def test_a_model_of_other_languages(recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diversify.main([str(recipe), "--models", "other1", "--output", str(recipe.parent / "x")]) == 2
    assert "other1 translates de to fr; this needs de to en, or the other way round" in capsys.readouterr().err
