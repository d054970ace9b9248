"""Figures of the updates since the last record."""

from __future__ import annotations

import time
from typing import Any

import torch

from seq2seq.scored import perplexity
from seq2seq.training.step import StepReport


class Window:
    """Sums over the updates since the last record."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget what has been."""
        self.updates = self.target_tokens = self.source_tokens = 0
        self._reports: list[StepReport] = []
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._began

    def add(self, report: StepReport) -> None:
        """Take an update in; it is not read yet."""
        self.updates += 1
        self.target_tokens += report.target_tokens
        self.source_tokens += report.source_tokens
        self._reports.append(report)

    def figures(self) -> dict[str, Any]:
        """Means over the window; a place where training waits for a GPU.

        Loss and gradient are of the updates that were not left out, if there are any.
        """
        columns = ("applied", "loss", "likelihood", "gradient_norm")
        applied, loss, likelihood, norms = (
            torch.stack([getattr(report, column) for report in self._reports]).cpu() for column in columns
        )
        tokens = torch.tensor([report.target_tokens for report in self._reports])
        counted = applied if bool(applied.any()) else torch.ones_like(applied)
        target_tokens = int(tokens[counted].sum())
        seconds = self.seconds
        return {
            "loss": float(loss[counted].sum()) / target_tokens,
            "perplexity": perplexity(float(likelihood[counted].sum()) / target_tokens),
            "gradient_norm": float(norms[counted].mean()),
            "target_tokens_per_second": self.target_tokens / seconds,
            "source_tokens_per_second": self.source_tokens / seconds,
            "updates_per_second": self.updates / seconds,
        }
