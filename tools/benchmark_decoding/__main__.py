r"""Measure how fast a trained network translates beside OpenNMT-py, JoeyNMT and Marian, in one run.

    python -m tools.benchmark_decoding.environments venvs
    python -m tools.benchmark_decoding.marian --environment venvs/marian --tokenizer runs/small/source.spm \
        --train train.en train.fr --output work/marian-512
    python -m tools.benchmark_decoding --model runs/small --input test.en --reference test.fr \
        --environments venvs --work work --marian work/marian-512 --ours precision=fp32 --ours precision=bf16

The model is one of recipes/benchmark-small.yaml with model.bridge=final-state: OpenNMT-py and JoeyNMT then decode with
the same weights over the same pieces. Each contender runs in its own environment. Its best batch size is found first;
then all take their turns in every round. A contender that is not installed has that in its row, and the others go on.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from seq2seq.benchmark.figures import Spread
from seq2seq.cli import failure
from seq2seq.errors import CorpusError, UsageError
from seq2seq.machine import describe_machine
from seq2seq.storage import write_atomically
from seq2seq.text.lines import check_file, read_lines
from tools.benchmark_decoding.conversion import read_network, write_joey, write_opennmt
from tools.benchmark_decoding.measuring import Plan, measure
from tools.benchmark_decoding.report import Circumstances, as_dict, markdown
from tools.benchmark_decoding.worker import Contender, worker_command
from tools.benchmark_training.peaks import Peaks

PROGRAM = "benchmark_decoding"
NAMES = ("ours", "opennmt", "joey", "marian")
TITLES = {"opennmt": "OpenNMT-py", "joey": "JoeyNMT", "marian": "Marian"}
#: Pieces of a translation at most, for toolkits whose own limit does not depend on the source.
_MAX_LENGTH = 100


def read_text(source: Path, reference: Path, *, sentences: int) -> tuple[list[str], list[str]]:
    """The first pairs of lines whose source is not blank. Raises CorpusError where they do not belong together."""
    for path, what in ((source, "the input"), (reference, "the reference")):
        check_file(path, what=what)
    sides = list(read_lines(source)), list(read_lines(reference))
    if len(sides[0]) != len(sides[1]):
        raise CorpusError(f"{source} has {len(sides[0])} lines, but {reference} has {len(sides[1])}")
    pairs = [(line, other) for line, other in zip(*sides, strict=True) if line.strip()][:sentences]
    if not pairs:
        raise CorpusError(f"{source} has nothing to translate")
    return [line for line, _ in pairs], [other for _, other in pairs]


def keywords_of(setting: str) -> dict[str, Any]:
    """`precision=bf16,beam=5` as keywords, values read as YAML."""
    found: dict[str, Any] = {}
    for part in setting.split(","):
        key, equals, value = part.partition("=")
        if not (equals and key.isidentifier()):
            raise UsageError(f"--ours {setting}: give key=value, several with commas between them")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            found[key] = value
    return found


def contenders_of(arguments: argparse.Namespace) -> list[Contender]:
    """Ours in every setting, then the others, their models converted."""
    network = read_network(arguments.model)
    common = {"threads": arguments.threads, "length_penalty": arguments.length_penalty, "max_length": _MAX_LENGTH}
    found = []
    if "ours" in arguments.contenders:
        for setting in arguments.ours or ["precision=fp32", "precision=bf16"]:
            keywords = {"length_penalty": arguments.length_penalty, **keywords_of(setting)}
            given = {"model": str(Path(arguments.model).absolute()), "keywords": keywords}
            command = worker_command("ours", None)
            found.append(Contender(f"ours, {setting}", command, {**common, **given}, ours=True))
    writers = {"opennmt": write_opennmt, "joey": write_joey}
    for name in [name for name in arguments.contenders if name in writers]:
        directory = writers[name](network, arguments.work.absolute() / name)
        found.append(_other(name, TITLES[name], arguments, {**common, "model": str(directory)}))
    for directory in arguments.marian if "marian" in arguments.contenders else []:
        title = f"{TITLES['marian']} ({directory.name})"
        settings = {**common, "model": str(directory.absolute()), "detail": _marian_detail(directory)}
        absent = None if (directory / "model.npz").is_file() else f"no model: {directory} has no model.npz"
        found.append(_other("marian", title, arguments, settings, same_weights=False, absent=absent))
    if not found:
        raise UsageError("nothing to measure; Marian needs --marian FOLDER")
    return found


def _marian_detail(directory: Path) -> str:
    try:
        return str(json.loads((directory / "detail.json").read_text("utf-8"))["detail"])
    except (OSError, ValueError, KeyError):
        return "its own weights"


def _other(
    name: str,
    title: str,
    arguments: argparse.Namespace,
    settings: dict[str, Any],
    *,
    same_weights: bool = True,
    absent: str | None = None,
) -> Contender:
    environment = arguments.environments / name
    if not (environment / "bin" / "python").exists():
        absent = f"not installed: there is no {environment}; tools.benchmark_decoding.environments makes it"
    command = worker_command(name, environment)
    return Contender(title, command, settings, same_weights=same_weights, absent=absent)


def _benchmark(arguments: argparse.Namespace, command: str) -> None:
    counts = [arguments.rounds, arguments.threads, arguments.sentences, *arguments.beams, *arguments.batch_sizes]
    if min(counts) < 1 or arguments.latency_sentences < 0:
        raise UsageError("rounds, threads, sentences, beams and batch sizes are 1 or more")
    if arguments.json is not None and not arguments.json.parent.is_dir():
        raise UsageError(f"--json {arguments.json}: there is no folder {arguments.json.parent}")
    lines, reference = read_text(arguments.input, arguments.reference, sentences=arguments.sentences)
    contenders = contenders_of(arguments)
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    peaks = Peaks(torch.device("cpu"))
    plan = Plan(
        lines=lines,
        beams=list(dict.fromkeys(arguments.beams)),
        batch_sizes=sorted(set(arguments.batch_sizes)),
        rounds=arguments.rounds,
        threads=arguments.threads,
        latency_lines=lines[: arguments.latency_sentences],
        latency_beam=max(arguments.beams),
        logs=arguments.work,
    )
    found = measure(contenders, plan, between=peaks.take, say=failure.say)
    circumstances = Circumstances(
        command=command,
        date=datetime.date.today().isoformat(),
        model=str(arguments.model),
        text=arguments.input.name,
        sentences=len(lines),
        rounds=plan.rounds,
        threads=plan.threads,
        latency_beam=plan.latency_beam,
        latency_sentences=len(plan.latency_lines),
        machine=describe_machine(torch.device("cpu")),
        peaks={peak.name: Spread.of(peak.readings) for peak in peaks.peaks},
    )
    measured = as_dict(found, reference, circumstances)
    if arguments.json is not None:
        write_atomically(arguments.json, (json.dumps(measured, indent=2, ensure_ascii=False) + "\n").encode())
    sys.stdout.write(markdown(measured))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m tools.{PROGRAM}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="directory of a run")
    parser.add_argument("--input", type=Path, required=True, help="source text, one sentence per line")
    parser.add_argument("--reference", type=Path, required=True, help="its translation, for BLEU")
    parser.add_argument("--environments", type=Path, default=Path("venvs"), help="folder of the environments")
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder of converted models and logs")
    parser.add_argument("--contenders", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument(
        "--ours",
        action="append",
        metavar="KEY=VALUE,...",
        help="a row of ours: keywords of Translator.load or translate (default: precision=fp32, then precision=bf16)",
    )
    parser.add_argument(
        "--marian",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="what tools.benchmark_decoding.marian has trained; may be given several times",
    )
    parser.add_argument("--length-penalty", type=float, default=1.0, help="of all contenders, each in its own way")
    parser.add_argument("--beams", type=int, nargs="+", default=[5, 1])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--latency-sentences", type=int, default=100)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(given)
    command = f"python -m tools.{PROGRAM} {shlex.join(given)}"
    return failure.run(PROGRAM, lambda: _benchmark(arguments, command))


if __name__ == "__main__":
    sys.exit(main())
