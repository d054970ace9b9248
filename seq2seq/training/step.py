"""One update of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision, clip_gradients


@dataclass(frozen=True)
class StepReport:
    """What one update did. Tensors are on the device and not read here, so that a GPU need not wait."""

    #: Smoothed loss and negative log-likelihood, nats, summed over the target pieces.
    loss: Tensor
    likelihood: Tensor
    #: Norm of the gradient of the mean loss, before clipping.
    gradient_norm: Tensor
    target_tokens: int
    source_tokens: int


def train_step(
    model: EncoderDecoder,
    batches: Sequence[Batch],
    *,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    precision: Precision,
    learning_rate: float,
    clip_by: str,
    clip_threshold: float,
) -> StepReport:
    """Update the weights once from `batches`, whose losses are averaged over all their target pieces together."""
    target_tokens = sum(batch.target_tokens for batch in batches)
    loss = likelihood = torch.zeros((), device=precision.device)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.zero_grad(set_to_none=True)
    for batch in batches:
        losses = objective(model, batch.to(precision.device), precision=precision)
        precision.backward(losses.descended / target_tokens)
        loss, likelihood = loss + losses.loss, likelihood + losses.likelihood
    precision.unscale(optimizer)
    norm = clip_gradients(model.parameters(), by=clip_by, threshold=clip_threshold)
    if precision.skips_overflow or precision.device.type == "cuda" or bool(torch.isfinite(norm)):
        precision.step(optimizer)
    return StepReport(loss, likelihood, norm, target_tokens, sum(batch.source_tokens for batch in batches))
