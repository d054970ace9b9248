"""First weights by name: bounds, statistics, and what each name leaves as it is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn import cells
from seq2seq.nn.attention import NormalizedAdditiveAttention
from seq2seq.nn.connection import Connections
from seq2seq.nn.initialization import initialize
from seq2seq.nn.recurrent import FusedLayer, ParallelLayer, ScannedLayer

INPUT, HIDDEN = 30, 20


def sizes(**more: Any) -> Any:
    return {"input_size": INPUT, "hidden_size": HIDDEN, **more}


def make() -> nn.ModuleDict:
    """Modules of every sort that has something of its own: forget gates, gains, tied weights, odd shapes."""
    torch.manual_seed(1)
    embedding, output = nn.Embedding(200, 30), nn.Linear(30, 200)
    output.weight = embedding.weight
    return nn.ModuleDict(
        {
            "embedding": embedding,
            "output": output,
            "lstm": FusedLayer(kind="lstm", **sizes()),
            "gru": FusedLayer(kind="gru", **sizes()),
            "elman": FusedLayer(kind="elman-tanh", **sizes()),
            "textbook": ScannedLayer(cell=cells.LSTMCell(**sizes())),
            "peephole": ScannedLayer(cell=cells.PeepholeLSTMCell(**sizes())),
            "coupled": ScannedLayer(cell=cells.CoupledLSTMCell(**sizes())),
            "projected": ScannedLayer(cell=cells.ProjectedLSTMCell(**sizes(projection_size=10))),
            "normal_lstm": ScannedLayer(cell=cells.LayerNormLSTMCell(**sizes())),
            "normal_gru": ScannedLayer(cell=cells.LayerNormGRUCell(**sizes())),
            "deep": ScannedLayer(cell=cells.DeepTransitionGRUCell(**sizes(transitions=3))),
            "minlstm": ParallelLayer(cell=cells.MinLSTMCell(**sizes())),
            "attention": NormalizedAdditiveAttention(query_size=20, value_size=20, size=25),
            "connections": Connections(kind="highway", input_size=20, width=20, layers=2),
        }
    )


def drawn(**choices: Any) -> tuple[nn.ModuleDict, dict[str, Tensor]]:
    """The modules after the call, and their parameters before it."""
    model = make()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    initialize(model, **choices)
    return model, before


def is_gain(name: str) -> bool:
    return "gain" in name


def is_bias(name: str) -> bool:
    return name.rpartition(".")[2] in ("bias", "b_ih", "b_hh", "b_gates")


def rows(tensor: Tensor, gate: int) -> Tensor:
    """The block of a gate, counted from 0."""
    return tensor.detach()[gate * HIDDEN : (gate + 1) * HIDDEN]


def forget_biases(model: Any) -> dict[str, Tensor]:
    """What is added to every unit of every forget gate, in all."""
    return {
        "lstm": rows(model.lstm.b_ih, 1) + rows(model.lstm.b_hh, 1),
        "textbook": rows(model.textbook.cell.b_ih, 1) + rows(model.textbook.cell.b_hh, 1),
        "peephole": rows(model.peephole.cell.b_ih, 1),
        "coupled": -rows(model.coupled.cell.b_ih, 0),  # f = 1 - i
        "projected": rows(model.projected.cell.b_ih, 1),
        "normal_lstm": rows(model.normal_lstm.cell.b_gates, 1),
        "minlstm": rows(model.minlstm.cell.b_ih, 1),
    }


def other_biases(model: nn.Module) -> dict[str, Tensor]:
    """The biases, without the blocks of the forget gates; of the coupled LSTM, whose gate is i, without that."""
    found = {}
    for name, parameter in model.named_parameters():
        if is_bias(name):
            first = name.split(".")[0]
            gates = parameter.detach().reshape(-1)
            if first in forget_biases(model):
                at = 0 if first == "coupled" else 1
                gates = torch.cat((gates[: at * HIDDEN], gates[(at + 1) * HIDDEN :]))
            found[name] = gates
    return found


def assert_orthogonal(w_hh: Tensor) -> None:
    """Every gate of HIDDEN rows has orthonormal columns."""
    assert w_hh.shape[0] % HIDDEN == 0
    for gate in w_hh.detach().double().split(HIDDEN):
        torch.testing.assert_close(gate.T @ gate, torch.eye(gate.shape[1], dtype=torch.float64), rtol=0, atol=1e-5)


def assert_recurrent_orthogonal(model: Any) -> None:
    for layer in (model.lstm, model.gru, model.elman):
        assert_orthogonal(layer.w_hh)
    for name in ("textbook", "peephole", "coupled", "projected", "normal_lstm", "normal_gru"):
        assert_orthogonal(model[name].cell.w_hh)
    for transition in model.deep.cell.w_hh:
        assert_orthogonal(transition)


@pytest.mark.parametrize("forget_bias", [None, 2.5])
def test_orthogonal_leaves_what_the_modules_were_made_with(forget_bias: float | None) -> None:
    model, before = drawn(name="orthogonal", scale=0.08, forget_bias=forget_bias)
    value = 1.0 if forget_bias is None else forget_bias
    for each in forget_biases(model).values():
        assert each.tolist() == pytest.approx([value] * HIDDEN)
    for name, parameter in model.named_parameters():
        if not is_bias(name):
            assert torch.equal(parameter, before[name])
    for name, gates in other_biases(model).items():
        assert torch.equal(gates, torch.full_like(gates, -1.0 if "connections" in name else 0.0)) or (
            "output" in name or "attention" in name  # torch's own
        )
    assert_recurrent_orthogonal(model)


@pytest.mark.parametrize("scale", [0.08, 0.5])
def test_uniform_draws_every_weight_and_bias(scale: float) -> None:
    model, before = drawn(name="uniform", scale=scale, forget_bias=None)
    everything = []
    for name, parameter in model.named_parameters():
        if is_gain(name):
            assert torch.equal(parameter, before[name])
            continue
        assert parameter.abs().max() <= scale
        # Each of them, not the first only: of n even numbers the largest is seldom below 0.7 of the bound.
        if parameter.numel() >= 20:
            assert parameter.abs().max() > 0.7 * scale
            assert parameter.unique().numel() > 0.9 * parameter.numel()
        everything.append(parameter.detach().flatten())
    numbers = torch.cat(everything).double() / scale
    count = numbers.numel()
    assert count > 20_000
    # Five standard deviations of the mean, and of the mean square 1/3 (whose variance is 4/45), of even numbers.
    assert abs(numbers.mean().item()) < 5 * (1 / 3 / count) ** 0.5
    assert abs((numbers**2).mean().item() - 1 / 3) < 5 * (4 / 45 / count) ** 0.5
    # A quarter of them in each quarter of the range: nothing of a Gaussian.
    shares = torch.histc(numbers.float(), 4, -1, 1) / count
    assert (shares - 0.25).abs().max() < 5 * (3 / 16 / count) ** 0.5


@pytest.mark.parametrize("name", ["uniform", "normal"])
def test_forget_gates_are_as_the_recipe_says(name: Any) -> None:
    model, _ = drawn(name=name, scale=0.01, forget_bias=-0.75)
    for each in forget_biases(model).values():
        assert each.tolist() == pytest.approx([-0.75] * HIDDEN)
    # Other gates are as they would be.
    for gates in other_biases(model).values():
        assert gates.abs().max() <= 0.01


def test_uniform_draws_forget_gates_like_all_others() -> None:
    model, _ = drawn(name="uniform", scale=0.01, forget_bias=None)
    assert all(each.abs().max() <= 0.02 for each in forget_biases(model).values())
    assert all(each.unique().numel() > 1 for each in forget_biases(model).values())


def test_normal() -> None:
    scale = 0.03
    model, before = drawn(name="normal", scale=scale, forget_bias=None)
    everything = []
    for name, parameter in model.named_parameters():
        if is_gain(name) or name.endswith("w_hh"):
            assert torch.equal(parameter, before[name])
        elif not is_bias(name):
            everything.append(parameter.detach().flatten())
            assert not torch.equal(parameter, before[name])
            assert 0.5 * scale < parameter.std() < 1.5 * scale
    assert_recurrent_orthogonal(model)
    for each in forget_biases(model).values():
        assert each.tolist() == pytest.approx([1.0] * HIDDEN)
    for gates in other_biases(model).values():
        assert torch.count_nonzero(gates) == 0
    numbers = torch.cat(everything).double() / scale
    count = numbers.numel()
    assert count > 15_000
    # Five standard deviations of a Gaussian's mean, mean square and fourth moment (variances 1, 2 and 96).
    assert abs(numbers.mean().item()) < 5 * (1 / count) ** 0.5
    assert abs((numbers**2).mean().item() - 1) < 5 * (2 / count) ** 0.5
    assert abs((numbers**4).mean().item() - 3) < 5 * (96 / count) ** 0.5


@pytest.mark.parametrize("name", ["orthogonal", "uniform", "normal"])
def test_gains_are_never_touched(name: Any) -> None:
    model, before = drawn(name=name, scale=0.08, forget_bias=0.5)
    gains = {path: parameter for path, parameter in model.named_parameters() if is_gain(path)}
    assert len(gains) == 4  # one of the LSTM, two of the GRU, one of the attention
    for path, gain in gains.items():
        assert torch.equal(gain, before[path])
    assert torch.equal(gains["normal_lstm.cell.gain_gates"], torch.ones(4 * HIDDEN))


@pytest.mark.parametrize("name", ["orthogonal", "uniform", "normal"])
def test_tied_weights_stay_tied_and_are_drawn_once(name: Any) -> None:
    model, _ = drawn(name=name, scale=0.08, forget_bias=None)
    assert model["output"].weight is model["embedding"].weight
    assert len([path for path, _ in model.named_parameters() if path in ("output.weight", "embedding.weight")]) == 1


@pytest.mark.parametrize("name", ["uniform", "normal"])
def test_the_seed_decides(name: Any) -> None:
    def weights(seed: int) -> Tensor:
        model = make()
        torch.manual_seed(seed)
        initialize(model, name=name, scale=0.08, forget_bias=None)
        return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])

    assert torch.equal(weights(5), weights(5))
    assert not torch.equal(weights(5), weights(6))


def test_gradients_are_wanted_as_before() -> None:
    model, _ = drawn(name="normal", scale=0.08, forget_bias=0.5)
    assert all(parameter.requires_grad and parameter.grad_fn is None for parameter in model.parameters())
