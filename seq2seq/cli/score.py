"""seq2seq-score: pairs of lines in, what a model thinks of them out; and n-best lists with that added."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.cli.arguments import ArgumentParser
from seq2seq.cli.failure import run, say
from seq2seq.cli.formats import json_score, json_text_score, plain_score, plain_text_score
from seq2seq.cli.options import ChosenModel, add_input_option, add_model_options, add_output_option
from seq2seq.cli.pairs import PairFiles, PairReader
from seq2seq.cli.progress import warn
from seq2seq.cli.reading import file_or_stream
from seq2seq.cli.rescore import add_n_best_options, check_n_best, rescore
from seq2seq.cli.scoring import ScoreWriter
from seq2seq.cli.search_options import add_scoring_options
from seq2seq.cli.writing import check_output
from seq2seq.errors import UsageError

if TYPE_CHECKING:
    from seq2seq.scored import Scored, TextScore

PROGRAM = "seq2seq-score"

_DESCRIPTION = """\
Score given translations: n pairs of lines in give n scores out, in order, natural logarithms of probabilities.

Targets are read as they are; nothing is searched or split, however long a line is. Pairs are the lines of --input and
--ref, or lines with a source, a tab and its target. Only \\n ends a line. A source without pieces, such as an empty
line, has one possible target, which is empty too and scores 0; all others score -inf."""

_EXAMPLES = """\
examples:
  seq2seq-score --model runs/en-fr -i test.en --ref test.fr > scores
  paste test.en test.fr | seq2seq-score --json
  seq2seq-score -i test.en --ref test.fr --summary
  seq2seq-score -m runs/one runs/two -i test.en --n-best test.nbest --one-best -o reranked.fr
  seq2seq-score -i test.en --n-best test.nbest --rerank --feature-weights logprob=1 seq2seq=0.5"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _score(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, usage=f"{PROGRAM} [options]", description=_DESCRIPTION, epilog=_EXAMPLES)
    group = parser.add_argument_group("input and output")
    add_input_option(
        group,
        help="source text, plain or gz, one sentence per line, or without --ref lines of source, tab and target; - is "
        "stdin (default: stdin)",
    )
    group.add_argument(
        "-r",
        "--ref",
        "--tgt",
        metavar="FILE",
        type=Path,
        help="translations to score, plain or gz, line by line those of --input; - is stdin",
    )
    add_output_option(group, what="the scores")
    group.add_argument(
        "--log-prob",
        action="store_true",
        help="write log-probabilities in place of scores, which are divided by length, see --length-penalty",
    )
    group.add_argument(
        "--word-scores",
        action="store_true",
        help="add ` ||| ` and for each word of the raw target its log-probability after what stands before it, the sum "
        "over its pieces",
    )
    group.add_argument(
        "--json",
        action="store_true",
        help="write a JSON object per pair: score, log_prob, perplexity, tokens, words and their log-probabilities "
        "(the end's is the last of token_log_probs), unknown_tokens; null stands for an infinite number",
    )
    group.add_argument(
        "--summary",
        action="store_true",
        help="write one line for the whole text in place of one per pair: log-probability and perplexity per piece and "
        "per word, the end of every target counted as one of each; with --json a JSON object",
    )
    add_n_best_options(parser)
    add_model_options(parser)
    add_scoring_options(parser)
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _score(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    source, target, output = (file_or_stream(path) for path in (chosen.input, chosen.ref, chosen.output))
    files = PairFiles(source, target, is_table=chosen.ref is None)
    _check(chosen, files, output)
    if chosen.n_best is not None:
        rescore(chosen, source=source, n_best=file_or_stream(chosen.n_best), output=output, program=PROGRAM)
        return
    model = ChosenModel.of(chosen)
    total = files.count()
    with PairReader(files) as reader:  # it reads while the model loads
        try:
            translator = model.load(program=PROGRAM, quiet=chosen.quiet)
            _say_what_to_type(files)
            _write_scores(reader, ScoreWriter(translator, chosen, program=PROGRAM, output=output, total=total), chosen)
        finally:
            for message in reader.warnings():
                warn(PROGRAM, message)


def _check(chosen: argparse.Namespace, files: PairFiles, output: Path | None) -> None:
    """Find what is wrong with the arguments before anything is read or loaded."""
    if chosen.ref is not None and chosen.input is None:
        raise UsageError("--ref needs --input, the sources of these targets; - is stdin")
    if chosen.summary and (chosen.log_prob or chosen.word_scores):
        raise UsageError("--summary writes one line for the whole text; leave out --log-prob and --word-scores")
    check_n_best(chosen)
    inputs = [*files.paths, file_or_stream(chosen.n_best)]
    if chosen.n_best is None and not files.is_table and files.source is None and files.target is None:
        raise UsageError("--input and --ref are both standard input; name a file for one of them")
    if output is not None:
        check_output(output, inputs=inputs)


def _say_what_to_type(files: PairFiles) -> None:
    if None in files.paths and sys.stdin.isatty():
        what = "a source, a tab and its target" if files.is_table else "a line"
        say(f"{PROGRAM}: type {what} and press Enter")


def _write_scores(reader: PairReader, writer: ScoreWriter, chosen: argparse.Namespace) -> None:
    line, text_line = _formats(chosen)
    text = writer.write(
        reader.chunks(writer.sizes()),
        pairs=lambda pairs: pairs,
        lines=lambda pairs, scored: [] if chosen.summary else map(line, scored),
        last=lambda text: [text_line(text)] if chosen.summary else [],
    )
    if not chosen.quiet and not chosen.summary:
        say(f"{PROGRAM}: {plain_text_score(text)}")


def _formats(chosen: argparse.Namespace) -> tuple[Callable[[Scored], str], Callable[[TextScore], str]]:
    """What is written of a pair, and of the whole text."""
    if chosen.json:
        return json_score, json_text_score
    return lambda scored: plain_score(scored, log_prob=chosen.log_prob, words=chosen.word_scores), plain_text_score


if __name__ == "__main__":
    sys.exit(main())
