"""Options that commands share: how translations are searched."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, cast

from seq2seq.cli.arguments import (
    ArgumentParser,
    add_numbers,
    below_one,
    count,
    not_negative,
    number,
    positive,
    share,
    whole,
)
from seq2seq.errors import UsageError

if TYPE_CHECKING:
    from seq2seq.scored import ScoringKeywords
    from seq2seq.translation_options import TranslationKeywords


def add_search_options(parser: ArgumentParser) -> None:
    """Add the group that overrides the search section of the model's recipe."""
    group = parser.add_argument_group(
        "search",
        "By default as the model's recipe says in its section search; [in brackets] what holds if it says nothing.",
    )
    group.add_argument(
        "-b",
        "--beam",
        "--beam-size",
        metavar="N",
        type=count,
        help="hypotheses kept per sentence; 1 is greedy search [5]",
    )
    _add_length_penalty(group, of="a hypothesis")
    group.add_argument(
        "--normalization",
        choices=("power", "gnmt"),
        help="what the length penalty X divides by: power, n^X; gnmt, ((5 + n) / 6)^X [power]",
    )
    add_stopping(group)
    add_numbers(
        group,
        ("word-penalty", number, "taken off the score for every piece; a negative one makes translations longer [0.0]"),
        (
            "coverage-penalty",
            not_negative,
            "weight of GNMT's coverage: source pieces that get little attention cost something [0.0]",
        ),
        ("max-length-ratio", positive, "a translation has at most X pieces per source piece, and some on top [2.0]"),
        ("max-length-offset", count, "pieces that it may have on top of --max-length-ratio [20]"),
        ("max-length", count, "pieces of a translation at most, whatever its source [none]"),
        ("min-length-ratio", not_negative, "a translation has at least X pieces per source piece [0.0]"),
        ("min-length", whole, "pieces of a translation at least [0]"),
        ("no-repeat-ngram", whole, "no N pieces in a row occur twice in a translation; 0 allows all [0]"),
        (
            "diversity-groups",
            count,
            "diverse beam search: the beam in N parts that are made to differ; see --n-best [1]",
        ),
        (
            "diversity-strength",
            positive,
            "how much less a piece counts for every part before that has just chosen it [0.5]",
        ),
    )
    group.add_argument(
        "--long-input",
        choices=("split", "truncate", "error"),
        help="a line with more than --max-input-pieces: split it at sentence ends, else clause ends, else words, and "
        "join the translations; truncate it; or stop with an error [split]",
    )
    add_numbers(group, ("max-input-pieces", count, "longest source read at once [200]"))
    group.add_argument(
        "--split-sentences",
        action=argparse.BooleanOptionalAction,
        help="translate each sentence of a line by itself, and join the translations with the white space that stood "
        "between the sentences: for lines that are paragraphs [--no-split-sentences]",
    )
    _add_batch_options(group, sentences="sentences translated", pieces="source pieces translated")
    group.add_argument(
        "--shortlist",
        action=argparse.BooleanOptionalAction,
        help="score only the pieces that seq2seq-shortlist has found for those of the source: faster, and nearly the "
        "same translations [--no-shortlist]",
    )
    _add_sampling_options(parser)


def add_scoring_options(parser: ArgumentParser) -> None:
    """Add the group that says how given translations are scored."""
    group = parser.add_argument_group(
        "scoring",
        "By default as the model's recipe says in its section search; [in brackets] what holds if it says nothing.",
    )
    _add_length_penalty(group, of="a target")
    _add_batch_options(group, sentences="pairs scored", pieces="pieces of the longer side scored")


def _add_length_penalty(group: argparse._ArgumentGroup, *, of: str) -> None:
    group.add_argument(
        "--length-penalty",
        "--lenpen",
        "--alpha",
        metavar="X",
        type=not_negative,
        help=f"{of} of n pieces, end included, scores log p / n^X; 0 is log p [1.0]",
    )


def add_stopping(group: argparse._ArgumentGroup) -> None:
    """Add the option that says when a beam search ends."""
    group.add_argument(
        "--stopping",
        choices=("exact", "heuristic"),
        help="when a sentence's beam search ends: when nothing better can be found, or, sooner, when nothing better is "
        "one piece away [exact]",
    )


