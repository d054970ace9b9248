"""The equations of every cell, written again: numpy, one row, one matrix per gate, with names instead of blocks.

To test a new cell, write its equations here and add an entry to `CELLS` (or `SCAN_CELLS`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seq2seq.nn import cells

Array = NDArray[np.float64]
Weights = dict[str, Array]
#: Weights, x, h, c, the factor on the h that the matrices read, the factor on the candidate -> h', c'.
Equations = Callable[[Weights, Array, Array, Array, Array, Array], tuple[Array, Array]]


def sigma(a: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-a))


def ln(a: Array) -> Array:
    return (a - a.mean()) / np.sqrt(((a - a.mean()) ** 2).mean() + 1e-5)


def elman(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    return np.tanh(p["W"] @ x + p["b"] + p["U"] @ (h * read) + p["d"]), c


def elman_relu(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    return np.maximum(p["W"] @ x + p["b"] + p["U"] @ (h * read) + p["d"], 0.0), c


def lstm(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    i = sigma(p["W_i"] @ x + p["b_i"] + p["U_i"] @ v + p["d_i"])
    f = sigma(p["W_f"] @ x + p["b_f"] + p["U_f"] @ v + p["d_f"])
    g = np.tanh(p["W_g"] @ x + p["b_g"] + p["U_g"] @ v + p["d_g"])
    o = sigma(p["W_o"] @ x + p["b_o"] + p["U_o"] @ v + p["d_o"])
    c = f * c + i * (g * keep)
    return o * np.tanh(c), c


def peephole(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    i = sigma(p["W_i"] @ x + p["U_i"] @ v + np.diag(p["p_i"]) @ c + p["b_i"])
    f = sigma(p["W_f"] @ x + p["U_f"] @ v + np.diag(p["p_f"]) @ c + p["b_f"])
    g = np.tanh(p["W_g"] @ x + p["U_g"] @ v + p["b_g"])
    c = f * c + i * (g * keep)
    o = sigma(p["W_o"] @ x + p["U_o"] @ v + np.diag(p["p_o"]) @ c + p["b_o"])
    return o * np.tanh(c), c


def coupled(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    i = sigma(p["W_i"] @ x + p["U_i"] @ v + p["b_i"])
    g = np.tanh(p["W_g"] @ x + p["U_g"] @ v + p["b_g"])
    o = sigma(p["W_o"] @ x + p["U_o"] @ v + p["b_o"])
    c = (1 - i) * c + i * (g * keep)
    return o * np.tanh(c), c


def projected(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    i = sigma(p["W_i"] @ x + p["U_i"] @ v + p["b_i"])
    f = sigma(p["W_f"] @ x + p["U_f"] @ v + p["b_f"])
    g = np.tanh(p["W_g"] @ x + p["U_g"] @ v + p["b_g"])
    o = sigma(p["W_o"] @ x + p["U_o"] @ v + p["b_o"])
    c = f * c + i * (g * keep)
    return p["P"] @ (o * np.tanh(c)), c


def layer_norm_lstm(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    i = sigma(p["a_i"] * ln(p["W_i"] @ x + p["U_i"] @ v) + p["b_i"])
    f = sigma(p["a_f"] * ln(p["W_f"] @ x + p["U_f"] @ v) + p["b_f"])
    g = np.tanh(p["a_g"] * ln(p["W_g"] @ x + p["U_g"] @ v) + p["b_g"])
    o = sigma(p["a_o"] * ln(p["W_o"] @ x + p["U_o"] @ v) + p["b_o"])
    c = f * c + i * (g * keep)
    return o * np.tanh(c), c


def gru(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    r = sigma(p["W_r"] @ x + p["b_r"] + p["U_r"] @ v + p["d_r"])
    z = sigma(p["W_z"] @ x + p["b_z"] + p["U_z"] @ v + p["d_z"])
    n = np.tanh(p["W_n"] @ x + p["b_n"] + r * (p["U_n"] @ v + p["d_n"]))
    return (1 - z) * (n * keep) + z * h, c


def reset_before_gru(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    r = sigma(p["W_r"] @ x + p["U_r"] @ v + p["b_r"])
    z = sigma(p["W_z"] @ x + p["U_z"] @ v + p["b_z"])
    n = np.tanh(p["W_n"] @ x + p["U_n"] @ (r * v) + p["b_n"])
    return (1 - z) * (n * keep) + z * h, c


def layer_norm_gru(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    from_input = ln(np.concatenate((p["W_r"] @ x, p["W_z"] @ x)))
    from_state = ln(np.concatenate((p["U_r"] @ v, p["U_z"] @ v)))
    half = len(h)
    r = sigma(p["a_r"] * from_input[:half] + p["b_r"] + p["e_r"] * from_state[:half] + p["d_r"])
    z = sigma(p["a_z"] * from_input[half:] + p["b_z"] + p["e_z"] * from_state[half:] + p["d_z"])
    n = np.tanh(p["a_n"] * ln(p["W_n"] @ x) + p["b_n"] + r * (p["e_n"] * ln(p["U_n"] @ v) + p["d_n"]))
    return (1 - z) * (n * keep) + z * h, c


def deep_transition(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    h, _ = gru({name.removesuffix("1"): weight for name, weight in p.items()}, x, h, c, read, keep)
    for k in "23":
        v = h * read
        r = sigma(p["U_r" + k] @ v + p["d_r" + k])
        z = sigma(p["U_z" + k] @ v + p["d_z" + k])
        n = np.tanh(r * (p["U_n" + k] @ v + p["d_n" + k]))
        h = (1 - z) * (n * keep) + z * h
    return h, c


def deep_transition_ln(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    h, _ = layer_norm_gru({name.removesuffix("1"): weight for name, weight in p.items()}, x, h, c, read, keep)
    half = len(h)
    for k in "23":
        v = h * read
        gates = ln(np.concatenate((p["U_r" + k] @ v, p["U_z" + k] @ v)))
        r = sigma(p["e_r" + k] * gates[:half] + p["d_r" + k])
        z = sigma(p["e_z" + k] * gates[half:] + p["d_z" + k])
        n = np.tanh(r * (p["e_n" + k] * ln(p["U_n" + k] @ v) + p["d_n" + k]))
        h = (1 - z) * (n * keep) + z * h
    return h, c


def mut1(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    bare = p["P"] @ x if "P" in p else x
    z = sigma(p["W_z"] @ x + p["b_z"])
    r = sigma(p["W_r"] @ x + p["U_r"] @ v + p["b_r"])
    n = np.tanh(p["U_n"] @ (r * v) + np.tanh(bare) + p["b_n"])
    return n * keep * z + h * (1 - z), c


def mut2(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    bare = p["P"] @ x if "P" in p else x
    z = sigma(p["W_z"] @ x + p["U_z"] @ v + p["b_z"])
    r = sigma(bare + p["U_r"] @ v + p["b_r"])
    n = np.tanh(p["U_n"] @ (r * v) + p["W_n"] @ x + p["b_n"])
    return n * keep * z + h * (1 - z), c


def mut3(p: Weights, x: Array, h: Array, c: Array, read: Array, keep: Array) -> tuple[Array, Array]:
    v = h * read
    z = sigma(p["W_z"] @ x + p["U_z"] @ np.tanh(v) + p["b_z"])
    r = sigma(p["W_r"] @ x + p["U_r"] @ v + p["b_r"])
    n = np.tanh(p["U_n"] @ (r * v) + p["W_n"] @ x + p["b_n"])
    return n * keep * z + h * (1 - z), c


def min_gru(p: Weights, x: Array, h: Array) -> tuple[Array, Array]:
    z = sigma(p["W_z"] @ x + p["b_z"])
    h = (1 - z) * h + z * (p["W_n"] @ x + p["b_n"])
    return h, h


def min_lstm(p: Weights, x: Array, h: Array) -> tuple[Array, Array]:
    i, f = sigma(p["W_i"] @ x + p["b_i"]), sigma(p["W_f"] @ x + p["b_f"])
    h = f / (f + i) * h + i / (f + i) * (p["W_g"] @ x + p["b_g"])
    return h, h


def sru(p: Weights, x: Array, h: Array) -> tuple[Array, Array]:
    f, r = sigma(p["W_f"] @ x + p["b_f"]), sigma(p["W_r"] @ x + p["b_r"])
    h = f * h + (1 - f) * (p["W_n"] @ x)
    return h, r * np.tanh(h) + (1 - r) * (p["P"] @ x if "P" in p else x)


@dataclass(frozen=True)
class Entry:
    """A cell of 5 inputs and 3 units (or as `input_size` says), and what is known of it from elsewhere.

    `blocks` names the blocks of rows of each parameter, in order. `count` is the number of parameters, worked by hand.
    """

    make: Callable[[int, int], nn.Module]
    count_formula: Callable[[int, int], int]
    equations: Equations
    blocks: dict[str, str]
    count: int
    input_size: int = 5
    hidden_size: int = 3
    has_candidate: bool = True

    def cell(self) -> nn.Module:
        """The cell in float64, every parameter a different number near 0.5 * sin(k * k)."""
        cell = self.make(self.input_size, self.hidden_size).double()
        start = 1
        with torch.no_grad():
            for parameter in cell.parameters():
                numbers = torch.arange(start, start + parameter.numel(), dtype=torch.float64)
                parameter.copy_((0.5 * torch.sin(numbers * numbers)).view(parameter.shape))
                start += parameter.numel()
        return cell

    def weights(self, values: dict[str, Tensor]) -> Weights:
        """The blocks by name, of parameters by name."""
        named: Weights = {}
        assert values.keys() == self.blocks.keys()
        for parameter, names in self.blocks.items():
            value = values[parameter].detach().numpy()
            is_matrix = parameter in ("w_ih", "w_hh", "w_hr")
            rows = value.reshape(-1, value.shape[-1]) if is_matrix else value.reshape(-1)
            named.update(zip(names.split(), np.split(rows, len(names.split())), strict=True))
        return named


def plain(kind: type[nn.Module], **more: object) -> dict[str, Callable[[int, int], object]]:
    """The two constructors of an entry."""
    return {
        "make": lambda inputs, hidden: kind(input_size=inputs, hidden_size=hidden, **more),
        "count_formula": lambda inputs, hidden: kind.parameter_count(inputs, hidden, **more),
    }


LSTM = {"w_ih": "W_i W_f W_g W_o", "w_hh": "U_i U_f U_g U_o", "b_ih": "b_i b_f b_g b_o"}
GRU = {"w_ih": "W_r W_z W_n", "w_hh": "U_r U_z U_n", "b_ih": "b_r b_z b_n"}
DEEP_U = "U_r1 U_z1 U_n1 U_r2 U_z2 U_n2 U_r3 U_z3 U_n3"

CELLS: dict[str, Entry] = {
    # 3 * 5 + 3 * 3 + 2 * 3
    "elman-tanh": Entry(
        **plain(cells.ElmanCell),
        equations=elman,
        blocks={"w_ih": "W", "w_hh": "U", "b_ih": "b", "b_hh": "d"},
        count=30,
        has_candidate=False,
    ),
    "elman-relu": Entry(
        make=lambda inputs, hidden: cells.ElmanCell(input_size=inputs, hidden_size=hidden, nonlinearity="relu"),
        count_formula=cells.ElmanCell.parameter_count,
        equations=elman_relu,
        blocks={"w_ih": "W", "w_hh": "U", "b_ih": "b", "b_hh": "d"},
        count=30,
        has_candidate=False,
    ),
    # 4 * 30
    "lstm": Entry(**plain(cells.LSTMCell), equations=lstm, blocks={**LSTM, "b_hh": "d_i d_f d_g d_o"}, count=120),
    # 4 * (15 + 9 + 3) + 3 * 3
    "lstm-peephole": Entry(
        **plain(cells.PeepholeLSTMCell), equations=peephole, blocks={**LSTM, "w_c": "p_i p_f p_o"}, count=117
    ),
    # 3 * (15 + 9 + 3)
    "lstm-coupled": Entry(
        **plain(cells.CoupledLSTMCell),
        equations=coupled,
        blocks={"w_ih": "W_i W_g W_o", "w_hh": "U_i U_g U_o", "b_ih": "b_i b_g b_o"},
        count=81,
    ),
    # 4 * (15 + 3 * 2 + 3) + 2 * 3
    "lstm-projected": Entry(
        **plain(cells.ProjectedLSTMCell, projection_size=2),
        equations=projected,
        blocks={**LSTM, "w_hr": "P"},
        count=102,
    ),
    # 4 * (15 + 9) + 4 * 3 gains + 4 * 3 shifts
    "lstm-layer-norm": Entry(
        **plain(cells.LayerNormLSTMCell),
        equations=layer_norm_lstm,
        blocks={
            "w_ih": LSTM["w_ih"],
            "w_hh": LSTM["w_hh"],
            "gain_gates": "a_i a_f a_g a_o",
            "b_gates": "b_i b_f b_g b_o",
        },
        count=120,
    ),
    # 3 * 30
    "gru": Entry(**plain(cells.GRUCell), equations=gru, blocks={**GRU, "b_hh": "d_r d_z d_n"}, count=90),
    # 3 * (15 + 9 + 3)
    "gru-reset-before": Entry(**plain(cells.ResetBeforeGRUCell), equations=reset_before_gru, blocks=GRU, count=81),
    # 3 * (15 + 9) + 6 * 3 gains + 6 * 3 shifts
    "gru-layer-norm": Entry(
        **plain(cells.LayerNormGRUCell),
        equations=layer_norm_gru,
        blocks={**GRU, "b_hh": "d_r d_z d_n", "gain_ih": "a_r a_z a_n", "gain_hh": "e_r e_z e_n"},
        count=108,
    ),
    # The input once, 3 * (15 + 3), and three states, 3 * 3 * (9 + 3)
    "gru-deep-transition": Entry(
        **plain(cells.DeepTransitionGRUCell, transitions=3),
        equations=deep_transition,
        blocks={**GRU, "w_hh": DEEP_U, "b_hh": DEEP_U.replace("U", "d")},
        count=162,
    ),
    # The input once, 3 * (15 + 3 + 3), and three states, 3 * 3 * (9 + 3 + 3)
    "gru-deep-transition-ln": Entry(
        **plain(cells.DeepTransitionGRUCell, transitions=3, layer_norm=True),
        equations=deep_transition_ln,
        blocks={
            **GRU,
            "w_hh": DEEP_U,
            "b_hh": DEEP_U.replace("U", "d"),
            "gain_ih": "a_r a_z a_n",
            "gain_hh": DEEP_U.replace("U", "e"),
        },
        count=198,
    ),
    # Three input matrices with P, two of the state, three biases: 3 * 15 + 2 * 9 + 3 * 3
    "mut1": Entry(
        **plain(cells.MUT1Cell),
        equations=mut1,
        blocks={"w_ih": "W_r W_z P", "w_hh": "U_r U_n", "b_ih": "b_r b_z b_n"},
        count=72,
    ),
    # Two input matrices, two of the state, all 3 by 3, three biases: 4 * 9 + 9
    "mut1-bare": Entry(
        **plain(cells.MUT1Cell),
        equations=mut1,
        blocks={"w_ih": "W_r W_z", "w_hh": "U_r U_n", "b_ih": "b_r b_z b_n"},
        count=45,
        input_size=3,
    ),
    # 3 * 15 + 3 * 9 + 3 * 3
    "mut2": Entry(**plain(cells.MUT2Cell), equations=mut2, blocks={**GRU, "w_ih": "P W_z W_n"}, count=81),
    # 5 * 9 + 9
    "mut2-bare": Entry(
        **plain(cells.MUT2Cell), equations=mut2, blocks={**GRU, "w_ih": "W_z W_n"}, count=54, input_size=3
    ),
    # 3 * (15 + 9 + 3)
    "mut3": Entry(**plain(cells.MUT3Cell), equations=mut3, blocks=GRU, count=81),
}


def scan(step: Callable[[Weights, Array, Array], tuple[Array, Array]]) -> Equations:
    """Equations of a cell whose second result is its output."""
    return lambda p, x, h, c, read, keep: step(p, x, h)


SCAN_CELLS: dict[str, Entry] = {
    # 2 * (15 + 3)
    "mingru": Entry(
        **plain(cells.MinGRUCell), equations=scan(min_gru), blocks={"w_ih": "W_z W_n", "b_ih": "b_z b_n"}, count=36
    ),
    # 3 * (15 + 3)
    "minlstm": Entry(
        **plain(cells.MinLSTMCell),
        equations=scan(min_lstm),
        blocks={"w_ih": "W_i W_f W_g", "b_ih": "b_i b_f b_g"},
        count=54,
    ),
    # 4 * 15 + 2 * 3
    "sru": Entry(
        **plain(cells.SRUCell), equations=scan(sru), blocks={"w_ih": "W_n W_f W_r P", "b_ih": "b_f b_r"}, count=66
    ),
    # 3 * 9 + 2 * 3
    "sru-bare": Entry(
        **plain(cells.SRUCell),
        equations=scan(sru),
        blocks={"w_ih": "W_n W_f W_r", "b_ih": "b_f b_r"},
        count=33,
        input_size=3,
    ),
}
