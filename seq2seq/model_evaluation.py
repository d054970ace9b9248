"""Evaluating a model: translate test sets by the search that users get, and score the translations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from seq2seq.build import parallel_text
from seq2seq.held_out import Evaluated, HeldOutText, Scoring, read_held_out, score_text
from seq2seq.recipe import Recipe
from seq2seq.translation_options import TranslationKeywords
from seq2seq.translator import Translator

__all__ = ["Evaluated", "HeldOutText", "Scoring", "evaluate_test_sets", "evaluate_text", "read_test_sets"]

#: Batches that are translated together, from sentences sorted by length, between two calls of `watch`.
_CHUNK_BATCHES = 16


def evaluate_test_sets(
    translator: Translator,
    recipe: Recipe,
    *,
    scoring: Scoring | None = None,
    options: TranslationKeywords | None = None,
    watch: Callable[[int], None] | None = None,
) -> list[Evaluated]:
    """Translate and score every test set of a recipe.

    Args:
        translator: the model; its search is that of its own recipe.
        recipe: `corpus.test` and `evaluation` count.
        scoring: in place of the recipe's `evaluation`.
        options: of the search, in place of the translator's own.
        watch: is called with the number of sentences just translated, every few batches, and may raise to stop.

    Raises:
        CorpusError: a test set cannot be read.
    """
    scoring = scoring or Scoring.from_recipe(recipe)
    return [
        evaluate_text(translator, text, scoring=scoring, options=options, watch=watch)
        for text in read_test_sets(recipe)
    ]


def read_test_sets(recipe: Recipe) -> Iterator[HeldOutText]:
    """Read the test sets of a recipe, one after the other."""
    for entry in recipe.corpus.test:
        yield read_held_out(parallel_text(entry, recipe.corpus))


def evaluate_text(
    translator: Translator,
    text: HeldOutText,
    *,
    scoring: Scoring,
    options: TranslationKeywords | None = None,
    watch: Callable[[int], None] | None = None,
) -> Evaluated:
    """Translate and score one test set; the arguments are those of :func:`evaluate_test_sets`."""
    began = time.monotonic()
    keywords: TranslationKeywords = {**(options or {}), "alignment": False}
    size = _CHUNK_BATCHES * min(keywords.get("batch_size") or translator.options.batch_size, len(text.sources) or 1)
    chunks = (text.sources[start : start + size] for start in range(0, len(text.sources), size))
    translations: list[str] = []
    for results in translator.translate_chunks(chunks, **keywords):
        translations += [best_first[0].text for best_first in results]
        if watch is not None:
            watch(len(results))
    return score_text(text, translations, scoring=scoring, seconds=time.monotonic() - began)