def _add_batch_options(group: argparse._ArgumentGroup, *, sentences: str, pieces: str) -> None:
    limit = "padding counted: in place of --batch-size, or as a second limit beside it [none]"
    add_numbers(
        group,
        ("batch-size", count, f"{sentences} together; changes speed and memory only [64]"),
        ("max-tokens", count, f"{pieces} together, {limit}"),
    )


def _add_sampling_options(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        "sampling",
        "Translations drawn from the model's distribution in place of beam search; a line draws the same with the same "
        "seed at the same place of the input.",
    )
    method = group.add_mutually_exclusive_group()
    method.add_argument(
        "--sample",
        dest="method",
        action="store_const",
        const="sampling",
        help="one sample of every line, or as many as --n-best says, in the order of drawing",
    )
    method.add_argument(
        "--mbr",
        metavar="N",
        nargs="?",
        type=count,
        const=100,
        help="minimum Bayes risk: of N samples the one that is most like all of them; its score is the likeness, from "
        "0 to 100; without N of 100",
    )
    group.add_argument(
        "--utility", choices=("chrf", "bleu"), help="what --mbr compares samples by, sentence by sentence [chrf]"
    )
    add_numbers(
        group,
        ("seed", whole, "of the samples [1]"),
        ("temperature", positive, "below 1 the distribution becomes sharper, above it flatter [1]"),
        ("top-k", count, "draw from the N most probable pieces only [all]"),
        ("top-p", share, "draw from the most probable pieces only that have the probability X together [1]"),
        ("epsilon", below_one, "draw only pieces of at least the probability X [0]"),
    )


#: Keywords of a translator that are called as their options.
_KEYWORDS = (
    *("beam", "length_penalty", "normalization", "word_penalty", "coverage_penalty", "stopping"),
    *("max_length_ratio", "max_length_offset", "max_length", "min_length_ratio", "min_length", "no_repeat_ngram"),
    *("diversity_groups", "diversity_strength", "utility", "seed", "temperature", "top_k", "top_p", "epsilon"),
    *("long_input", "max_input_pieces", "split_sentences", "max_tokens", "shortlist"),
)

#: With --max-tokens alone, the number of sentences of a batch has no other limit.
_NO_LIMIT = 1 << 20


def search_keywords(arguments: argparse.Namespace) -> TranslationKeywords:
    """What the options of :func:`add_search_options` ask of a translator.

    Raises:
        UsageError: an option is given that does nothing without another.
    """
    _check_sampling(arguments)
    found = {name: getattr(arguments, name) for name in _KEYWORDS}
    found["method"] = arguments.method if arguments.mbr is None else "mbr"
    found["samples"] = arguments.mbr
    found["batch_size"] = _batch_size(arguments)
    return cast("TranslationKeywords", found)


def scoring_keywords(arguments: argparse.Namespace) -> ScoringKeywords:
    """What the options of :func:`add_scoring_options` ask of a translator."""
    return {
        "length_penalty": arguments.length_penalty,
        "batch_size": _batch_size(arguments),
        "max_tokens": arguments.max_tokens,
    }


def _batch_size(arguments: argparse.Namespace) -> int | None:
    batch_size: int | None = arguments.batch_size
    return _NO_LIMIT if batch_size is None and arguments.max_tokens is not None else batch_size


def _check_sampling(arguments: argparse.Namespace) -> None:
    samples = arguments.method == "sampling" or arguments.mbr is not None
    for option in ("seed", "temperature", "top_k", "top_p", "epsilon"):
        if getattr(arguments, option) is not None and not samples:
            raise UsageError(f"--{option.replace('_', '-')} is for samples; give --sample or --mbr, or leave it out")
    if arguments.utility is not None and arguments.mbr is None:
        raise UsageError("--utility is for minimum Bayes risk; give --mbr, or leave it out")
    for option in ("beam", "diversity_groups", "diversity_strength"):
        if getattr(arguments, option) is not None and samples:
            raise UsageError(
                f"--{option.replace('_', '-')} is for beam search, which --sample and --mbr replace; leave it out"
            )
    if arguments.diversity_strength is not None and arguments.diversity_groups is None:
        raise UsageError("--diversity-strength needs --diversity-groups")
