"""Every recipe in the folder goes the whole way in small: `--check`, at its full size."""

from __future__ import annotations

from pathlib import Path

import pytest

from seq2seq.cli.train import main

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
PHRASEBOOK = ROOT / "data" / "phrasebook"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like Multi30k, with the phrasebook's sentences in it."""
    for name, part in (("train", "train"), ("val", "valid"), ("test_2016_flickr", "test")):
        for language in ("en", "fr"):
            (tmp_path / f"{name}.{language}").write_bytes((PHRASEBOOK / f"{part}.{language}").read_bytes())
    monkeypatch.setenv("MULTI30K", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("recipe", sorted(path.name for path in (ROOT / "recipes").glob("*.yaml")))
def test_a_recipe_passes_its_check(
    recipe: str, stand_in: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    # The stand-in has fewer words than the corpora that recipes are made for.
    arguments = [f"recipes/{recipe}", "--check", f"corpus.cache={stand_in / 'cache'}", "tokenizer.vocabulary_size=1500"]
    assert main([*arguments, "--device", "cpu"]) == 0
    assert "the recipe is ready to train" in capsys.readouterr().err
