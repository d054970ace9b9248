"""The folder of a run: who may write into it, whether it holds a run to continue, and how an old one is put aside."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import IO

from seq2seq.errors import TrainingError
from seq2seq.model_files import FORMAT, RECIPE
from seq2seq.recipe import Recipe, differences, load_stored_recipe
from seq2seq.training.checkpoint import CHECKPOINT


class RunDirectory:
    """`runs/<name>`: the model directory, and under `training/` what only resuming needs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None

    @property
    def training(self) -> Path:
        """Folder of the checkpoint and the lock."""
        return self.path / "training"

    @property
    def checkpoint(self) -> Path:
        """The checkpoint's file."""
        return self.training / CHECKPOINT

    @property
    def is_begun(self) -> bool:
        """Whether the run has its recipe and tokenizers already; what is written last is looked for."""
        return (self.path / FORMAT).is_file()

    def set_aside(self) -> Path | None:
        """Rename an existing run to `<name>.1`, or the next free number; returns where it is now."""
        if not self.path.exists():
            return None
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        os.rename(self.path, aside)
        return aside

    def changes_of(self, recipe: Recipe) -> list[str]:
        """What `recipe` changes of the run that is here, one line each.

        Raises:
            TrainingError: a key differs that must not.
        """
        found = differences(load_stored_recipe(self.path / RECIPE), recipe)
        fixed = [difference for difference in found if not difference.changeable]
        if fixed:
            listed = "\n".join(f"  {difference}" for difference in fixed)
            raise TrainingError(
                f"{self.path}: this run was begun with another recipe and cannot be continued with these changes "
                f"(run -> recipe); undo them, choose another run.name, or start over with --fresh:\n{listed}"
            )
        return [str(difference) for difference in found]

    def __enter__(self) -> RunDirectory:
        """Make the folder and lock it against a second training.

        Raises:
            TrainingError: the folder cannot be made, or another training is at work in it.
        """
        try:
            self.training.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.training / "lock", "ab")
        except OSError as error:
            raise TrainingError(f"{self.path}: the run's folder cannot be made ({error.strerror})") from error
        try:
            import fcntl
        except ImportError:  # Windows has no fcntl; there the lock file is only a sign.
            return self
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise TrainingError(
                f"{self.path}: another training is at work on this run; wait for it, or stop it"
            ) from None
        # What a run that was killed while it saved has left half written.
        for folder in (self.path, self.training):
            for leftover in folder.glob(".*.tmp"):
                leftover.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()
