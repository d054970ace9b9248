"""Systems side by side: scores with their confidence, over lengths of sentences, over frequencies of words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seq2seq.plots.figure import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import GridSpec

#: Of the systems, in order; the eighth has the first one's colour, but its own marker, and its bars are hatched.
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, BLACK, GREY)
_MARKERS = "os^DvPX*"
#: A panel has its share of the width, and at most so many stand side by side.
_PANEL_WIDTH, _MOST_COLUMNS = 5.2, 3
#: Inches of a panel with an axis of buckets, of a system in a panel of scores, and around them.
_BUCKETS_HEIGHT, _SYSTEM_HEIGHT, _MARGIN, _TITLE = 3.1, 0.32, 0.85, 0.75
#: Characters of a name that are written, and those that have room beside each other below a panel.
_MOST_CHARACTERS, _MOST_BESIDE = 32, 66


@dataclass(frozen=True)
class Estimate:
    """A score, half the width of its confidence interval, None where there is none, and what stands beside it."""

    value: float
    half_width: float | None = None
    note: str = ""


@dataclass(frozen=True)
class ScorePanel:
    """One metric: an estimate for every system."""

    metric: str
    estimates: Sequence[Estimate]


@dataclass(frozen=True)
class BucketPanel:
    """One measure in buckets.

    Attributes:
        measure: what is drawn.
        axis: what the buckets are of.
        buckets: names with how much there is in each, in order.
        estimates: `estimates[system][bucket]`, None where there is nothing to measure.
        kind: lines where buckets follow on each other, points where they are names, bars for shares of a whole.
    """

    measure: str
    axis: str
    buckets: Sequence[tuple[str, int]]
    estimates: Sequence[Sequence[Estimate | None]]
    kind: str = "lines"


@dataclass(frozen=True)
class SystemsOnText:
    """What is drawn of the systems on one text.

    Attributes:
        title: one line above it all.
        systems: their names.
        scores: panels of the first rows.
        breakdowns: panels of every row after those; bars have a row of their own.
    """

    title: str
    systems: Sequence[str]
    scores: Sequence[ScorePanel]
    breakdowns: Sequence[Sequence[BucketPanel]] = ()


def draw_comparison(texts: Sequence[SystemsOnText]) -> Figure:
    """One text below the other, each with its scores, then its breakdowns; colours and markers tell systems apart."""
    columns = max(_columns(text) for text in texts)
    heights = [_TITLE + sum(_row_heights(text)) for text in texts]
    figure = new_figure(max(7.0, _PANEL_WIDTH * columns), sum(heights))
    figure.set_layout_engine("constrained", hspace=0.04, wspace=0.04, h_pad=0.08)
    for part, text in zip(
        figure.subfigures(len(texts), 1, height_ratios=heights, squeeze=False).flat, texts, strict=True
    ):
        _draw_text(part, text)
    return figure


def _columns(text: SystemsOnText) -> int:
    return min(_MOST_COLUMNS, max(len(text.scores), *(len(row) for row in text.breakdowns), 1))


def _rows(text: SystemsOnText) -> list[list[ScorePanel | BucketPanel]]:
    """The panels, as many to a row as fit; every kind begins a row."""
    columns = _columns(text)
    kinds: list[Sequence[ScorePanel | BucketPanel]] = [text.scores, *text.breakdowns]
    return [list(panels[start : start + columns]) for panels in kinds for start in range(0, len(panels), columns)]


def _row_heights(text: SystemsOnText) -> list[float]:
    of_scores = _MARGIN + _SYSTEM_HEIGHT * (len(text.systems) + 1)
    return [of_scores if isinstance(row[0], ScorePanel) else _BUCKETS_HEIGHT for row in _rows(text)]


def _draw_text(part: SubFigure, text: SystemsOnText) -> None:
    part.suptitle(_plain(text.title), x=0.01, ha="left", size=12, weight="bold")
    rows, columns = _rows(text), _columns(text)
    grid: GridSpec = part.add_gridspec(len(rows), columns, height_ratios=_row_heights(text))
    names = [_shortened(name) for name in text.systems]
    for place, row in enumerate(rows):
        for column, panel in enumerate(row):
            # A panel alone in its row has all of it.
            axes = part.add_subplot(grid[place, :] if len(row) == 1 else grid[place, column])
            if isinstance(panel, ScorePanel):
                _draw_scores(axes, panel, names if column == 0 else [""] * len(names))
            else:
                _draw_buckets(axes, panel, room=_MOST_BESIDE * (columns if len(row) == 1 else 1))
    if len(names) > 1 and text.breakdowns:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], lw=2.5, ms=7, label=name, **_look_of(place)) for place, name in enumerate(names)]
        part.legend(handles=handles, loc="outside lower center", ncols=min(5, len(names)), fontsize=9.5)


def _draw_scores(axes: Axes, panel: ScorePanel, names: Sequence[str]) -> None:
    """Systems from top to bottom, each a point with its interval and its figure beside."""
    for place, estimate in enumerate(panel.estimates):
        axes.errorbar(
            [estimate.value], [place], xerr=estimate.half_width, ls="", capsize=3, elinewidth=1.6, ms=6,
            **_look_of(place),
        )  # fmt: skip
        axes.annotate(
            _plain(f"{estimate.value:.2f}{estimate.note}"), (estimate.value, place), xytext=(0, 6),
            textcoords="offset points", ha="center", size=8.5, color="#444444",
        )  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.75)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.22)  # room for the figures beside the outermost points
    axes.grid(axis="x")
    _heading(axes, panel.metric)


def _draw_buckets(axes: Axes, panel: BucketPanel, *, room: int) -> None:
    """Buckets from left to right, the systems side by side in each; `room` is for characters below."""
    systems = len(panel.estimates)
    for system, estimates in enumerate(panel.estimates):
        # Side by side within a bucket: intervals that lie over one another cannot be told apart.
        width = 0.8 / systems if panel.kind == "bars" else min(0.12, 0.6 / systems)
        places = [bucket + (system - (systems - 1) / 2) * width for bucket in range(len(estimates))]
        known = [(place, estimate) for place, estimate in zip(places, estimates, strict=True) if estimate is not None]
        xs, values = [place for place, _ in known], [estimate.value for _, estimate in known]
        errors = [math.nan if estimate.half_width is None else estimate.half_width for _, estimate in known]
        if panel.kind == "bars":
            axes.bar(
                xs, values, width * 0.92, yerr=errors, color=_look_of(system)["color"],
                hatch=None if system < len(_COLOURS) else "///", edgecolor="white", linewidth=0.0,
                error_kw={"elinewidth": 1.0, "capsize": 2, "ecolor": "#444444"},
            )  # fmt: skip
        else:
            axes.errorbar(
                xs, values, yerr=errors, ls="-" if panel.kind == "lines" else "", lw=1.5,
                elinewidth=1.0, capsize=2, ms=5, **_look_of(system),
            )  # fmt: skip
    labels = [f"{_shortened(name)}\n{count:,}" for name, count in panel.buckets]
    crowded = len(labels) * (2 + max(map(len, "\n".join(labels).split("\n")), default=0)) > room
    slant: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    axes.set_xticks(range(len(labels)), labels, **slant)
    axes.set_xlim(-0.5, len(panel.buckets) - 0.5)
    axes.tick_params(axis="x", length=0, labelsize=8.5)
    axes.set_xlabel(panel.axis, size=9, color="#666666")
    axes.margins(y=0.08)
    if panel.kind == "bars":
        axes.set_ylim(bottom=0.0)
    axes.grid(axis="y")
    _heading(axes, panel.measure)


def _look_of(system: int) -> dict[str, Any]:
    return {"color": _COLOURS[system % len(_COLOURS)], "marker": _MARKERS[system % len(_MARKERS)]}


def _heading(axes: Axes, text: str) -> None:
    axes.set_title(_plain(text), size=10.5, weight="normal", color="#444444")


def _shortened(name: str) -> str:
    """A name that has room, its middle left out if need be."""
    half = _MOST_CHARACTERS // 2
    return _plain(name if len(name) <= _MOST_CHARACTERS else f"{name[: half - 1]}…{name[-half:]}")


def _plain(text: str) -> str:
    """Text in which a dollar sign is one, not the beginning of a formula."""
    return text.replace("$", r"\$")
