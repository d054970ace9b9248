"""Recurrent dropout of every kind: computed by hand with the mask it drew, and its mean, its constancy, its absence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.nn.cells import CellState, ElmanCell, GRUCell, LSTMCell
from seq2seq.nn.recurrent import NO_NOISE, LayerNoise, RecurrentNoise, ScannedLayer, noise, scanned

CELLS: dict[str, Callable[..., Any]] = {"lstm": LSTMCell, "gru": GRUCell, "elman": ElmanCell}
KINDS = ["variational", "candidate", "zoneout", "dropconnect"]
PAIRS = [(kind, cell) for kind in KINDS for cell in CELLS if (kind, cell) != ("candidate", "elman")]

Sines = Callable[..., Tensor]
Fill = Callable[..., Any]


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


def make(kind: Any, cell: str, fill: Fill, *, probability: float = 0.25, hidden_size: int = 4) -> Any:
    layer = ScannedLayer(
        cell=CELLS[cell](input_size=3, hidden_size=hidden_size), noise=RecurrentNoise(kind, probability)
    )
    return fill(layer.double(), scale=0.8)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Tensor]]:
    """Masks by formula in place of random ones, every third element dropped, and a record of them in order."""
    masks: list[Tensor] = []

    def known_mask(like: Tensor, shape: tuple[int, ...], probability: float) -> Tensor:
        numbers = torch.arange(torch.Size(shape).numel()).view(shape)
        masks.append((numbers % 3 != len(masks) % 3).to(like.dtype) / (1.0 - probability))
        return masks[-1]

    def known_weights(weights: Tensor, probability: float, training: bool) -> Tensor:
        return weights * known_mask(weights, tuple(weights.shape), probability)

    monkeypatch.setattr(noise, "dropout_mask", known_mask)
    monkeypatch.setattr(scanned, "dropout_mask", known_mask)
    monkeypatch.setattr(noise, "dropconnect", known_weights)
    yield masks
    assert len(masks) == 1, "one draw for all steps"


def by_hand(
    name: str, layer: Any, x: Tensor, h: Tensor, c: Tensor, *, w_hh: Tensor, read: Tensor, candidate: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of the equations, with recurrent weights `w_hh`, a factor on what they read and one on the candidate."""
    cell = layer.cell
    from_input, from_state = x @ cell.w_ih.T + cell.b_ih, (h * read) @ w_hh.T + cell.b_hh
    if name == "elman":
        return torch.tanh(from_input + from_state), c
    if name == "gru":
        r_x, z_x, n_x = from_input.split(4, dim=-1)
        r_h, z_h, n_h = from_state.split(4, dim=-1)
        z = torch.sigmoid(z_x + z_h)
        n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h) * candidate
        return (1 - z) * n + z * h, c  # the h that is carried over has no mask
    i, f, g, o = (from_input + from_state).split(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g) * candidate
    return torch.sigmoid(o) * torch.tanh(c), c


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_every_kind_by_hand(kind: str, name: str, known: list[Tensor], sines: Sines, fill: Fill) -> None:
    layer = make(kind, name, fill).train()
    inputs, h, c = sines(3, 5, 3), sines(3, 4, start=40), sines(3, 4, start=60)
    outputs, last = layer(inputs, CellState(h, c if name == "lstm" else None))
    (mask,) = known
    shapes = {
        "variational": (3, 4), "candidate": (5, 3, 4), "zoneout": (5, 3, 8 if name == "lstm" else 4),
        "dropconnect": layer.cell.w_hh.shape,
    }  # fmt: skip
    assert mask.shape == shapes[kind]
    # Zoneout asks for ones where the old value stays.
    assert mask.unique().tolist() == pytest.approx([0.0, 4.0 if kind == "zoneout" else 4 / 3])
    one = torch.ones((), dtype=torch.float64)
    for position in range(5):
        new_h, new_c = by_hand(
            name, layer, inputs[:, position], h, c,
            w_hh=layer.cell.w_hh * (mask if kind == "dropconnect" else one),
            read=mask if kind == "variational" else one,
            candidate=mask[position] if kind == "candidate" else one,
        )  # fmt: skip
        if kind == "zoneout":
            keep = mask[position] / 4
            new_h = keep[:, :4] * h + (1 - keep[:, :4]) * new_h
            if name == "lstm":
                new_c = keep[:, 4:] * c + (1 - keep[:, 4:]) * new_c
        h, c = new_h, new_c
        close(outputs[:, position], h)
    close(last.h, h)
    if name == "lstm":
        close(last.c, c)


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_in_evaluation_only_the_mean_of_zoneout_is_left(kind: Any, name: str, sines: Sines, fill: Fill) -> None:
    layer = make(kind, name, fill).eval()
    assert layer.draw(3) is None
    plain = fill(ScannedLayer(cell=CELLS[name](input_size=3, hidden_size=4)).double(), scale=0.8)
    inputs = sines(3, 5, 3)
    outputs, last = layer(inputs)
    state = expected = plain.initial_state(3)
    for position in range(5):
        output, state = layer.step(inputs[:, position], state)
        old = expected
        _, expected = plain.step(inputs[:, position], old)
        if kind == "zoneout":
            c = None if old.c is None else 0.25 * old.c + 0.75 * expected.c
            expected = CellState(0.25 * old.h + 0.75 * expected.h, c)
        close(outputs[:, position], expected.h)
        close(output, expected.h)
    close(last.h, expected.h)
    if name == "lstm":
        close(last.c, expected.c)
        close(state.c, expected.c)


