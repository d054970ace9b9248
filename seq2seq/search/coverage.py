"""How much attention every source position has had so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from seq2seq.search.scoring import log_coverage

if TYPE_CHECKING:
    from seq2seq.search.request import Request


@dataclass(frozen=True)
class Coverage:
    """Attention weights of every live hypothesis, summed over its tokens; nothing where no score depends on them.

    `total` is [rows, src_len], None before the first step; `source_lengths` [sentences] of all sentences of the search,
    or None where nobody asks.
    """

    source_lengths: Tensor | None
    total: Tensor | None = None

    @classmethod
    def of(cls, request: Request) -> Coverage:
        """Before the first step of a search."""
        return cls(request.source_lengths if request.scoring.coverage_penalty else None)

    def add(self, attention: Tensor | None) -> Coverage:
        """Add the weights [rows, src_len] of a step.

        Raises:
            ValueError: there are none.
        """
        if self.source_lengths is None:
            return self
        if attention is None:
            raise ValueError("a coverage penalty needs a model that weighs the positions of the source")
        # Columns that only padding is in may be left out.
        total = attention if self.total is None else self.total[:, : attention.shape[1]] + attention
        return Coverage(self.source_lengths, total.float())

    def logarithms(self, active: Tensor) -> Tensor | None:
        """What :class:`~seq2seq.search.scoring.Scoring` needs: [active, width] for the sentences `active`; or None."""
        if self.source_lengths is None:
            return None
        assert self.total is not None
        return log_coverage(self.total.view(active.shape[0], -1, self.total.shape[1]), self.source_lengths[active])

    def reorder(self, rows: Tensor) -> Coverage:
        """Let new row i be the old row `rows[i]`, [new_rows]."""
        return self if self.total is None else Coverage(self.source_lengths, self.total[rows])

    def keep(self, sentences: Tensor, *, of: int) -> Coverage:
        """Keep these of the `of` sentences, with all of their rows."""
        if self.total is None:
            return self
        return Coverage(self.source_lengths, self.total.view(of, -1, self.total.shape[1])[sentences].flatten(0, 1))
