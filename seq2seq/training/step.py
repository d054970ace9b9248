"""One update of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from seq2seq.data.batch import Batch
from seq2seq.data.loader import Share
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.training.noise import seed_noise
from seq2seq.training.objective import BatchLoss, Objective
from seq2seq.training.optimizer import set_learning_rate
from seq2seq.training.precision import Precision, clip_gradients
from seq2seq.training.spikes import SpikeWatch, Verdict
from seq2seq.training.splitting import Splitter, memory_needed_for

if TYPE_CHECKING:  # a process that trains alone does without
    from seq2seq.training.exchange import Exchange


@dataclass(frozen=True)
class StepReport:
    """What one update did, in all processes together.

    Tensors are on the device and not read here, so that a GPU need not wait.
    """

    #: Smoothed loss and negative log-likelihood, nats, summed over the target pieces.
    loss: Tensor
    likelihood: Tensor
    #: Norm of the gradient of the mean loss, before clipping.
    gradient_norm: Tensor
    #: What became of the update, a member of :class:`~seq2seq.training.spikes.Verdict` as a number, and whether the
    #: weights were changed.
    verdict: Tensor
    applied: Tensor
    target_tokens: int
    source_tokens: int


def train_step(
    model: EncoderDecoder,
    batches: Sequence[Batch],
    *,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    precision: Precision,
    learning_rate: float | None,
    clip_by: str,
    clip_threshold: float,
    share: Share | None = None,
    exchange: Exchange | None = None,
    watch: SpikeWatch | None = None,
    splitter: Splitter | None = None,
    divisor: Tensor | None = None,
) -> StepReport:
    """Update the weights once from `batches`, whose losses are averaged over all their target pieces together.

    `share` says what `batches` are a part of and how their noise is seeded; by default they are the whole. `exchange`
    adds up over processes. `watch` says which updates are left out; without one, those that are not finite. `splitter`
    splits what does not fit into memory; without one that is an error. Without a `learning_rate` that of the optimizer
    stays. `divisor`, a scalar on the device, is the number of target pieces where it is not that of `batches`. Nothing
    here waits for a GPU, but that the first update looks at its verdict.
    """
    target_tokens = share.target_tokens if share else sum(batch.target_tokens for batch in batches)
    source_tokens = share.source_tokens if share else sum(batch.source_tokens for batch in batches)
    pieces = target_tokens if divisor is None else divisor
    if learning_rate is not None:
        set_learning_rate(optimizer, learning_rate)
    state = objective.state()

    def begin() -> None:
        optimizer.zero_grad(set_to_none=True)
        objective.load_state(state)

    def descend(batch: Batch, number: int) -> BatchLoss:
        if share is not None:
            seed_noise(share.seeds[number], precision.device)
        losses = objective(model, batch.to(precision.device), precision=precision)
        precision.backward(losses.descended / pieces)
        return losses.detach()

    if splitter is None:
        begin()
        parts = [descend(batch, number) for number, batch in enumerate(batches)]
    else:
        parts = splitter.run(batches, begin=begin, work=descend)
    zero = torch.zeros((), device=precision.device)  # A process may have no batch of its own.
    loss = torch.stack([zero, *(part.loss for part in parts)]).sum()
    likelihood = torch.stack([zero, *(part.likelihood for part in parts)]).sum()
    if exchange is not None:
        exchange.add_gradients()
        loss, likelihood = exchange.sums(loss, likelihood)
    with memory_needed_for("the optimizer's state", "make the network smaller, or free memory"):
        precision.unscale(optimizer)
        norm = clip_gradients(model.parameters(), by=clip_by, threshold=clip_threshold)
        watch = watch or SpikeWatch(norm=None, loss=None, device=precision.device)
        verdict = watch.judge(loss / pieces, norm, loss_scaled=precision.skips_overflow)
        applied = verdict == Verdict.APPLIED
        precision.step(optimizer, applied)
    return StepReport(loss, likelihood, norm, verdict, applied, target_tokens, source_tokens)
