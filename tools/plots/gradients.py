"""Gradients over the steps back through time, and gradient descent beside a cliff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy
from numpy.typing import NDArray

from seq2seq.plots.figure import BLACK, BLUE, GREEN, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: What is drawn of a norm: beyond, a curve leaves the picture.
LOWEST, HIGHEST = 1e-12, 1e8

Surface = tuple[NDArray[numpy.float64], NDArray[numpy.float64], NDArray[numpy.float64]]


@dataclass(frozen=True)
class Curve:
    """Norms by steps back, from 0 on."""

    label: str
    norms: Sequence[float]
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Curves in one pair of axes."""

    title: str
    curves: Sequence[Curve]


@dataclass(frozen=True)
class Descent:
    """The places (x, y) that an optimizer went through."""

    label: str
    path: Sequence[tuple[float, float]]


def draw_flow(panels: Sequence[Panel]) -> Figure:
    """One panel a cell, a colour for every setting, on one logarithmic scale."""
    import matplotlib

    figure = new_figure(14.0, 4.6)
    all_axes = figure.subplots(1, len(panels), sharey=True)
    for axes, panel in zip(all_axes, panels, strict=True):
        settings = sum(not curve.dashed for curve in panel.curves)
        colours = matplotlib.colormaps["plasma"](numpy.linspace(0.05, 0.82, settings))
        place = -1
        for curve in panel.curves:
            place += not curve.dashed
            axes.plot(curve.norms, color=colours[place], ls="--" if curve.dashed else "-", lw=1.9, label=curve.label)
        _scale(axes, panel.title)
    all_axes[0].set_ylabel("|dL/dh| t steps before the end, relative to the end")
    return figure


def draw_clipping(panels: Sequence[Panel], surface: Surface, descents: Sequence[Descent]) -> Figure:
    """The panels, and to their right the paths of descents on a surface, (x, y, values [y, x])."""
    figure = new_figure(14.0, 4.8)
    *left, right = figure.subplots(1, len(panels) + 1, width_ratios=[1.0] * len(panels) + [1.25])
    for axes, panel in zip(left, panels, strict=True):
        for curve, colour in zip(panel.curves, (BLACK, ORANGE, BLUE, GREEN), strict=False):
            axes.plot(curve.norms, color=colour, ls="--" if curve.dashed else "-", lw=2.1, label=curve.label, alpha=0.9)
        _scale(axes, panel.title)
    left[0].set_ylabel("|dL/dh| t steps before the end")
    _cliff(right, surface, descents)
    return figure


def _scale(axes: Axes, title: str) -> None:
    axes.axhline(1.0, color="#999999", lw=0.8, zorder=0)
    axes.set_yscale("log")
    axes.set_ylim(LOWEST, HIGHEST)
    axes.grid(True, axis="y")
    axes.set_title(title)
    axes.set_xlabel("steps back, t")
    axes.legend(loc="lower left", fontsize=8.5)


def _cliff(axes: Axes, surface: Surface, descents: Sequence[Descent]) -> None:
    x, y, values = surface
    # The root of the loss, so that the valley's floor shows as well as the wall.
    levels = numpy.linspace(0.0, 0.4, 21)
    ground = axes.contourf(x, y, numpy.sqrt(values), levels=levels, extend="max", cmap="Greys", antialiased=False)
    ground.set_rasterized(True)  # as outlines it would be most of the SVG
    for descent, colour in zip(descents, (BLACK, ORANGE), strict=False):
        places = numpy.array(descent.path)
        axes.plot(places[:, 0], places[:, 1], "o-", color=colour, ms=3.2, lw=1.2, label=descent.label)
    first = descents[0].path[0]
    axes.plot(*first, "o", color="white", mec=BLACK, ms=8, zorder=5)
    axes.annotate("start", first, xytext=(8, 2), textcoords="offset points", size=9)
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    axes.set_title("descent on a cliff: one unit, 30 steps")
    axes.set_xlabel("recurrent weight w")
    axes.set_ylabel("bias b")
    legend = axes.legend(loc="upper left", fontsize=9, frameon=True)
    legend.get_frame().set_alpha(0.9)
