"""Every cell against its equations, which `cell_equations` writes again, and what all cells have in common."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn import cells
from seq2seq.nn.cells import CellState, StepNoise
from tests.nn.cell_equations import CELLS, SCAN_CELLS, Entry, Weights

Sines = Callable[..., Tensor]

BOTH = {**CELLS, **SCAN_CELLS}
LSTM_KINDS = [name for name in BOTH if "lstm" in name]
ROWS, STEPS = 2, 4


def initial_state(cell: nn.Module, sines: Sines, *, rows: int = ROWS) -> CellState:
    h = sines(rows, cell.output_size, start=300)
    return CellState(h, sines(rows, cell.memory_size, start=320) if cell.memory_size else None)


def follow(entry: Entry, weights: Weights, inputs: Tensor, state: CellState, noise: StepNoise) -> list[np.ndarray]:
    """The numpy equations over `inputs` [rows, steps, input]: [h, c] of every step, each [rows, width]."""
    steps: list[list[np.ndarray]] = [[] for _ in range(2 * inputs.shape[1])]
    for row in range(inputs.shape[0]):
        h = state.h[row].numpy()
        c = np.zeros(0) if state.c is None else state.c[row].numpy()
        read = np.ones_like(h) if noise.read is None else noise.read[row].numpy()
        keep = np.ones(entry.hidden_size) if noise.candidate is None else noise.candidate[row].numpy()
        for step in range(inputs.shape[1]):
            h, c = entry.equations(weights, inputs[row, step].numpy(), h, c, read, keep)
            steps[2 * step].append(h)
            steps[2 * step + 1].append(c)
    return [np.stack(values) for values in steps]


def run(cell: nn.Module, inputs: Tensor, state: CellState, noise: StepNoise) -> list[np.ndarray]:
    """The cell over `inputs` [rows, steps, input], its product with all steps in one call; as `follow` returns it."""
    projected = cell.project(inputs)
    values = []
    with torch.no_grad():
        for step in range(inputs.shape[1]):
            state = cell.step(projected[:, step], state, noise)
            c = torch.zeros(len(inputs), 0) if state.c is None else state.c
            values += [state.h.numpy(), c.numpy()]
    return values


def assert_same(actual: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_the_tables_have_every_cell() -> None:
    kinds = {kind for name, kind in inspect.getmembers(cells, inspect.isclass) if issubclass(kind, nn.Module)}
    assert {type(entry.cell()) for entry in BOTH.values()} == kinds


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_its_equations(name: str, sines: Sines) -> None:
    entry = CELLS[name]
    cell = entry.cell()
    inputs, state = sines(ROWS, STEPS, entry.input_size, start=200), initial_state(cell, sines)
    expected = follow(entry, entry.weights(cell.state_dict()), inputs, state, StepNoise())
    assert_same(run(cell, inputs, state, StepNoise()), expected)


@pytest.mark.parametrize("name", SCAN_CELLS)
def test_a_scan_cell_is_its_equations(name: str, sines: Sines) -> None:
    entry = SCAN_CELLS[name]
    cell = entry.cell()
    inputs, h0 = sines(ROWS, STEPS, entry.input_size, start=200), sines(ROWS, entry.hidden_size, start=300)
    weights = entry.weights(cell.state_dict())
    a, b = cell.coefficients(inputs)
    for row in range(ROWS):
        h = after = h0[row]
        for step in range(STEPS):
            x = inputs[row, step].numpy()
            new, output = entry.equations(weights, x, h.detach().numpy(), *[np.zeros(0)] * 3)
            after = a[row, step] * after + b[row, step]
            np.testing.assert_allclose(after.detach(), new, rtol=0, atol=1e-12)
            read = cell.read(inputs[row, step], after)
            np.testing.assert_allclose(read.detach(), output, rtol=0, atol=1e-12)
            h = torch.from_numpy(new)


@pytest.mark.parametrize("name", CELLS)
def test_dropconnect_replaces_the_recurrent_weights(name: str, sines: Sines) -> None:
    entry = CELLS[name]
    cell = entry.cell()
    inputs, state = sines(ROWS, STEPS, entry.input_size, start=200), initial_state(cell, sines)
    # Every third weight dropped, the others scaled.
    dropped = cell.w_hh.detach() * (torch.arange(cell.w_hh.numel()) % 3 != 0).double().view(cell.w_hh.shape) * 1.5
    expected = follow(entry, entry.weights({**cell.state_dict(), "w_hh": dropped}), inputs, state, StepNoise())
    assert_same(run(cell, inputs, state, StepNoise(w_hh=dropped)), expected)
    quiet = run(cell, inputs, state, StepNoise())
    assert np.abs(quiet[0] - expected[0]).max() > 1e-3


@pytest.mark.parametrize("name", [name for name, entry in CELLS.items() if entry.has_candidate])
def test_candidate_noise_multiplies_the_candidate(name: str, sines: Sines) -> None:
    entry = CELLS[name]
    cell = entry.cell()
    inputs, state = sines(ROWS, STEPS, entry.input_size, start=200), initial_state(cell, sines)
    noise = StepNoise(candidate=torch.tensor([[0.0, 2.0, 1.0], [2.0, 0.0, 2.0]], dtype=torch.float64))
    expected = follow(entry, entry.weights(cell.state_dict()), inputs, state, noise)
    assert_same(run(cell, inputs, state, noise), expected)


@pytest.mark.parametrize("name", CELLS)
def test_noise_on_what_is_read_leaves_what_is_carried(name: str, sines: Sines) -> None:
    entry = CELLS[name]
    cell = entry.cell()
    inputs, state = sines(ROWS, STEPS, entry.input_size, start=200), initial_state(cell, sines)
    mask = torch.tensor([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0]], dtype=torch.float64)[:, : cell.output_size]
    expected = follow(entry, entry.weights(cell.state_dict()), inputs, state, StepNoise(read=mask))
    assert_same(run(cell, inputs, state, StepNoise(read=mask)), expected)


def test_an_elman_cell_refuses_candidate_noise(sines: Sines) -> None:
    cell = CELLS["elman-tanh"].cell()
    with pytest.raises(ValueError, match="no candidate"):
        cell.step(sines(1, 3), CellState(sines(1, 3)), StepNoise(candidate=sines(1, 3)))


@pytest.mark.parametrize("name", [name for name in CELLS if "lstm" in name])
def test_an_lstm_without_memory_cell_is_refused(name: str, sines: Sines) -> None:
    cell = CELLS[name].cell()
    with pytest.raises(ValueError, match="needs a memory cell"):
        cell.step(cell.project(sines(1, 5)), CellState(sines(1, cell.output_size)))


@pytest.mark.parametrize("name", CELLS)
def test_gradients_of_a_step(name: str, sines: Sines) -> None:
    entry = CELLS[name]
    cell = entry.cell()
    names = [key for key, _ in cell.named_parameters()]
    state = initial_state(cell, sines)
    tensors = [sines(ROWS, entry.input_size, start=200), state.h, *([] if state.c is None else [state.c])]
    tensors += [parameter.detach().clone() for parameter in cell.parameters()]

    def step(x: Tensor, h: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        c = others[0] if cell.memory_size else None
        parameters = dict(zip(names, others[1 if cell.memory_size else 0 :], strict=True))
        new = torch.func.functional_call(
            Step(cell), {f"cell.{key}": value for key, value in parameters.items()}, (x, h, c)
        )
        return tuple(value for value in (new.h, new.c) if value is not None)

    assert torch.autograd.gradcheck(step, [tensor.requires_grad_() for tensor in tensors])


@pytest.mark.parametrize("name", SCAN_CELLS)
def test_gradients_of_coefficients_and_output(name: str, sines: Sines) -> None:
    entry = SCAN_CELLS[name]
    cell = entry.cell()
    names = [key for key, _ in cell.named_parameters()]
    tensors = [sines(ROWS, entry.input_size, start=200), sines(ROWS, entry.hidden_size, start=300)]
    tensors += [parameter.detach().clone() for parameter in cell.parameters()]

    def step(x: Tensor, h: Tensor, *others: Tensor) -> Tensor:
        parameters = {f"cell.{key}": value for key, value in zip(names, others, strict=True)}
        return torch.func.functional_call(Scan(cell), parameters, (x, h))

    assert torch.autograd.gradcheck(step, [tensor.requires_grad_() for tensor in tensors])


class Step(nn.Module):
    """One whole step as a module's forward, for `functional_call`."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, h: Tensor, c: Tensor | None) -> CellState:
        return self.cell.step(self.cell.project(x), CellState(h, c))


