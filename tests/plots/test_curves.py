"""The curves of a training: what is drawn, asked of the axes; thinning by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy
import pytest

from seq2seq.plots.curves import Curves, Line, draw_curves, thinned
from seq2seq.plots.figure import look, png

UPDATES = [10.0, 20.0, 30.0, 40.0]
CURVES = Curves(
    title="a run of $5",
    loss=Line(UPDATES, [4.0, 3.0, math.nan, 2.0]),
    objective=Line(),
    validation_loss=Line([20.0, 40.0], [3.5, 2.5]),
    bleu=Line([20.0, 40.0], [12.0, 11.0]),
    chrf=Line([20.0, 40.0], [30.0, 29.0]),
    learning_rate=Line(UPDATES, [0.001, 0.002, 0.002, 0.001]),
    gradient_norm=Line(UPDATES, [5.0, math.inf, 0.5, 0.4]),
    clipping=1.0,
    epochs=Line([15.0, 30.0], [1.0, 2.0]),
    metric="bleu",
    best=20.0,
    resumed=[25.0],
    skipped=[31.0, 32.0],
    rolled_back=[33.0],
)


def drawn(curves: Curves) -> tuple[Any, dict[str, Any]]:
    """The figure, and its axes by the first word of their titles."""
    with look():
        figure = draw_curves(curves)
    return figure, {axes.get_title(loc="left").split(",")[0].split()[0]: axes for axes in figure.axes}


def lines_of(axes: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in axes.lines}


def test_every_figure_is_where_it_belongs() -> None:
    _, panels = drawn(CURVES)
    assert set(panels) == {"loss", "quality", "learning", "gradient"}
    losses, quality = lines_of(panels["loss"]), lines_of(panels["quality"])
    numpy.testing.assert_array_equal(losses["training, with dropout"].get_xydata()[:2], [[10, 4], [20, 3]])
    numpy.testing.assert_array_equal(losses["validation"].get_xydata(), [[20, 3.5], [40, 2.5]])
    assert "training, as minimized" not in losses
    numpy.testing.assert_array_equal(quality["BLEU"].get_xydata(), [[20, 12], [40, 11]])
    numpy.testing.assert_array_equal(quality["chrF"].get_xydata(), [[20, 30], [40, 29]])
    rates = lines_of(panels["learning"])["learning rate"]
    numpy.testing.assert_array_equal(rates.get_ydata(), [0.001, 0.002, 0.002, 0.001])
    norms = lines_of(panels["gradient"])
    numpy.testing.assert_array_equal(norms["mean"].get_ydata(), [5.0, numpy.nan, 0.5, 0.4])
    assert list(norms["clipped to 1"].get_ydata()) == [1.0, 1.0]
    assert panels["gradient"].get_yscale() == "log"


def test_the_best_validation_is_marked() -> None:
    _, panels = drawn(CURVES)
    star = lines_of(panels["quality"])["best: 12.00 after 20 updates"]
    assert (star.get_xydata().tolist(), star.get_marker()) == ([[20.0, 12.0]], "*")
    stars = [line.get_xydata().tolist() for line in panels["loss"].lines if line.get_marker() == "*"]
    assert stars == [[[20.0, 3.5]]]
    _, panels = drawn(replace(CURVES, metric="loss", best=40.0))
    assert "best: 2.500 after 40 updates" in lines_of(panels["loss"])
    _, panels = drawn(replace(CURVES, best=None))
    assert not any(line.get_marker() == "*" for axes in panels.values() for line in axes.lines)


def test_what_happened_is_marked() -> None:
    figure, panels = drawn(CURVES)
    for axes in panels.values():
        upright = [line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) == [0, 1]]
        assert upright == [25.0, 33.0]
    rug = next(line for line in panels["gradient"].lines if line.get_marker() == "|")
    assert list(rug.get_xdata()) == [31.0, 32.0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "continued", "went back to earlier weights", "updates skipped"
    ]  # fmt: skip
    figure, _ = drawn(replace(CURVES, resumed=(), skipped=(), rolled_back=()))
    assert figure.legends == []


def test_epochs_stand_above_the_updates_at_which_they_ended() -> None:
    def epochs(curves: Curves) -> dict[str, float]:
        _, panels = drawn(curves)
        return {text.get_text(): text.get_position()[0] for text in panels["loss"].texts}

    assert epochs(CURVES) == {"1": 15.0, "2": 30.0, "epochs": 1.0}
    assert epochs(replace(CURVES, epochs=Line())) == {}
    # Of 37 epochs every fifth; an end of which nothing is known lies between its neighbours.
    many = Line([100.0, 370.0], [10.0, 37.0])
    assert list(epochs(replace(CURVES, epochs=many))) == ["5", "10", "15", "20", "25", "30", "35", "epochs"]
    assert epochs(replace(CURVES, epochs=many))["15"] == pytest.approx(150.0)
    assert epochs(replace(CURVES, epochs=many))["5"] == pytest.approx(50.0)


def test_thinning_takes_means_and_keeps_the_spread() -> None:
    values = [1.0, 3.0, 5.0, math.nan, math.inf, 2.0, 7.0]
    points = thinned(Line([1, 2, 3, 4, 5, 6, 7], values), most=3)
    numpy.testing.assert_array_equal(points.updates, [2.0, 5.0, 7.0])
    numpy.testing.assert_array_equal(points.means, [3.0, 2.0, 7.0])
    numpy.testing.assert_array_equal(points.least, [1.0, 2.0, 7.0])
    numpy.testing.assert_array_equal(points.largest, [5.0, 2.0, 7.0])
    assert math.isnan(thinned(Line([1, 2], [math.nan, math.nan]), most=1).means[0])
    few = thinned(Line([1, 2], [3.0, math.inf]), most=2)
    numpy.testing.assert_array_equal(few.means, [3.0, numpy.nan])


@pytest.mark.parametrize("validations", [1, 2, 1000])
def test_any_number_of_validations_can_be_drawn(validations: int) -> None:
    updates = [100.0 * (number + 1) for number in range(validations)]
    validated = Line(updates, [50.0] * validations)
    trained = Line([10.0 * (number + 1) for number in range(validations * 10)], [1.0] * (validations * 10))
    curves = Curves("x", trained, Line(), validated, validated, validated, trained, trained, best=updates[0])
    figure, panels = drawn(curves)
    with look():
        picture = png(figure, dpi=50)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert max(len(line.get_xdata()) for axes in panels.values() for line in axes.lines) <= 500
    assert panels["loss"].get_xlim()[1] == pytest.approx(102.0 * validations)


def test_a_run_without_a_sound_figure_can_be_drawn() -> None:
    nothing = Line([10.0], [math.nan])
    figure, _ = drawn(Curves("x", nothing, nothing, nothing, nothing, nothing, Line(), nothing, best=10.0))
    with look():
        assert png(figure, dpi=50)
