"""seq2seq-evaluate: BLEU, chrF and TER of a model or of translations, as SacreBLEU computes them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq.cli.arguments import ArgumentParser, count
from seq2seq.cli.failure import run
from seq2seq.cli.options import ChosenModel, add_model_options
from seq2seq.cli.progress import Bar, is_watched, warn
from seq2seq.cli.reading import open_reader
from seq2seq.cli.search_options import add_search_options, search_keywords
from seq2seq.cli.writing import Output, check_output
from seq2seq.errors import CorpusError, UsageError

if TYPE_CHECKING:
    from seq2seq.evaluation import PartScores
    from seq2seq.held_out import Evaluated, HeldOutText, Scoring
    from seq2seq.recipe import Recipe

PROGRAM = "seq2seq-evaluate"

_STDIN = Path("-")

_DESCRIPTION = """\
Score translations with SacreBLEU, and print every figure with the signature that says how it was computed.

Without --input and --hypotheses the model translates the test sets of its recipe. With --input and --ref it translates
that text. With --hypotheses and --ref no model is needed. Text is compared as it is written, detokenized."""

_EXAMPLES = """\
examples:
  seq2seq-evaluate --model runs/en-fr
  seq2seq-evaluate --model runs/one runs/two runs/three
  seq2seq-evaluate -i test.en --ref test.fr --metrics bleu chrf ter --confidence
  seq2seq-evaluate --hypotheses mine.fr --ref test.fr --compare theirs.fr"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _evaluate(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, usage=f"{PROGRAM} [options]", description=_DESCRIPTION, epilog=_EXAMPLES)
    group = parser.add_argument_group("text")
    group.add_argument(
        "-i",
        "--input",
        "--src",
        metavar="FILE",
        type=Path,
        help="source text for the model to translate, plain or gz, one sentence per line; - is stdin",
    )
    group.add_argument(
        "-r",
        "--ref",
        "--tgt",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="reference translations, line by line; may be given several times",
    )
    group.add_argument(
        "--hypotheses", "--hyp", metavar="FILE", type=Path, help="translations to score as they are; - is stdin"
    )
    group.add_argument(
        "--groups",
        metavar="FILE",
        type=Path,
        help="one label per line: the sentences of every label are also scored apart",
    )
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="save the model's translations; those of several test sets one after the other",
    )
    _add_scoring_options(parser)
    add_model_options(parser)
    add_search_options(parser)
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _add_scoring_options(parser: ArgumentParser) -> None:
    group = parser.add_argument_group(
        "scoring",
        "By default as the model's recipe says; [in brackets] what holds if it says nothing, or without a model.",
    )
    group.add_argument(
        "--metrics",
        nargs="+",
        metavar="NAME",
        choices=("bleu", "chrf", "chrf++", "ter"),
        help="bleu, chrf, chrf++, ter, in the order of the report [bleu chrf]",
    )
    group.add_argument(
        "--tokenize",
        choices=("13a", "intl", "char", "zh", "none"),
        help="BLEU's tokenization, which the other metrics do not have [13a]",
    )
    group.add_argument(
        "--lowercase",
        action=argparse.BooleanOptionalAction,
        help="ignore case in BLEU and chrF; TER always does [--no-lowercase]",
    )
    group.add_argument(
        "--both-cases",
        dest="lowercase",
        action="store_const",
        const="both",
        help="BLEU and chrF with case, then without it, each with its signature",
    )
    group.add_argument(
        "--confidence",
        metavar="N",
        nargs="?",
        type=count,
        const=1000,
        default=0,
        help="add 95%% confidence intervals, from N bootstrap resamples; without N from 1000",
    )
    group.add_argument(
        "--compare",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="translations of the same text by another system, tested for a significant difference; may be given "
        "several times; needs --ref",
    )
    group.add_argument(
        "--significance",
        choices=("bootstrap", "randomization"),
        default="bootstrap",
        help="test of --compare: paired bootstrap resampling or paired approximate randomization (default: bootstrap)",
    )
    group.add_argument(
        "--json", action="store_true", help="print one JSON object: the model, and every test set with its scores"
    )