@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_step_with_the_drawn_noise_equals_the_sequence(kind: Any, name: str, sines: Sines, fill: Fill) -> None:
    # Masks that are fresh at each step come from one stream; 16 masked numbers a step fill whole draws of it.
    layer = make(kind, name, fill, hidden_size=8).train()
    inputs = sines(2, 5, 3)
    torch.manual_seed(2)
    outputs, last = layer(inputs)
    torch.manual_seed(2)
    drawn, state = layer.draw(2), layer.initial_state(2)
    for position in range(5):
        output, state = layer.step(inputs[:, position], state, drawn)
        close(output, outputs[:, position])
    close(state.h, last.h)


@pytest.mark.parametrize(("kind", "fresh"), [("variational", 1), ("dropconnect", 1), ("candidate", 6), ("zoneout", 6)])
def test_masks_are_constant_over_time_where_they_must_be(kind: Any, fresh: int, sines: Sines, fill: Fill) -> None:
    layer = make(kind, "gru", fill, probability=0.5, hidden_size=64).train()
    # Every step reads the same input from the same state: what differs is the mask.
    torch.manual_seed(1)
    drawn = layer.draw(2)
    state = CellState(sines(2, 64))
    different = {tuple(layer.step(sines(2, 3), state, drawn)[0].flatten().tolist()) for _ in range(6)}
    assert len(different) == fresh
    assert not torch.equal(layer(sines(2, 3, 3), state)[0], layer(sines(2, 3, 3), state)[0])  # but each call its own


@pytest.mark.parametrize("kind", KINDS)
def test_share_and_expectation(kind: Any, sines: Sines, fill: Fill) -> None:
    """Over many rows, the mean of what noise acts on is what it is without: here read from the drawn numbers."""
    layer = make(kind, "gru", fill, hidden_size=32).train()
    rows = 4000
    torch.manual_seed(7)
    drawn = layer.draw(rows)
    if kind == "variational":
        close(drawn.read, (drawn.read != 0).double() * 4 / 3)
        close(drawn.read.mean(), torch.tensor(1.0, dtype=torch.float64), 0.01)
        assert (drawn.read == 0).double().mean(dim=1).std() > 0.05  # not one mask for all sequences
    elif kind == "dropconnect":
        ratios = drawn.w_hh / layer.cell.w_hh
        close(ratios, (ratios != 0).double() * 4 / 3)
        close(ratios.mean(), torch.tensor(1.0, dtype=torch.float64), 0.05)  # of 3072
    else:
        state, inputs = CellState(sines(1, 32).expand(rows, -1)), sines(1, 3).expand(rows, -1)
        output, _ = layer.step(inputs, state, drawn)
        expected = layer.eval().step(inputs[:1], state.select(torch.tensor([0])))[0]
        # Both are linear in the mask: the mean over rows is what evaluation computes.
        close(output.mean(0, keepdim=True), expected, 0.06)
        if kind == "zoneout":
            kept = (output == state.h).double().mean()
            close(kept, torch.tensor(0.25, dtype=torch.float64), 0.01)


def test_a_mask_has_its_own_row_order(sines: Sines, fill: Fill) -> None:
    layer = make("variational", "lstm", fill).train()
    read = torch.tensor([[0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0]], dtype=torch.float64)
    both, _ = layer(sines(2, 4, 3), noise=LayerNoise(read=read))
    for row in range(2):
        alone, _ = layer(sines(2, 4, 3)[row : row + 1], noise=LayerNoise(read=read[row : row + 1]))
        close(both[row], alone[0])
    assert not torch.allclose(both[0], layer(sines(2, 4, 3)[:1], noise=LayerNoise(read=read[1:]))[0][0])


def test_contradictions_are_refused() -> None:
    assert RecurrentNoise("none", 0.0) == NO_NOISE
    for kind, probability in (("none", 0.1), ("zoneout", 0.0), ("variational", 1.0), ("candidate", -0.1)):
        with pytest.raises(ValueError, match="probability"):
            RecurrentNoise(kind, probability)  # type: ignore[arg-type]
    layer = ScannedLayer(cell=ElmanCell(input_size=2, hidden_size=3), noise=RecurrentNoise("candidate", 0.5))
    with pytest.raises(ValueError, match="candidate"):
        layer(torch.ones(1, 2, 2))
