"""The training loop: epochs of updates, with validations, checkpoints and the journal in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from seq2seq.data.batch import Batch
from seq2seq.data.loader import TrainingLoader
from seq2seq.errors import TrainingError
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Training
from seq2seq.training.average import RunningMean
from seq2seq.training.checkpoint import save_checkpoint
from seq2seq.training.interrupt import Interrupt, Interrupted
from seq2seq.training.journal import Display, Journal, memory_gib
from seq2seq.training.kept import Keeper
from seq2seq.training.loss import perplexity
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision
from seq2seq.training.progress import Progress
from seq2seq.training.schedule import Schedule
from seq2seq.training.step import StepReport, train_step
from seq2seq.training.validation import Validator

#: Consecutive updates with infinite gradients after which training is given up.
_HOPELESS = 25


class Trainer:
    """Runs a training from wherever `progress` stands to its end."""

    def __init__(
        self,
        *,
        model: EncoderDecoder,
        objective: Objective,
        served: EncoderDecoder,
        mean: RunningMean | None,
        loader: TrainingLoader,
        validator: Validator,
        keeper: Keeper,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        precision: Precision,
        training: Training,
        progress: Progress,
        journal: Journal,
        display: Display,
        interrupt: Interrupt,
        checkpoint: Path,
        log_seconds: float,
        stop_after: int | None = None,
        observe: Callable[[int, dict[str, Any]], None] | None = None,
    ) -> None:
        """Put a training together.

        `served` is the network that is validated and kept: `model` itself, or the copy that takes `mean`. `stop_after`
        ends a trial after so many updates, whatever the recipe says.
        `observe` is told the update and the figures of every validation.
        """
        self.model = model
        self.objective = objective
        self.served = served
        self.mean = mean
        self.loader = loader
        self.validator = validator
        self.keeper = keeper
        self.optimizer = optimizer
        self.schedule = schedule
        self.precision = precision
        self.training = training
        self.progress = progress
        self.journal = journal
        self.display = display
        self.interrupt = interrupt
        self.checkpoint = checkpoint
        self.log_seconds = log_seconds
        self.observe = observe
        limits = [limit for limit in (training.max_updates, stop_after) if limit is not None]
        self._last_update = min(limits) if limits else None
        self._window = _Window()
        self._saved_at = time.monotonic()
        self._clock = time.monotonic()
        self._overflows = 0

    def run(self) -> Progress:
        """Train to the end, or to an interrupt, which is raised after the state has been saved."""
        try:
            while not self.progress.finished:
                if self.progress.validation_due:
                    self._validate()
                elif not (end := self._end()):
                    self._epoch()
                elif self.progress.validated_update != self.progress.update:
                    self.progress.validation_due = True
                else:
                    self.progress.finished = end
                    self.save()
        except Interrupted:
            # Raised between updates only, when the state is whole. A second Ctrl-C is a plain KeyboardInterrupt.
            self.save()
            raise
        return self.progress

    def save(self) -> None:
        """Write the checkpoint."""
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self.progress.journal_bytes = self.journal.size
        self._clock = self._saved_at = now
        save_checkpoint(
            self.checkpoint,
            model=self.model,
            optimizer=self.optimizer,
            mean=self.mean,
            precision=self.precision,
            progress=self.progress,
            reinforce=self.objective.reinforce,
        )

    def _end(self) -> str:
        """Why there is nothing left to train; empty while there is."""
        if self._past_last_update():
            return f"{self._last_update} updates"
        if self.progress.epoch >= self.training.epochs:
            return f"{self.training.epochs} epochs"
        return ""

    def _epoch(self) -> None:
        """Train to the end of the epoch, or to the last update if that comes first."""
        progress, training = self.progress, self.training
        self.model.train()
        self._window.start()
        batches = self.loader.epoch(progress.epoch, start_batch=progress.batch)
        for group in _groups(batches, training.accumulation):
            self._update(group)
            progress.batch += len(group)
            if training.validation.every_updates is not None:
                progress.validation_due = progress.update % training.validation.every_updates == 0
            self._between_updates()
            if progress.finished or self._past_last_update():
                return
        progress.epoch += 1
        progress.batch = 0
        progress.validation_due = training.validation.every_updates is None

    def _past_last_update(self) -> bool:
        return self._last_update is not None and self.progress.update >= self._last_update

    def _update(self, group: list[Batch]) -> None:
        progress, training = self.progress, self.training
        progress.update += 1
        report = train_step(
            self.model,
            group,
            objective=self.objective,
            optimizer=self.optimizer,
            precision=self.precision,
            learning_rate=self.schedule.rate(progress.update, reductions=progress.reductions),
            clip_by=training.clipping.by,
            clip_threshold=training.clipping.threshold,
        )
        if self.mean is not None:
            self.mean.update(progress.update)
        progress.target_tokens += report.target_tokens
        self._window.add(report)

    def _between_updates(self) -> None:
        """Whatever is due after an update: a line of progress, a validation, a checkpoint, an interrupt."""
        if self._window.seconds >= self.log_seconds:
            self._log()
        self.interrupt.check()
        if self.progress.validation_due:
            self._validate()
            self.model.train()
            self._window.start()
        elif time.monotonic() - self._saved_at >= 60.0 * self.training.checkpoint_minutes:
            self._log()
            self.save()

    def _log(self) -> None:
        """Write the figures of the updates since the last record, and make sure that they are sound."""
        if not self._window.updates:
            return
        figures = self._window.figures()
        self._check_health(figures)
        progress = self.progress
        done = self._share_done()
        spent = progress.seconds + time.monotonic() - self._clock
        figures |= {
            "epoch": min(progress.epoch + 1, self.training.epochs),
            "learning_rate": self.schedule.rate(progress.update, reductions=progress.reductions),
            "memory_gib": round(memory_gib(self.precision.device), 3),
        }
        self.journal.write("train", progress.update, figures)
        eta = spent * (1.0 - done) / done if done else math.inf
        self.display.update({"update": progress.update, **figures}, done=done, eta=eta)
        self._window.start()

    def _check_health(self, figures: dict[str, Any]) -> None:
        """Give up, before anything is saved, on a run whose gradients stay infinite or whose weights are lost."""
        if math.isfinite(figures["gradient_norm"]) and math.isfinite(figures["loss"]):
            self._overflows = 0
            return
        self._overflows += self._window.updates
        if self._overflows >= _HOPELESS:
            raise TrainingError(
                f"update {self.progress.update}: the loss or its gradient has been infinite or not a number for "
                f"{self._overflows} updates; lower training.optimizer.learning_rate, or use training.precision fp32. "
                "The last checkpoint is untouched"
            )

    def _share_done(self) -> float:
        """Share of the run that is over, by epochs or by updates, whichever ends it first."""
        progress, training = self.progress, self.training
        batches = max(1, self.loader.estimated_batches)
        share = (progress.epoch + min(1.0, progress.batch / batches)) / training.epochs
        if self._last_update is not None:
            share = max(share, progress.update / self._last_update)
        return min(1.0, share)

    def _validate(self) -> None:
        """Validate, keep the weights if they are the best, and save the state."""
        progress, training = self.progress, self.training
        self._log()
        if self.mean is not None:
            self.mean.copy_to(self.served)
        figures = self.validator(self.served, check=self.interrupt.check)
        metric = training.validation.metric
        better = progress.record_validation(
            figures[metric], higher_is_better=metric != "loss", schedule_patience=training.schedule.patience
        )
        if training.schedule.name == "plateau":
            figures["reductions"] = progress.reductions
        figures |= {"epoch": progress.epoch, "best": better, "padding_share": round(self.loader.padding.share, 4)}
        self.journal.write("validation", progress.update, figures)
        self.display.message(
            f"validation after update {progress.update}: loss {figures['loss']:.3f}, perplexity "
            f"{figures['perplexity']:.2f}, BLEU {figures['bleu']:.2f}, chrF {figures['chrf']:.2f}"
            + (" (best so far)" if better else f" (best {metric} {progress.best:.3f} after {progress.best_update})")
        )
        if better:
            self.validator.keep(self.served, update=progress.update, figures=figures)
        self.keeper.add(self.served, update=progress.update, figures=figures)
        if self.observe is not None:
            self.observe(progress.update, figures)
        patience = training.validation.patience
        if patience is not None and progress.without_progress >= patience:
            progress.finished = f"no better {metric} in {patience} validations"
        self.save()


class _Window:
    """Sums over the updates since the last record."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.updates = self.target_tokens = self.source_tokens = 0
        self._reports: list[StepReport] = []
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def add(self, report: StepReport) -> None:
        self.updates += 1
        self.target_tokens += report.target_tokens
        self.source_tokens += report.source_tokens
        self._reports.append(report)

    def figures(self) -> dict[str, Any]:
        """Means over the window; the only place where training waits for a GPU."""
        loss = float(torch.stack([report.loss for report in self._reports]).sum()) / self.target_tokens
        likelihood = float(torch.stack([report.likelihood for report in self._reports]).sum()) / self.target_tokens
        norms = torch.stack([report.gradient_norm for report in self._reports])
        seconds = self.seconds
        return {
            "loss": loss,
            "perplexity": perplexity(likelihood),
            "gradient_norm": float(norms.mean()),
            "target_tokens_per_second": self.target_tokens / seconds,
            "source_tokens_per_second": self.source_tokens / seconds,
            "updates_per_second": self.updates / seconds,
        }


def _groups(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Batches in lists of `size`; the last may be shorter."""
    iterator = iter(batches)
    while group := list(islice(iterator, size)):
        yield group
