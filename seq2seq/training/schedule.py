"""The learning rate as a function of how far training has come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

ScheduleName = Literal["constant", "inverse-sqrt", "plateau", "cosine", "step"]


@dataclass(frozen=True)
class Schedule:
    """The shape of the learning rate; all of its state is passed in.

    Warm-up is linear: update u of w, counted from 1, has u/w of the rate. Then: constant; inverse-sqrt, sqrt(w/u) of it
    (Vaswani et al. 2017, section 5.3, with the peak given); cosine, half a cosine wave down to the minimum at the last
    update (Loshchilov and Hutter 2017, without restarts); plateau, multiplied by `factor` at every reduction; step,
    multiplied by it after `step_after` updates and again after every `step_every` more (Luong et al. 2015, section
    4.1).
    """

    name: ScheduleName
    learning_rate: float
    warmup_updates: int
    minimum: float
    factor: float
    patience: int
    total_updates: int
    step_after: float
    step_every: float

    def rate(self, update: int, *, reductions: int) -> float:
        """Learning rate of `update`, counted from 1, after `reductions` reductions by the plateau schedule."""
        if update <= self.warmup_updates:
            return self.learning_rate * update / self.warmup_updates
        match self.name:
            case "constant":
                return self.learning_rate
            case "inverse-sqrt":
                return self.learning_rate * math.sqrt(max(1, self.warmup_updates) / update)
            case "plateau":
                return max(self.learning_rate * self.factor**reductions, min(self.minimum, self.learning_rate))
            case "step":
                # The first update past the mark is the first with the lower rate.
                falls = 0 if update <= self.step_after else math.ceil((update - self.step_after) / self.step_every)
                return max(self.learning_rate * self.factor**falls, min(self.minimum, self.learning_rate))
            case "cosine":
                span = max(1, self.total_updates - self.warmup_updates)
                done = min(1.0, (update - self.warmup_updates) / span)
                wave = 0.5 * (1.0 + math.cos(math.pi * done))
                return self.minimum + (self.learning_rate - self.minimum) * wave
