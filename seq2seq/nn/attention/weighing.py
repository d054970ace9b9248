"""From scores to weights, and from weights to contexts: shared by every attention that weighs positions."""

from __future__ import annotations

import torch
from torch import Tensor

from seq2seq.nn.dropout import dropout


def masked_scores(scores: Tensor, mask: Tensor) -> Tensor:
    """`scores` [batch, ..., src_len] in float32 at least, minus infinity outside `mask`.

    `mask` is bool [batch, src_len], or already of the scores' number of axes.
    """
    if mask.dim() < scores.dim():
        mask = mask.view(mask.shape[0], *(1,) * (scores.dim() - 2), mask.shape[1])
    return scores.to(torch.promote_types(scores.dtype, torch.float32)).masked_fill(~mask, float("-inf"))


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax of `scores` [batch, ..., src_len] over the positions of `mask`, exactly 0 elsewhere.

    It is taken in float32, or float64 where the scores are. `mask`, as in :func:`masked_scores`, has at least one
    position in every row.
    """
    return masked_scores(scores, mask).softmax(dim=-1)


def read(weights: Tensor, values: Tensor, probability: float, training: bool) -> Tensor:
    """Contexts [..., n, value]: the values [..., src_len, value] averaged by `weights` [..., n, src_len].

    In training each weight is dropped with `probability`. Weights take the type of the values.
    """
    return dropout(weights, probability, training).to(values.dtype) @ values
