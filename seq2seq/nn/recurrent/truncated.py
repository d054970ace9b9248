"""Truncated backpropagation through time: the state is carried on, the gradient is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from seq2seq.nn.cells import CellState

State = TypeVar("State")
#: Reads a stretch [batch, len, ...] of sequences from a state: what it gives of them, and the state after it.
Read = Callable[[Tensor, State], tuple[Tensor, State]]
#: Reads one time step [batch, ...].
Step = Callable[[Tensor, State], tuple[Tensor, State]]


def truncated(
    read: Read[State], inputs: Tensor, state: State, *, length: int, cut: Callable[[State], State]
) -> Iterator[tuple[Tensor, State]]:
    """Read long sequences in stretches of `length` steps, each from the state that the one before left.

    What is read is what one call would read; but no gradient passes from a stretch to those before it (Williams and
    Peng 1990, BPTT(h; h') with h = h' = `length`). Stretches are read as they are asked for, so that a caller may run
    backward, and change the weights, between two of them: memory then holds the graph of one stretch only. With
    recurrent dropout each stretch draws its own.

    A language model over a long text is trained so: the text is cut into `batch` parts of equal length, which are the
    rows, and the state after the last stretch starts the next batch of text.

    Args:
        read: a recurrent layer, or a function that reads a stretch through several.
        inputs: [batch, len, ...], without padding. A last stretch may be shorter.
        state: state before the first step; a gradient does reach it, unless it is cut too.
        length: steps of a stretch, 1 or more.
        cut: the same state without its past, as :func:`cut_state` or :func:`cut_states`.

    Yields:
        What `read` gives of each stretch, and the state after it, its gradient not yet cut.

    Raises:
        ValueError: `length` is not positive.
    """
    if length < 1:
        raise ValueError(f"a stretch has 1 step or more, but length is {length}")
    for stretch in torch.split(inputs, length, dim=1):
        outputs, state = read(stretch, state)
        yield outputs, state
        state = cut(state)


def cut_state(state: CellState) -> CellState:
    """The state's values without their past: no gradient passes through them."""
    return CellState(state.h.detach(), None if state.c is None else state.c.detach())


def cut_states(states: tuple[CellState, ...]) -> tuple[CellState, ...]:
    """The states of several layers without their past."""
    return tuple(cut_state(state) for state in states)


def reading(step: Step[State]) -> Read[State]:
    """A function that reads a stretch [batch, len, ...] by `step`, one time step [batch, ...] after another."""

    def read(inputs: Tensor, state: State) -> tuple[Tensor, State]:
        outputs = []
        for position in inputs.unbind(dim=1):
            output, state = step(position, state)
            outputs.append(output)
        return torch.stack(outputs, dim=1), state

    return read
