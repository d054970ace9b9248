"""The copy generator: a target piece comes from the vocabulary or is copied from the source."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CopyGenerator(nn.Module):
    """Pointer-generator (See et al. 2017, equations 8 and 9) over one vocabulary of both languages.

    p(w) = g softmax(logits)_w + (1 - g) sum of the attention weights of the source positions that hold w, where
    g = sigmoid(v . [context; h; embedding] + b). Source and target ids must be of one tokenizer; there are no pieces
    outside of the vocabulary, so the extended vocabulary of the paper is the vocabulary itself.
    """

    def __init__(self, *, features_size: int) -> None:
        """`features_size` is the width of [context; h; embedding]."""
        super().__init__()
        self.gate = nn.Linear(features_size, 1)

    def forward(self, logits: Tensor, weights: Tensor, features: Tensor, source: Tensor) -> Tensor:
        """Log-probabilities of the mixture, float32 or wider; up to a constant where weights sum to less than 1.

        Args:
            logits: [batch, n, vocab], of the softmax over the vocabulary.
            weights: attention weights [batch, n, src_len], zero on padding.
            features: [batch, n, features].
            source: ids [batch, src_len].
        """
        dtype = torch.promote_types(logits.dtype, torch.float32)
        g = torch.sigmoid(self.gate(features).to(dtype))  # [batch, n, 1]
        mixed = g * logits.to(dtype).softmax(dim=-1)
        places = source.unsqueeze(1).expand(-1, logits.shape[1], -1)
        mixed = mixed.scatter_add(-1, places, (1 - g) * weights.to(dtype))
        return mixed.clamp_min(torch.finfo(dtype).tiny).log()
