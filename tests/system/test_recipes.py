"""Every recipe goes the whole way in small: `--check`, with a smaller network and stand-ins for corpora."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seq2seq.cli.train import main
from seq2seq.recipe import Corpus, load_recipe
from tests.system.shrinking import RECIPES, ROOT, shrunk

pytestmark = pytest.mark.system

PHRASEBOOK = ROOT / "data" / "phrasebook"
#: Lines of a stand-in for each part of a corpus.
LINES = {"train": 1000, "validation": 20, "test": 20}
#: Pieces that so little text has.
PIECES = 500


def write_stand_ins(corpus: Corpus) -> None:
    """Put sentences of the phrasebook where a recipe looks for its corpora."""
    for part, count in LINES.items():
        for entry in getattr(corpus, part):
            assert entry.prefix is not None
            Path(entry.prefix).parent.mkdir(parents=True, exist_ok=True)
            for language, original in ((corpus.source_language, "en"), (corpus.target_language, "fr")):
                lines = (PHRASEBOOK / f"train.{original}").read_text(encoding="utf-8").splitlines()[:count]
                Path(f"{entry.prefix}.{language}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            if entry.groups is not None:
                Path(entry.groups).write_text("all\n" * count, encoding="utf-8")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_passes_its_check(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Corpora that do not ship are found through the environment, the phrasebook below the working directory.
    for variable in re.findall(r"\$\{(\w+):-", RECIPES[name].read_text(encoding="utf-8")):
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    recipe = load_recipe(RECIPES[name])
    write_stand_ins(recipe.corpus)
    overrides = [
        *shrunk(RECIPES[name]),
        f"tokenizer.vocabulary_size={PIECES}",
        "tokenizer.target_vocabulary_size=null",
        f"training.accumulation={min(2, recipe.training.accumulation)}",
        "run.device=cpu",
        "run.threads=1",
    ]
    assert main([str(RECIPES[name]), "--check", *overrides]) == 0
    assert "the recipe is ready to train" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_where_its_schema_is(name: str) -> None:
    first = RECIPES[name].read_text(encoding="utf-8").partition("\n")[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found is not None
    assert (RECIPES[name].parent / found[1]).resolve() == ROOT / "recipes" / "recipe.schema.json"
