"""A comparison as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.comparison.systems import Comparison
from seq2seq.errors import UsageError
from seq2seq.evaluation import Breakdown, Score
from seq2seq.plots.comparison import BucketPanel, Estimate, ScorePanel, SystemsOnText, draw_comparison
from seq2seq.plots.figure import FORMATS, encoded, look, require_matplotlib
from seq2seq.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_KINDS = {"length": "lines", "group": "points", "frequency": "bars"}
#: Of words, F1 is drawn; its parts are in the tables.
_DRAWN = "F1"


def check_figure(path: Path) -> None:
    """Raise UsageError unless a figure can be made, of a kind that the ending of `path` names."""
    if path.suffix.lower().removeprefix(".") not in FORMATS:
        raise UsageError(f"the figure {path} has no known ending; name it .{', .'.join(FORMATS)}")
    require_matplotlib()


def plot_comparisons(comparisons: Sequence[Comparison], path: Path) -> None:
    """Draw comparisons, one below the other, into a PNG, SVG or PDF, as the ending of `path` says.

    Raises:
        UsageError: the file has another ending, or matplotlib is missing.
        Seq2SeqError: the file cannot be written.
    """
    check_figure(path)
    with look():
        content = encoded(comparison_figure(comparisons), path.suffix.lower().removeprefix("."))
    write_atomically(path, content)


def comparison_figure(comparisons: Sequence[Comparison]) -> Figure:
    """The figure: for every text the scores of all systems with confidence, then the breakdowns."""
    return draw_comparison([_drawn(comparison) for comparison in comparisons])


def _drawn(comparison: Comparison) -> SystemsOnText:
    systems = comparison.systems
    metrics = [score.name for score in systems[0].scores]
    sure = any(score.half_width is not None for score in systems[0].scores)
    return SystemsOnText(
        title=f"{comparison.name}: {comparison.sentences:,} sentence{'s' * (comparison.sentences != 1)}"
        + (", with 95 % confidence intervals" if sure else ""),
        systems=[system.name for system in systems],
        scores=[
            ScorePanel(_measure(metric), [_estimate(system.scores[place]) for system in systems])
            for place, metric in enumerate(metrics)
        ],
        breakdowns=[_panels(breakdown) for breakdown in comparison.breakdowns],
    )


def _panels(breakdown: Breakdown) -> list[BucketPanel]:
    counted = f"{breakdown.counted} of the references" if breakdown.kind == "frequency" else breakdown.counted
    return [
        BucketPanel(
            measure=f"{_measure(measure)} by {breakdown.kind}",
            axis=f"{breakdown.title}; below, {counted}",
            buckets=list(zip(breakdown.buckets, breakdown.counts, strict=True)),
            estimates=[
                [_estimate(score) if (score := scores[place]) is not None else None for scores in of_system]
                for of_system in breakdown.scores.values()
            ],
            kind=_KINDS[breakdown.kind],
        )
        for place, measure in enumerate(breakdown.measures)
        if breakdown.kind != "frequency" or measure == _DRAWN
    ]


def _measure(name: str) -> str:
    return f"{name} (lower is better)" if name == "TER" else name


def _estimate(score: Score) -> Estimate:
    p_value = "" if score.p_value is None else f" (p = {score.p_value:.4f})"
    return Estimate(score.value, score.half_width, p_value)
