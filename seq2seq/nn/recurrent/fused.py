"""The fused layer: PyTorch's kernels, a whole sequence in one call."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from seq2seq.nn.cells import CellState
from seq2seq.nn.dropout import dropconnect
from seq2seq.nn.recurrent.cudnn import ALIGNED, cudnn_version, in_one_block, kernel_dtype, uses_cudnn
from seq2seq.nn.recurrent.layer import at_lengths
from seq2seq.nn.recurrent.noise import LayerNoise
from seq2seq.nn.recurrent.precision import product_dtype

FusedCellName = Literal["lstm", "gru", "elman-tanh", "elman-relu"]

_GATES: dict[str, int] = {"lstm": 4, "gru": 3, "elman-tanh": 1, "elman-relu": 1}
#: Pre-activation that shuts a sigmoid gate, or with the other sign opens it, in every precision.
_SHUT = 1e4


class FusedLayer(nn.Module):
    """One recurrent layer in one direction, a :class:`~seq2seq.nn.recurrent.RecurrentLayer`.

    Its equations, parameter names and order of gates are those of :class:`~seq2seq.nn.cells.LSTMCell`,
    :class:`~seq2seq.nn.cells.GRUCell` and :class:`~seq2seq.nn.cells.ElmanCell`. Recurrent weights start orthogonal gate
    by gate, input weights Xavier-uniform, biases zero but for a forget gate of 1 in total. `dropconnect` is the
    probability that an element of the recurrent matrix is dropped, drawn once per call (Merity et al. 2018); the other
    kinds of recurrent dropout need a :class:`~seq2seq.nn.recurrent.ScannedLayer`. Under autocast its state is carried
    in the short format, where scanned and parallel layers carry theirs in that of the parameters.
    """

    def __init__(self, *, kind: FusedCellName, input_size: int, hidden_size: int, dropconnect: float = 0.0) -> None:
        super().__init__()
        gates = _GATES[kind]
        self.kind = kind
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.state_sizes = (hidden_size, hidden_size if kind == "lstm" else 0)
        self.dropconnect = dropconnect
        self.w_ih = nn.Parameter(torch.empty(gates * hidden_size, input_size))
        self.w_hh = nn.Parameter(torch.empty(gates * hidden_size, hidden_size))
        self.b_ih = nn.Parameter(torch.empty(gates * hidden_size))
        self.b_hh = nn.Parameter(torch.empty(gates * hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator."""
        for gate in self.w_ih.data.chunk(_GATES[self.kind]):
            nn.init.xavier_uniform_(gate)
        for gate in self.w_hh.data.chunk(_GATES[self.kind]):
            nn.init.orthogonal_(gate)
        nn.init.zeros_(self.b_ih)
        nn.init.zeros_(self.b_hh)
        if self.kind == "lstm":
            self.set_forget_bias(1.0)

    def set_forget_bias(self, value: float) -> None:
        """Make the forget gate's bias `value` in total, where there is one: in an LSTM."""
        if self.kind != "lstm":
            return
        forget = slice(self.hidden_size, 2 * self.hidden_size)
        with torch.no_grad():
            # The two biases add up.
            self.b_ih[forget] = value
            self.b_hh[forget] = 0.0

    def initial_state(self, rows: int) -> CellState:
        """A state of zeros, [rows, hidden]."""
        zeros = self.w_hh.new_zeros(rows, self.hidden_size)
        return CellState(zeros, zeros if self.kind == "lstm" else None)

    def draw(self, rows: int) -> LayerNoise | None:
        """The recurrent matrix with some of its elements dropped, the same for all `rows`; None in evaluation."""
        if not self.training or self.dropconnect == 0.0:
            return None
        return LayerNoise(w_hh=dropconnect(self.w_hh, self.dropconnect, True).to(product_dtype(self.w_hh)))

    def forward(
        self,
        inputs: Tensor,
        state: CellState | None = None,
        *,
        mask: Tensor | None = None,
        final_cell: bool = True,
        noise: LayerNoise | None = None,
    ) -> tuple[Tensor, CellState]:
        """Read whole sequences, as :class:`~seq2seq.nn.recurrent.RecurrentLayer` says."""
        if state is None:
            state = self.initial_state(inputs.shape[0])
        w_ih: Tensor = self.w_ih
        if mask is not None and final_cell and self.kind == "lstm":
            inputs, w_ih = self._holding(inputs, mask)
        w_hh = self._recurrent(noise or self.draw(inputs.shape[0]))
        outputs, h, c = _run(self.kind, inputs, state, (w_ih, w_hh, self.b_ih, self.b_hh))
        if mask is not None:
            h = at_lengths(outputs, mask)
            c = c if final_cell else None
        return outputs, CellState(h, c)

    def _recurrent(self, noise: LayerNoise | None) -> Tensor:
        return self.w_hh if noise is None or noise.w_hh is None else noise.w_hh

    def _holding(self, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and weights with one more feature, 1 on padding, that opens the forget gate and shuts the input gate.

        The memory cell then passes through padding unchanged, to the last bit, at full speed; h, which does not, is
        read from the outputs at each length.
        """
        hidden = self.hidden_size
        # On a GPU a width that is no multiple of 8 would cost the tensor cores; the other columns are zero.
        width = ALIGNED if uses_cudnn(inputs.device) else 1
        columns = self.w_ih.new_zeros(4 * hidden, width)
        columns[:hidden, 0] = -_SHUT
        columns[hidden : 2 * hidden, 0] = _SHUT
        padding = (~mask).unsqueeze(-1).to(inputs.dtype)
        if width > 1:
            padding = functional.pad(padding, (0, width - 1))
        return torch.cat((inputs, padding), dim=-1), torch.cat((self.w_ih, columns), dim=1)

    def step(self, inputs: Tensor, state: CellState, noise: LayerNoise | None = None) -> tuple[Tensor, CellState]:
        """One time step: `inputs` [rows, input] to the output [rows, hidden] and the next state. Same parameters."""
        weights = (self.w_ih, self._recurrent(noise), self.b_ih, self.b_hh)
        if self.kind == "lstm":
            assert state.c is not None
            h, c = torch.lstm_cell(inputs, (state.h, state.c), *weights)
            return h, CellState(h, c)
        match self.kind:
            case "gru":
                h = torch.gru_cell(inputs, state.h, *weights)
            case "elman-tanh":
                h = torch.rnn_tanh_cell(inputs, state.h, *weights)
            case "elman-relu":
                h = torch.rnn_relu_cell(inputs, state.h, *weights)
        return h, CellState(h)


def _run(
    kind: FusedCellName, inputs: Tensor, state: CellState, weights: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Call the fused kernel in the precision that autocast asks for: outputs [batch, len, hidden], last h and c.

    Autocast itself would run these kernels in fp16 on CUDA when it is set to bf16, so it is turned off and the casts
    are made here.
    """
    dtype = kernel = product_dtype(inputs)
    with torch.autocast(inputs.device.type, enabled=False):
        if uses_cudnn(inputs.device):
            kernel = kernel_dtype(dtype, version=cudnn_version())
            flat = list(in_one_block(weights, kernel))
        else:
            flat = [weight.to(kernel) for weight in weights]
        # A state may be a slice of a bridge's output; cuDNN wants it in one block.
        h = state.h.to(kernel).contiguous().unsqueeze(0)
        c = None if state.c is None else state.c.to(kernel).contiguous().unsqueeze(0)
        # Time-major inside: what the CPU kernels work on; batch_first would make them copy.
        outputs, h, c = _call(kind, inputs.to(kernel).transpose(0, 1), h, c, flat)
        return outputs.to(dtype).transpose(0, 1), h[0].to(dtype), None if c is None else c[0].to(dtype)


def _call(
    kind: FusedCellName, steps: Tensor, h: Tensor, c: Tensor | None, weights: list[Tensor]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The kernel of `kind` over `steps` [len, batch, input] from states [1, batch, hidden]: outputs, last h and c."""
    training = torch.is_grad_enabled()
    match kind:
        case "lstm":
            assert c is not None
            return torch.lstm(steps, [h, c], weights, True, 1, 0.0, training, False, False)
        case "gru":
            outputs, h = torch.gru(steps, h, weights, True, 1, 0.0, training, False, False)
        case "elman-tanh":
            outputs, h = torch.rnn_tanh(steps, h, weights, True, 1, 0.0, training, False, False)
        case "elman-relu":
            outputs, h = torch.rnn_relu(steps, h, weights, True, 1, 0.0, training, False, False)
    return outputs, h, None