def _evaluate(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    _check(chosen)
    text = _given_text(chosen) if chosen.ref else None
    report: dict[str, Any] = {}
    if text is not None and chosen.hypotheses is not None:
        scoring = _scoring(chosen, None)
        evaluated = _score_hypotheses(chosen, text, scoring)
    else:
        model = ChosenModel.of(chosen)
        recipe = _recipe(model)
        scoring = _scoring(chosen, recipe)
        evaluated = _evaluate_model(chosen, model, recipe, text, scoring)
        names = [str(directory) for directory in model.directories]
        report |= {"model": names[0]} if len(names) == 1 else {"models": names}
    results = []
    stdout = Output(None)
    with Output(chosen.output) if chosen.output is not None else nullcontext() as output:
        for result in evaluated:
            results.append(result)
            if output is not None:
                output.write(result.translations)
            if not chosen.json:
                stdout.write(result.lines())
    report["test_sets"] = [result.as_dict() for result in results]
    if text is not None and chosen.compare:
        systems = _compare(chosen, results[0], text, scoring)
        report["comparison"] = {"test": chosen.significance, "systems": [system.as_dict() for system in systems]}
        if not chosen.json:
            stdout.write(_lines_of_comparison(systems, chosen.significance))
    if chosen.json:
        stdout.write(json.dumps(report, indent=2, ensure_ascii=False).splitlines())


def _check(chosen: argparse.Namespace) -> None:
    """Find what is wrong with the arguments before anything is loaded."""
    if chosen.input is not None and chosen.hypotheses is not None:
        raise UsageError("--input is for a model to translate, --hypotheses are translations already; give one of them")
    given = "--input" if chosen.input is not None else "--hypotheses" if chosen.hypotheses is not None else None
    if given is not None and not chosen.ref:
        raise UsageError(f"{given} needs --ref, the translations to compare with")
    if given is None and chosen.ref:
        raise UsageError("--ref needs --input, for the model to translate, or --hypotheses")
    for option in ("groups", "compare"):
        if getattr(chosen, option) and given is None:
            raise UsageError(f"--{option} needs --ref with --input or --hypotheses; test sets have groups of their own")
    if chosen.output is not None:
        if chosen.hypotheses is not None:
            raise UsageError("--output saves what a model translates, but --hypotheses are there already; leave it out")
        check_output(chosen.output)


def _given_text(chosen: argparse.Namespace) -> HeldOutText:
    """The test set that --ref and --input or --hypotheses name; for hypotheses without sources."""
    from seq2seq.held_out import HeldOutText

    sources = None if chosen.input is None else _lines(chosen.input)
    references = [_lines(path) for path in chosen.ref]
    groups = None if chosen.groups is None else [label.strip() for label in _lines(chosen.groups)]
    first = (chosen.ref[0], len(references[0])) if sources is None else (chosen.input, len(sources))
    for path, lines in [*zip(chosen.ref, references, strict=True), (chosen.groups, groups)]:
        if lines is not None:
            _check_count(path, len(lines), *first)
    return HeldOutText(_name(chosen.input or chosen.hypotheses), sources or (), references, groups)


def _check_count(path: Path, found: int, first: Path, expected: int) -> None:
    if found != expected:
        raise CorpusError(
            f"{_name(path)} has {found} lines but {_name(first)} has {expected}: they do not belong together"
        )


def _score_hypotheses(chosen: argparse.Namespace, text: HeldOutText, scoring: Scoring) -> Iterator[Evaluated]:
    from seq2seq.held_out import score_text

    hypotheses = _lines(chosen.hypotheses)
    _check_count(chosen.hypotheses, len(hypotheses), chosen.ref[0], len(text.references[0]))
    yield score_text(text, hypotheses, scoring=scoring)


def _recipe(model: ChosenModel) -> Recipe:
    from seq2seq.recipe import load_stored_recipe

    return load_stored_recipe(model.first / "recipe.yaml")


def _evaluate_model(
    chosen: argparse.Namespace, model: ChosenModel, recipe: Recipe, text: HeldOutText | None, scoring: Scoring
) -> Iterator[Evaluated]:
    """Translate and score the text, or without one the test sets of the recipe."""
    if text is None and not recipe.corpus.test:
        raise UsageError(f"the recipe of {model.first} has no corpus.test; name a text with --input and --ref")
    translator = model.load(program=PROGRAM, quiet=chosen.quiet)

    from seq2seq.model_evaluation import evaluate_text, read_test_sets

    watched = not chosen.quiet and is_watched(output_is_file=False)
    for held_out in read_test_sets(recipe) if text is None else [text]:
        total = len(held_out.sources)
        with Bar(f"translating {held_out.name}", total=total) if watched else nullcontext() as bar:
            evaluated = evaluate_text(
                translator,
                held_out,
                scoring=scoring,
                options=search_keywords(chosen),
                watch=None if bar is None else _Counting(bar, total=total),
            )
        yield evaluated


class _Counting:
    """Moves a bar by the sentences that are done."""

    def __init__(self, bar: Bar, *, total: int) -> None:
        self._bar = bar
        self._total = total
        self._done = 0

    def __call__(self, sentences: int) -> None:
        self._done += sentences
        self._bar.show(self._done, f"{self._done:,} of {self._total:,} sentences")


def _scoring(chosen: argparse.Namespace, recipe: Recipe | None) -> Scoring:
    """How to score: by the recipe of the model, if there is one, but for what the options say."""
    from seq2seq.held_out import Scoring

    scoring = Scoring() if recipe is None else Scoring.from_recipe(recipe)
    given = {
        "metrics": None if chosen.metrics is None else tuple(dict.fromkeys(chosen.metrics)),
        "tokenize": chosen.tokenize,
        "lowercase": chosen.lowercase,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    return replace(scoring, resamples=chosen.confidence, **changes)


def _compare(chosen: argparse.Namespace, result: Evaluated, text: HeldOutText, scoring: Scoring) -> list[PartScores]:
    systems = {result.name: result.translations}
    for path in chosen.compare:
        lines = _lines(path)
        _check_count(path, len(lines), chosen.ref[0], len(text.references[0]))
        if str(path) in systems:
            raise UsageError(f"{path} would be compared with itself; name the translations of another system")
        systems[str(path)] = tuple(lines)
    return list(scoring.compare(systems, text.references, test=chosen.significance))


def _lines_of_comparison(systems: Sequence[PartScores], test: str) -> list[str]:
    from seq2seq.evaluation import report_parts

    lines = report_parts(systems).splitlines()
    return [f"compared with {systems[0].name} by paired {test}:", *(f"  {line}" for line in lines)]


def _lines(path: Path) -> list[str]:
    from seq2seq.text.lines import read_lines

    if path != _STDIN:
        return list(read_lines(path))
    with open_reader(None) as reader:
        lines = [line for chunk in reader.chunks(repeat(1024), patient=False) for line in chunk]
    warn(PROGRAM, reader.invalid.message())
    return lines


def _name(path: Path) -> str:
    return "standard input" if path == _STDIN else str(path)


if __name__ == "__main__":
    sys.exit(main())
