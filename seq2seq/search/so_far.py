"""What the tokens of the live hypotheses were, for the rules that look back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from seq2seq.search.request import Request


@dataclass(frozen=True)
class TokensSoFar:
    """The tokens of every live hypothesis, LongTensor [rows, length], BOS left out; or None where nobody asks."""

    tokens: Tensor | None

    @classmethod
    def of(cls, request: Request) -> TokensSoFar:
        """Before the first step of a search, one row per sentence."""
        if not request.reads_tokens:
            return cls(None)
        return cls(torch.zeros(request.sentences, 0, dtype=torch.long, device=request.device))

    def reorder(self, rows: Tensor) -> TokensSoFar:
        """Let new row i be the old row `rows[i]`, [new_rows]."""
        return self if self.tokens is None else TokensSoFar(self.tokens[rows])

    def append(self, tokens: Tensor) -> TokensSoFar:
        """Append one of `tokens` [rows] to each."""
        return self if self.tokens is None else TokensSoFar(torch.cat((self.tokens, tokens[:, None]), dim=1))

    def keep(self, sentences: Tensor, *, of: int) -> TokensSoFar:
        """Keep these of the `of` sentences, with all of their rows."""
        if self.tokens is None:
            return self
        rows, length = self.tokens.shape
        return TokensSoFar(self.tokens.view(of, rows // of, length)[sentences].flatten(0, 1))
