"""The LSTM and the GRU with layer normalisation inside the step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise

#: Added to the variance, as in the code that Ba et al. published.
EPSILON = 1e-5


def layer_norm(inputs: Tensor, gain: Tensor, shift: Tensor, *, groups: int = 1) -> Tensor:
    """Normalise the last axis of `inputs` [..., width], in each of `groups` equal parts, to mean 0 and variance 1.

    Then times `gain` [width], plus `shift` [width]. At least in float32, whatever the precision around it; the result
    is of the dtype of `inputs`. Ba et al. 2016, equation 4.
    """
    wide = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
    parts = wide.reshape(*wide.shape[:-1], groups, wide.shape[-1] // groups)
    normal = F.layer_norm(parts, parts.shape[-1:], eps=EPSILON).reshape(wide.shape)
    return torch.addcmul(shift, gain, normal).to(inputs.dtype)


def layer_norm_gru(parts: Tensor, gain: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """The sums `parts` [..., 3*hidden] of a GRU in the order r, z, n, normalised.

    The two gates are normalised together, [..., 2*hidden], the candidate [..., hidden] by itself. `gain` and `shift`
    are [3*hidden].
    """
    hidden = parts.shape[-1] // 3
    sizes = (2 * hidden, hidden)
    gates, candidate = map(
        layer_norm,
        parts.split_with_sizes(sizes, dim=-1),
        gain.split_with_sizes(sizes),
        shift.split_with_sizes(sizes),
    )
    return gates, candidate


class LayerNormLSTMCell(nn.Module):
    r"""The LSTM with layer normalisation per gate, that of RNMT+ (Chen et al. 2018, and Lingvo, their code).

    .. math::
        \mathrm{LN}(a) &= \frac{a - \mathrm{mean}(a)}{\sqrt{\mathrm{var}(a) + 10^{-5}}} \\
        i &= \sigma(\alpha_i \odot \mathrm{LN}(W_i x + U_i h) + b_i), \quad
        f = \sigma(\alpha_f \odot \mathrm{LN}(W_f x + U_f h) + b_f) \\
        g &= \tanh(\alpha_g \odot \mathrm{LN}(W_g x + U_g h) + b_g), \quad
        o = \sigma(\alpha_o \odot \mathrm{LN}(W_o x + U_o h) + b_o) \\
        c' &= f \odot c + i \odot g, \quad h' = o \odot \tanh c'

    Each gate has its own mean and variance, over its `hidden_size` units. The layer-norm LSTM of Ba et al. 2016
    (supplement) is another: W x and U h are normalised apart, each over all four gates at once, and so is c' before
    its tanh.
    Parameters, gates in the order i, f, g, o: `w_ih` W, `w_hh` U, `gain_gates` alpha, `b_gates` b.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = hidden_size
        self.w_ih = empty(4 * hidden_size, input_size)
        self.w_hh = empty(4 * hidden_size, hidden_size)
        self.gain_gates = empty(4 * hidden_size)
        self.b_gates = empty(4 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 4 * hidden * (input + hidden + 2)."""
        return 4 * hidden_size * (input_size + hidden_size + 2)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, gains and b_f 1."""
        xavier_by_gate(self.w_ih, 4)
        orthogonal_by_gate(self.w_hh, 4)
        nn.init.ones_(self.gain_gates)
        nn.init.zeros_(self.b_gates)
        self.set_forget_bias(1.0)

    def set_forget_bias(self, value: float) -> None:
        """Make b_f `value`."""
        nn.init.constant_(self.b_gates.data[self.hidden_size : 2 * self.hidden_size], value)

    def project(self, inputs: Tensor) -> Tensor:
        """W x: [..., input] to [..., 4*hidden]."""
        return F.linear(inputs, self.w_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 4*hidden] and the last state.

        Raises:
            ValueError: if the state has no memory cell.
        """
        memory = state.memory()
        gates = projected + F.linear(noise.on_state(state.h), noise.weights(self.w_hh))
        i, f, g, o = layer_norm(gates, self.gain_gates, self.b_gates, groups=4).chunk(4, dim=-1)
        c = torch.sigmoid(f) * memory + torch.sigmoid(i) * noise.on_candidate(torch.tanh(g))
        return CellState(torch.sigmoid(o) * torch.tanh(c), c)


class LayerNormGRUCell(nn.Module):
    r"""The GRU with layer normalisation (Ba et al. 2016, supplement).

    .. math::
        \mathrm{LN}(a) &= \frac{a - \mathrm{mean}(a)}{\sqrt{\mathrm{var}(a) + 10^{-5}}} \\
        \begin{pmatrix} r \\ z \end{pmatrix} &= \sigma\left(
        \alpha_{rz} \odot \mathrm{LN}\begin{pmatrix} W_r x \\ W_z x \end{pmatrix} + b_{rz} +
        \beta_{rz} \odot \mathrm{LN}\begin{pmatrix} U_r h \\ U_z h \end{pmatrix} + d_{rz}\right) \\
        n &= \tanh(\alpha_n \odot \mathrm{LN}(W_n x) + b_n + r \odot (\beta_n \odot \mathrm{LN}(U_n h) + d_n)), \quad
        h' = (1 - z) \odot n + z \odot h

    The two gates are normalised together, over 2 * hidden units, the candidate by itself; what comes from the input
    and what comes from the state apart, so that the input's part is done for all steps at once. z is the part that
    stays, as in :class:`GRUCell`. There are no biases but the shifts after the normalisations.
    Parameters, gates in the order r, z, n: `w_ih` W, `w_hh` U, `gain_ih` alpha, `b_ih` b, `gain_hh` beta, `b_hh` d.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty(3 * hidden_size, input_size)
        self.w_hh = empty(3 * hidden_size, hidden_size)
        self.gain_ih = empty(3 * hidden_size)
        self.gain_hh = empty(3 * hidden_size)
        self.b_ih = empty(3 * hidden_size)
        self.b_hh = empty(3 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 3 * hidden * (input + hidden + 4)."""
        return 3 * hidden_size * (input_size + hidden_size + 4)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, gains 1, biases zero."""
        xavier_by_gate(self.w_ih, 3)
        orthogonal_by_gate(self.w_hh, 3)
        nn.init.ones_(self.gain_ih)
        nn.init.ones_(self.gain_hh)
        nn.init.zeros_(self.b_ih)
        nn.init.zeros_(self.b_hh)

    def project(self, inputs: Tensor) -> Tensor:
        """The normalised W x: [..., input] to [..., 3*hidden]."""
        return torch.cat(layer_norm_gru(F.linear(inputs, self.w_ih), self.gain_ih, self.b_ih), dim=-1)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 3*hidden] and the last state."""
        from_state = F.linear(noise.on_state(state.h), noise.weights(self.w_hh))
        gates_h, n_h = layer_norm_gru(from_state, self.gain_hh, self.b_hh)
        gates_x, n_x = projected.split_with_sizes((2 * self.hidden_size, self.hidden_size), dim=-1)
        r, z = torch.sigmoid(gates_x + gates_h).chunk(2, dim=-1)
        n = noise.on_candidate(torch.tanh(n_x + r * n_h))
        return CellState((1 - z) * n + z * state.h)
