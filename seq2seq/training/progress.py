"""How far a training has come: plain numbers that are stored with every checkpoint."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Position and record of a run. Everything a resumed run must know that is no tensor."""

    #: Updates done.
    update: int = 0
    #: Epoch under way, from 0, and how many of its batches are done.
    epoch: int = 0
    batch: int = 0
    #: Real target pieces read so far.
    target_tokens: int = 0
    #: Seconds spent, in all the sittings together.
    seconds: float = 0.0
    #: A validation is owed for the weights as they are.
    validation_due: bool = False
    validated_update: int = -1
    validations: int = 0
    #: Best value of the metric that decides, the update it was reached at, and validations since.
    best: float | None = None
    best_update: int = 0
    without_progress: int = 0
    #: Reductions by the plateau schedule, and validations without progress that it has counted.
    reductions: int = 0
    plateau: int = 0
    #: Pieces of a batch, once they are decided.
    batch_tokens: int = 0
    #: Updates left out because of bad numbers, the last few of them, and consecutive overflows of fp16.
    skipped: int = 0
    skips: list[int] = field(default_factory=list)
    overflows: int = 0
    #: Returns to the last good weights, those of them since the best validation, and what they multiply the learning
    #: rate by.
    rollbacks: int = 0
    setbacks: int = 0
    rate_scale: float = 1.0
    #: Last update that changed the weights.
    weights_update: int = 0
    #: Batches, or parts of them, that were split for want of memory.
    splits: int = 0
    #: Why the run is over; empty while it is not.
    finished: str = ""
    #: Length of the journal in bytes, so that records of lost work can be cut off.
    journal_bytes: int = 0
    #: Content of the training corpus as encoded, and CPU threads: a continued run needs the same to be the same.
    corpus: str = ""
    threads: int = 0
    #: Batches that make an update, over all processes.
    group: int = 0

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Progress:
        """From :meth:`to_json`."""
        numbers = json.loads(text)
        # Before there were rollbacks.
        numbers.setdefault("weights_update", numbers.get("update", 0))
        return cls(**numbers)

    def record_validation(self, value: float, *, higher_is_better: bool, schedule_patience: int) -> bool:
        """Take a validation's value into the record; returns whether it is the best so far."""
        self.validations += 1
        self.validation_due = False
        self.validated_update = self.update
        better = self.best is None or (value > self.best if higher_is_better else value < self.best)
        if self.best is not None and math.isnan(self.best):
            better = not math.isnan(value)  # any number is better than none
        if better:
            self.best, self.best_update, self.without_progress, self.plateau = value, self.update, 0, 0
            self.setbacks = 0
            return True
        self.without_progress += 1
        self.plateau += 1
        if self.plateau > schedule_patience:
            self.reductions += 1
            self.plateau = 0
        return False
