"""N-best lists: what a model thinks of every entry as a feature more, in the list's order or another."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.arguments import ArgumentParser
from seq2seq.cli.options import ChosenModel
from seq2seq.cli.pairs import Pair, lines_of, name_of
from seq2seq.cli.progress import warn
from seq2seq.cli.reading import LineReader, open_reader
from seq2seq.cli.scoring import ScoreWriter
from seq2seq.errors import CorpusError, UsageError
from seq2seq.text.n_best import Entry, check_feature_name, grouped, weighted_sum

if TYPE_CHECKING:
    from seq2seq.scored import Scored

#: A source line with all of its entries.
Group = tuple[str, list[Entry]]
_FEATURE = "seq2seq"


def add_n_best_options(parser: ArgumentParser) -> None:
    """Add the group for n-best lists."""
    group = parser.add_argument_group(
        "n-best list",
        "In place of --ref; a list has the form `id ||| text ||| name= value ||| score`, with ids from 0.",
    )
    group.add_argument(
        "--n-best",
        "--nbest",
        metavar="FILE",
        type=Path,
        help="n-best list of the sources in --input, as Moses and seq2seq-translate write it, plain or gz; write it "
        "with the log-probability as a feature more; - is stdin",
    )
    group.add_argument(
        "--feature-name", metavar="NAME", default=_FEATURE, help=f"name of that feature (default: {_FEATURE})"
    )
    group.add_argument(
        "--rerank",
        action="store_true",
        help="put the entries of every source in the order of their score by this model, see --length-penalty, or by "
        "--feature-weights; that becomes the last field",
    )
    group.add_argument(
        "--feature-weights",
        metavar="NAME=X",
        nargs="+",
        type=_weights_of_a_feature,
        help="rerank by the sum of these features times X; NAME=X,X of a feature with two values; score is the list's "
        "last field",
    )
    group.add_argument(
        "--one-best", action="store_true", help="rerank, and write the text of the best entry of every source alone"
    )


def check_n_best(chosen: argparse.Namespace) -> None:
    """Find what is wrong with the options of :func:`add_n_best_options`. Raises UsageError."""
    reranking = chosen.rerank or chosen.one_best
    if chosen.n_best is None:
        if reranking or chosen.feature_weights or chosen.feature_name != _FEATURE:
            raise UsageError("--rerank, --one-best and --feature options are for an n-best list; name it with --n-best")
        return
    if chosen.input is None:
        raise UsageError("--n-best needs --input, the sources of the list; - is stdin")
    if chosen.ref is not None:
        raise UsageError("--n-best and --ref are both translations to score; give one of them")
    if chosen.input == chosen.n_best == Path("-"):
        raise UsageError("--input and --n-best are both standard input; name a file for one of them")
    for option in ("log_prob", "word_scores", "json", "summary"):
        if getattr(chosen, option):
            raise UsageError(f"--n-best writes an n-best list; leave out --{option.replace('_', '-')}")
    if chosen.feature_weights and not reranking:
        raise UsageError("--feature-weights is for --rerank or --one-best; add one of them")
    names = [name for name, _ in chosen.feature_weights or ()]
    if len(set(names)) < len(names):
        raise UsageError("--feature-weights names a feature twice; give each one weight, or NAME=X,X for its values")
    check_feature_name(chosen.feature_name)


def rescore(
    chosen: argparse.Namespace, *, source: Path | None, n_best: Path | None, output: Path | None, program: str
) -> None:
    """Score the entries of an n-best list, and write what the options ask for."""
    model = ChosenModel.of(chosen)
    total = _count(chosen, source, n_best)
    with open_reader(source) as sources, open_reader(n_best) as entries:
        try:
            translator = model.load(program=program, quiet=chosen.quiet)
            groups = _groups(sources, entries, names=(name_of(source), name_of(n_best)))
            writer = ScoreWriter(translator, chosen, program=program, output=output, total=total)
            writer.write(
                _chunks(groups, writer.sizes()), pairs=_pairs, lines=lambda chunk, scored: _lines(chunk, scored, chosen)
            )
        finally:
            for path, reader in ((source, sources), (n_best, entries)):
                if message := reader.invalid.message():
                    warn(program, f"{name_of(path)}: {message}")


def _count(chosen: argparse.Namespace, source: Path | None, n_best: Path | None) -> int | None:
    """Number of entries, each looked at for what is wrong with it; None where a file can be read only once."""
    if not all(path is not None and path.is_file() for path in (source, n_best)):
        return None
    total = 0
    with open_reader(source) as sources, open_reader(n_best) as entries:
        for _, group in _groups(sources, entries, names=(name_of(source), name_of(n_best))):
            for entry in group:
                featured = entry.with_feature(chosen.feature_name, 0.0)
                weighted_sum(featured, dict(chosen.feature_weights or ()))
            total += len(group)
    return total


def _groups(sources: LineReader, entries: LineReader, *, names: tuple[str, str]) -> Iterator[Group]:
    """Every source with its entries. Raises CorpusError for a malformed list, or one of other sources."""
    found = zip_longest(lines_of(sources), grouped(lines_of(entries), name=names[1]))
    for number, (source, group) in enumerate(found):
        if group is None:
            raise CorpusError(
                f"{names[1]} ends with the entries of {number} source{'s' * (number != 1)}, but {names[0]} has more: "
                "they do not belong together"
            )
        if source is None:
            raise CorpusError(
                f"{group[0].where}: id {number} is that of line {number + 1} of {names[0]}, which has {number}: they "
                "do not belong together"
            )
        yield source, group


def _chunks(groups: Iterator[Group], sizes: Iterator[int]) -> Iterator[list[Group]]:
    """Lists of groups, each with as many entries as the next of `sizes`, or a few more."""
    chunk: list[Group] = []
    missing = next(sizes)
    for group in groups:
        chunk.append(group)
        missing -= len(group[1])
        if missing <= 0:
            yield chunk
            chunk, missing = [], next(sizes)
    if chunk:
        yield chunk


def _pairs(chunk: Sequence[Group]) -> list[Pair]:
    return [(source, entry.text) for source, entries in chunk for entry in entries]


def _lines(chunk: Sequence[Group], scored: Sequence[Scored], chosen: argparse.Namespace) -> Iterator[str]:
    """What is written of some sources, whose entries were scored in order."""
    of_entries = iter(scored)
    for _, entries in chunk:
        found = [(entry, next(of_entries)) for entry in entries]
        ordered = _reranked(found, chosen) if chosen.rerank or chosen.one_best else _featured(found, chosen)
        if chosen.one_best:
            yield ordered[0].text
        else:
            yield from (entry.line() for entry in ordered)


def _featured(found: Sequence[tuple[Entry, Scored]], chosen: argparse.Namespace) -> list[Entry]:
    return [entry.with_feature(chosen.feature_name, scored.log_prob) for entry, scored in found]


def _reranked(found: Sequence[tuple[Entry, Scored]], chosen: argparse.Namespace) -> list[Entry]:
    """The entries of a source, best first; of equal ones the first stays first."""
    entries = _featured(found, chosen)
    if chosen.feature_weights:
        totals = [weighted_sum(entry, dict(chosen.feature_weights)) for entry in entries]
    else:
        totals = [scored.score for _, scored in found]
    rescored = [entry.with_score(total) for entry, total in zip(entries, totals, strict=True)]
    return sorted(rescored, key=lambda entry: -entry.score)


def _weights_of_a_feature(text: str) -> tuple[str, tuple[float, ...]]:
    """NAME=X, or NAME=X,X."""
    name, _, numbers = text.rpartition("=")
    try:
        weights = tuple(float(part) for part in numbers.split(","))
    except ValueError:
        weights = (math.nan,)
    if not name or not all(map(math.isfinite, weights)):
        raise argparse.ArgumentTypeError(f"must be NAME=X with a number for X, not {text!r}")
    return name, weights
