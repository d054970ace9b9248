"""What was measured, as plain data and as tables."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import torch

from tools.benchmark_gpu.timing import Row
from tools.benchmark_training.peaks import Peaks

#: Characters of a kernel's name that a table has room for.
_KERNEL = 44


def figures(rows: Sequence[Row], peaks: Peaks, *, command: str) -> dict[str, Any]:
    """Everything, for a JSON file."""
    cuda = peaks.peaks[0].device.type == "cuda"
    return {
        "command": command,
        "device": torch.cuda.get_device_name(peaks.peaks[0].device) if cuda else platform.machine(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "peaks": {peak.name: max(peak.readings) * 1e9 for peak in peaks.peaks},
        "rows": [_figures_of(row, peaks) for row in rows],
    }


def _figures_of(row: Row, peaks: Peaks) -> dict[str, Any]:
    found: dict[str, Any] = {"table": row.case.table, "unit": row.case.unit, **row.case.labels}
    if row.failure or not row.seconds:
        return found | {"failure": row.failure or "not measured"}
    readings = [max(peak.readings) for peak in peaks.peaks if peak.dtype is row.case.dtype]
    return found | {
        "tokens_per_second": row.tokens_per_second,
        "spread": row.spread,
        "utilisation": row.utilisation(max(readings) * 1e9) if readings else None,
        "memory_gib": row.memory_gib,
        "longest_kernel": row.kernel,
        "notes": row.notes,
    }


def tables(measured: dict[str, Any]) -> str:
    """The figures as Markdown."""
    cudnn = measured["cudnn"]
    lines = [
        f"{measured['device']}, torch {measured['torch']}, CUDA {measured['cuda']}, cuDNN {cudnn}",
        "",
        f"`{measured['command']}`",
        "",
        *_table([["peak", "TFLOP/s"], *([name, f"{rate / 1e12:.1f}"] for name, rate in measured["peaks"].items())]),
    ]
    for name, group in groupby(measured["rows"], key=lambda row: row["table"]):
        lines += ["", f"{name}:", "", *_table(_rows(list(group)))]
    return "\n".join(lines) + "\n"


_FIGURES = (
    "table",
    "unit",
    "failure",
    "tokens_per_second",
    "spread",
    "utilisation",
    "memory_gib",
    "longest_kernel",
    "notes",
)


def _rows(found: Sequence[dict[str, Any]]) -> list[list[str]]:
    labels = [key for key in found[0] if key not in _FIGURES]
    rows = [[*labels, found[0]["unit"], "range", "utilisation", "memory GiB", "longest kernel", "notes"]]
    for row in found:
        named = [row[label] for label in labels]
        if "failure" in row:
            rows.append([*named, "", "", "", "", "", row["failure"]])
            continue
        share = row["utilisation"]
        rows.append(
            [
                *named,
                f"{row['tokens_per_second']:,.0f}",
                f"{row['spread']:.1%}",
                "" if share is None else f"{share:.1%}",
                f"{row['memory_gib']:.1f}",
                row["longest_kernel"][:_KERNEL],
                "; ".join(row["notes"]),
            ]
        )
    return rows


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = rows
    clean = [[cell.replace("|", "/") for cell in row] for row in body]
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *clean)]
