"""The training loop: epochs of updates, with validations, checkpoints and the journal in between."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from seq2seq.data.loader import Share, TrainingLoader
from seq2seq.machine import memory_gib
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Training
from seq2seq.recording import Recorder
from seq2seq.training.average import RunningMean
from seq2seq.training.checkpoint import load_checkpoint, save_checkpoint
from seq2seq.training.distributed import World
from seq2seq.training.follower import NoJournal
from seq2seq.training.graphs import GraphedUpdates, UpdateStep
from seq2seq.training.interrupt import Interrupt, Interrupted
from seq2seq.training.journal import Display, Journal
from seq2seq.training.kept import Keeper
from seq2seq.training.objective import Objective
from seq2seq.training.precision import Precision
from seq2seq.training.progress import Progress
from seq2seq.training.recovery import Recovery, all_finite
from seq2seq.training.schedule import Schedule
from seq2seq.training.splitting import Splitter, memory_needed_for
from seq2seq.training.step import train_step
from seq2seq.training.validation import Validator
from seq2seq.training.window import Window


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
        recovery: Recovery,
        journal: Journal | NoJournal,
        display: Display,
        interrupt: Interrupt,
        world: World,
        checkpoint: Path,
        log_seconds: float,
        stop_after: int | None = None,
        observe: Callable[[int, dict[str, Any]], None] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """Put a training together.

        `served` is the network that is validated and kept: `model` itself, or the copy that takes `mean`. `stop_after`
        ends a trial after so many updates, whatever the recipe says. `observe` is told the update and the figures of
        every validation. With a `recorder` updates are recorded once for every shape of batch, and replayed.
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
        self.recovery = recovery
        self.journal = journal
        self.display = display
        self.interrupt = interrupt
        self.world = world
        self.exchange = world.exchange(model)
        self.checkpoint = checkpoint
        self.log_seconds = log_seconds
        self.observe = observe
        limits = [limit for limit in (training.max_updates, stop_after) if limit is not None]
        self._last_update = min(limits) if limits else None
        self._window = Window()
        self._splitter = Splitter(device=precision.device, say=display.message)
        self._splits = 0
        self._step: UpdateStep = partial(
            train_step,
            model,
            objective=objective,
            optimizer=optimizer,
            precision=precision,
            clip_by=training.clipping.by,
            clip_threshold=training.clipping.threshold,
            exchange=self.exchange,
            watch=recovery.watch,
            splitter=self._splitter,
        )
        if recorder is not None:
            self._step = GraphedUpdates(
                self._step,
                optimizer=optimizer,
                recorder=recorder,
                device=precision.device,
                batch_tokens=loader.batch_tokens,
                say=display.message,
            )
        self._saved_at = time.monotonic()
        self._clock = time.monotonic()

    def run(self) -> Progress:
        """Train to the end, or to an interrupt, which is raised after the state has been saved."""
        try:
            if self.world.first(lambda: not self.checkpoint.is_file()):
                self.save()  # What there is to go back to, should it go wrong from the start.
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
        """Write the checkpoint, in the leader, unless something speaks against the weights; then the last one stays."""
        if not self._sound():
            self.display.message(
                f"the weights after update {self.progress.update} are in doubt and not saved; the last good "
                "checkpoint stays"
            )
            return
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self.progress.journal_bytes = self.journal.size
        self._clock = self._saved_at = now
        self.world.first(
            lambda: save_checkpoint(
                self.checkpoint,
                model=self.model,
                optimizer=self.optimizer,
                mean=self.mean,
                precision=self.precision,
                progress=self.progress,
                reinforce=self.objective.reinforce,
                watch=self.recovery.watch,
            )
        )

    def _sound(self) -> bool:
        """Whether the weights may be written over others; waits for a GPU."""
        self.recovery.settle()
        return self.recovery.trusted and all_finite(self.model.parameters())

    def _roll_back(self, why: str) -> None:
        """Go back to the last good weights with a lower learning rate, and on with the text that follows.

        What the training has read stays read: the same text would fail in the same way if it is to blame, and if the
        rate is, any text will do. So update, epoch, schedule and journal go on, and what is lost is what the weights
        had learned since. Raises TrainingError when this has been done too often.
        """
        progress = self.progress
        good = load_checkpoint(
            self.checkpoint,
            model=self.model,
            optimizer=self.optimizer,
            mean=self.mean,
            precision=self.precision,
            reinforce=self.objective.reinforce,
            watch=self.recovery.watch,
        )
        self.recovery.give_up_or_count(good_update=good.weights_update, why=why)
        figures = {"why": why, "weights_update": good.weights_update, "learning_rate": self._rate()}
        self.journal.write("rollback", progress.update, figures)
        self.display.message(
            f"update {progress.update}: {why}; going back to the weights of update {good.weights_update}, and on with "
            f"the text that follows and {progress.rate_scale:g} of the learning rate"
        )
        self._window.start()
        self.world.wait()  # until every process has read what is now written over
        self.save()

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
        for share in self.loader.shares(
            progress.epoch,
            start_batch=progress.batch,
            group=training.accumulation * self.world.size,
            rank=self.world.rank,
            processes=self.world.size,
        ):
            self._update(share)
            progress.batch += share.group
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

    def _update(self, share: Share) -> None:
        progress = self.progress
        progress.update += 1
        report = self._step(share.batches, learning_rate=self._rate(), share=share)
        if self.mean is not None:
            self.mean.update(progress.update, applied=report.applied)
        self.recovery.take(progress.update, report.verdict)
        self._splits += self._splitter.taken()
        progress.target_tokens += report.target_tokens
        self._window.add(report)

    def _rate(self) -> float:
        """The learning rate of the update under way."""
        progress = self.progress
        return self.schedule.rate(progress.update, reductions=progress.reductions) * progress.rate_scale

    def _between_updates(self) -> None:
        """What is due after an update: the way back, a line of progress, a validation, a checkpoint, an interrupt."""
        if self.recovery.failed:
            self._log()
            self._roll_back(self.recovery.why())
        leads = self.world.leads  # whose clock decides for all
        log_due = leads and self._window.seconds >= self.log_seconds
        save_due = leads and time.monotonic() - self._saved_at >= 60.0 * self.training.checkpoint_minutes
        signal, log, save = self.world.agree(self.interrupt.number, log_due, save_due)
        if log:
            self._log()
        self.interrupt.check(signal)
        if self.progress.validation_due:
            self._validate()
            self.model.train()
            self._window.start()
        elif save and self._sound():
            self._log()
            self.save()

    def _log(self) -> None:
        """Write the figures of the updates since the last record."""
        if not self._window.updates:
            return
        figures = self._window.figures()
        progress = self.progress
        self.recovery.settle()
        skipped, news = self.recovery.news()
        if skipped:
            self.display.message(f"update {progress.update}: {news}; {progress.skipped} in all")
        splits, self._splits = self.world.total(self._splits), 0
        progress.splits += splits
        done = self._share_done()
        spent = progress.seconds + time.monotonic() - self._clock
        figures |= {
            "epoch": min(progress.epoch + 1, self.training.epochs),
            "learning_rate": self._rate(),
            "memory_gib": round(memory_gib(self.precision.device), 3),
            "skipped": skipped,
            "splits": splits,
        }
        self.journal.write("train", progress.update, figures)
        eta = spent * (1.0 - done) / done if done else math.inf
        self.display.update({"update": progress.update, **figures}, done=done, eta=eta)
        self._window.start()

    def _share_done(self) -> float:
        """Share of the run that is over, by epochs or by updates, whichever ends it first."""
        progress, training = self.progress, self.training
        batches = max(1, self.loader.estimated_batches)
        share = (progress.epoch + min(1.0, progress.batch / batches)) / training.epochs
        if self._last_update is not None:
            share = max(share, progress.update / self._last_update)
        return min(1.0, share)

    def _look(self) -> tuple[dict[str, Any], bool]:
        """What the validation finds, and whether the weights are numbers at all."""
        with memory_needed_for("validation", "lower training.batch, training.validation.beam or search.batch_size"):
            figures = self.validator(self.served, check=self.interrupt.check)
        return figures, all_finite([*self.served.parameters(), *self.model.parameters()])

    def _validate(self) -> None:
        """Validate, keep the weights if they are the best, and save the state; go back if they are no good."""
        progress, training = self.progress, self.training
        self._log()
        if self.mean is not None:
            self.mean.copy_to(self.served)
        figures, sound = self.world.first(self._look)
        if not self.recovery.accepts(figures["loss"]) or not sound:
            # Neither recorded nor kept nor saved: nothing good is written over.
            progress.validation_due = False
            self.journal.write("validation", progress.update, figures | {"epoch": progress.epoch, "best": False})
            self._roll_back(
                f"the validation's loss was {figures['loss']:.3f}" if sound else "the weights were not finite"
            )
            return
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
        if self.world.leads:
            if better:
                self.validator.keep(self.served, update=progress.update, figures=figures)
            self.keeper.add(self.served, update=progress.update, figures=figures)
        if self.observe is not None:
            self.observe(progress.update, figures)
        patience = training.validation.patience
        if patience is not None and progress.without_progress >= patience:
            progress.finished = f"no better {metric} in {patience} validations"
        self.save()
