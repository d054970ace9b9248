"""Recurrent sequence-to-sequence translation: recipes in, translators out.

``Translator.load("runs/en-fr").translate("Where is the station?")``; ``train(load_recipe("recipes/en-fr.yaml"))``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seq2seq.demands import Source
    from seq2seq.recipe import load_recipe
    from seq2seq.scored import Scored
    from seq2seq.training.run import train
    from seq2seq.translator import Translation, Translator

__version__ = "0.1.0"
__all__ = ["Scored", "Source", "Translation", "Translator", "__version__", "load_recipe", "train"]

_HOMES = {
    "Scored": "seq2seq.scored",
    "Source": "seq2seq.demands",
    "Translation": "seq2seq.translator",
    "Translator": "seq2seq.translator",
    "load_recipe": "seq2seq.recipe",
    "train": "seq2seq.training.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `--help` and recipe checking need not wait for torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
