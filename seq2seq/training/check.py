"""`--check`: a recipe's whole path in small, before hours are spent on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from seq2seq.build import parallel_text
from seq2seq.recipe import Recipe
from seq2seq.text.corpus import read_pairs
from seq2seq.training.run import train
from seq2seq.translator import Translator

#: Updates that a check makes.
UPDATES = 2
#: Sentences that it decodes.
SENTENCES = 4


def check(recipe: Recipe) -> Iterator[str]:
    """Read all the text of `recipe`, then train, validate, save, load and translate with two batches.

    Nothing is left behind but the encoded corpus in its cache, which the training then finds.

    Yields:
        One line for each thing that works; whatever does not raises its error.
    """
    for entry in recipe.corpus.test:
        text = parallel_text(entry, recipe.corpus)
        yield f"test corpus {text.title}: {sum(1 for _ in read_pairs(text)):,} pairs"
    with tempfile.TemporaryDirectory(prefix="seq2seq-check-") as folder:
        trial = recipe.model_copy(
            update={"run": recipe.run.model_copy(update={"directory": folder, "tensorboard": False})}
        )
        result = train(trial, stop_after=UPDATES, validation_sentences=SENTENCES, alone=True)
        yield f"training, validation and saving work: {result.updates} updates"
        translator = Translator.load(result.directory, device=recipe.run.device)
        first = next(read_pairs(parallel_text(recipe.corpus.validation[0], recipe.corpus)))
        translation = translator.translate(first.source)
        size = sum(path.stat().st_size for path in Path(result.directory).iterdir() if path.is_file())
        yield f"loading and translating work: {len(translation.pieces)} pieces; the model takes {size / 1e6:.1f} MB"
    yield "the recipe is ready to train"
