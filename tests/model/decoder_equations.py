"""The decoder written again as the papers' equations: one step, one layer, one sentence's attention after the other.

Nothing here is of `seq2seq.model`; the cells are the textbook ones, which have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq.nn.cells import QUIET, CellState, ElmanCell, GRUCell, LSTMCell, StepNoise

HIDDEN, EMBED, VALUE, LENGTH = 6, 5, 4, 4
TOKENS = torch.tensor([[1, 4, 5, 8], [1, 7, 7, 2]])
LENGTHS = (3, 1)


def sines(*shape: int, start: int) -> Tensor:
    numbers = torch.arange(start, start + torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(numbers * numbers).view(shape)


#: Two sources, of three pieces and of one; what stands on padding should never be read.
VALUES = sines(2, 3, VALUE, start=40)
MASK = torch.tensor([[True] * 3, [True, False, False]])

Look = Callable[[Tensor], Tensor]


def cat(*parts: Tensor) -> Tensor:
    return torch.cat(parts, dim=-1)


@dataclass
class General:
    """Luong's general attention, q . W v."""

    attention: Any
    weights: list[Tensor] = field(default_factory=list)

    def __call__(self, queries: Tensor) -> Tensor:
        contexts, weights = [], torch.zeros(2, 3, dtype=torch.float64)
        for row, length in enumerate(LENGTHS):
            values = VALUES[row, :length]
            share = torch.stack([queries[row] @ (self.attention.key.weight @ value) for value in values]).softmax(0)
            weights[row, :length] = share
            contexts.append(share @ values)
        self.weights.append(weights)
        return torch.stack(contexts)


@dataclass
class Coverage:
    """Additive attention that knows how much it has seen of every piece."""

    attention: Any
    weights: list[Tensor] = field(default_factory=list)
    seen: list[Tensor] = field(default_factory=lambda: [torch.zeros(n, dtype=torch.float64) for n in LENGTHS])

    def __call__(self, queries: Tensor) -> Tensor:
        a, contexts, weights = self.attention, [], torch.zeros(2, 3, dtype=torch.float64)
        for row, length in enumerate(LENGTHS):
            values = VALUES[row, :length]
            hidden = torch.stack(
                [
                    a.query.weight @ queries[row] + a.key.weight @ value + a.key.bias + a.coverage.weight[:, 0] * seen
                    for value, seen in zip(values, self.seen[row], strict=True)
                ]
            ).tanh()
            share = (hidden @ a.score.weight[0]).softmax(0)
            self.seen[row] = self.seen[row] + share / (2 * torch.sigmoid(values @ a.fertility.weight[0]))
            weights[row, :length] = share
            contexts.append(share @ values)
        self.weights.append(weights)
        return torch.stack(contexts)


@dataclass
class Summary:
    """The same context for every query: tanh(V v) of the last value."""

    attention: Any
    weights: list[Tensor] = field(default_factory=list)

    def __call__(self, queries: Tensor) -> Tensor:
        last = torch.stack([VALUES[row, length - 1] for row, length in enumerate(LENGTHS)])
        return torch.tanh(last @ self.attention.summary.weight.T)


@dataclass
class Hard:
    """The value at the place that was drawn, which `weights` [2, LENGTH, 3] tell; what its choice was worth."""

    attention: Any
    drawn: Tensor
    log_probs: list[Tensor] = field(default_factory=list)
    entropies: list[Tensor] = field(default_factory=list)

    def __call__(self, queries: Tensor) -> Tensor:
        a, t, contexts, log_probs, entropies = self.attention, len(self.log_probs), [], [], []
        for row, length in enumerate(LENGTHS):
            values = VALUES[row, :length]
            hidden = (queries[row] @ a.query.weight.T + values @ a.key.weight.T + a.key.bias).tanh()
            share = (hidden @ a.score.weight[0]).softmax(0)
            place = self.drawn[row, t].tolist().index(1.0)
            contexts.append(values[place])
            log_probs.append(share[place].log())
            entropies.append(-(share * share.log()).sum())
        self.log_probs.append(torch.stack(log_probs))
        self.entropies.append(torch.stack(entropies))
        return torch.stack(contexts)


