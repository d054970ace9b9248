"""Recurrences that are linear in their state: their gates see only the input, so that no step waits for another."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, xavier_by_gate


def _wide(activations: Tensor) -> Tensor:
    """In float32 at least: in bf16 a coefficient near 1 is 1, and what should fade over many steps would stay."""
    return activations.to(torch.promote_types(activations.dtype, torch.float32))


class MinGRUCell(nn.Module):
    r"""minGRU (Feng et al. 2024, section 3.1), in linear space.

    .. math::
        z = \sigma(W_z x + b_z), \quad n = W_n x + b_n, \quad h' = (1 - z) \odot h + z \odot n

    z is the part of the state that is new. The candidate n has no nonlinearity, as in the paper's text. Its appendix
    also has a log-space form, where n goes through a function that makes it, and h, positive; that is not this one.
    Parameters, in the order z, n: `w_ih` W, `b_ih` b.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty(2 * hidden_size, input_size)
        self.b_ih = empty(2 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 2 * hidden * (input + 1)."""
        return 2 * hidden_size * (input_size + 1)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: W Xavier-uniform, biases zero."""
        xavier_by_gate(self.w_ih, 2)
        nn.init.zeros_(self.b_ih)

    def coefficients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Coefficients 1 - z and z * n, each [..., hidden], from `inputs` [..., input]."""
        z, n = _wide(F.linear(inputs, self.w_ih, self.b_ih)).chunk(2, dim=-1)
        return torch.sigmoid(-z), torch.sigmoid(z) * n

    def read(self, inputs: Tensor, h: Tensor) -> Tensor:
        """The output: h itself."""
        return h


class MinLSTMCell(nn.Module):
    r"""minLSTM (Feng et al. 2024, section 3.2), in linear space, with gates that sum to one.

    .. math::
        i &= \sigma(W_i x + b_i), \quad f = \sigma(W_f x + b_f), \quad g = W_g x + b_g \\
        h' &= \frac{f}{f + i} \odot h + \frac{i}{f + i} \odot g

    The candidate g has no nonlinearity; the log-space form of the paper's appendix, which keeps h positive, is not
    this one. The paper calls its only state h as well; there is no c.
    Parameters, in the order i, f, g: `w_ih` W, `b_ih` b.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty(3 * hidden_size, input_size)
        self.b_ih = empty(3 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 3 * hidden * (input + 1)."""
        return 3 * hidden_size * (input_size + 1)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: W Xavier-uniform, forget bias 1, other biases zero."""
        xavier_by_gate(self.w_ih, 3)
        nn.init.zeros_(self.b_ih)
        self.set_forget_bias(1.0)

    def set_forget_bias(self, value: float) -> None:
        """Make b_f `value`."""
        nn.init.constant_(self.b_ih.data[self.hidden_size : 2 * self.hidden_size], value)

    def coefficients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """F / (f + i) and i / (f + i) * g, each [..., hidden], from `inputs` [..., input]."""
        i, f, g = _wide(F.linear(inputs, self.w_ih, self.b_ih)).chunk(3, dim=-1)
        # f / (f + i) = sigmoid(log f - log i), which holds where both gates are too small for a number.
        ratio = F.logsigmoid(f) - F.logsigmoid(i)
        return torch.sigmoid(ratio), torch.sigmoid(-ratio) * g

    def read(self, inputs: Tensor, h: Tensor) -> Tensor:
        """The output: h itself."""
        return h


class SRUCell(nn.Module):
    r"""The simple recurrent unit in its first form (Lei et al. 2017, arXiv:1709.02755v1).

    .. math::
        n &= W_n x, \quad f = \sigma(W_f x + b_f), \quad r = \sigma(W_r x + b_r) \\
        c' &= f \odot c + (1 - f) \odot n, \quad y = r \odot \tanh c' + (1 - r) \odot x

    The state c is this cell's h, the output y is what :meth:`read` gives. Later versions of the paper let the gates
    see c too, so that their steps wait for one another. The highway past the recurrence needs an input as wide as the
    state; where it is not, the x at the end is P x with a learned matrix P, as in the code that the authors published.
    Parameters, in the order n, f, r and, where the widths differ, P: `w_ih` W; in the order f, r: `b_ih` b.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty((3 if input_size == hidden_size else 4) * hidden_size, input_size)
        self.b_ih = empty(2 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: hidden * (3 * input + 2), and hidden * input for P where there is one."""
        matrices = 3 if input_size == hidden_size else 4
        return hidden_size * (matrices * input_size + 2)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: W and P Xavier-uniform, biases zero."""
        xavier_by_gate(self.w_ih, self.w_ih.shape[0] // self.hidden_size)
        nn.init.zeros_(self.b_ih)

    def coefficients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """F and (1 - f) * n, each [..., hidden], from `inputs` [..., input]."""
        n, f = _wide(F.linear(inputs, self.w_ih[: 2 * self.hidden_size])).chunk(2, dim=-1)
        f = f + self.b_ih[: self.hidden_size]
        return torch.sigmoid(f), torch.sigmoid(-f) * n

    def read(self, inputs: Tensor, h: Tensor) -> Tensor:
        """The output y [..., hidden] from `inputs` [..., input] and the new state `h` [..., hidden]."""
        parts = F.linear(inputs, self.w_ih[2 * self.hidden_size :])
        r, bare = parts[..., : self.hidden_size], parts[..., self.hidden_size :]
        if self.input_size == self.hidden_size:
            bare = inputs
        r = torch.sigmoid(r + self.b_ih[self.hidden_size :])
        return r * torch.tanh(h) + (1 - r) * bare
