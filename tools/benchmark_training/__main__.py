"""Measure how fast a recipe trains on this machine, alone or against other settings in turn.

    python -m tools.benchmark_training recipes/benchmark-small.yaml
    python -m tools.benchmark_training recipes/en-fr.yaml training.precision=bf16 --against training.precision=fp32
    python -m tools.benchmark_training recipes/gnmt-v2.yaml --synthetic wmt --json gnmt.json

Every round trains each setting once on the same batches, and takes the machine's peak of matrix products. How the
figures come about is in docs/benchmarks.md. They drift with the machine: the ratios are what holds.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from seq2seq.allocator import bound_kernel_cache, keep_freed_memory
from seq2seq.cli import failure
from seq2seq.device import resolve_device
from seq2seq.errors import UsageError
from seq2seq.recipe import Recipe, load_recipe
from seq2seq.storage import write_atomically
from tools.benchmark_training.figures import figures
from tools.benchmark_training.material import DISTRIBUTIONS, Material, parse_lengths, real_material, synthetic_material
from tools.benchmark_training.measuring import Setting, data_of, enter, take_parts, take_turns
from tools.benchmark_training.peaks import Peaks
from tools.benchmark_training.report import report

#: Rounds below which a ratio is no claim.
CLAIM_ROUNDS = 5


def settings_of(recipe: str, overrides: Sequence[str], against: Sequence[Sequence[str]]) -> list[Setting]:
    """The recipe with its overrides, then with each list of `against` put in besides."""
    keys = {override.partition("=")[0] for others in against for override in others}
    own = [override for override in overrides if override.partition("=")[0] in keys]
    settings = [Setting(" ".join(own) or Path(recipe).stem, load_recipe(recipe, overrides))]
    for others in against:
        settings.append(Setting(" ".join(others), load_recipe(recipe, [*overrides, *others])))
    return settings


def warnings_of(settings: Sequence[Setting]) -> list[str]:
    """What makes the settings hard to compare."""
    first = settings[0]
    found = []
    for other in settings[1:]:
        if other.recipe.tokenizer != first.recipe.tokenizer:
            found.append(
                f"warning: {other.name} has another tokenizer than {first.name}: tokens per second are of other tokens"
            )
        elif data_of(other.recipe) != data_of(first.recipe):
            found.append(f"warning: {other.name} trains on other batches than {first.name}")
    return found


def _benchmark(arguments: argparse.Namespace, command: str) -> int:
    if min(arguments.rounds, arguments.updates) < 1 or arguments.parts_rounds < 0:
        raise UsageError("--rounds and --updates are 1 or more, --parts-rounds 0 or more")
    if arguments.json is not None and not arguments.json.parent.is_dir():
        raise UsageError(f"--json {arguments.json}: there is no folder {arguments.json.parent}")
    settings = settings_of(arguments.recipe, arguments.overrides, arguments.against)
    lengths = None if arguments.synthetic is None else parse_lengths(arguments.synthetic)
    section = settings[0].recipe.run
    device = resolve_device(section.device)
    if any(setting.recipe.run.device != section.device for setting in settings):
        raise UsageError("run.device is the same for all settings")
    if section.threads is not None:
        torch.set_num_threads(section.threads)
    if device.type == "cpu":
        keep_freed_memory()
        bound_kernel_cache()
    for warning in warnings_of(settings):
        failure.say(warning)
    if arguments.rounds < CLAIM_ROUNDS:
        failure.say(f"note: a ratio of fewer than {CLAIM_ROUNDS} rounds is a glance, not a claim")

    def prepare(recipe: Recipe) -> Material:
        if lengths is not None:
            return synthetic_material(recipe, device, lengths)
        return real_material(recipe, device, failure.say)

    contests = enter(
        settings, device=device, prepare=prepare, rounds=arguments.rounds, updates=arguments.updates, say=failure.say
    )
    peaks = Peaks(device)
    peaks.take()
    take_turns(contests, peaks, rounds=arguments.rounds, say=failure.say)
    parts_rounds = min(arguments.parts_rounds, arguments.rounds)
    if parts_rounds:
        take_parts(contests, rounds=arguments.rounds, parts_rounds=parts_rounds, say=failure.say)
    measured = figures(contests, peaks, command=command, updates=arguments.updates)
    sys.stdout.write(report(measured, markdown=arguments.markdown))
    sys.stdout.flush()
    if arguments.json is not None:
        write_atomically(arguments.json, (json.dumps(measured, indent=2) + "\n").encode())
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmark_training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", metavar="key.path=value")
    parser.add_argument(
        "--against",
        nargs="+",
        action="append",
        default=[],
        metavar="key.path=value",
        help="another setting: the same overrides and these; may be given several times",
    )
    parser.add_argument(
        "--synthetic",
        metavar="LENGTHS",
        help=f"no corpus, but ids drawn by a distribution of lengths: {', '.join(DISTRIBUTIONS)} or MEAN:DEVIATION",
    )
    parser.add_argument("--rounds", type=int, default=5, help="besides one that warms up")
    parser.add_argument("--updates", type=int, default=10, help="of each setting in a round")
    parser.add_argument("--parts-rounds", type=int, default=2, help="rounds repeated with marks between the parts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    parser.add_argument("--markdown", action="store_true", help="tables for a page of documentation")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_intermixed_args(given)
    command = f"python -m tools.benchmark_training {shlex.join(given)}"
    return failure.run("benchmark_training", lambda: _benchmark(arguments, command))


if __name__ == "__main__":
    sys.exit(main())
