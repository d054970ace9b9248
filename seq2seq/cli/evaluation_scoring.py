"""How seq2seq-evaluate scores and breaks down, by its options and the recipe of the model, if there is one."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from seq2seq.cli.evaluation_options import RESAMPLES
from seq2seq.cli.evaluation_text import read, title
from seq2seq.cli.progress import is_watched
from seq2seq.errors import CorpusError

if TYPE_CHECKING:
    from seq2seq.comparison import Breaking, Comparing
    from seq2seq.comparison.systems import SideName
    from seq2seq.evaluation.comet import Comet
    from seq2seq.evaluation.frequencies import WordCounts, Words
    from seq2seq.held_out import Scoring
    from seq2seq.recipe import Recipe


def comparing(chosen: argparse.Namespace, recipe: Recipe | None, *, several: bool, program: str) -> Comparing:
    """How to score, compare and break down: by the recipe, but for what the options say.

    Args:
        chosen: the options.
        recipe: of the model; None without one.
        several: there are systems to compare, which takes confidence intervals.
        program: the command's name, for warnings.

    Raises:
        CorpusError: the text in which words are counted cannot be read.
        UsageError, ModelError: COMET's package or its model is missing, or buckets are not in order.
    """
    from seq2seq.comparison import Comparing

    scoring = _scoring(chosen, recipe, several=several)
    breaking = _breaking(chosen, recipe, scoring, program=program)
    if not (several or chosen.markdown or chosen.plot is not None):
        breaking = replace(breaking, groups=False)  # the report of one system has them already
    return Comparing(scoring, breaking, chosen.significance, chosen.trials)


def _scoring(chosen: argparse.Namespace, recipe: Recipe | None, *, several: bool) -> Scoring:
    from seq2seq.held_out import Scoring

    scoring = Scoring() if recipe is None else Scoring.from_recipe(recipe)
    given = {
        "metrics": None if chosen.metrics is None else tuple(dict.fromkeys(chosen.metrics)),
        "tokenize": chosen.tokenize,
        "lowercase": chosen.lowercase,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    resamples = chosen.confidence or (RESAMPLES if several or chosen.plot is not None else 0)
    comet = _comet(chosen) if "comet" in (chosen.metrics or ()) else None
    return replace(scoring, resamples=resamples, comet=comet, **changes)


def _comet(chosen: argparse.Namespace) -> Comet:
    """COMET's model, loaded: what is missing is said before anything is translated."""
    from seq2seq.device import resolve_device
    from seq2seq.evaluation.comet import DEFAULT_MODEL, Comet

    device = resolve_device(chosen.device)
    comet = Comet(
        model=chosen.comet_model or DEFAULT_MODEL,
        gpus=int(device.type == "cuda"),
        devices=None if device.index is None else [device.index],
        progress=not chosen.quiet and is_watched(output_is_file=False),
    )
    comet.load()
    return comet


def _breaking(chosen: argparse.Namespace, recipe: Recipe | None, scoring: Scoring, *, program: str) -> Breaking:
    from seq2seq.comparison import Breaking
    from seq2seq.evaluation.frequencies import ENDS, Words

    lengths, words, frequencies = chosen.by_length, None, None
    if lengths is None and chosen.length_of is not None:
        lengths = []
    if chosen.by_frequency is not None or chosen.frequency_corpus is not None:
        words = Words(tokenize=scoring.tokenize, lowercase=scoring.lowercase is True, ends=chosen.by_frequency or ENDS)
    side: SideName = chosen.length_of or "reference"
    breaking = Breaking(lengths=lengths, side=side, words=words)  # which finds mistakes before anything is read
    if words is not None:
        frequencies = _frequencies(chosen, recipe, words, program=program)
    return replace(breaking, frequencies=frequencies)


def _frequencies(chosen: argparse.Namespace, recipe: Recipe | None, words: Words, *, program: str) -> WordCounts | None:
    """Counts of words in the file that is named, else in the training corpus; None where there is neither."""
    if chosen.frequency_corpus is not None:
        path = chosen.frequency_corpus
        return words.count(read(path, program=program), name=path.name if path.name != "-" else title(path))
    if recipe is None:
        return None
    from seq2seq.build import parallel_text
    from seq2seq.text.corpus import read_pairs

    texts = [parallel_text(entry, recipe.corpus) for entry in recipe.corpus.train]
    try:
        targets = (pair.target for text in texts for pair in read_pairs(text))
        return words.count(targets, name=", ".join(text.title.rpartition("/")[2] for text in texts))
    except CorpusError as error:
        raise CorpusError(
            f"--by-frequency counts words in the training corpus of the model, but {error}; name a text with "
            "--frequency-corpus"
        ) from None
