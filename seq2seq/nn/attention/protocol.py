"""What a decoder and an attention say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """An encoded source, one row per sentence, never repeated for the hypotheses of a beam.

    `values` and, as the attention projects them, `keys` [batch, src_len, width]; bool `mask` [batch, src_len], True at
    real positions; `extra` [batch, src_len, ...] what else an attention computes once per source, None without it.
    """

    values: Tensor
    keys: Tensor
    mask: Tensor
    extra: Tensor | None = None

    def keep(self, sentences: Tensor) -> Memory:
        """The memory of these sentences only; `sentences` is a LongTensor [kept]."""
        return Memory(
            self.values.index_select(0, sentences),
            self.keys.index_select(0, sentences),
            self.mask.index_select(0, sentences),
            None if self.extra is None else self.extra.index_select(0, sentences),
        )


@dataclass(frozen=True)
class AttentionState:
    """What a sequential attention remembers of its earlier steps: `history` [rows, ...], one row per hypothesis."""

    history: Tensor

    def select(self, rows: Tensor) -> AttentionState:
        """The state whose row i is this state's row `rows[i]`; `rows` is a LongTensor [new_rows]."""
        return AttentionState(self.history.index_select(0, rows))


@dataclass(frozen=True)
class Choice:
    """What training by REINFORCE needs of sampled positions, [batch, n] each and with a gradient.

    `log_probs` of the sampled positions and `entropies` of the distributions that they were sampled from, in nats.
    """

    log_probs: Tensor
    entropies: Tensor


@dataclass(frozen=True)
class Attended:
    """What attention saw.

    `contexts` [batch, n, value]; `weights` [batch, n, src_len], zero at padding, None where positions are not weighed;
    `state` to pass to the next step, None where steps are independent; `choice` where positions were sampled.
    """

    contexts: Tensor
    weights: Tensor | None
    state: AttentionState | None = None
    choice: Choice | None = None


class Attention(Protocol):
    """What a decoder needs of an attention.

    `output_size` is the width of a context. Where `sequential` is False, a call takes any number n of queries of a
    sentence, whole target sentences included, and ignores the state. Where it is True, a step needs the state that the
    step before it left: a call takes one time step of n hypotheses per sentence, and the state has batch * n rows,
    grouped by sentence.
    """

    output_size: int
    sequential: bool

    def remember(self, values: Tensor, mask: Tensor) -> Memory:
        """Compute once what depends on the source alone: `values` [batch, src_len, value], `mask` [batch, src_len]."""
        ...

    def initial_state(self, memory: Memory, rows: int) -> AttentionState | None:
        """The state before the first step of `rows` hypotheses, a multiple of the sentences; None if not sequential."""
        ...

    def __call__(self, queries: Tensor, memory: Memory, state: AttentionState | None) -> Attended:
        """What `queries` [batch, n, query] see in the memory."""
        ...


def no_state(attention: Attention, memory: Memory, rows: int) -> None:
    """No state: the `initial_state` of attentions whose steps are independent."""
    return
