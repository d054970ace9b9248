"""What is compared: a corpus, how long every cell trains on it, and how a cell is put into its recipe."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from seq2seq.errors import UsageError
from seq2seq.recipe import CellName, Recipe, load_recipe

#: Cells in the order of the recipe's schema, which is that of their families.
CELLS: tuple[str, ...] = get_args(CellName)


#: The sizes of the phrasebook's recipe, for a recipe that is twice as wide, and its vocabulary of whole words and its
#: direct way from the embeddings left out: what is compared is what the cells make of a sentence.
_SMALLER = (
    "tokenizer.vocabulary_size=5000",
    "model.encoder.embedding_in_output=false",
    "model.encoder.hidden_size=128",
    "model.encoder.embedding_size=128",
    "model.decoder.hidden_size=256",
    "model.decoder.embedding_size=128",
    "training.batch=1024",
)


@dataclass(frozen=True)
class Budget:
    """One corpus and the training that every cell gets on it.

    Attributes:
        name: of the corpus in files and options.
        title: of the corpus for people.
        recipe: its recipe's file.
        updates: that every cell is trained for.
        seed: of weights, batches and dropout.
        changes: to the recipe, for all cells: smaller sizes, so that all of them fit into an hour.
    """

    name: str
    title: str
    recipe: Path
    updates: int
    seed: int = 1
    changes: tuple[str, ...] = ()

    def overrides(self, cell: str) -> list[str]:
        """The recipe with another cell, the budget, one thread, and one validation, after the last update."""
        base = load_recipe(self.recipe, self.changes)
        changes = [*self.changes]
        for side, section in (("encoder", base.model.encoder), ("decoder", base.model.decoder)):
            changes.append(f"model.{side}.cell={cell}")
            if cell == "lstm-projected":
                changes.append(f"model.{side}.projection_size={section.hidden_size // 2}")
        warmup = min(base.training.schedule.warmup_updates, self.updates // 4)
        return [
            *changes,
            "training.epochs=100000",
            f"training.max_updates={self.updates}",
            f"training.schedule.warmup_updates={warmup}",
            f"training.validation.every_updates={self.updates}",
            "training.validation.metric=loss",
            "training.validation.sentences=50",
            f"run.seed={self.seed}",
        ]

    def load(self, cell: str) -> Recipe:
        """The recipe of one cell. Raises RecipeError."""
        return load_recipe(self.recipe, self.overrides(cell))

    def key(self, cell: str) -> str:
        """Names a training: the same recipe with the same changes has the same key."""
        text = "\n".join([self.recipe.read_text(encoding="utf-8"), *self.overrides(cell)])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def budgets(*, phrasebook: int, multi30k: int, seed: int, recipes: Path = Path("recipes")) -> list[Budget]:
    """The corpora that are here: the phrasebook, which ships, and Multi30k where $MULTI30K or data/multi30k has it."""
    found = []
    if phrasebook > 0:
        found.append(Budget("phrasebook", "Phrasebook, English-French", recipes / "en-fr.yaml", phrasebook, seed))
    folder = Path(os.environ.get("MULTI30K") or "data/multi30k")
    if multi30k > 0 and any(folder.glob("train.en*")):
        recipe = recipes / "multi30k-en-fr.yaml"
        found.append(Budget("multi30k", "Multi30k, English-French", recipe, multi30k, seed, _SMALLER))
    if not found:
        raise UsageError("there is nothing to compare: no updates are asked for, or the corpus is not here")
    return found


def chosen_cells(text: str | None) -> Sequence[str]:
    """The cells of a list with commas, in the order of the schema; all without one. Raises UsageError."""
    if text is None:
        return CELLS
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in CELLS]
    if unknown or not names:
        raise UsageError(f"there is no cell {', '.join(unknown) or repr(text)}; choose from {', '.join(CELLS)}")
    return [cell for cell in CELLS if cell in names]