def advance(layer: Any, x: Tensor, state: CellState, noise: StepNoise) -> tuple[Tensor, CellState]:
    """One step of a layer by its textbook cell: the output and the next state."""
    if hasattr(layer, "kind"):
        makers: dict[str, Callable[..., nn.Module]] = {"lstm": LSTMCell, "gru": GRUCell}
        maker = makers.get(layer.kind, lambda **sizes: ElmanCell(**sizes, nonlinearity=layer.kind.split("-")[1]))
        cell: Any = maker(input_size=layer.input_size, hidden_size=layer.hidden_size).double()
        cell.load_state_dict(layer.state_dict())
    else:
        cell = layer.cell
    if hasattr(cell, "coefficients"):
        a, b = cell.coefficients(x)
        state = CellState(a * state.h + b)
        return cell.read(x, state.h), state
    state = cell.step(cell.project(x), state, noise)
    return state.h, state


@dataclass
class Layers:
    """The layers of a decoder and the states they are in."""

    decoder: Any
    states: list[CellState]
    #: What recurrent dropout does in every step of each layer, and of the second cell.
    noises: Sequence[StepNoise] = (QUIET,) * 3
    second_noise: StepNoise = QUIET

    def __call__(self, number: int, x: Tensor) -> Tensor:
        """The output of layer `number`, counted from 1."""
        at = number - 1
        y, self.states[at] = advance(self.decoder.layers[at], x, self.states[at], self.noises[at])
        return y

    def second(self, x: Tensor) -> Tensor:
        """The output of the second cell, which goes on from the first layer's state."""
        y, self.states[0] = advance(self.decoder.second, x, self.states[0], self.second_noise)
        return y


def joined(decoder: Any, number: int, x: Tensor, y: Tensor) -> Tensor:
    """What layer `number` + 1 reads where layer `number` read x and gave y; connections are from layer 2 on."""
    match decoder.connections.kind:
        case "residual" if number > 1:
            return y + x
        case "highway" if number > 1:
            gate = decoder.connections.gates[number - 2]
            t = torch.sigmoid(x @ gate.weight.T + gate.bias)
            return t * y + (1 - t) * x
        case "dense" if number < 3:
            return cat(x, y)
    return y


def climb(decoder: Any, f: Layers, x: Tensor, y: Tensor, *beside: Tensor) -> Tensor:
    """From the first layer's x and y through layers 2 and 3, which read what is `beside` as well."""
    for number in (2, 3):
        x = joined(decoder, number - 1, x, y)
        y = f(number, cat(x, *beside))
    return joined(decoder, 3, x, y)


def read_out(readout: Any, h: Tensor, e: Tensor, c: Tensor | None) -> Tensor:
    """The readout, matrix by matrix."""
    kind = getattr(readout, "kind", "plain")
    if kind == "plain":
        return h if c is None else cat(h, c)
    w_h, rest = readout.weight[:, :HIDDEN], readout.weight[:, HIDDEN:]
    own = h @ w_h.T
    if kind != "tanh":
        own, rest = own + e @ rest[:, :EMBED].T + readout.bias, rest[:, EMBED:]
    if c is None:
        assert rest.shape[1] == 0
        sums = own
    elif readout.gate is None:
        sums = own + c @ rest.T
    else:
        gate = cat(h, e, c) @ readout.gate.weight.T + readout.gate.bias
        z = 1 / (1 + torch.exp(-gate))
        sums = (1 - z) * own + z * (c @ rest.T)
    if kind == "maxout":
        return torch.maximum(sums[:, 0::2], sums[:, 1::2])
    return torch.tanh(sums)


def by_the_papers(decoder: Any, look: Look, f: Layers) -> Tensor:
    """The readouts of TOKENS, [2, LENGTH, readout]; `f` is left in its last states."""
    fed = torch.zeros(2, decoder.readout.output_size, dtype=torch.float64)
    readouts = []
    for t in range(LENGTH):
        e = decoder.embedding.weight[TOKENS[:, t]]
        match decoder.context:
            case "none":
                h = climb(decoder, f, e, f(1, e))
                r = read_out(decoder.readout, h, e, None)
            case "output":
                h = climb(decoder, f, e, f(1, e))
                r = read_out(decoder.readout, h, e, look(h))
            case "input-feeding":
                x = cat(e, fed)
                h = climb(decoder, f, x, f(1, x))
                r = fed = read_out(decoder.readout, h, e, look(h))
            case "upper-layers":
                y = f(1, e)
                h = climb(decoder, f, e, y, look(y))
                r = read_out(decoder.readout, h, e, None)
            case "previous-state":
                c = look(f.states[0].h)
                h = climb(decoder, f, e, f(1, cat(e, c)), c)
                r = read_out(decoder.readout, h, e, c)
            case "conditional":
                c = look(f(1, e))
                h = climb(decoder, f, e, f.second(c))
                r = read_out(decoder.readout, h, e, c)
        readouts.append(r)
    return torch.stack(readouts, dim=1)
