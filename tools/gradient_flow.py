"""Vanishing and exploding gradients, measured: |dL/dh_t| over the steps back, and what clipping changes.

    python -m tools.gradient_flow --output docs/figures

Writes gradient-flow and gradient-clipping, .png and .svg (Pascanu et al. 2013, sections 2 and 3). The loss is a fixed
random direction of the last state, so that the gradient at the last step is 1; everything is float64 and seeded. The
cells are the textbook ones of `seq2seq/nn/cells`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from seq2seq.cli import failure
from seq2seq.nn.cells import Cell, CellState, ElmanCell, GRUCell, LSTMCell
from seq2seq.plots.figure import look, require_matplotlib, save
from tools.plots.gradients import Curve, Descent, Panel, draw_clipping, draw_flow

#: Width of input and state, steps, and sequences over which norms are averaged.
WIDTH, STEPS, SEQUENCES = 64, 60, 64


@dataclass(frozen=True)
class Backward:
    """Norms over the steps back from the end, index 0 being the last step.

    Attributes:
        h: mean over sequences of |dL/dh|, [steps].
        c: the same of a memory cell, None without one.
    """

    h: list[float]
    c: list[float] | None


def gradient_norms(cell: Cell, inputs: Tensor, direction: Tensor, *, clip_steps: float | None = None) -> Backward:
    """Backpropagate from the last state of a cell through time.

    Args:
        cell: its parameters decide everything.
        inputs: [sequences, steps, input].
        direction: [sequences, output]; the loss of a sequence is its product with the last h.
        clip_steps: on the way back, scale the gradient of every h to at most this norm, sequence by sequence.
    """
    projected = cell.project(inputs).unbind(dim=1)
    zeros = inputs.new_zeros(inputs.shape[0], cell.output_size)
    memory = inputs.new_zeros(inputs.shape[0], cell.memory_size) if cell.memory_size else None
    state = CellState(zeros, memory)
    states: list[CellState] = []
    for step in projected:
        state = cell.step(step, state)
        states.append(state)
        if clip_steps is not None:
            # What comes back through the copy is shortened before it reaches h.
            passed_on = state.h.clone()
            passed_on.register_hook(partial(shortened, longest=clip_steps))  # type: ignore[no-untyped-call]
            state = CellState(passed_on, state.c)
    loss = (direction * state.h).sum()
    h = torch.autograd.grad(loss, [each.h for each in states], retain_graph=True)
    c = None
    if cell.memory_size:
        # The last h is made from the last c, which so has a gradient like those before it.
        c = _means(torch.autograd.grad(loss, [each.memory() for each in states]))
    return Backward(_means(h), c)


def shortened(gradient: Tensor, longest: float) -> Tensor:
    """Rows of `gradient` scaled to a norm of at most `longest`, their direction kept."""
    norms: Tensor = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
    return gradient * longest / norms.clamp(min=longest)


def _means(gradients: Sequence[Tensor]) -> list[float]:
    return [float(gradient.norm(dim=-1).mean()) for gradient in reversed(gradients)]


def _sequences(seed: int) -> tuple[Tensor, Tensor]:
    """Random inputs and, for every sequence, a direction of length 1."""
    generator = torch.Generator().manual_seed(seed)
    inputs = 0.5 * torch.randn(SEQUENCES, STEPS, WIDTH, generator=generator, dtype=torch.float64)
    direction = torch.randn(SEQUENCES, WIDTH, generator=generator, dtype=torch.float64)
    return inputs, direction / direction.norm(dim=-1, keepdim=True)


def _elman(nonlinearity: str, radius: float, seed: int) -> ElmanCell:
    """Gaussian recurrent weights of this spectral radius, that of a large matrix of such numbers."""
    torch.manual_seed(seed)
    cell = ElmanCell(input_size=WIDTH, hidden_size=WIDTH, nonlinearity="relu" if nonlinearity == "relu" else "tanh")
    cell = cell.double()
    with torch.no_grad():
        cell.w_hh.copy_(torch.randn(WIDTH, WIDTH, dtype=torch.float64) * radius / WIDTH**0.5)
    return cell


def _lstm(forget_bias: float, seed: int) -> LSTMCell:
    torch.manual_seed(seed)
    cell = LSTMCell(input_size=WIDTH, hidden_size=WIDTH).double()
    cell.set_forget_bias(forget_bias)
    return cell


def _gru(update_bias: float, seed: int) -> GRUCell:
    torch.manual_seed(seed)
    cell = GRUCell(input_size=WIDTH, hidden_size=WIDTH).double()
    with torch.no_grad():
        cell.b_ih[WIDTH : 2 * WIDTH] = update_bias  # gates in the order r, z, n
    return cell


def flow(seed: int) -> list[Panel]:
    """The curves of all cells: two panels of Elman cells by spectral radius, one of gated cells by the bias."""
    inputs, direction = _sequences(seed)
    panels = []
    for nonlinearity, radii in (("tanh", (0.5, 0.9, 1.2, 1.5, 2.5)), ("relu", (0.7, 1.0, 1.4142, 1.8, 2.5))):
        curves = [
            Curve(f"radius {radius:.3g}", gradient_norms(_elman(nonlinearity, radius, seed), inputs, direction).h)
            for radius in radii
        ]
        panels.append(Panel(f"Elman, {nonlinearity}", curves))
    gated = []
    for bias in (0.0, 1.0, 4.0):
        found = gradient_norms(_lstm(bias, seed), inputs, direction)
        assert found.c is not None
        gated.append(Curve(f"forget bias {bias:g}: h", found.h))
        gated.append(Curve(f"forget bias {bias:g}: memory c", found.c, dashed=True))
    panels.append(Panel("LSTM", gated))
    updates = [
        Curve(f"update bias {bias:g}", gradient_norms(_gru(bias, seed), inputs, direction).h)
        for bias in (-2.0, 0.0, 2.0, 4.0)
    ]
    panels.append(Panel("GRU", updates))
    return panels


def clipping(seed: int) -> list[Panel]:
    """An exploding and a vanishing recurrence: as they are, the whole gradient clipped to norm 1, and step by step."""
    inputs, direction = _sequences(seed)
    panels = []
    for title, radius in (("exploding: Elman, relu, radius 1.8", 1.8), ("vanishing: Elman, relu, radius 1", 1.0)):
        cell = _elman("relu", radius, seed)
        plain = gradient_norms(cell, inputs, direction).h
        total = sum(value**2 for value in plain) ** 0.5
        scale = min(1.0, 1.0 / total)
        stepwise = gradient_norms(cell, inputs, direction, clip_steps=1.0).h
        panels.append(
            Panel(
                title,
                [
                    Curve("as it is", plain),
                    Curve("whole gradient to norm 1", [value * scale for value in plain], dashed=True),
                    Curve("each step to norm 1", stepwise, dashed=True),
                ],
            )
        )
    return panels


def cliff_loss(w: Tensor, b: Tensor, *, steps: int = 30, target: float = 0.75) -> Tensor:
    """Squared error of the last state of one Elman unit that runs by itself: h_t = tanh(w h_{t-1} + b), h_0 = 0.5.

    `w` and `b` are of the same shape, and so are the losses. Pascanu et al. 2013, figure 6, have the logistic unit.
    """
    h = torch.full_like(w, 0.5)
    for _ in range(steps):
        h = torch.tanh(w * h + b)
    return (h - target) ** 2


def descend(start: tuple[float, float], *, rate: float, updates: int, clip: float | None) -> Descent:
    """Gradient descent on :func:`cliff_loss` from `start`, (w, b), with the norm of the gradient clipped or not."""
    place = torch.tensor(start, dtype=torch.float64)
    path = [start]
    for _ in range(updates):
        point = place.clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(cliff_loss(point[0], point[1]), point)
        if clip is not None:
            gradient = shortened(gradient, clip)
        place = place - rate * gradient
        path.append((float(place[0]), float(place[1])))
    return Descent("norm clipped" if clip is not None else "not clipped", path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.gradient_flow", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("docs/figures"), help="folder of the figures")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)

    def command() -> None:
        require_matplotlib()
        axis_w = torch.linspace(1.3, 2.7, 281, dtype=torch.float64)
        axis_b = torch.linspace(-0.6, 1.25, 371, dtype=torch.float64)
        surface = cliff_loss(*torch.meshgrid(axis_w, axis_b, indexing="xy"))
        descents = [descend((2.2, 0.0), rate=0.2, updates=60, clip=clip) for clip in (None, 1.0)]
        with look():
            first = save(draw_flow(flow(arguments.seed)), arguments.output / "gradient-flow")
            figure = draw_clipping(
                clipping(arguments.seed), (axis_w.numpy(), axis_b.numpy(), surface.numpy()), descents
            )
            second = save(figure, arguments.output / "gradient-clipping")
        print(*first, *second, sep="\n")

    return failure.run("gradient_flow", command)


if __name__ == "__main__":
    sys.exit(main())
