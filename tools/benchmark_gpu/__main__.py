"""Measure a GPU: whole updates of GNMT v2 and Small, their beam searches, with CUDA graphs and without, and one layer.

    python -m tools.benchmark_gpu --json gpu.json --markdown gpu.md

Ids are synthetic, of WMT's lengths for GNMT and Multi30k's for Small. Rows that are compared take turns in one process;
a row that fails, as for want of memory, says so and costs the others nothing. docs/benchmarks.md says more.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from seq2seq.cli import failure
from seq2seq.errors import DeviceError, UsageError
from seq2seq.recipe import load_recipe
from seq2seq.storage import write_atomically
from tools.benchmark_gpu.layers import LayerSize, layer_cases
from tools.benchmark_gpu.report import figures, tables
from tools.benchmark_gpu.searches import SearchBench
from tools.benchmark_gpu.timing import Case, Clock, Row, take_turns
from tools.benchmark_gpu.updates import Bench, Way
from tools.benchmark_training.material import DISTRIBUTIONS, Lengths
from tools.benchmark_training.peaks import Peaks

_RECIPES = Path(__file__).resolve().parents[2] / "recipes"
#: Mean length of a sentence of the WMT text in pieces, EOS counted: what makes a batch of sentences one of pieces.
_MEAN_LENGTH = 28
#: Batches that a search takes in a round.
_SEARCHED_BATCHES = 4
_HALVES = (torch.float16, torch.bfloat16)
#: Seconds after which nothing new is begun, so that a run ends within nine minutes.
_BUDGET = 480.0


@dataclass(frozen=True)
class Plan:
    """What is measured: sentences of a batch of one layer and of GNMT, places of one of Small, and how often.

    Of searches: sentences that are translated together, and the beam.
    """

    layer: LayerSize
    layer_batches: tuple[int, ...]
    gnmt: tuple[str, ...]
    gnmt_sentences: tuple[int, ...]
    small: tuple[str, ...]
    small_tokens: tuple[int, ...]
    searched: tuple[int, ...]
    beam: int
    wmt: Lengths
    multi30k: Lengths
    pairs: int
    batches: int
    rounds: int
    peak_side: int | None


_WHOLE = Plan(
    layer=LayerSize(),
    layer_batches=(128, 256, 512, 1024),
    gnmt=(),
    gnmt_sentences=(512, 1024, 256, 128),
    small=(),
    small_tokens=(2000, 8000, 32000),
    searched=(512, 1024, 128, 1),
    beam=5,
    wmt=DISTRIBUTIONS["wmt"],
    multi30k=DISTRIBUTIONS["multi30k"],
    pairs=100_000,
    batches=12,
    rounds=5,
    peak_side=None,
)


def _plan(device: torch.device, *, quick: bool) -> Plan:
    """The whole grid; with `quick` a part of it, and on a CPU toys that show that the tool works."""
    if device.type != "cuda":
        both = ("encoder", "decoder")
        tiny = tuple(f"model.{side}.{key}_size=16" for side in both for key in ("hidden", "embedding"))
        words = ("tokenizer.vocabulary_size=300",)
        short = Lengths(source_mean=6.0, target_mean=6.0, spread=0.3, disagreement=0.1)
        return Plan(
            layer=LayerSize(input_size=16, hidden_size=16, shortest=3, longest=4),
            layer_batches=(8,),
            gnmt=(*tiny, *words, "model.attention.size=16"),
            gnmt_sentences=(4,),
            small=(*tiny, *words),
            small_tokens=(64,),
            searched=(4,),
            beam=2,
            wmt=short,
            multi30k=short,
            pairs=200,
            batches=2,
            rounds=1,
            peak_side=128,
        )
    if quick:
        fewer = {"layer_batches": (128, 512), "gnmt_sentences": (512,), "searched": (512, 1), "rounds": 3}
        return Plan(**{**vars(_WHOLE), **fewer})
    return _WHOLE


def _groups(plan: Plan, device: torch.device) -> Iterator[list[Case]]:
    """Cases that take turns, the most telling groups first."""
    gnmt = Bench("GNMT v2", load_recipe(str(_RECIPES / "gnmt-v2.yaml"), plan.gnmt), device, plan.wmt, pairs=plan.pairs)
    ways = [Way(dtype, two_streams=two) for dtype in _HALVES for two in (False, True)]
    for sentences in plan.gnmt_sentences:
        label = f"{sentences} sentences"
        yield gnmt.cases(ways, batch_tokens=sentences * _MEAN_LENGTH, batches=plan.batches, label=label)
    del gnmt
    recipe = load_recipe(str(_RECIPES / "gnmt-v2.yaml"), plan.gnmt)
    searches = SearchBench("GNMT v2", recipe, device, plan.wmt, beam=plan.beam)
    for sentences in plan.searched:
        yield searches.cases(_HALVES, sentences=sentences, batches=_SEARCHED_BATCHES)
    del searches
    recipe = load_recipe(str(_RECIPES / "benchmark-small.yaml"), plan.small)
    searches = SearchBench("Small", recipe, device, plan.multi30k, beam=plan.beam)
    for sentences in plan.searched:
        yield searches.cases(_HALVES, sentences=sentences, batches=_SEARCHED_BATCHES)
    del searches
    small = Bench("Small", recipe, device, plan.multi30k, pairs=plan.pairs)
    ways = [Way(dtype, graphs=graphs) for dtype in _HALVES for graphs in (False, True)]
    for tokens in plan.small_tokens:
        yield small.cases(ways, batch_tokens=tokens, batches=plan.batches, label=f"{tokens:,} places")
    del small
    for batch in plan.layer_batches:
        yield layer_cases(device, plan.layer, batch=batch, dtypes=_HALVES)


def _benchmark(arguments: argparse.Namespace, command: str) -> int:
    for name in ("json", "markdown"):
        path = getattr(arguments, name)
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"--{name} {path}: there is no folder {path.parent}")
    if arguments.device == "cpu" and not arguments.quick:
        raise UsageError("--device cpu tries the tool itself, at toy sizes, and goes with --quick")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "this measures a GPU, and torch finds none here; --device cpu --quick tries the tool at toy sizes"
        )
    device = torch.device("cuda", torch.cuda.current_device()) if arguments.device == "cuda" else torch.device("cpu")
    plan = _plan(device, quick=arguments.quick)
    clock = Clock(device, budget=_BUDGET)
    peaks = Peaks(device, side=plan.peak_side)
    rows: list[Row] = []
    for cases in _groups(plan, device):
        peaks.take()
        rows += take_turns(cases, clock, rounds=plan.rounds, say=failure.say)
    peaks.take()
    measured = figures(rows, peaks, command=command)
    text = tables(measured)
    sys.stdout.write(text)
    sys.stdout.flush()
    if arguments.json is not None:
        write_atomically(arguments.json, (json.dumps(measured, indent=2) + "\n").encode())
    if arguments.markdown is not None:
        write_atomically(arguments.markdown, text.encode())
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmark_gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="two batch sizes of a layer, one of GNMT, fewer rounds")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: toy sizes, with --quick")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables, which are also printed")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    command = shlex.join(["python", "-m", "tools.benchmark_gpu", *given])
    return failure.run("benchmark_gpu", lambda: _benchmark(arguments, command))


if __name__ == "__main__":
    sys.exit(main())
