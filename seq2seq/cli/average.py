"""seq2seq-average: the mean of several sets of weights, as a model of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seq2seq.cli.arguments import ArgumentParser, count
from seq2seq.cli.failure import run, say
from seq2seq.cli.progress import warn
from seq2seq.cli.writing import Output

PROGRAM = "seq2seq-average"

_DESCRIPTION = """\
Average the weights of one run after several of its validations, or of several runs of one recipe that began from the
same weights. The result is a model directory like any other.

A run keeps the weights that it is told to: training.keep.last and training.keep.best in its recipe say how many."""

_EXAMPLES = """\
examples:
  seq2seq-average runs/en-fr --last 5 -o runs/en-fr-average
  seq2seq-average runs/en-fr --best 3 -o runs/en-fr-average --evaluate
  seq2seq-average runs/en-fr --updates 1000,2000 -o runs/en-fr-average
  seq2seq-average runs/tuned-1 runs/tuned-2 -o runs/tuned"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _average(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog=PROGRAM, usage=f"{PROGRAM} DIR [DIR ...] -o OUT [options]", description=_DESCRIPTION, epilog=_EXAMPLES
    )
    parser.add_argument(
        "models",
        metavar="DIR",
        type=Path,
        nargs="+",
        help="the model directory of a run; or several, whose own weights are averaged",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="the model directory to make; must not exist"
    )
    which = parser.add_argument_group("which of the weights that a run has kept").add_mutually_exclusive_group()
    which.add_argument("--last", metavar="N", type=count, help="those of the last N validations")
    which.add_argument(
        "--best", metavar="N", type=count, help="those of the N best validations, by the metric of the run's recipe"
    )
    which.add_argument("--updates", metavar="N,N", type=_updates, help="those of the validations after these updates")
    group = parser.add_argument_group("evaluation")
    group.add_argument(
        "--evaluate",
        action="store_true",
        help="translate the recipe's validation corpus with the result, and print what it scores",
    )
    group.add_argument("--device", default="auto", help="for --evaluate: auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_general_options(quiet="say nothing on stderr but warnings and errors")
    return parser


def _updates(text: str) -> tuple[int, ...]:
    """Different whole numbers of 1 or more, between commas."""
    updates = tuple(count(part) for part in text.split(","))
    if len(set(updates)) < len(updates):
        raise argparse.ArgumentTypeError(f"names an update twice: {text}")
    return updates


def _average(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_intermixed_args(arguments)

    from seq2seq.training.checkpoint_average import Selection, average_models, started_apart

    selection = Selection(last=chosen.last, best=chosen.best, updates=chosen.updates or ())
    lines = average_models(chosen.models, selection, chosen.output)
    if not chosen.quiet:
        for line in lines:
            say(line)
    if started_apart(chosen.models):
        warn(
            PROGRAM,
            "these models began from different random weights, and the mean of such weights rarely translates; "
            "seq2seq-translate --model DIR DIR uses them as an ensemble",
        )
    if chosen.evaluate:
        _evaluate(chosen.output, device=chosen.device)


def _evaluate(directory: Path, *, device: str) -> None:
    """Print what the model scores on the validation corpus of its recipe."""
    from seq2seq.build import parallel_text
    from seq2seq.held_out import Scoring, read_held_out
    from seq2seq.model_evaluation import evaluate_text
    from seq2seq.recipe import load_stored_recipe
    from seq2seq.translator import Translator

    recipe = load_stored_recipe(directory / "recipe.yaml")
    translator = Translator.load(directory, device=device)
    output = Output(None)
    for entry in recipe.corpus.validation:
        text = read_held_out(parallel_text(entry, recipe.corpus))
        output.write(evaluate_text(translator, text, scoring=Scoring.from_recipe(recipe)).lines())


if __name__ == "__main__":
    sys.exit(main())
