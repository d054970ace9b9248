"""Sentences apart by their length."""

from __future__ import annotations

from collections.abc import Sequence

from seq2seq.evaluation.buckets import buckets_ending_at, joined
from seq2seq.evaluation.metrics import tokens_of
from seq2seq.recipe import BleuTokenizeName

#: Last lengths of the buckets that are joined until each has enough sentences.
ENDS = (5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100)
#: A BLEU of fewer sentences says little.
ENOUGH = 30


def by_length(
    lines: Sequence[str], *, tokenize: BleuTokenizeName = "13a", ends: Sequence[int] = ()
) -> dict[str, list[int]]:
    """The sentences in buckets of lengths: names of the buckets, from short to long, with places of lines, from 0.

    A length is a number of tokens as BLEU counts them, so that marks count too, and characters where `tokenize` makes
    tokens of them. Buckets without a sentence are left out.

    Args:
        lines: sources or references.
        tokenize: BLEU's tokenization.
        ends: last length of every bucket but the longest. By default :data:`ENDS`, neighbours joined until each bucket
            has :data:`ENOUGH` sentences.

    Raises:
        UsageError: the ends are not in order, or the tokenization is unknown.
    """
    tokens = tokens_of(tokenize=tokenize)
    lengths = [len(tokens(line)) for line in lines]
    buckets = buckets_ending_at(ends or ENDS, start=min([1, *lengths]))
    if not ends:
        buckets = joined(buckets, lengths, least=ENOUGH)
    places = {str(bucket): [place for place, length in enumerate(lengths) if length in bucket] for bucket in buckets}
    return {name: found for name, found in places.items() if found}
