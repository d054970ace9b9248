"""Tables of the figures, for people and for a page of documentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.benchmark_training.figures import Figures
from tools.benchmark_training.parts import PARTS


def report(figures: Figures, *, markdown: bool) -> str:
    """What was measured, as text of several lines."""
    table = _markdown if markdown else _aligned
    settings = figures["settings"]
    where, of_setting = figures["environment"], figures["memory_of"] == "setting"
    lines = [
        f"{where['device']}, {where['threads']} threads, torch {where['torch']}; "
        f"{figures['rounds']} rounds of {figures['updates']} updates; medians and ranges",
        "",
    ]
    for setting in settings:
        batch, work = setting["batch"], setting["mflop_per_pair"]
        lines.append(
            f"{setting['name']}: {setting['parameters']:,} parameters, {setting['precision']}; batches of "
            f"{batch['pairs']:.0f} pairs, {batch['source_columns']:.1f} by {batch['target_columns']:.1f} pieces, "
            f"{batch['target_tokens']:,.0f} target tokens, {batch['padding_share']:.1%} padding"
            + (f", {batch['batches_per_update']} an update" if batch["batches_per_update"] > 1 else "")
            + f"; {work['total']:.1f} MFLOP per target and source token (encoder {work['encoder']:.1f}, decoder "
            f"{work['decoder']:.1f}, output {work['output']:.1f})"
        )
    lines += ["", *table(_speeds(settings, with_memory=of_setting)), ""]
    if not of_setting:
        memory = max(setting["peak_memory_gib"] for setting in settings)
        lines += [f"memory of the process: {memory:.2f} GiB at most", ""]
    for ratio in figures["ratios"]:
        lines.append(
            f"{ratio['setting']} / {ratio['against']}: {ratio['median']:.3f} ({ratio['min']:.3f} to {ratio['max']:.3f})"
        )
    if figures["ratios"]:
        lines.append("")
    lines += table(_peaks(figures))
    lines += [f"left out: {peak}" for peak in figures["peaks_left_out"]]
    for setting in settings:
        if setting["parts"] is not None:
            lines += ["", *_parts(setting, table)]
    return "\n".join(lines) + "\n"


def _speeds(settings: Sequence[Figures], *, with_memory: bool) -> list[list[str]]:
    rows = [
        [
            "setting",
            "target tokens/s",
            "source+target tokens/s",
            "ms/update",
            "ms/target position",
            "utilisation",
            "of the peak",
            *(["memory"] if with_memory else []),
        ]
    ]
    for setting in settings:
        rows.append(
            [
                setting["name"],
                _range(setting["target_tokens_per_second"], ",.0f"),
                _range(setting["tokens_per_second"], ",.0f"),
                _range(setting["ms_per_update"], ",.1f"),
                _range(setting["ms_per_target_position"], ",.2f"),
                _range(setting["utilisation"], ".1%"),
                setting["utilisation_of"],
                *([f"{setting['peak_memory_gib']:.2f} GiB"] if with_memory else []),
            ]
        )
    return rows


def _peaks(figures: Figures) -> list[list[str]]:
    rows = [["peak", "GFLOP/s"]]
    return rows + [[name, _range(reading, ",.0f")] for name, reading in figures["peaks"].items()]


def _parts(setting: Figures, table: Any) -> list[str]:
    taken = setting["parts"]
    whole = sum(ms for part, ms in taken["ms"].items() if part != "data")
    rows = [[f"parts of {setting['name']}", "ms/update", "share", "GFLOP/s"]]
    for part in PARTS:
        rate = taken["gflops"].get(part)
        ms = taken["ms"][part]
        name = "waiting for data" if part == "data" else part
        rows.append([name, f"{ms:.1f}", f"{ms / whole:.1%}", "" if rate is None else f"{rate:,.0f}"])
    rows.append(["sum without data", f"{whole:.1f}", f"{taken['sum_to_whole']:.1%} of the whole updates", ""])
    return [*table(rows), f"making a batch: {setting['making_a_batch_ms']:.1f} ms, beside the training"]


def _range(values: Figures, form: str) -> str:
    return f"{values['median']:{form}} ({values['min']:{form}} to {values['max']:{form}})"


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = rows
    ruler = ["---"] + ["---:"] * (len(head) - 1)
    return ["| " + " | ".join(row) + " |" for row in (head, ruler, *body)]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
