"""Whether what a run goes on with, and what several processes begin with, is the same training."""

from __future__ import annotations

import torch

from seq2seq.errors import TrainingError
from seq2seq.recipe import Recipe
from seq2seq.training.corpora import Corpora
from seq2seq.training.distributed import World
from seq2seq.training.journal import Display
from seq2seq.training.progress import Progress
from seq2seq.training.run_directory import RunDirectory


def check_continuation(
    progress: Progress, corpora: Corpora, directory: RunDirectory, display: Display, recipe: Recipe
) -> None:
    """Make sure that what is continued is the same training, and reopen one that may now go further."""
    if progress.corpus != corpora.key:
        raise TrainingError(
            f"{directory.path}: the training text has changed since this run was begun, so it cannot be continued "
            "exactly; put the old text back, or start over with --fresh"
        )
    if progress.threads != torch.get_num_threads():
        display.message(
            f"note: the run was begun with {progress.threads} threads and goes on with {torch.get_num_threads()}; "
            "its sums are rounded differently from here on (run.threads sets them)"
        )
    training = recipe.training
    reached = progress.epoch >= training.epochs
    if training.max_updates is not None:
        reached = reached or progress.update >= training.max_updates
    patience = training.validation.patience
    exhausted = patience is not None and progress.without_progress >= patience
    if progress.finished and not reached and not exhausted:
        progress.finished = ""


def check_same_start(world: World, directory: RunDirectory, corpora: Corpora, update: int | None) -> None:
    """Make sure that every process begins with what the leader has: its text, and its checkpoint's `update`, if any."""
    key, leaders = world.first(lambda: (corpora.key, update))
    if key != corpora.key:
        raise TrainingError(
            f"process {world.rank} reads another training text than process 0; give all machines the same files"
        )
    if leaders != update:
        raise TrainingError(
            f"process {world.rank} does not find the checkpoint of process 0 in {directory.path}; "
            "set run.directory to a folder that all machines share"
        )


def note_group(progress: Progress, group: int, display: Display) -> None:
    """Take the number of batches of an update, over all processes, into the record; tell if it has changed."""
    if progress.group not in (0, group):
        display.message(
            f"note: so far an update took {_batches(progress.group)}, and from here on {group} (training.accumulation "
            "times the processes); the schedule and the validations count updates"
        )
    progress.group = group


def _batches(number: int) -> str:
    return f"{number} batch" if number == 1 else f"{number} batches"
