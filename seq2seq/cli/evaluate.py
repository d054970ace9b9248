"""seq2seq-evaluate: BLEU, chrF, TER and COMET of a model or of translations, and of several systems side by side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seq2seq.cli.arguments import ArgumentParser
from seq2seq.cli.evaluation_options import (
    add_comparison_options,
    add_report_options,
    add_scoring_options,
    add_text_options,
    check,
)
from seq2seq.cli.evaluation_report import Report
from seq2seq.cli.evaluation_scoring import comparing
from seq2seq.cli.evaluation_text import given_systems, given_text
from seq2seq.cli.failure import run
from seq2seq.cli.options import ChosenModel, add_model_options
from seq2seq.cli.progress import Bar, is_watched
from seq2seq.cli.search_options import add_search_options, search_keywords
from seq2seq.cli.writing import Output
from seq2seq.errors import UsageError

if TYPE_CHECKING:
    from seq2seq.comparison import Comparing, Comparison
    from seq2seq.held_out import Evaluated, HeldOutText, Scoring
    from seq2seq.recipe import Recipe

PROGRAM = "seq2seq-evaluate"

_DESCRIPTION = """\
Score translations with SacreBLEU and COMET, and print every figure with the signature that says how it was computed.

Without --input and --hypotheses the model translates the test sets of its recipe. With --input and --ref it translates
that text. With --hypotheses and --ref no model is needed. Text is compared as it is written, detokenized. Several
systems, of --hypotheses or --compare, make a table with confidence intervals and tests against the first."""

_EXAMPLES = """\
examples:
  seq2seq-evaluate --model runs/en-fr
  seq2seq-evaluate --model runs/one runs/two runs/three
  seq2seq-evaluate -i test.en --ref test.fr --metrics bleu chrf ter --confidence
  seq2seq-evaluate --hypotheses mine.fr --ref test.fr --compare theirs.fr
  seq2seq-evaluate --hyp old=a.fr new=b.fr --ref test.fr --by-length --by-frequency --plot systems.png"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _evaluate(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, usage=f"{PROGRAM} [options]", description=_DESCRIPTION, epilog=_EXAMPLES)
    add_text_options(parser)
    add_scoring_options(parser)
    add_comparison_options(parser)
    add_report_options(parser)
    add_model_options(parser)
    add_search_options(parser)
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _evaluate(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    check(chosen)
    text = given_text(chosen, program=PROGRAM) if chosen.ref else None
    named = {} if text is None else given_systems(chosen, reference=text.references[0], program=PROGRAM)
    if text is not None and chosen.hypotheses:
        how = comparing(chosen, None, several=len(named) > 1, program=PROGRAM)
        name, translations = next(iter(named.items()))
        evaluated = _scored(text, translations, how.scoring)
        described = {}
    else:
        model = ChosenModel.of(chosen)
        recipe = model.recipe()
        how = comparing(chosen, recipe, several=bool(named), program=PROGRAM)
        name = _name(model, named)
        evaluated = _translated(chosen, model, recipe, text, how.scoring)
        described = _described(model)
    report = Report("json" if chosen.json else "markdown" if chosen.markdown else "lines", chosen.plot, described)
    with Output(chosen.output) if chosen.output is not None else nullcontext() as output:
        for held_out, result in evaluated:
            if output is not None:
                output.write(result.translations)
            report.add(result, _compared(held_out, result, {name: result.translations, **named}, how))
    report.finish()


def _compared(text: HeldOutText, result: Evaluated, systems: Mapping[str, Sequence[str]], how: Comparing) -> Comparison:
    """The systems side by side, the first of which has `result`, with the breakdowns."""
    from seq2seq.comparison import compare_systems, one_system

    if len(systems) == 1:
        return one_system(next(iter(systems)), result, text, how)
    return replace(compare_systems(text, systems, how), seconds=result.seconds)


def _scored(
    text: HeldOutText, translations: Sequence[str], scoring: Scoring
) -> Iterator[tuple[HeldOutText, Evaluated]]:
    from seq2seq.held_out import score_text

    yield text, score_text(text, translations, scoring=scoring)


def _name(model: ChosenModel, others: Mapping[str, object]) -> str:
    """What the model is called among other systems: as its directory."""
    name = " + ".join(directory.resolve().name for directory in model.directories)
    if name in others:
        raise UsageError(f"another system is called {name}, like the model; tell it apart with NAME=FILE")
    return name


def _described(model: ChosenModel) -> dict[str, Any]:
    """The model in JSON."""
    names = [str(directory) for directory in model.directories]
    return {"model": names[0]} if len(names) == 1 else {"models": names}


def _translated(
    chosen: argparse.Namespace, model: ChosenModel, recipe: Recipe, text: HeldOutText | None, scoring: Scoring
) -> Iterator[tuple[HeldOutText, Evaluated]]:
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
        yield held_out, evaluated


class _Counting:
    """Moves a bar by the sentences that are done."""

    def __init__(self, bar: Bar, *, total: int) -> None:
        self._bar = bar
        self._total = total
        self._done = 0

    def __call__(self, sentences: int) -> None:
        self._done += sentences
        self._bar.show(self._done, f"{self._done:,} of {self._total:,} sentences")


if __name__ == "__main__":
    sys.exit(main())
