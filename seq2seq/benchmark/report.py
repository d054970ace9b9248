"""The report of a measurement: a table for people, a dictionary for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seq2seq.benchmark.figures import Spread, percentile
from seq2seq.benchmark.measuring import Latency, Throughput

_PERCENTS = (50, 95, 99)


@dataclass(frozen=True)
class Report:
    """What was measured, and on what.

    Attributes:
        models: the model directories, several of an ensemble.
        text: name of what was translated.
        device: such as cpu or cuda:0.
        precision: of the matrix products, such as fp32; and whether there is a shortlist, and heuristic stopping.
        parameters: of all models together.
        load_seconds: from a directory to a translator, PyTorch imported before.
        memory_gib: the highest of the process, or of allocations on a GPU.
        rounds: turns of every setting.
        throughputs, latencies: the measurements.
        machine: as :func:`seq2seq.machine.describe_machine` has it.
    """

    models: Sequence[str]
    text: str
    device: str
    precision: str
    parameters: int
    load_seconds: float
    memory_gib: float
    rounds: int
    throughputs: Sequence[Throughput]
    latencies: Sequence[Latency]
    machine: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON: rates per second, shares from 0 to 1."""
        names: dict[str, Any] = {"model": self.models[0]} if len(self.models) == 1 else {"models": list(self.models)}
        return {
            **names,
            "text": self.text,
            "device": self.device,
            "precision": self.precision,
            "parameters": self.parameters,
            "load_seconds": round(self.load_seconds, 3),
            "peak_memory_gib": round(self.memory_gib, 3),
            "rounds": self.rounds,
            "throughput": [_throughput(each) for each in self.throughputs],
            "latency": [_latency(each) for each in self.latencies],
            **self.machine,
        }

    def lines(self) -> list[str]:
        """The report for people, with tables in Markdown."""
        machine, versions = self.machine["machine"], self.machine["versions"]
        what = machine.get("gpu", machine.get("processor", "unknown processor"))
        threads = f"{machine['threads']} thread{'s' * (machine['threads'] != 1)}"
        found = [
            f"{' + '.join(self.models)}: {self.parameters:,} parameters, loaded in {self.load_seconds:.2f} s",
            f"{what}, {self.device}, {self.precision}, {threads}, torch {versions['torch']}",
            f"peak memory {self.memory_gib:.2f} GiB",
        ]
        rounds = f"{self.rounds} round{'s' * (self.rounds != 1)}"
        if self.throughputs:
            found += [
                "",
                f"{self.text}: {rounds}, median (lowest to highest)",
                "",
                *_throughput_table(self.throughputs),
            ]
        if self.latencies:
            number = self.latencies[0].sentences
            sentences = f"{number} sentence{'s' * (number != 1)}"
            found += [
                "",
                f"one sentence at a time, in ms: {sentences} in {rounds}",
                "",
                *_latency_table(self.latencies),
            ]
        return found


def _throughput(found: Throughput) -> dict[str, Any]:
    turn = found.turns[0]
    record: dict[str, Any] = {
        "beam": found.setting.beam,
        "batch_size": found.setting.batch_size,
        "sentences": turn.sentences,
        "source_tokens": turn.source_tokens,
        "target_tokens": turn.target_tokens,
        "seconds": [round(turn.seconds, 4) for turn in found.turns],
        "sentences_per_second": found.per_second(lambda turn: turn.sentences).as_dict(digits=3),
        "source_tokens_per_second": found.per_second(lambda turn: turn.source_tokens).as_dict(digits=2),
        "target_tokens_per_second": found.per_second(lambda turn: turn.target_tokens).as_dict(digits=2),
        "shares": {
            "tokenization": round(found.share(lambda turn: turn.encoding), 4),
            "search": round(found.share(lambda turn: turn.search), 4),
            "detokenization": round(found.share(lambda turn: turn.decoding), 4),
        },
    }
    return record | ({"peak_memory_gib": round(found.memory_gib, 3)} if found.memory_gib else {})


def _latency(found: Latency) -> dict[str, Any]:
    return {
        "beam": found.beam,
        "sentences": found.sentences,
        "milliseconds": _percentiles(found.milliseconds),
        "search_milliseconds": _percentiles(found.search_milliseconds),
    }


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    found = {f"p{percent}": round(percentile(values, percent), 3) for percent in _PERCENTS}
    return {"mean": round(sum(values) / len(values), 3), **found, "highest": round(max(values), 3)}


def _throughput_table(throughputs: Sequence[Throughput]) -> list[str]:
    rows = [
        [
            str(each.setting.beam),
            str(each.setting.batch_size),
            str(each.turns[0].sentences),
            _rate(each.per_second(lambda turn: turn.sentences)),
            _rate(each.per_second(lambda turn: turn.source_tokens)),
            _rate(each.per_second(lambda turn: turn.target_tokens)),
            f"{100 * each.share(lambda turn: turn.encoding):.1f} %",
            f"{100 * each.share(lambda turn: turn.search):.1f} %",
            f"{100 * each.share(lambda turn: turn.decoding):.1f} %",
            *([f"{each.memory_gib:.2f} GiB"] if throughputs[0].memory_gib else []),
        ]
        for each in throughputs
    ]
    heads = ["beam", "batch", "sentences", "sentences/s", "source tokens/s", "target tokens/s"]
    heads += ["tokenizing", "search", "detokenizing", *(["memory"] if throughputs[0].memory_gib else [])]
    return _table(heads, rows)


def _latency_table(latencies: Sequence[Latency]) -> list[str]:
    rows = []
    for each in latencies:
        whole, search = _percentiles(each.milliseconds), _percentiles(each.search_milliseconds)
        figures = [*(whole[f"p{percent}"] for percent in _PERCENTS), whole["highest"], search["p50"]]
        rows.append([str(each.beam), *(f"{figure:.2f}" for figure in figures)])
    return _table(["beam", *(f"p{percent}" for percent in _PERCENTS), "longest", "p50 of the search"], rows)


def _rate(spread: Spread) -> str:
    digits = 0 if spread.lowest >= 100.0 else 1
    return f"{spread.median:,.{digits}f} ({spread.lowest:,.{digits}f} to {spread.highest:,.{digits}f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table whose columns stand under each other, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [" | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [heads, *rows]]
    rule = " | ".join("-" * (width - 1) + ":" for width in widths)
    return [f"| {line} |" for line in [lines[0], rule, *lines[1:]]]