class Scan(nn.Module):
    """One whole step of a scan cell as a module's forward."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        a, b = self.cell.coefficients(x)
        return self.cell.read(x, a * h + b)


@pytest.mark.parametrize("name", BOTH)
def test_the_number_of_parameters(name: str) -> None:
    entry = BOTH[name]
    cell = entry.make(entry.input_size, entry.hidden_size)
    assert sum(parameter.numel() for parameter in cell.parameters()) == entry.count
    assert entry.count_formula(entry.input_size, entry.hidden_size) == entry.count
    for inputs, hidden in [(7, 4), (4, 7), (6, 6)]:
        cell = entry.make(inputs, hidden)
        assert entry.count_formula(inputs, hidden) == sum(parameter.numel() for parameter in cell.parameters())
        assert (cell.input_size, cell.hidden_size) == (inputs, hidden)


@pytest.mark.parametrize("name", CELLS)
def test_the_widths_that_a_cell_states_are_those_of_its_state(name: str, sines: Sines) -> None:
    cell = CELLS[name].cell()
    state = initial_state(cell, sines)
    new = cell.step(cell.project(sines(ROWS, cell.input_size)), state)
    assert new.h.shape == (ROWS, cell.output_size)
    assert (new.c is None) == (cell.memory_size == 0)
    assert new.c is None or new.c.shape == (ROWS, cell.memory_size)
    assert cell.w_hh.shape[-1] == cell.output_size


@pytest.mark.parametrize("name", CELLS)
def test_recurrent_matrices_start_orthogonal_gate_by_gate(name: str) -> None:
    entry = CELLS[name]
    cell = entry.make(7, 6)
    for label, matrix in entry.weights(cell.state_dict()).items():
        if label[0] == "U" or (name == "lstm-projected" and label == "P"):
            rows, columns = matrix.shape
            gram = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
            np.testing.assert_allclose(gram, np.eye(min(rows, columns)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", BOTH)
def test_input_matrices_start_xavier_uniform_gate_by_gate(name: str) -> None:
    entry = BOTH[name]
    # As many inputs as units where the entry is of a cell without P.
    inputs = 60 if entry.input_size == entry.hidden_size else 40
    weights = entry.weights(entry.make(inputs, 60).state_dict())
    bound = math.sqrt(6 / (inputs + 60))
    for label, matrix in weights.items():
        if label[0] == "W" or (name != "lstm-projected" and label == "P"):
            assert matrix.shape == (60, inputs)
            assert 0.98 * bound < np.abs(matrix).max() <= bound
            assert np.abs(matrix).mean() == pytest.approx(bound / 2, rel=0.05)


@pytest.mark.parametrize("name", BOTH)
def test_biases_start_at_zero_and_gains_at_one(name: str) -> None:
    entry = BOTH[name]
    for label, vector in entry.weights(entry.make(entry.input_size, 3).state_dict()).items():
        if label[0] in "bdp":
            expected = {"lstm-coupled": ("b_i", -1.0)}.get(name, ("b_f" if name in LSTM_KINDS else "", 1.0))
            assert vector.tolist() == [expected[1] if label == expected[0] else 0.0] * 3
        elif label[0] in "ae":
            assert vector.tolist() == [1.0] * 3


def forgetting(name: str, cell: nn.Module) -> list[float]:
    """How much a cell keeps of a memory of 1 where nothing comes in and nothing is read."""
    if name in SCAN_CELLS:
        a, _ = cell.coefficients(torch.zeros(1, 5, dtype=torch.float64))
        return a.flatten().tolist()
    zeros, ones = torch.zeros(1, 5, dtype=torch.float64), torch.ones(1, 3, dtype=torch.float64)
    state = CellState(zeros[:, : cell.output_size], ones)
    c = cell.step(cell.project(zeros), state, StepNoise(candidate=torch.zeros_like(ones))).c
    return c.flatten().tolist()


@pytest.mark.parametrize("name", LSTM_KINDS)
def test_the_forget_bias_in_total(name: str) -> None:
    cell = BOTH[name].make(5, 3).double()

    def kept(bias: float) -> float:
        forget = 1 / (1 + math.exp(-bias))
        return forget / (forget + 0.5) if name == "minlstm" else forget

    assert forgetting(name, cell) == pytest.approx([kept(1.0)] * 3, abs=1e-12)
    # Whatever the biases were; those of other gates stay.
    cell = BOTH[name].cell()
    before = BOTH[name].weights({key: value.clone() for key, value in cell.state_dict().items()})
    cell.set_forget_bias(-2.5)
    after = BOTH[name].weights(cell.state_dict())
    changed = {label for label in before if not np.array_equal(before[label], after[label])}
    assert changed == {"lstm": {"b_f", "d_f"}, "lstm-coupled": {"b_i"}}.get(name, {"b_f"})
    for label in after:
        if label[0] in "bdp" and label not in changed:
            after[label][:] = 0.0  # of the cell itself, for the arrays are views of its parameters
    assert forgetting(name, cell) == pytest.approx([kept(-2.5)] * 3, abs=1e-12)


@pytest.mark.parametrize("name", [name for name in BOTH if name not in LSTM_KINDS])
def test_only_lstm_kinds_have_a_forget_bias(name: str) -> None:
    assert not hasattr(BOTH[name].make(5, 3), "set_forget_bias")


@pytest.mark.parametrize("name", BOTH)
def test_under_autocast_a_step_stays_near_and_the_state_wide(name: str, sines: Sines) -> None:
    entry = BOTH[name]
    exact, cell = entry.cell(), entry.cell().float()
    inputs, state = sines(ROWS, entry.input_size, start=200), sines(ROWS, entry.hidden_size, start=300)
    if name in SCAN_CELLS:
        wanted = Scan(exact)(inputs, state)
        with torch.autocast("cpu", torch.bfloat16):
            a, b = cell.coefficients(inputs.float())
            got = cell.read(inputs.float(), a * state.float() + b)
            assert a.dtype == b.dtype == torch.float32
    else:
        h, c = state[:, : exact.output_size], state if exact.memory_size else None
        wanted_state = exact.step(exact.project(inputs), CellState(h, c))
        with torch.autocast("cpu", torch.bfloat16):
            projected = cell.project(inputs.float())
            got_state = cell.step(projected, CellState(h.float(), None if c is None else c.float()))
        assert projected.dtype == torch.bfloat16
        wanted, got = wanted_state.h, got_state.h
        if wanted_state.c is not None:
            torch.testing.assert_close(got_state.c, wanted_state.c.float(), rtol=0, atol=0.02)
    assert got.dtype == torch.float32
    # A state in bf16, as from a layer that runs in it, works too.
    torch.testing.assert_close(got, wanted.float(), rtol=0, atol=0.02)
    if name in CELLS:
        with torch.autocast("cpu", torch.bfloat16):
            narrow = CellState(h.bfloat16(), None if c is None else c.bfloat16())
            torch.testing.assert_close(cell.step(projected, narrow).h.float(), wanted.float(), rtol=0, atol=0.03)


def test_select_takes_h_and_c_along() -> None:
    state = CellState(torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[10.0], [20.0], [30.0]]))
    selected = state.select(torch.tensor([2, 0, 0, 1]))
    assert selected.c is not None
    assert selected.h.flatten().tolist() == [3, 1, 1, 2]
    assert selected.c.flatten().tolist() == [30, 10, 10, 20]
    assert CellState(torch.ones(2, 1)).select(torch.tensor([1])).c is None
