"""The page: a table per corpus, with what somebody else needs to get the same figures."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from tools.compare_cells.budget import Budget
from tools.compare_cells.results import Outcome, Speeds

HEADER = (
    "| cell | parameters | target tokens/s | BLEU | chrF | validation loss |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: |"
)

_INTRODUCTION = """\
# Recurrent cells compared

Every cell that `model.encoder.cell` and `model.decoder.cell` can name, trained under one budget: the recipe as it is
but for the cell and what is said below, the same number of updates of the same batches, the same seed.
`lstm-projected` has a projection of half the units. The recipes' settings were chosen for their LSTM, and the widths
are the same for all, so the numbers of parameters are not. The budget is short: the recipes themselves train for
longer, and reach more. One run each: a difference of a BLEU point or two may be the seed's. What the cells compute is
in [seq2seq/nn/cells](../seq2seq/nn/cells).

This page is written by `tools/compare_cells`; change that, not this.
"""

_GRADIENTS = """\
## Why there are gates

`python -m tools.gradient_flow` draws the norm of the gradient of a loss at the last step with respect to the state t
steps before, |dL/dh_t|, for untrained textbook cells over random inputs, a mean over 64 sequences. Every step back
multiplies by the transposed recurrent matrix and by the slope of the activation (Pascanu et al. 2013), so that the
norm falls or grows by about the same factor at every step. With tanh the slope is below 1 and the more so the more a
unit saturates: the spectral radius at which nothing is lost lies above 1. With relu about half of the units let
nothing pass, and it lies at about the root of 2. An LSTM or a GRU carries its state past the matrix; how much of it is
the gate's choice, and the gate's bias sets where that begins: with the forget gate open, a loss is felt 60 steps back.

![Gradient over the steps back, for four cells](figures/gradient-flow.svg)

Clipping the norm of the whole gradient, as `training.clipping.by: norm` does, changes the length of an update, not its
direction: every step keeps its share of it, so that an exploding recurrence learns from its distant steps alone, and
what has vanished stays vanished. Clipping at every step on the way back lets near and distant steps speak equally
loud, at the price of another direction; it does not bring back what has vanished either. The last panel is what the
clipping of the norm is for: gradient descent along a valley beside the wall that a recurrence makes of its loss (dark
is high; the valley is the light line). One step on the wall throws the plain descent far away, to where the slope is
next to nothing; the clipped one comes down in the valley again.

![What clipping changes](figures/gradient-clipping.svg)
"""


@dataclass(frozen=True)
class Circumstances:
    """Where, when and how the figures were made: one phrase each."""

    command: str
    machine: str
    day: str


def table(outcomes: Sequence[Outcome], speeds: Speeds | None) -> list[str]:
    """The rows of a corpus; a cell that was not trained says why."""
    rows = HEADER.split("\n")
    for outcome in outcomes:
        parameters = outcome.parameters or (speeds.parameters.get(outcome.cell) if speeds else None)
        size = "" if parameters is None else f"{parameters:,}"
        speed = f"{speeds.by_cell[outcome.cell][0]:,.0f}" if speeds and outcome.cell in speeds.by_cell else ""
        if outcome.status == "trained":
            scores = [
                f"{outcome.scores[metric][0]:.2f}" if metric in outcome.scores else "" for metric in ("bleu", "chrf")
            ]
            loss = "" if outcome.validation_loss is None else f"{outcome.validation_loss:.3f}"
            figures = [*scores, loss]
        else:
            figures = [outcome.status, "", ""]
        rows.append(f"| {' | '.join([outcome.cell, size, speed, *figures])} |")
    return rows


def section(budget: Budget, outcomes: Sequence[Outcome], speeds: Speeds | None, *, figures: bool) -> str:
    """A corpus: its budget, its table, the signatures, what went wrong, and the figures."""
    sides = budget.load("lstm").model
    batch = budget.load("lstm").training.batch
    lines = [
        f"## {budget.title}",
        "",
        _filled(
            f"`{budget.recipe.as_posix()}`: {sides.encoder.hidden_size} units in each direction of the encoder, "
            f"{sides.decoder.hidden_size} in the decoder; {budget.updates:,} updates of at most {batch:,} pieces, seed "
            f"{budget.seed}."
            + (
                " Changed for all cells: " + ", ".join(f"`{change}`" for change in budget.changes) + "."
                if budget.changes
                else ""
            )
        ),
        "",
        *table(outcomes, speeds),
        "",
    ]
    signatures = {metric: text for outcome in outcomes for metric, (_, text) in outcome.scores.items()}
    lines += [f"- {name}: `{signatures[metric]}`" for metric, name in _NAMES if metric in signatures]
    if speeds is not None:
        low, high = _spread(speeds)
        lines.append(
            _filled(
                f"- Speed: training with {speeds.threads} thread{'s' * (speeds.threads != 1)}, {speeds.precision}; "
                f"median of {speeds.rounds} rounds in which all cells take turns, {speeds.updates} updates each; a "
                f"round is {low:+.0%} to {high:+.0%} off its cell's median."
            )
        )
    seconds = [outcome.seconds for outcome in outcomes if outcome.seconds]
    if seconds:
        lines.append(
            f"- Time of a training, one thread beside another training: {min(seconds):,.0f} to {max(seconds):,.0f} s; "
            f"{sum(seconds) / 60:,.1f} minutes in all."
        )
    lines += [_filled(f"- {each.cell} {each.status}: {each.reason}") for each in outcomes if each.status != "trained"]
    if figures:
        lines += [
            "",
            f"![BLEU, speed and size of every cell](figures/cells-{budget.name}.svg)",
            "",
            f"![BLEU against speed and against size](figures/cells-{budget.name}-trade.svg)",
        ]
    return "\n".join(lines) + "\n"


def page(sections: Sequence[str], circumstances: Circumstances, *, gradients: bool) -> str:
    """The whole of `docs/cells.md`."""
    how = _filled(
        f"Machine: {circumstances.machine}. {circumstances.day}. The times below include validation, and reading and "
        "encoding the corpus. Command:"
    )
    how += f"\n\n```\n{circumstances.command}\n```\n"
    return "\n".join([_INTRODUCTION, how, *sections, *([_GRADIENTS] if gradients else [])]).rstrip() + "\n"


def _filled(text: str) -> str:
    """A paragraph or an item of a list in lines of at most 120 characters."""
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


_NAMES = (("bleu", "BLEU"), ("chrf", "chrF"))


def _spread(speeds: Speeds) -> tuple[float, float]:
    """The largest deviations of a round from its cell's median, down and up."""
    pairs = [figures for figures in speeds.by_cell.values() if figures[0] > 0.0 and math.isfinite(figures[0])]
    down = min((low / median - 1.0 for median, low, _ in pairs), default=0.0)
    up = max((high / median - 1.0 for median, _, high in pairs), default=0.0)
    return down, up
