"""seq2seq-benchmark: how fast a model translates, many sentences together and one by one."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from seq2seq.cli.arguments import ArgumentParser, count, whole
from seq2seq.cli.failure import run, say
from seq2seq.cli.options import ChosenModel, add_model_options
from seq2seq.cli.search_options import add_stopping
from seq2seq.cli.writing import Output
from seq2seq.errors import UsageError

if TYPE_CHECKING:
    from seq2seq.benchmark.material import Material
    from seq2seq.translator import Translator

PROGRAM = "seq2seq-benchmark"

_DESCRIPTION = """\
Measure how fast a model translates: sentences and tokens per second for beams and batch sizes, and how long single
sentences take. Every setting takes its turn in every round; a first round warms up and is not counted.

A token is a piece of the model's vocabulary, the target's end of sentence counted, padding not. Tokenizing, search and
detokenizing are timed apart. Without --input and --synthetic the model translates its recipe's test sets, or where it
has none its validation text."""

_EXAMPLES = """\
examples:
  seq2seq-benchmark --model runs/en-fr -i test.en
  seq2seq-benchmark --model runs/en-fr --beam 1 5 12 --batch-size 16 64 --rounds 7 --json > speed.json
  seq2seq-benchmark --model runs/one runs/two --synthetic 10 20 40 --device cuda --precision fp16"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return run(PROGRAM, lambda: _benchmark(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog=PROGRAM, usage=f"{PROGRAM} [options]", description=_DESCRIPTION, epilog=_EXAMPLES)
    text = parser.add_argument_group("text").add_mutually_exclusive_group()
    text.add_argument(
        "-i",
        "--input",
        "--src",
        metavar="FILE",
        type=Path,
        help="text to translate, plain or gz, one sentence per line; blank lines are left out",
    )
    text.add_argument(
        "--synthetic",
        metavar="N",
        type=count,
        nargs="+",
        help="sentences of N pieces, drawn from the vocabulary, in place of text; several numbers take turns",
    )
    group = parser.add_argument_group("measuring")
    group.add_argument(
        "-b",
        "--beam",
        "--beam-size",
        metavar="N",
        type=count,
        nargs="+",
        help="beams to measure; 1 is greedy search (default: 1 and the model's own)",
    )
    group.add_argument(
        "--batch-size",
        metavar="N",
        type=count,
        nargs="+",
        help="numbers of sentences translated together, each with each beam (default: the model's own)",
    )
    group.add_argument(
        "--sentences", metavar="N", type=count, default=1000, help="translate the first N (default: 1000)"
    )
    group.add_argument(
        "--latency-sentences",
        metavar="N",
        type=whole,
        default=100,
        help="translate the first N of them also one by one; 0 leaves that out (default: 100)",
    )
    group.add_argument("--rounds", metavar="N", type=count, default=5, help="turns of every setting (default: 5)")
    group.add_argument("--json", action="store_true", help="print one JSON object in place of the tables")
    group.add_argument(
        "--shortlist", action="store_true", help="search with the model's shortlist (seq2seq-shortlist makes it)"
    )
    add_stopping(group)
    add_model_options(parser)
    parser.add_general_options(quiet="say nothing on stderr but errors")
    return parser


def _benchmark(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    model = ChosenModel.of(chosen)

    from seq2seq.benchmark.measuring import Setting, Stopwatch, measure, parameter_count
    from seq2seq.benchmark.report import Report
    from seq2seq.device import precision_name
    from seq2seq.machine import describe_machine, memory_gib

    began = perf_counter()
    translator = model.load(program=PROGRAM, quiet=chosen.quiet)
    Stopwatch(translator.device)  # waits for the weights
    loaded = perf_counter() - began
    stopping = chosen.stopping or translator.options.stopping
    translator.options = replace(translator.options, shortlist=chosen.shortlist, stopping=stopping)
    kinds = ["shortlist"] * chosen.shortlist + ["heuristic stopping"] * (stopping == "heuristic")
    material = _material(chosen, model, translator)
    beams = list(dict.fromkeys(chosen.beam or [1, translator.options.beam]))
    batch_sizes = list(dict.fromkeys(chosen.batch_size or [translator.options.batch_size]))
    throughputs, latencies = measure(
        translator,
        material,
        settings=[Setting(beam, batch_size) for beam in beams for batch_size in batch_sizes],
        beams=beams,
        single_sentences=chosen.latency_sentences,
        rounds=chosen.rounds,
        say=(lambda line: None) if chosen.quiet else (lambda line: say(f"{PROGRAM}: {line}")),
    )
    report = Report(
        models=[str(directory) for directory in model.directories],
        text=material.name,
        device=str(translator.device),
        precision=", ".join([precision_name(translator.dtype), *kinds]),
        parameters=parameter_count(translator),
        load_seconds=loaded,
        memory_gib=max([memory_gib(translator.device), *(each.memory_gib for each in throughputs)]),
        rounds=chosen.rounds,
        throughputs=throughputs,
        latencies=latencies,
        machine=describe_machine(translator.device),
    )
    lines = json.dumps(report.as_dict(), indent=2, ensure_ascii=False).splitlines() if chosen.json else report.lines()
    Output(None).write(lines)


def _material(chosen: argparse.Namespace, model: ChosenModel, translator: Translator) -> Material:
    """What is translated: a file, drawn ids, or the text of the recipe."""
    from seq2seq.benchmark.material import SyntheticIds, text_of_file, text_of_recipe

    tokenizer, sentences = translator.source_tokenizer, chosen.sentences
    if chosen.synthetic:
        limit = translator.options.max_input_pieces
        if max(chosen.synthetic) > limit:
            raise UsageError(f"--synthetic {max(chosen.synthetic)} is more than the {limit} pieces read at once")
        return SyntheticIds(chosen.synthetic, sentences=sentences, tokenizer=tokenizer)
    if chosen.input is not None:
        return text_of_file(chosen.input, sentences=sentences, tokenizer=tokenizer)

    return text_of_recipe(model.recipe(), sentences=sentences, tokenizer=tokenizer)


if __name__ == "__main__":
    sys.exit(main())
