"""A smallest recipe, and a way to ask what is wrong with text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seq2seq.errors import RecipeError
from seq2seq.recipe import recipe_from_text

MINIMAL = """\
corpus:
  source_language: en
  target_language: fr
  train:
    - prefix: data/train
  validation:
    - prefix: data/valid
run:
  name: small
"""

Problems = Callable[..., list[str]]


@pytest.fixture
def minimal() -> str:
    """The text of a recipe that has only what it must have; nine lines."""
    return MINIMAL


@pytest.fixture
def problems() -> Problems:
    """Asks for the problems of the smallest recipe with `text` after it, from line 10 on, and with overrides."""

    def ask(text: str, *overrides: str, whole: bool = False) -> list[str]:
        try:
            recipe_from_text(text if whole else MINIMAL + text, "r.yaml", overrides)
        except RecipeError as error:
            first, *rest = str(error).split("\n")
            if not rest:
                return [first.removeprefix("r.yaml, ").removeprefix("r.yaml: ")]
            assert first == f"r.yaml: {len(rest)} problems"
            assert all(line.startswith("  ") for line in rest)
            return [line[2:] for line in rest]
        return []

    return ask
