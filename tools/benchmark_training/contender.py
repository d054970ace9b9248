"""A contender: what a recipe trains, ready to be given batches in turn with others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import islice

import torch

from seq2seq.build import build_model
from seq2seq.data.batch import Batch
from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.recipe import Recipe
from seq2seq.training.average import RunningMean
from seq2seq.training.objective import Objective
from seq2seq.training.optimizer import make_optimizer
from seq2seq.training.precision import Precision
from seq2seq.training.reinforce import Reinforce
from seq2seq.training.step import StepReport, train_step


class Contender:
    """A recipe's network, optimizer and the rest of its update, with fresh weights."""

    def __init__(self, recipe: Recipe, dtype: torch.dtype, device: torch.device, vocabularies: tuple[int, int]) -> None:
        """`vocabularies`: numbers of pieces of source and target."""
        training, attention = recipe.training, recipe.model.attention
        torch.manual_seed(recipe.run.seed)
        self.recipe = recipe
        self.device = device
        self.model: EncoderDecoder = build_model(
            recipe.model, source_vocabulary=vocabularies[0], target_vocabulary=vocabularies[1]
        ).to(device)
        self.model.train()
        self.precision = Precision(dtype=dtype, device=device)
        self.optimizer = make_optimizer(self.model.parameters(), **training.optimizer.model_dump())
        self.mean = (
            RunningMean(self.model, decay=training.exponential_smoothing) if training.exponential_smoothing else None
        )
        reinforce = None
        if attention.type == "hard":
            reinforce = Reinforce(
                reward_weight=attention.reward_weight, entropy_weight=attention.entropy_weight, device=device
            )
        self.objective = Objective(
            label_smoothing=training.label_smoothing, consistency=training.consistency, reinforce=reinforce
        )
        self._updates = 0

    def run(self, batches: Sequence[Batch]) -> float:
        """Train on `batches`; target tokens per second, padding not counted."""
        return sum(batch.target_tokens for batch in batches) / self.seconds(batches)

    def seconds(self, batches: Sequence[Batch]) -> float:
        """Train on `batches`; how long that took, with nothing waited for but its end."""
        self.wait()
        began = time.perf_counter()
        for group in groups(batches, self.recipe.training.accumulation):
            self.update(group)
        self.wait()
        return time.perf_counter() - began

    def update(self, group: list[Batch]) -> StepReport:
        """One update of the weights, as the trainer makes it."""
        training = self.recipe.training
        report = train_step(
            self.model,
            group,
            objective=self.objective,
            optimizer=self.optimizer,
            precision=self.precision,
            learning_rate=training.optimizer.learning_rate,
            clip_by=training.clipping.by,
            clip_threshold=training.clipping.threshold,
        )
        self._updates += 1
        if self.mean is not None:
            self.mean.update(self._updates)
        return report

    def wait(self) -> None:
        """Until a GPU has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def groups(batches: Iterable[Batch], size: int) -> Iterable[list[Batch]]:
    """Batches in lists of `size`, an update each; the last may be shorter."""
    iterator = iter(batches)
    while group := list(islice(iterator, size)):
        yield group
