"""REINFORCE: the gradient of choices that were sampled, as those of a hard attention."""

from __future__ import annotations

import torch
from torch import Tensor

from seq2seq.nn.attention import Choice

#: Weight of the past in the baseline's moving average (Xu et al. 2015, section 4.1).
_DECAY = 0.9


class Reinforce:
    """The loss of sampled positions (Williams 1992; Xu et al. 2015, equation 12) and its moving baseline.

    The reward of a sentence is the mean log-probability of its pieces given the positions that were sampled. (The paper
    takes the sum; the mean does not depend on the sentence's length.) A choice becomes more likely where the reward is
    above its moving average, the baseline, and less likely below; the entropy of the choices is rewarded too.
    """

    def __init__(self, *, reward_weight: float, entropy_weight: float, device: torch.device) -> None:
        self.reward_weight = reward_weight
        self.entropy_weight = entropy_weight
        self._baseline = torch.zeros((), device=device)
        self._begun = torch.zeros((), device=device)

    def loss(self, logits: Tensor, targets: Tensor, mask: Tensor, choice: Choice) -> Tensor:
        """The loss, a scalar summed over the real target pieces, to be added to the cross-entropy.

        It is float32, or float64 of float64 logits. A reward that is not finite leaves the baseline as it was.

        Args:
            logits: [batch, tgt_len, vocab]; no gradient goes through them here.
            targets: ids [batch, tgt_len].
            mask: bool [batch, tgt_len]; padding, False, counts for nothing.
            choice: what was sampled for each target position, [batch, tgt_len].
        """
        dtype = torch.promote_types(logits.dtype, torch.float32)
        real = mask.to(dtype)
        with torch.no_grad():
            log_probs = logits.to(dtype).log_softmax(dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
            reward = (log_probs * real).sum(dim=1) / real.sum(dim=1)
            mean = reward.mean()
            # The first baseline is the first mean itself, not a zero that no reward could reach.
            baseline = torch.where(self._begun > 0, self._baseline, mean)
            sound = torch.isfinite(mean)
            self._baseline = torch.where(sound, _DECAY * baseline + (1.0 - _DECAY) * mean, self._baseline)
            self._begun = torch.where(sound, torch.ones_like(self._begun), self._begun)
            advantage = (self.reward_weight * (reward - baseline)).unsqueeze(1)
        gain = advantage * choice.log_probs.to(dtype) + self.entropy_weight * choice.entropies.to(dtype)
        return -(gain * real).sum()

    def state(self) -> dict[str, Tensor]:
        """What resuming needs."""
        return {"baseline": self._baseline, "begun": self._begun}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore :meth:`state`."""
        self._baseline = state["baseline"].to(self._baseline.device)
        self._begun = state["begun"].to(self._begun.device)
