"""The figures of a contest as plain data: what the JSON file holds and the tables show."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from tools.benchmark_training.measuring import Contest
from tools.benchmark_training.parts import PARTS
from tools.benchmark_training.peaks import Peaks

Figures = dict[str, Any]


def spread(values: Iterable[float]) -> Figures:
    """Median and range."""
    values = list(values)
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def figures(contests: Sequence[Contest], peaks: Peaks, *, command: str, updates: int) -> Figures:
    """Everything that was measured."""
    device = contests[0].contender.device
    return {
        "command": command,
        "environment": {
            "torch": torch.__version__,
            "python": platform.python_version(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
            "threads": torch.get_num_threads(),
        },
        "rounds": len(contests[0].turns),
        "updates": updates,
        "peaks": {peak.name: spread(peak.readings) for peak in peaks.peaks},
        "peaks_left_out": peaks.left_out,
        "memory_of": "setting" if device.type == "cuda" else "process",
        "settings": [_of_contest(contest) for contest in contests],
        "ratios": [
            {
                "setting": contests[0].setting.name,
                "against": other.setting.name,
                **spread(_speed(one) / _speed(two) for one, two in zip(contests[0].turns, other.turns, strict=True)),
            }
            for other in contests[1:]
        ],
    }


def _speed(turn: Any) -> float:
    return float(turn.counts.target_tokens / turn.seconds)


def _of_contest(contest: Contest) -> Figures:
    counts, turns = contest.counts(), contest.turns
    per_pair, per_target = contest.per_pair(), contest.per_target_token()
    update = contest.accumulation
    return {
        "name": contest.setting.name,
        "precision": contest.contender.precision.name,
        "parameters": contest.parameters,
        "batch": {
            "pairs": counts.pairs / counts.batches,
            "source_length": counts.source_tokens / counts.pairs,
            "target_length": counts.target_tokens / counts.pairs,
            "source_columns": counts.source_columns / counts.batches,
            "target_columns": counts.target_columns / counts.batches,
            "target_tokens": counts.target_tokens / counts.batches,
            "padding_share": counts.padding,
            "batches_per_update": update,
        },
        "mflop_per_pair": _mflop(per_pair),
        "mflop_per_target_token": _mflop(per_target),
        "target_tokens_per_second": spread(map(_speed, turns)),
        "tokens_per_second": spread(
            (turn.counts.source_tokens + turn.counts.target_tokens) / turn.seconds for turn in turns
        ),
        "ms_per_update": spread(1e3 * turn.seconds * update / turn.counts.batches for turn in turns),
        "ms_per_target_position": spread(1e3 * turn.seconds / turn.counts.target_columns for turn in turns),
        "utilisation": spread(_speed(turn) * per_target.total / (turn.peak * 1e9) for turn in turns),
        "utilisation_of": contest.peak_name,
        "peak_memory_gib": contest.memory_gib,
        "making_a_batch_ms": contest.making_ms,
        "parts": _of_parts(contest),
    }


def _mflop(flops: Any) -> Figures:
    parts = {part: getattr(flops, part) / 1e6 for part in ("encoder", "decoder", "output")}
    return {**parts, "total": flops.total / 1e6}


def _of_parts(contest: Contest) -> Figures | None:
    """Milliseconds per update of every part, and the share of the unmarked updates that all parts together are."""
    taken = contest.parts
    if taken is None:
        return None
    counts, flops = contest.counts(), contest.per_target_token()
    tokens = counts.target_tokens * contest.accumulation / counts.batches  # of an update
    work = {
        f"{part} {way}": tokens * getattr(flops, part) * share
        for part in ("encoder", "decoder", "output")
        for way, share in (("forward", 1 / 3), ("backward", 2 / 3))
    }
    seconds = {part: taken.seconds[part] / taken.updates for part in PARTS}
    return {
        "updates": taken.updates,
        "ms": {part: 1e3 * each for part, each in seconds.items()},
        "gflops": {part: each / seconds[part] / 1e9 for part, each in work.items() if seconds[part] > 0},
        "sum_to_whole": taken.total / contest.parts_whole,
    }


def _processor() -> str:
    """The processor's name, where the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "cpu")
    except OSError:
        return platform.processor() or platform.machine()
