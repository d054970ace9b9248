"""The figure of a comparison: what is drawn, asked of the axes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from seq2seq.comparison import Comparison
from seq2seq.comparison.figure import check_figure, comparison_figure, plot_comparisons
from seq2seq.errors import UsageError
from seq2seq.plots.figure import encoded, look
from tests.comparison.reported import COMPARISON, GROUPS, LENGTHS, WORDS, score


def panels_of(*comparisons: Comparison) -> tuple[Any, dict[str, Any]]:
    with look():
        figure = comparison_figure(comparisons)
    return figure, {axes.get_title(loc="left"): axes for axes in figure.axes}


def points(axes: Any) -> list[list[tuple[float, float]]]:
    """The points of every system in a panel, without the ends of its intervals."""
    return [[tuple(xy) for xy in container.lines[0].get_xydata().tolist()] for container in axes.containers]


def intervals(axes: Any) -> list[list[list[list[float]]]]:
    """From where to where the interval of every point of every system goes."""
    return [[path.tolist() for path in container.lines[2][0].get_segments()] for container in axes.containers]


def test_scores_with_their_intervals() -> None:
    _, panels = panels_of(COMPARISON)
    bleu = panels["BLEU"]
    assert points(bleu) == [[(58.0, 0.0)], [(59.5, 1.0)]]
    assert intervals(bleu) == [[[[56.5, 0.0], [59.5, 0.0]]], [[[58.25, 1.0], [60.75, 1.0]]]]
    assert [label.get_text() for label in bleu.get_yticklabels()] == ["old", "new"]
    assert bleu.get_ylim()[0] > bleu.get_ylim()[1]  # the first system is on top
    assert [text.get_text() for text in bleu.texts] == ["58.00", "59.50 (p = 0.0123)"]
    assert "TER (lower is better)" in panels


def test_breakdowns() -> None:
    _, panels = panels_of(COMPARISON)
    assert set(panels) == {
        "BLEU", "TER (lower is better)", "BLEU by length", "TER (lower is better) by length", "F1 by frequency"
    }  # fmt: skip
    lengths = panels["BLEU by length"]
    assert [[y for _, y in line] for line in points(lengths)] == [[61.25, 57.5], [60.0, 59.0]]
    assert [[round(x, 2) for x, _ in line] for line in points(lengths)] == [[-0.06, 0.94], [0.06, 1.06]]
    assert [[ends[0][1], ends[1][1]] for ends in intervals(lengths)[1]] == [[58.5, 61.5], [57.5, 60.5]]
    assert [label.get_text() for label in lengths.get_xticklabels()] == ["1-5\n40", "6+\n960"]
    words = panels["F1 by frequency"]
    assert [[bar.get_height() for bar in bars] for bars in words.containers if len(bars) == 2] == [[0, 80], [10, 81]]
    assert words.get_ylim()[0] == 0.0
    assert words.get_xlabel() == "frequency of words in train.fr; below, words of the references"
    assert [label.get_text() for label in words.get_xticklabels()] == ["0\n12", "1+\n12,345"]


def test_systems_are_told_apart_by_colour_and_marker() -> None:
    figure, panels = panels_of(replace(COMPARISON, breakdowns=(GROUPS,)))
    lines = [container.lines[0] for container in panels["BLEU by group"].containers]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 2
    assert {line.get_linestyle() for line in lines} == {"None"}  # groups do not follow on each other
    (legend,) = figure.subfigs[0].legends
    assert [text.get_text() for text in legend.get_texts()] == ["old", "new"]
    assert [(line.get_color(), line.get_marker()) for line in legend.legend_handles] == [
        (line.get_color(), line.get_marker()) for line in lines
    ]


def many(systems: int, buckets: int) -> Comparison:
    """A comparison of so many systems, with lengths and groups in so many buckets."""
    names = ["a-system-with-a-name-that-goes-on-and-on/test_2016_flickr.fr", *map(str, range(1, systems))]
    part = COMPARISON.systems[1]
    shared: dict[str, Any] = {
        "counts": tuple(range(1000, 1000 + buckets)),
        "scores": {name: tuple((score("BLEU", 50 + place),) for place in range(buckets)) for name in names},
    }
    groups = replace(GROUPS, buckets=tuple(f"the subject {place}" for place in range(buckets)), **shared)
    lengths = replace(LENGTHS, buckets=tuple(f"{place}1-{place}9" for place in range(buckets)), **shared)
    return replace(
        COMPARISON,
        systems=tuple(replace(part, name=name) for name in names),
        breakdowns=(groups, replace(lengths, measures=("BLEU",)), WORDS),
    )


@pytest.mark.parametrize(("systems", "buckets"), [(2, 3), (9, 12)])
def test_labels_do_not_lie_over_each_other(systems: int, buckets: int) -> None:
    comparison = many(systems, buckets)
    figure, panels = panels_of(comparison)
    with look():
        encoded(figure, "png")  # which lays it out
    assert panels["BLEU"].get_yticklabels()[0].get_text() == "a-system-with-a…t_2016_flickr.fr"
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert not any(one.overlaps(two) for place, one in enumerate(boxes) for two in boxes[:place])
    for axes in figure.axes:
        texts = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_rotation() == 0]
        assert not any(one.overlaps(two) for one, two in pairwise(texts))
    slanted = {title: axes.get_xticklabels()[0].get_rotation() != 0 for title, axes in panels.items()}
    assert (slanted["BLEU by group"], slanted["BLEU by length"]) == (buckets == 12, False)


def test_several_texts_stand_below_each_other() -> None:
    other = replace(COMPARISON, name="cost: $5", systems=COMPARISON.systems[:1], test=None, breakdowns=())
    figure, _ = panels_of(COMPARISON, other)
    titles = [part.get_suptitle() for part in figure.subfigs]
    assert titles == [
        "test.fr: 1,000 sentences, with 95 % confidence intervals",
        "cost: \\$5: 1,000 sentences, with 95 % confidence intervals",
    ]


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_the_ending_says_the_kind(tmp_path: Path, ending: str, begins: bytes) -> None:
    path = tmp_path / f"systems.{ending}"
    plot_comparisons([COMPARISON], path)
    content = path.read_bytes()
    assert content.startswith(begins)
    with look():
        assert content == encoded(comparison_figure([COMPARISON]), ending.lower())
    plot_comparisons([COMPARISON], path)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_another_ending_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"the figure a\.jpeg has no known ending; name it \.png, \.svg, \.pdf"):
        check_figure(Path("a.jpeg"))
