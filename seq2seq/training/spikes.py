"""Telling a bad update from a good one, on the device, before the weights are changed."""

from __future__ import annotations

import math
from enum import IntEnum

import torch
from torch import Tensor

#: Updates over which the means run, and the number of them before the gradient's norm is judged.
_MEMORY = 100
#: The least that counts as a deviation of the loss: this share of its mean, and this many nats.
_LEAST_SHARE, _LEAST_NATS = 0.1, 0.3


class Verdict(IntEnum):
    """What becomes of an update."""

    #: The weights are changed.
    APPLIED = 0
    #: Left out: the loss scale of fp16 was too high, and is lowered. A part of every training in fp16.
    OVERFLOW = 1
    #: Left out: loss or gradient are infinite or not a number.
    NOT_FINITE = 2
    #: Left out: loss or gradient are far above those of the last updates.
    SPIKE = 3


class SpikeWatch:
    """Judges updates by their loss and the norm of their gradient, against running means over the good ones.

    A spike is a norm above `norm` times the running geometric mean of the norms, or a loss more than `loss` standard
    deviations above its running mean. Norms are judged after 100 good updates, since at the beginning of a training
    they grow by orders of magnitude; the loss from the second update on, since it only ever falls. A deviation counts
    as at least a tenth of the mean and 0.3 nats, so that a loss that is nearly constant, or nearly zero, may still
    move.

    All of it is a few operations on scalars of the device. What comes of it is not read here: a GPU need not wait.
    """

    def __init__(self, *, norm: float | None, loss: float | None, device: torch.device) -> None:
        """Without `norm` or `loss` only what is not finite is bad in this respect."""
        self.norm = norm
        self.loss = loss
        #: Good updates, the mean of the norms' logarithms, mean and variance of the losses.
        self._record = torch.zeros(4, device=device)

    def judge(self, loss: Tensor, norm: Tensor, *, loss_scaled: bool = False) -> Tensor:
        """The :class:`Verdict` on an update, an int64 scalar.

        Args:
            loss: mean loss of its target pieces in nats, a scalar.
            norm: norm of its gradient, before clipping.
            loss_scaled: there is a loss scale, for which an infinite gradient of a finite loss is normal.
        """
        loss, norm = loss.to(self._record.dtype), norm.to(self._record.dtype)
        count, mean_log, mean, variance = self._record.unbind()
        finite = torch.isfinite(loss) & torch.isfinite(norm)
        log_norm = norm.clamp_min(torch.finfo(norm.dtype).tiny).log()
        spike = torch.zeros_like(finite)
        if self.norm is not None:
            spike = spike | ((count >= _MEMORY) & (log_norm > mean_log + math.log(self.norm)))
        if self.loss is not None:
            spike = spike | ((count > 0) & (loss > self._highest(mean, variance, self.loss)))
        good = finite & ~spike
        weight = 1.0 / (count + 1.0).clamp_max(_MEMORY)  # at first plain means, of however many there are
        step = loss - mean
        record = torch.stack(
            [
                count + 1.0,
                mean_log + weight * (log_norm - mean_log),
                mean + weight * step,
                (1.0 - weight) * (variance + weight * step * step),
            ]
        )
        # In place: an update that is recorded as a CUDA graph goes on with what lies in this tensor.
        self._record.copy_(torch.where(good, record, self._record))
        overflow = torch.isfinite(loss) if loss_scaled else torch.zeros_like(finite)
        lost = torch.where(overflow, int(Verdict.OVERFLOW), int(Verdict.NOT_FINITE))
        left_out = torch.where(finite, int(Verdict.SPIKE), lost)
        return torch.where(good, int(Verdict.APPLIED), left_out)

    def is_high(self, loss: float) -> bool:
        """Whether a loss per piece, measured elsewhere, would be a spike, or is not finite; waits for a GPU."""
        if not math.isfinite(loss):
            return True
        count, _, mean, variance = self._record.cpu().unbind()
        return self.loss is not None and bool(count > 0) and loss > float(self._highest(mean, variance, self.loss))

    @staticmethod
    def _highest(mean: Tensor, variance: Tensor, deviations: float) -> Tensor:
        """The highest loss that is none."""
        least = (_LEAST_SHARE * mean).clamp_min(_LEAST_NATS)
        return mean + deviations * torch.maximum(variance.sqrt(), least)

    def state(self) -> dict[str, Tensor]:
        """What resuming needs."""
        return {"record": self._record}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore :meth:`state`; a checkpoint of an earlier release has none, and the record begins anew."""
        if "record" in state:
            self._record.copy_(state["record"])
