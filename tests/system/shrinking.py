"""Recipes made small: the same network with fewer units, layers and pieces, by overrides such as a user would write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seq2seq.recipe import load_recipe

ROOT = Path(__file__).parents[2]
#: Every recipe that ships, by its path below the folder of recipes, without the ending.
RECIPES = {
    path.relative_to(ROOT / "recipes").with_suffix("").as_posix(): path
    for path in sorted((ROOT / "recipes").rglob("*.yaml"))
}

#: Units of the decoder's layers; other widths keep their proportion to them, down to the least.
UNITS = 64
LEAST_UNITS = 32
#: At most this many layers, transitions and so much dropout of any kind.
LAYERS = 3
TRANSITIONS = 3
DROPOUT = 0.1

_WIDTHS = ("hidden_size", "embedding_size", "projection_size", "output_size", "readout_size", "size")
_DROPOUTS = ("dropout", "embedding_dropout", "word_dropout", "output_dropout", "recurrent_dropout")


def shrunk(path: Path) -> list[str]:
    """Overrides that make the network of a recipe small and change nothing else about it."""
    model = load_recipe(path).model
    factor = UNITS / model.decoder.hidden_size
    overrides = [
        f"model.{section}.{key}={value}"
        for section in ("encoder", "attention", "decoder")
        for key, value in _smaller(getattr(model, section), factor)
    ]
    if model.initialization.name != "orthogonal":
        # Sums over fewer units are to begin as large as they were.
        overrides.append(f"model.initialization.scale={model.initialization.scale * factor**-0.5}")
    return overrides


def _smaller(section: Any, factor: float) -> Iterator[tuple[str, object]]:
    """The keys of a section that are too large, with values that are not."""
    for key in type(section).model_fields:
        value = getattr(section, key)
        if key in _WIDTHS and value is not None:
            yield key, max(LEAST_UNITS, round(value * factor))
        elif key == "layers" and value > LAYERS:
            yield key, LAYERS
        elif key == "transitions" and value > TRANSITIONS:
            yield key, TRANSITIONS
        elif key in _DROPOUTS and value > DROPOUT:
            yield key, DROPOUT
