"""`seq2seq-train`: train a recipe, or continue the run that was begun with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from seq2seq.cli.arguments import ArgumentParser
from seq2seq.cli.failure import run, say
from seq2seq.errors import Seq2SeqError

_DESCRIPTION = """\
Train the translation system that a recipe describes. The same command again continues a run that was interrupted,
exactly where it left off; a finished run is only evaluated again.
"""

_EPILOG = """\
examples:
  seq2seq-train recipes/en-fr.yaml
  seq2seq-train recipes/en-fr.yaml training.epochs=3 run.name=trial
  seq2seq-train recipes/en-fr.yaml --check

recipes/REFERENCE.md explains every key of a recipe.
"""


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="seq2seq-train",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        usage="%(prog)s [options] recipe.yaml [key.path=value ...]",
    )
    parser.add_argument("recipe", metavar="recipe.yaml", help="the recipe")
    parser.add_argument("overrides", nargs="*", metavar="key.path=value", help="replaces a value of the recipe")
    group = parser.add_argument_group("other than to train or continue")
    group.add_argument(
        "--fresh", action="store_true", help="start over; an old run of the same name is renamed, not removed"
    )
    group.add_argument(
        "--check",
        action="store_true",
        help="read all the text and push two batches through training, validation, saving, loading and translating, "
        "in one process",
    )
    group.add_argument("--print-recipe", action="store_true", help="print the recipe with every value filled in")
    where = parser.add_argument_group("where")
    where.add_argument("--device", metavar="NAME", help="short for run.device=NAME: auto, cpu, cuda or cuda:N")
    parser.add_general_options()
    return parser


def _train(arguments: argparse.Namespace) -> int:
    from seq2seq.recipe import dump_recipe, load_recipe, with_adopted_tokenizer
    from seq2seq.training.distributed import first_of_machine, leads, leave_in_silence

    overrides = list(arguments.overrides)
    if arguments.device is not None:
        overrides.append(f"run.device={arguments.device}")
    try:
        recipe = load_recipe(arguments.recipe, overrides)
    except Seq2SeqError as error:
        if first_of_machine():
            raise
        leave_in_silence(error.exit_code)
    if arguments.print_recipe:
        if leads():
            print(dump_recipe(with_adopted_tokenizer(recipe)), end="")
        return 0
    if arguments.check:
        if not leads():
            return 0
        from seq2seq.training.check import check

        for line in check(recipe):
            print(line, file=sys.stderr, flush=True)
        return 0

    from seq2seq.training.interrupt import Interrupted
    from seq2seq.training.run import train

    try:
        result = train(recipe, fresh=arguments.fresh)
    except Interrupted as interrupted:
        say(f"seq2seq-train: {interrupted}: the state is saved; the same command continues the run")
        return interrupted.exit_code
    for test in result.tests if leads() else ():
        print(*test.lines(), sep="\n", flush=True)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run("seq2seq-train", lambda: _train(_parser().parse_intermixed_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
