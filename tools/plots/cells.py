"""Cells compared: bars of quality, speed and size, and quality against the other two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seq2seq.plots.figure import BLUE, GREEN, GREY, ORANGE, PURPLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FAMILIES = (
    ("Elman", ("elman",), GREY),
    ("LSTM", ("lstm",), BLUE),
    ("GRU", ("gru",), ORANGE),
    ("found by search", ("mut",), PURPLE),
    ("linear in the state", ("min", "sru"), GREEN),
)


@dataclass(frozen=True)
class Measured:
    """A cell's BLEU in percent, target tokens per second of training, and number of parameters."""

    cell: str
    bleu: float
    speed: float
    parameters: int


def family(cell: str) -> tuple[str, str]:
    """The family of a cell and its colour."""
    return next(
        ((name, colour) for name, beginnings, colour in _FAMILIES if cell.startswith(beginnings)), ("other", GREY)
    )


def draw_bars(measured: Sequence[Measured], *, title: str) -> Figure:
    """A row per cell, the best BLEU on top; BLEU, speed and size side by side."""
    ranked = sorted(measured, key=lambda each: each.bleu)
    figure = new_figure(10.5, 1.5 + 0.3 * len(ranked))
    panels = figure.subplots(1, 3, sharey=True)
    columns = (
        ("BLEU", [each.bleu for each in ranked], "{:.1f}"),
        ("target tokens/s in training", [each.speed for each in ranked], "{:,.0f}"),
        ("parameters, millions", [each.parameters / 1e6 for each in ranked], "{:.2f}"),
    )
    colours = [family(each.cell)[1] for each in ranked]
    for axes, (label, values, form) in zip(panels, columns, strict=True):
        bars = axes.barh(range(len(ranked)), values, color=colours, height=0.72)
        axes.bar_label(bars, [form.format(value) for value in values], padding=3, size=8.5, color="#444444")
        axes.set_title(label, size=10.5, weight="normal", color="#444444")
        axes.set_xlim(0, max([*values, 1e-9]) * 1.22)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(ranked)), [each.cell for each in ranked], size=10)
    _legend(figure, panels[0], ranked)
    figure.suptitle(title, size=13, weight="bold", x=0.01, ha="left")
    return figure


def draw_trade(measured: Sequence[Measured], *, title: str) -> Figure:
    """BLEU against speed and against size: up and to the right, or up and to the left, is better."""
    figure = new_figure(12.0, 6.2)
    left, right = figure.subplots(1, 2, sharey=True)
    _scatter(left, measured, [each.speed for each in measured], "target tokens/s in training")
    _scatter(right, measured, [each.parameters / 1e6 for each in measured], "parameters, millions")
    left.set_ylabel("BLEU")
    _legend(figure, left, measured)
    figure.suptitle(title, size=13, weight="bold", x=0.01, ha="left")
    return figure


def spread_labels(heights: Sequence[float], *, gap: float) -> list[float]:
    """Heights for labels at least `gap` apart, in the order of `heights`, whose mean stays as near as that allows.

    Neighbours that would overlap become a group around the mean of their own heights, and groups that meet are joined.
    """
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        while len(groups) > 1 and _bottom(groups[-1], heights, gap) < _top(groups[-2], heights, gap) + gap:
            last = groups.pop()
            groups[-1] += last
    placed = [0.0] * len(heights)
    for group in groups:
        for rank, index in enumerate(group):
            placed[index] = _bottom(group, heights, gap) + rank * gap
    return placed


def _bottom(group: Sequence[int], heights: Sequence[float], gap: float) -> float:
    return sum(heights[index] for index in group) / len(group) - gap * (len(group) - 1) / 2


def _top(group: Sequence[int], heights: Sequence[float], gap: float) -> float:
    return _bottom(group, heights, gap) + gap * (len(group) - 1)


def _scatter(axes: Axes, measured: Sequence[Measured], places: Sequence[float], label: str) -> None:
    """Points with their names in a column to the right, each tied to its point by a thin line."""
    scores = [each.bleu for each in measured]
    colours = [family(each.cell)[1] for each in measured]
    axes.scatter(places, scores, color=colours, s=52, zorder=3, edgecolors="white", linewidths=0.8)
    low, high = min(places), max(places)
    span = (high - low) or max(high, 1.0)
    bottom, top = min(scores), max(scores)
    height = (top - bottom) or 1.0
    heights = spread_labels(scores, gap=height * 0.045)
    column = high + 0.1 * span
    for each, place, score, text_height, colour in zip(measured, places, scores, heights, colours, strict=True):
        axes.plot([place, column], [score, text_height], color=colour, linewidth=0.6, alpha=0.45, zorder=1)
        axes.text(column + 0.012 * span, text_height, each.cell, color=colour, size=9, va="center")
    axes.set_xlim(low - 0.06 * span, high + 0.48 * span)
    margin = 0.05 * height
    axes.set_ylim(min(bottom, *heights) - margin, max(top, *heights) + margin)
    ticks = [tick for tick in axes.get_xticks() if low - 0.06 * span <= tick <= column]
    axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.grid(True, axis="y")
    axes.set_xlabel(label)


def _legend(figure: Figure, axes: Axes, measured: Sequence[Measured]) -> None:
    shown = dict(family(each.cell) for each in measured)
    handles = [
        axes.scatter([], [], color=colour, s=46, marker="s", label=name)
        for name, _, colour in _FAMILIES
        if name in shown
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9)
