"""What training descends: the loss of one batch, put together from the parts that a recipe asks for."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.training.loss import cross_entropy, disagreement
from seq2seq.training.precision import Precision
from seq2seq.training.reinforce import Reinforce


@dataclass(frozen=True)
class BatchLoss:
    """Losses of a batch, scalars, each summed over its target pieces; only `descended` has a gradient."""

    descended: Tensor
    #: Smoothed cross-entropy and negative log-likelihood, nats; of two predictions the mean.
    loss: Tensor
    likelihood: Tensor

    def detach(self) -> BatchLoss:
        """The values alone, so that keeping them keeps nothing else."""
        return BatchLoss(self.descended.detach(), self.loss.detach(), self.likelihood.detach())


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Cross-entropy with label smoothing, and what may be added to it.

    With a `consistency` of a, every batch is predicted twice under different dropout, and the loss is the mean of both
    predictions' plus a/2 times their symmetric divergence (R-Drop, Liang et al. 2021, equation 4, halved: their loss
    is the sum of both predictions'). `reinforce` is for networks that sample, those with hard attention.
    """

    label_smoothing: float = 0.0
    consistency: float = 0.0
    reinforce: Reinforce | None = None

    def state(self) -> dict[str, Tensor]:
        """What computing a loss changes: the baseline of a hard attention."""
        return {} if self.reinforce is None else self.reinforce.state()

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore :meth:`state`."""
        if self.reinforce is not None:
            self.reinforce.load_state(state)

    def __call__(self, model: EncoderDecoder, batch: Batch, *, precision: Precision) -> BatchLoss:
        """The losses of `batch`, which is on the device of `model`."""
        predicted, share = (batch.twice(), 0.5) if self.consistency else (batch, 1.0)
        mask = predicted.target_mask
        with precision.autocast():
            prediction = model(predicted.source, predicted.source_lengths, predicted.target_in)
        loss, likelihood = (
            share * total
            for total in cross_entropy(prediction.logits, predicted.target_out, mask, smoothing=self.label_smoothing)
        )
        descended = loss
        if self.consistency:
            descended = descended + 0.5 * self.consistency * disagreement(prediction.logits, batch.target_mask)
        if self.reinforce is not None and prediction.choice is not None:
            # Its value means nothing, only its gradient does: it is no part of the loss that is reported.
            rewarded = self.reinforce.loss(prediction.logits, predicted.target_out, mask, prediction.choice)
            descended = descended + share * rewarded
        return BatchLoss(descended, loss.detach(), likelihood)
