"""A comparison as tables: aligned for a terminal, or in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seq2seq.comparison.systems import Comparison
from seq2seq.evaluation import Breakdown, PartScores, Score
from seq2seq.tables import WIDTH, Table

#: Differences that are significant have a star.
LEVEL = 0.05
_TESTS = {"bootstrap": "paired bootstrap resampling", "randomization": "paired approximate randomization"}
_NOTHING = "-"


def comparison_lines(comparison: Comparison) -> list[str]:
    """The report for a terminal: systems with their scores, how they were computed, and the breakdowns."""
    lines = [
        f"{comparison.name}: {_heading(comparison)}:",
        *_indented(_table_of_systems(comparison).lines(width=WIDTH - 2)),
        "",
    ]
    lines += _indented(_notes(comparison))
    return [*lines, *breakdown_lines(comparison.breakdowns)]


def breakdown_lines(breakdowns: Iterable[Breakdown]) -> list[str]:
    """The breakdowns for a terminal: a table for every measure, after an empty line each."""
    lines: list[str] = []
    for breakdown in breakdowns:
        for heading, table in _tables_of(breakdown):
            lines += ["", f"{heading}:", *_indented(table.lines(width=WIDTH - 2))]
    return lines


def comparison_markdown(comparison: Comparison) -> list[str]:
    """The report in Markdown."""
    lines = [f"## {comparison.name}", "", f"{_heading(comparison)}.", "", *_table_of_systems(comparison).markdown()]
    lines += ["", *(f"- {note}" for note in _notes(comparison, code="`"))]
    for breakdown in comparison.breakdowns:
        for heading, table in _tables_of(breakdown):
            lines += ["", f"### {heading}", "", *table.markdown()]
    return lines


def _heading(comparison: Comparison) -> str:
    count = f"{comparison.sentences} sentence{'s' * (comparison.sentences != 1)}"
    took = "" if comparison.seconds is None else f" in {comparison.seconds:.1f} s"
    if comparison.test is None:
        return f"{count}{took}"
    return f"{count}{took}, {len(comparison.systems)} systems, by {_TESTS[comparison.test]}"


def _table_of_systems(comparison: Comparison) -> Table:
    baseline = comparison.systems[0]
    alone = comparison.test is None
    heads = ["system"]
    for score in baseline.scores:
        heads += [score.name] if alone else [score.name, "Δ", "p "]
    rows = []
    for system in comparison.systems:
        row = [system.name]
        for score, of_baseline in zip(system.scores, baseline.scores, strict=True):
            row.append(_figure(score))
            if not alone:
                row += ["", ""] if system is baseline else [_difference(score, of_baseline), _p_value(score)]
        rows.append(row)
    return Table(heads, rows, together=1 if alone else 3)


def _tables_of(breakdown: Breakdown) -> Iterator[tuple[str, Table]]:
    """A table for every measure: buckets down, systems across."""
    for place, measure in enumerate(breakdown.measures):
        rows = [
            [name, str(count), *(_figure(scores[bucket][place]) for scores in breakdown.scores.values())]
            for bucket, (name, count) in enumerate(zip(breakdown.buckets, breakdown.counts, strict=True))
        ]
        heads = [breakdown.label, breakdown.counted, *breakdown.scores]
        yield f"{measure} by {breakdown.title}", Table(heads, rows, fixed=2)


def _notes(comparison: Comparison, *, code: str = "") -> list[str]:
    """What the figures are: signs, and the signature of every metric."""
    baseline: PartScores = comparison.systems[0]
    notes = []
    if any(score.half_width is not None for score in baseline.scores):
        notes.append("± is half the width of the 95 % confidence interval.")
    if comparison.test is not None:
        notes.append(f"Δ and p are against {baseline.name}; * marks p < {LEVEL}.")
    if any(score.metric == "ter" for score in baseline.scores):
        notes.append("TER is better when it is lower.")
    return [*notes, *(f"{score.name}: {code}{score.signature}{code}" for score in baseline.scores)]


def _figure(score: Score | None) -> str:
    if score is None:
        return _NOTHING
    return f"{score.value:.2f}" + ("" if score.half_width is None else f" ± {score.half_width:.2f}")


def _difference(score: Score, baseline: Score) -> str:
    return f"{score.value - baseline.value:+.2f}"


def _p_value(score: Score) -> str:
    if score.p_value is None:
        return _NOTHING
    return f"{score.p_value:.4f}{'*' if score.p_value < LEVEL else ' '}"


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" if line else "" for line in lines]
