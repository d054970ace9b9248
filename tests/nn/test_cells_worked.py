"""Cells worked by hand, cells that are another cell in a special case, and cells that PyTorch has too."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn import cells
from seq2seq.nn.cells import CellState
from seq2seq.nn.cells.layer_norm import layer_norm
from tests.nn.cell_equations import CELLS

Sines = Callable[..., Tensor]

LN2, LN3 = math.log(2), math.log(3)
# sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4, tanh(ln 2) = 3/5.


def number(value: float) -> Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


def with_weights(cell: nn.Module, **weights: list[float]) -> nn.Module:
    """A cell of one input and one unit with the numbers given, in the order of its parameters."""
    cell = cell.double()
    assert weights.keys() == cell.state_dict().keys()
    for name, parameter in cell.named_parameters():
        parameter.data = torch.tensor(weights[name], dtype=torch.float64).view(parameter.shape)
    return cell


def stepped(cell: nn.Module, x: float, h: float, c: float | None = None) -> CellState:
    state = CellState(number(h), None if c is None else number(c))
    return cell.step(cell.project(number(x)), state)


def test_one_unit_lstm_by_hand() -> None:
    # With x = 2 and h = -1 the pre-activations 2 w - u + b + d are: i ln 3, f -ln 3, g ln 2, o 0.
    cell = with_weights(
        cells.LSTMCell(input_size=1, hidden_size=1),
        w_ih=[LN3, 0.0, LN2, 0.5],
        w_hh=[LN3, LN3, 3 * LN2, 2.0],
        b_ih=[0.0, 0.25, LN2, 1.5],
        b_hh=[0.0, -0.25, LN2, -0.5],
    )
    # c' = c/4 + (3/4)(3/5) must be ln 2, so that tanh c' = 3/5 and h' = (1/2)(3/5).
    state = stepped(cell, 2.0, -1.0, 4 * (LN2 - 0.45))
    assert state.c is not None
    assert state.c.item() == pytest.approx(LN2, abs=1e-15)
    assert state.h.item() == pytest.approx(0.3, abs=1e-15)


def test_one_unit_gru_by_hand() -> None:
    # With x = 2 and h = -1: r = sigmoid(ln 3) = 3/4, z = sigmoid(-ln 3) = 1/4. Of the candidate, the part from the
    # state is -u + d = 4 and is multiplied by r, so that n = tanh(2 w + b + 3) = tanh(ln 2) = 3/5, and
    # h' = (3/4)(3/5) + (1/4)(-1) = 0.2.
    cell = with_weights(
        cells.GRUCell(input_size=1, hidden_size=1),
        w_ih=[LN3, 0.0, LN2],
        w_hh=[LN3, LN3, -3.5],
        b_ih=[0.0, 0.25, -LN2 - 3.0],
        b_hh=[0.0, -0.25, 0.5],
    )
    state = stepped(cell, 2.0, -1.0)
    assert state.c is None
    assert state.h.item() == pytest.approx(0.2, abs=1e-15)


def test_one_unit_peephole_lstm_by_hand() -> None:
    # Nothing but peepholes, and g = tanh(ln 2) = 3/5. With c = ln 3: i = sigmoid(c) = 3/4, f = sigmoid(-c) = 1/4,
    # c' = ln 3 / 4 + (3/4)(3/5). The output gate sees c', not c: p_o c' = -ln 3, so that o = 1/4.
    after = LN3 / 4 + 0.45
    cell = with_weights(
        cells.PeepholeLSTMCell(input_size=1, hidden_size=1),
        w_ih=[0.0] * 4,
        w_hh=[0.0] * 4,
        b_ih=[0.0, 0.0, LN2, 0.0],
        w_c=[1.0, -1.0, -LN3 / after],
    )
    state = stepped(cell, 1.0, 1.0, LN3)
    assert state.c is not None
    assert state.c.item() == pytest.approx(after, abs=1e-15)
    assert state.h.item() == pytest.approx(math.tanh(after) / 4, abs=1e-15)


def test_one_unit_mut1_by_hand() -> None:
    # x = ln 2, so that tanh x = 3/5; h = -4. z = 3/4, r = 1/4, r h = -1.
    # n = tanh(-1 + 3/5 + b_n) = tanh(ln 2) = 3/5. h' = (3/4)(3/5) + (1/4)(-4).
    cell = with_weights(
        cells.MUT1Cell(input_size=1, hidden_size=1),
        w_ih=[1.0, 1.0],
        w_hh=[LN3, 1.0],
        b_ih=[3 * LN3 - LN2, LN3 - LN2, LN2 + 1 - 0.6],
    )
    assert stepped(cell, LN2, -4.0).h.item() == pytest.approx(-0.55, abs=1e-14)


def test_one_unit_mut2_by_hand() -> None:
    # x = ln 3, h = -4. r: ln 3 - ln 3 - ln 3. z: 2 ln 3 - ln 3. n: -1 + ln 3 + b_n = ln 2.
    cell = with_weights(
        cells.MUT2Cell(input_size=1, hidden_size=1),
        w_ih=[2.0, 1.0],
        w_hh=[LN3 / 4, LN3 / 4, 1.0],
        b_ih=[-LN3, 0.0, LN2 + 1 - LN3],
    )
    assert stepped(cell, LN3, -4.0).h.item() == pytest.approx(-0.55, abs=1e-14)


def test_one_unit_mut3_by_hand() -> None:
    # x = 1, h = -ln 2, so that tanh h = -3/5. z: 1 + ln 3 - 1. r: -ln 3. n: -8 (1/4)(-ln 2) - ln 2 = ln 2.
    cell = with_weights(
        cells.MUT3Cell(input_size=1, hidden_size=1),
        w_ih=[-LN3, 1.0, -LN2],
        w_hh=[0.0, -LN3 / 0.6, -8.0],
        b_ih=[0.0, -1.0, 0.0],
    )
    assert stepped(cell, 1.0, -LN2).h.item() == pytest.approx(0.45 - LN2 / 4, abs=1e-14)


def test_one_unit_scan_cells_by_hand() -> None:
    # z = 3/4, n = 2; f = 3/4 and i = 1/2, of which f's share is 3/5, g = 5; f = 3/4, n = 4 ln 2, r = 1/4.
    gru = with_weights(cells.MinGRUCell(input_size=1, hidden_size=1), w_ih=[LN3, 1.0], b_ih=[0.0, 1.0])
    lstm = with_weights(cells.MinLSTMCell(input_size=1, hidden_size=1), w_ih=[0.0, LN3, 4.0], b_ih=[0.0, 0.0, 1.0])
    sru = with_weights(cells.SRUCell(input_size=1, hidden_size=1), w_ih=[4 * LN2, LN3, 0.0], b_ih=[0.0, -LN3])
    expected = [(0.25, 1.5), (0.6, 2.0), (0.75, LN2)]
    for cell, (a, b) in zip((gru, lstm, sru), expected, strict=True):
        coefficients = cell.coefficients(number(1.0))
        assert [value.item() for value in coefficients] == pytest.approx([a, b], abs=1e-15)
    # With h = ln 2 the output is (1/4)(3/5) + (3/4) x.
    assert sru.read(number(1.0), number(LN2)).item() == pytest.approx(0.9, abs=1e-15)
    assert gru.read(number(1.0), number(LN2)).item() == lstm.read(number(1.0), number(LN2)).item() == LN2


def test_minimal_lstm_gates_too_small_for_a_number_keep_their_share() -> None:
    cell = cells.MinLSTMCell(input_size=1, hidden_size=1)
    with torch.no_grad():
        cell.w_ih.copy_(torch.tensor([[0.0], [0.0], [1.0]]))
        cell.b_ih.copy_(torch.tensor([-200.0, -200.0 + LN3, 0.0]))
    a, b = cell.coefficients(torch.tensor([[8.0]]))
    assert [a.item(), b.item()] == pytest.approx([0.75, 2.0], rel=1e-4)


def test_coefficients_near_one_are_not_one_under_autocast() -> None:
    # sigmoid(-8) = 1 / (1 + e^8); in bf16 the number before 1 is 1 - 1/256.
    cell = cells.MinGRUCell(input_size=1, hidden_size=1)
    with torch.no_grad():
        cell.w_ih.copy_(torch.tensor([[-8.0], [0.0]]))
    with torch.autocast("cpu", torch.bfloat16):
        a, _ = cell.coefficients(torch.tensor([[1.0]]))
    assert 1 - a.item() == pytest.approx(1 / (1 + math.exp(8)), rel=1e-3)


def three_steps(cell: nn.Module, inputs: Tensor, state: CellState) -> list[Tensor]:
    values = []
    for x in inputs:
        state = cell.step(cell.project(x), state)
        values += [state.h] if state.c is None else [state.h, state.c]
    return values


@pytest.mark.parametrize("name", ["elman-tanh", "elman-relu", "lstm", "gru"])
def test_the_cells_that_pytorch_has_are_the_same(name: str, sines: Sines) -> None:
    cell = CELLS[name].cell()
    theirs: nn.RNNCell | nn.LSTMCell | nn.GRUCell
    if name == "lstm":
        theirs = nn.LSTMCell(5, 3, dtype=torch.float64)
    elif name == "gru":
        theirs = nn.GRUCell(5, 3, dtype=torch.float64)
    else:
        theirs = nn.RNNCell(5, 3, nonlinearity=name.removeprefix("elman-"), dtype=torch.float64)
    assert cell.state_dict().keys() == {"w_ih", "w_hh", "b_ih", "b_hh"}
    names = {"w_ih": "weight_ih", "w_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}
    theirs.load_state_dict({names[key]: value for key, value in cell.state_dict().items()})
    inputs, h, c = sines(3, 2, 5, start=200), sines(2, 3, start=300), sines(2, 3, start=320)

    ours = three_steps(cell, inputs, CellState(h, c if name == "lstm" else None))
    expected: list[Tensor] = []
    for x in inputs:
        if name == "lstm":
            h, c = theirs(x, (h, c))
            expected += [h, c]
        else:
            h = theirs(x, h)
            expected += [h]
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)
    torch.stack(ours).square().sum().backward()
    torch.stack(expected).square().sum().backward()
    for key, other in names.items():
        ours_gradient, gradient = getattr(cell, key).grad, getattr(theirs, other).grad
        torch.testing.assert_close(ours_gradient, gradient, rtol=0, atol=1e-10)


def test_the_projected_lstm_is_that_of_pytorch(sines: Sines) -> None:
    cell = CELLS["lstm-projected"].cell()
    theirs = nn.LSTM(5, 3, proj_size=2, dtype=torch.float64)
    names = {"w_ih": "weight_ih_l0", "w_hh": "weight_hh_l0", "b_ih": "bias_ih_l0", "w_hr": "weight_hr_l0"}
    weights = {names[key]: value for key, value in cell.state_dict().items()}
    theirs.load_state_dict({**weights, "bias_hh_l0": torch.zeros(12)})
    inputs, h, c = sines(3, 2, 5, start=200), sines(2, 2, start=300), sines(2, 3, start=320)
    ours = three_steps(cell, inputs, CellState(h, c))
    outputs, (_, last) = theirs(inputs, (h.unsqueeze(0), c.unsqueeze(0)))
    torch.testing.assert_close(torch.stack(ours[::2]), outputs, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours[-1], last[0], rtol=0, atol=1e-12)


def plain_lstm(w_ih: Tensor, w_hh: Tensor, b_ih: Tensor) -> nn.Module:
    cell = cells.LSTMCell(input_size=w_ih.shape[1], hidden_size=w_hh.shape[1]).double()
    cell.load_state_dict({"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": torch.zeros_like(b_ih)})
    return cell


@pytest.mark.parametrize("kind", ["peephole", "coupled", "projected"])
def test_variants_that_are_the_lstm_in_a_special_case(kind: str, sines: Sines) -> None:
    inputs, state = sines(3, 2, 5, start=200), CellState(sines(2, 3, start=300), sines(2, 3, start=320))
    if kind == "peephole":
        variant = CELLS["lstm-peephole"].cell()
        different = three_steps(variant, inputs, state)
        nn.init.zeros_(variant.w_c)
        twin = plain_lstm(variant.w_ih, variant.w_hh, variant.b_ih)
    elif kind == "coupled":
        # 1 - sigmoid(a) = sigmoid(-a): an LSTM whose forget gate has the negated weights of its input gate.
        variant = CELLS["lstm-coupled"].cell()
        w_ih, w_hh, b_ih = (
            torch.cat((value[:3], -value[:3], value[3:])) for value in (variant.w_ih, variant.w_hh, variant.b_ih)
        )
        twin = plain_lstm(w_ih, w_hh, b_ih)
        different = three_steps(plain_lstm(w_ih, w_hh, -b_ih), inputs, state)
    else:
        variant = cells.ProjectedLSTMCell(input_size=5, hidden_size=3, projection_size=3).double()
        different = three_steps(variant, inputs, state)
        nn.init.eye_(variant.w_hr)
        twin = plain_lstm(variant.w_ih, variant.w_hh, variant.b_ih)
    ours, expected = three_steps(variant, inputs, state), three_steps(twin, inputs, state)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-12)
    assert (ours[0] - different[0]).abs().max() > 1e-3


@pytest.mark.parametrize("case", ["open reset gate", "diagonal matrix"])
def test_the_two_grus_are_one_where_the_reset_gate_commutes(case: str, sines: Sines) -> None:
    before, after = CELLS["gru-reset-before"].cell(), CELLS["gru"].cell()
    inputs, state = sines(3, 2, 5, start=200), CellState(sines(2, 3, start=300))

    def same_weights() -> tuple[list[Tensor], list[Tensor]]:
        after.load_state_dict({**before.state_dict(), "b_hh": torch.zeros(9)})
        return three_steps(before, inputs, state), three_steps(after, inputs, state)

    ours, others = same_weights()
    assert (ours[0] - others[0]).abs().max() > 1e-3
    with torch.no_grad():
        if case == "open reset gate":
            before.b_ih[:3] = 50.0
        else:
            before.w_hh[6:] = torch.diag(before.w_hh[6:].diagonal())
    torch.testing.assert_close(*same_weights(), rtol=0, atol=1e-12)


def test_one_transition_is_a_gru(sines: Sines) -> None:
    gru, deep = CELLS["gru"].cell(), cells.DeepTransitionGRUCell(input_size=5, hidden_size=3, transitions=1).double()
    weights = gru.state_dict()
    deep.load_state_dict({**weights, "w_hh": weights["w_hh"].unsqueeze(0), "b_hh": weights["b_hh"].unsqueeze(0)})
    inputs, state = sines(3, 2, 5, start=200), CellState(sines(2, 3, start=300))
    torch.testing.assert_close(three_steps(deep, inputs, state), three_steps(gru, inputs, state), rtol=0, atol=1e-12)


def test_transitions_with_a_shut_gate_change_nothing(sines: Sines) -> None:
    gru, deep = CELLS["gru"].cell(), CELLS["gru-deep-transition"].cell()
    with torch.no_grad():
        deep.b_hh[1:, 3:6] = 50.0
    weights = deep.state_dict()
    gru.load_state_dict({**weights, "w_hh": weights["w_hh"][0], "b_hh": weights["b_hh"][0]})
    inputs, state = sines(3, 2, 5, start=200), CellState(sines(2, 3, start=300))
    torch.testing.assert_close(three_steps(deep, inputs, state), three_steps(gru, inputs, state), rtol=0, atol=1e-12)


def test_layer_norm_by_hand() -> None:
    # Two parts: (1, 3) has mean 2 and variance 1, (0, 8) mean 4 and variance 16.
    inputs = torch.tensor([[1.0, 3.0, 0.0, 8.0]], dtype=torch.float64)
    gain = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    shift = torch.tensor([0.0, 0.0, 0.5, 1.0], dtype=torch.float64)
    one, other = 1 / math.sqrt(1 + 1e-5), 4 / math.sqrt(16 + 1e-5)
    expected = [-one, 2 * one, -3 * other + 0.5, 4 * other + 1.0]
    assert layer_norm(inputs, gain, shift, groups=2).flatten().tolist() == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("autocast", [True, False])
def test_layer_norm_of_bf16_is_computed_in_float32(autocast: bool) -> None:
    # The last number is 12 / sqrt(80) = 1.34164; the nearest in bf16 is 1.34375, which the shift would show.
    inputs = torch.tensor([[1024.0, 1032.0, 1040.0, 1048.0]]).bfloat16()
    shift = torch.tensor([0.0, 0.0, 0.0, -1.3416])
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        result = layer_norm(inputs, torch.ones(4), shift)
    assert result.dtype == torch.bfloat16
    root = math.sqrt(80)
    assert result.flatten().tolist()[:3] == pytest.approx([-12 / root, -4 / root, 4 / root], rel=0.004)
    assert result[0, 3].item() == pytest.approx(12 / root - 1.3416, rel=0.01)


@pytest.mark.parametrize(
    ("name", "parameter", "rows", "invariant"),
    [
        # Every gate of the LSTM by itself, but W and U together, for it is their sum that is normalised.
        ("lstm-layer-norm", "w_ih w_hh", slice(0, 12), True),
        ("lstm-layer-norm", "w_ih w_hh", slice(3, 6), True),
        ("lstm-layer-norm", "w_hh", slice(0, 12), False),
        # W and U of the GRU apart, but its two gates together.
        ("gru-layer-norm", "w_hh", slice(0, 9), True),
        ("gru-layer-norm", "w_ih", slice(0, 9), True),
        ("gru-layer-norm", "w_hh", slice(0, 6), True),
        ("gru-layer-norm", "w_ih", slice(6, 9), True),
        ("gru-layer-norm", "w_hh", slice(0, 3), False),
    ],
)
def test_what_is_normalised_does_not_feel_its_scale(
    name: str, parameter: str, rows: slice, invariant: bool, sines: Sines
) -> None:
    cell = CELLS[name].cell()
    c = sines(2, 3, start=320) if cell.memory_size else None
    inputs, state = sines(3, 2, 5, start=200), CellState(sines(2, 3, start=300), c)
    with torch.no_grad():
        # So large that what is added to the variance is lost.
        cell.w_ih.mul_(1e6)
        cell.w_hh.mul_(1e6)
        before = three_steps(cell, inputs, state)
        for matrix in parameter.split():
            getattr(cell, matrix)[rows] *= 7.0
        after = three_steps(cell, inputs, state)
    difference = max((one - other).abs().max().item() for one, other in zip(before, after, strict=True))
    assert difference < 1e-10 if invariant else difference > 1e-3
