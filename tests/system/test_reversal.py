"""Every recipe learns: made small, it is trained to turn sentences of letters round, and translates others.

The same path as any training: tokenizer, encoded corpus, updates, and a validation that decodes with a beam.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from seq2seq.recipe import load_recipe
from seq2seq.training.run import train
from tests.system.shrinking import RECIPES, shrunk

pytestmark = pytest.mark.system

#: Words of the toy language; two more make the smallest vocabulary that a tokenizer may have.
WORDS = "abcdefghij"
FILLERS = "kl"
LENGTHS = (2, 6)
PAIRS = {"train": 8000, "valid": 100}

#: What every recipe is trained with, whatever its own corpus, tokenizer and training are.
SETTINGS = {"updates": 300, "learning_rate": 0.01}
#: What is different for some, and why.
EXCEPTIONS: dict[str, dict[str, float]] = {
    # No attention: a whole sentence goes through one vector.
    "sutskever-2014": {"updates": 500},
    "cho-2014": {"updates": 800, "learning_rate": 0.02},
    # Positions before the window has come to them, and after it has left them, are known from their neighbours alone.
    "phrasebook/luong-2015-local-m": {"updates": 500},
    # Scores that are divided by the root of the width begin flat.
    "phrasebook/vaswani-2017-scaled-dot": {"updates": 500},
    # Where to look is found out by trying.
    "phrasebook/xu-2015-hard": {"updates": 600},
    # These learn as soon as the others, and a step costs more.
    "nematus-2017": {"updates": 200},
    "rnmt-plus-2018": {"updates": 200},
}
#: BLEU that every one of them must reach; after 300 updates most are at 99 or 100, and untrained they are at 0.
THRESHOLD = 90.0


@pytest.fixture(scope="module")
def reversal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train` and `valid`: sentences, and the same from their last word to their first; none in both."""
    folder = tmp_path_factory.mktemp("reversal")
    draw = random.Random(1)
    seen: set[str] = set()
    for part, count in PAIRS.items():
        sources = [FILLERS[0] + " " + FILLERS[1]] if part == "train" else []
        while len(sources) < count:
            source = " ".join(draw.choices(WORDS, k=draw.randint(*LENGTHS)))
            if part == "train" or source not in seen:
                sources.append(source)
        seen.update(sources)
        (folder / f"{part}.forth").write_text("".join(f"{source}\n" for source in sources), encoding="utf-8")
        (folder / f"{part}.back").write_text("".join(f"{source[::-1]}\n" for source in sources), encoding="utf-8")
    return folder


def overrides(name: str, folder: Path) -> list[str]:
    settings = {**SETTINGS, **EXCEPTIONS.get(name, {})}
    return [
        *shrunk(RECIPES[name]),
        f"corpus={{source_language: forth, target_language: back, cache: {folder}/cache,"
        f" train: [{{prefix: {folder}/train}}], validation: [{{prefix: {folder}/valid}}]}}",
        f"tokenizer={{algorithm: word, vocabulary_size: {4 + len(WORDS + FILLERS)}}}",
        f"training={{max_updates: {settings['updates']}, epochs: 100, batch: 512, precision: fp32,"
        f" optimizer: {{learning_rate: {settings['learning_rate']}}},"
        f" schedule: {{name: cosine, warmup_updates: 50}},"
        f" validation: {{every_updates: {settings['updates']}, metric: bleu, beam: 2}}}}",
        "search={}",
        f"run={{name: reversal, directory: {folder}/{name}, device: cpu, threads: 1, tensorboard: false}}",
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_learns_to_reverse(name: str, reversal: Path) -> None:
    result = train(load_recipe(RECIPES[name], overrides(name, reversal)))
    assert result.best >= THRESHOLD


def test_every_exception_is_a_recipe() -> None:
    assert EXCEPTIONS.keys() <= RECIPES.keys()
