"""The curves of a training: loss, quality, learning rate and gradient norm over its updates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy
from numpy.typing import NDArray

from seq2seq.plots.figure import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, RED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Points of a line; where there are more, neighbours become their mean, in a band from their least to their largest.
MOST_POINTS = 500
#: Validations up to which each has a dot of its own.
_MOST_DOTS = 60
#: Epochs that are written along the top, at most.
_MOST_EPOCHS = 10


@dataclass(frozen=True)
class Line:
    """Values over updates, in their order; a value that is no number leaves a gap."""

    updates: Sequence[float] = ()
    values: Sequence[float] = ()


@dataclass(frozen=True)
class Curves:
    """What is drawn of a training.

    Attributes:
        title: one line above it all.
        loss: cross-entropy of the training batches, nats per piece, with dropout and without label smoothing.
        objective: what was minimized, where that is something else; else without points.
        validation_loss: cross-entropy of the validation corpus, nats per piece.
        bleu, chrf: of its translations, percent.
        learning_rate: of the updates.
        gradient_norm: before clipping.
        clipping: the norm from which on gradients are clipped, None without.
        epochs: ends of epochs: updates, and the epochs that were done then.
        metric, best: which figure decides (loss, bleu or chrf) and the update at which it was best, None before any.
        resumed: updates after which the run was interrupted and continued.
        skipped: updates that were left out because their gradient was no number, or near them.
        rolled_back: updates after which the run went back to earlier weights.
    """

    title: str
    loss: Line
    objective: Line
    validation_loss: Line
    bleu: Line
    chrf: Line
    learning_rate: Line
    gradient_norm: Line
    clipping: float | None = None
    epochs: Line = Line()
    metric: str = "bleu"
    best: float | None = None
    resumed: Sequence[float] = ()
    skipped: Sequence[float] = ()
    rolled_back: Sequence[float] = ()


@dataclass(frozen=True)
class Thinned:
    """A line of few points: means over neighbours, and the least and the largest of them."""

    updates: NDArray[numpy.float64]
    means: NDArray[numpy.float64]
    least: NDArray[numpy.float64]
    largest: NDArray[numpy.float64]


def thinned(line: Line, *, most: int = MOST_POINTS) -> Thinned:
    """A line in at most `most` points, each of as many neighbours; infinite values count as missing ones."""
    updates = numpy.asarray(line.updates, dtype=numpy.float64)
    values = numpy.asarray(line.values, dtype=numpy.float64)
    values = numpy.where(numpy.isfinite(values), values, numpy.nan)
    if len(updates) <= most:
        return Thinned(updates, values, values, values)
    size = -(-len(updates) // most)
    groups = range(0, len(updates), size)
    rows = [values[start : start + size] for start in groups]
    rows = [row[numpy.isfinite(row)] if numpy.isfinite(row).any() else row[:1] for row in rows]
    return Thinned(
        numpy.array([updates[start : start + size].mean() for start in groups]),
        numpy.array([row.mean() for row in rows]),
        numpy.array([row.min() for row in rows]),
        numpy.array([row.max() for row in rows]),
    )


def draw_curves(curves: Curves) -> Figure:
    """Four panels over one axis of updates, epochs along the top, the best validation marked."""
    figure = new_figure(12.0, 7.6, tight=True)
    panels = figure.subplots(
        2, 2, sharex=True,
        gridspec_kw={"left": 0.062, "right": 0.985, "top": 0.865, "bottom": 0.075, "hspace": 0.22, "wspace": 0.14},
    )  # fmt: skip
    losses, quality, rates, norms = panels.flat
    _draw_losses(losses, curves)
    _draw_quality(quality, curves)
    _line(rates, curves.learning_rate, PURPLE, "learning rate")
    _heading(rates, "learning rate")
    rates.set_ylim(bottom=0.0)
    rates.yaxis.set_major_formatter("{x:g}")
    _draw_norms(norms, curves)
    last = max((max(line.updates, default=0.0) for line in (curves.learning_rate, curves.validation_loss)), default=0.0)
    losses.set_xlim(0.0, 1.02 * max(last, 1.0))
    for axes in (losses, quality):
        _epoch_axis(axes, curves.epochs)
    for axes in (rates, norms):
        axes.set_xlabel("updates")
        axes.xaxis.set_major_formatter(_updates(last))
    for axes in panels.flat:
        axes.grid(True)
        for update in curves.resumed:
            axes.axvline(update, color=GREY, lw=0.9, ls=(0, (4, 3)), alpha=0.7, zorder=0.5)
        for update in curves.rolled_back:
            axes.axvline(update, color=RED, lw=1.1, zorder=0.6)
    _events_legend(figure, curves)
    figure.suptitle(curves.title.replace("$", r"\$"), x=0.062, y=0.975, ha="left", size=12.5, weight="bold")
    return figure


def _draw_losses(axes: Axes, curves: Curves) -> None:
    objective = thinned(curves.objective)
    if len(objective.updates):
        dot = "o" if len(objective.updates) == 1 else None
        axes.plot(
            objective.updates, objective.means, color=BLUE, lw=1.0, alpha=0.35, marker=dot, ms=4,
            label="training, as minimized",
        )  # fmt: skip
    _line(axes, curves.loss, BLUE, "training, with dropout")
    _validations(axes, curves.validation_loss, ORANGE, "validation")
    _heading(axes, "loss, nats per piece")
    _mark_best(axes, curves, curves.validation_loss, "loss", "{:.3f}")
    _legend(axes, "upper right")


def _draw_quality(axes: Axes, curves: Curves) -> None:
    _validations(axes, curves.chrf, GREEN, "chrF")
    _validations(axes, curves.bleu, ORANGE, "BLEU")
    _heading(axes, "quality of validation translations, percent")
    values = [value for line in (curves.bleu, curves.chrf) for value in line.values if math.isfinite(value)]
    axes.set_ylim(0.0, 1.08 * max([1.0, *values]))
    _mark_best(axes, curves, curves.chrf, "chrf", "{:.2f}")
    _mark_best(axes, curves, curves.bleu, "bleu", "{:.2f}")
    _legend(axes, "lower right")


def _draw_norms(axes: Axes, curves: Curves) -> None:
    _line(axes, curves.gradient_norm, BLUE, "mean")
    values = [value for value in curves.gradient_norm.values if math.isfinite(value) and value > 0.0]
    if values:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
    if curves.clipping is not None:
        axes.axhline(curves.clipping, color=GREY, lw=1.0, ls=":", label=f"clipped to {curves.clipping:g}")
        _legend(axes, "upper right")
    if curves.skipped:
        # A rug along the bottom, in heights of the axes.
        axes.plot(
            curves.skipped, [0.03] * len(curves.skipped), "|", color=RED, ms=9, mew=1.4, clip_on=False,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    _heading(axes, "gradient norm, before clipping")


def _heading(axes: Axes, text: str) -> None:
    # As high as the epochs need it. Told where, matplotlib does not look for room, which takes it longer than the rest.
    axes.set_title(text, size=10.5, weight="normal", color="#444444", y=1.085, pad=0)


def _legend(axes: Axes, place: Literal["upper right", "lower right"]) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc=place, fontsize=9, frameon=True, edgecolor="none", framealpha=0.8)


def _updates(last: float) -> str | Callable[[float, int], str]:
    """How updates are written along an axis that ends at `last`."""
    return "{x:,.0f}" if last < 100_000 else lambda update, _: f"{update / 1000:,.0f}k"


def _line(axes: Axes, line: Line, colour: str, label: str) -> None:
    """A line of training records, with the spread of those that share a point."""
    points = thinned(line)
    if not len(points.updates):
        return
    lonely = len(points.updates) == 1
    axes.plot(points.updates, points.means, color=colour, lw=1.5, marker="o" if lonely else None, ms=4, label=label)
    if len(points.updates) < len(line.updates):
        axes.fill_between(points.updates, points.least, points.largest, color=colour, alpha=0.16, lw=0.0)


def _validations(axes: Axes, line: Line, colour: str, label: str) -> None:
    points = thinned(line)
    if len(points.updates):
        dots = len(points.updates) <= _MOST_DOTS
        axes.plot(points.updates, points.means, color=colour, lw=1.6, marker="o" if dots else None, ms=3.4, label=label)


def _mark_best(axes: Axes, curves: Curves, line: Line, metric: str, form: str) -> None:
    """A star on the line at the best validation; with the value, if the line is of the metric that decides."""
    if curves.best is None or curves.best not in line.updates:
        return
    value = line.values[list(line.updates).index(curves.best)]
    if not math.isfinite(value):
        return
    label, size = None, 8
    if metric == curves.metric:
        label, size = f"best: {form.format(value)} after {curves.best:,.0f} updates", 14
    axes.plot([curves.best], [value], "*", color=BLACK, ms=size, zorder=5, mec="white", mew=0.6, label=label)


def _epoch_axis(axes: Axes, epochs: Line) -> None:
    """Ends of epochs along the top; nothing before the first one ends."""
    if not epochs.updates:
        return
    known = numpy.array([0.0, *epochs.updates]), numpy.array([0.0, *epochs.values])
    done = int(known[1][-1])
    step = next(size * 10**power for power in range(9) for size in (1, 2, 5) if done <= _MOST_EPOCHS * size * 10**power)
    ticks = list(range(step, done + 1, step))
    places = [float(numpy.interp(tick, known[1], known[0])) for tick in ticks]
    top = axes.get_xaxis_transform()
    axes.plot(places, [1.0] * len(places), "|", color="#777777", ms=6, clip_on=False, transform=top)
    for place, tick in zip(places, ticks, strict=True):
        axes.text(place, 1.028, str(tick), size=8.5, color="#777777", ha="center", transform=top)
    axes.text(1.0, 1.085, "epochs", size=8.5, color="#777777", ha="right", transform=axes.transAxes)


def _events_legend(figure: Figure, curves: Curves) -> None:
    """What the marks across the panels are, above the panels to the right."""
    from matplotlib.lines import Line2D

    handles = []
    if curves.resumed:
        handles.append(Line2D([], [], color=GREY, lw=0.9, ls=(0, (4, 3)), label="continued"))
    if curves.rolled_back:
        handles.append(Line2D([], [], color=RED, lw=1.1, label="went back to earlier weights"))
    if curves.skipped:
        handles.append(Line2D([], [], color=RED, ls="", marker="|", ms=9, mew=1.4, label="updates skipped"))
    if handles:
        figure.legend(handles=handles, loc="upper right", ncols=3, fontsize=9, bbox_to_anchor=(0.99, 0.998))
