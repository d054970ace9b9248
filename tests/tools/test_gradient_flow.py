"""Tests of the gradient picture: powers worked out by hand, and numerical derivatives."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch

from seq2seq.nn.cells import ElmanCell, GRUCell, LSTMCell
from tools.gradient_flow import cliff_loss, descend, gradient_norms, main, shortened

ROOT = Path(__file__).resolve().parents[2]


def linear_cell(radius: float, *, nonlinearity: str = "relu") -> ElmanCell:
    """A cell whose units are independent: U = radius * identity, W = identity, no bias."""
    cell = ElmanCell(input_size=3, hidden_size=3, nonlinearity="relu" if nonlinearity == "relu" else "tanh").double()
    with torch.no_grad():
        cell.w_hh.copy_(radius * torch.eye(3))
        cell.w_ih.copy_(torch.eye(3))
    return cell


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_a_linear_recurrence_multiplies_by_its_radius_at_every_step_back(radius: float) -> None:
    # Positive inputs keep relu linear.
    inputs = torch.ones(2, 6, 3, dtype=torch.float64)
    direction = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]], dtype=torch.float64)
    found = gradient_norms(linear_cell(radius), inputs, direction)
    assert found.h == pytest.approx([radius**step for step in range(6)], rel=1e-12)
    assert found.c is None


def test_tanh_multiplies_by_its_slope_as_well() -> None:
    inputs = torch.zeros(1, 3, 3, dtype=torch.float64)
    inputs[0, :, 0] = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)
    direction = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    first = torch.tanh(torch.tensor(0.3, dtype=torch.float64))
    second = torch.tanh(1.5 * first - 0.2)
    third = torch.tanh(1.5 * second + 0.5)
    slopes = [float(1 - third**2), float(1 - second**2)]
    expected = [1.0, 1.5 * slopes[0], 1.5**2 * slopes[0] * slopes[1]]
    found = gradient_norms(linear_cell(1.5, nonlinearity="tanh"), inputs, direction)
    assert found.h == pytest.approx(expected, rel=1e-12)


def test_norms_are_means_over_sequences() -> None:
    inputs = torch.ones(2, 2, 3, dtype=torch.float64)
    inputs[1] = -1.0  # relu lets nothing pass
    direction = torch.eye(3, dtype=torch.float64)[:2]
    assert gradient_norms(linear_cell(3.0), inputs, direction).h == pytest.approx([1.0, 1.5], rel=1e-12)


def test_clipping_at_every_step_bounds_what_a_step_hears() -> None:
    inputs = torch.ones(1, 5, 3, dtype=torch.float64)
    direction = torch.tensor([[0.0, 0.6, 0.8]], dtype=torch.float64)
    exploding = gradient_norms(linear_cell(2.0), inputs, direction, clip_steps=1.5)
    assert exploding.h == pytest.approx([1.0, 1.5, 1.5, 1.5, 1.5], rel=1e-12)
    vanishing = gradient_norms(linear_cell(0.5), inputs, direction, clip_steps=1.5)
    assert vanishing.h == pytest.approx([1.0, 0.5, 0.25, 0.125, 0.0625], rel=1e-12)


def test_an_lstm_with_its_gates_fixed_forgets_by_the_forget_gate() -> None:
    cell = LSTMCell(input_size=2, hidden_size=2).double()
    with torch.no_grad():
        cell.w_hh.zero_()
        cell.w_ih.zero_()
    cell.set_forget_bias(2.0)
    inputs = torch.zeros(1, 4, 2, dtype=torch.float64)
    found = gradient_norms(cell, inputs, torch.tensor([[0.6, 0.8]], dtype=torch.float64))
    forget = 1 / (1 + torch.exp(torch.tensor(-2.0, dtype=torch.float64)).item())
    # c is 0 throughout, tanh's slope there 1, and the output gate 1/2; h leads nowhere without recurrent weights.
    assert found.c == pytest.approx([0.5 * forget**step for step in range(4)], rel=1e-12)
    assert found.h == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=1e-12)


def test_a_gru_with_its_gates_fixed_carries_its_state_by_the_update_gate() -> None:
    cell = GRUCell(input_size=2, hidden_size=2).double()
    with torch.no_grad():
        cell.w_hh.zero_()
        cell.w_ih.zero_()
        cell.b_ih[2:4] = 3.0
    inputs = torch.zeros(1, 4, 2, dtype=torch.float64)
    found = gradient_norms(cell, inputs, torch.tensor([[0.6, 0.8]], dtype=torch.float64))
    update = 1 / (1 + torch.exp(torch.tensor(-3.0, dtype=torch.float64)).item())
    assert found.h == pytest.approx([update**step for step in range(4)], rel=1e-12)


def test_shortening_keeps_the_direction_and_leaves_short_ones_alone() -> None:
    gradient = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(shortened(gradient, 1.0), expected, rtol=0.0, atol=1e-15)


def test_the_clipped_descent_reaches_the_valley_and_the_other_is_thrown_away() -> None:
    plain, clipped = (descend((2.2, 0.0), rate=0.2, updates=60, clip=clip) for clip in (None, 1.0))
    ends = [torch.tensor(descent.path[-1], dtype=torch.float64) for descent in (plain, clipped)]
    losses = [float(cliff_loss(end[0], end[1])) for end in ends]
    assert losses[1] < 1e-6 < 0.01 < losses[0]
    steps = torch.tensor(clipped.path).diff(dim=0).norm(dim=1)
    assert float(steps.max()) <= 0.2 * (1 + 1e-6)
    # One step of the descent, by central differences.
    at = torch.tensor([[2.2 + 1e-6, 2.2 - 1e-6, 2.2, 2.2], [0.0, 0.0, 1e-6, -1e-6]], dtype=torch.float64)
    loss = cliff_loss(at[0], at[1])
    slope = [float(loss[0] - loss[1]) / 2e-6, float(loss[2] - loss[3]) / 2e-6]
    assert plain.path[1] == pytest.approx((2.2 - 0.2 * slope[0], -0.2 * slope[1]), abs=1e-6)


def texts_of(svg: Path) -> list[str]:
    """What is written in a drawing, in its order."""
    drawing = ElementTree.fromstring(svg.read_bytes())
    return ["".join(element.itertext()).strip() for element in drawing.iter("{http://www.w3.org/2000/svg}text")]


def test_the_command_draws_the_figures_that_ship(tmp_path: Path) -> None:
    assert main(["--output", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"gradient-{kind}.{form}" for kind in ("flow", "clipping") for form in ("png", "svg")}
    texts = texts_of(tmp_path / "gradient-flow.svg")
    assert {"Elman, tanh", "Elman, relu", "LSTM", "GRU", "radius 0.5", "forget bias 1: h", "update bias 2"} <= {*texts}
    for kind in ("flow", "clipping"):
        shipped = texts_of(ROOT / "docs" / "figures" / f"gradient-{kind}.svg")
        assert texts_of(tmp_path / f"gradient-{kind}.svg") == shipped
