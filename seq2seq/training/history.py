"""The history of a run, read from its journal: what is drawn of it and what the report tells."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.plots.curves import Line


class TrainingPoint(NamedTuple):
    """A training record: figures of the updates since the one before it."""

    update: int
    epoch: int
    loss: float
    perplexity: float
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    memory_gib: float


@dataclass
class History:
    """The journal's records; where an update comes again, what was there from it on counts as undone and is left out.

    Attributes:
        training: the training records.
        validations: the validation records, as they were written.
        sittings: the records `start` and `resume` that begin every sitting, and when its last record was written.
        skipped: updates, or ends of records, with updates that were skipped, and how many.
        rolled_back: updates after which the run went back to earlier weights; updates are counted on.
        end: the record of the end; empty while there is none.
    """

    training: list[TrainingPoint] = field(default_factory=list)
    validations: list[dict[str, Any]] = field(default_factory=list)
    sittings: list[tuple[dict[str, Any], float]] = field(default_factory=list)
    skipped: list[tuple[int, int]] = field(default_factory=list)
    rolled_back: list[int] = field(default_factory=list)
    end: dict[str, Any] = field(default_factory=dict)

    @property
    def last_update(self) -> int:
        """The last update of which there is a record."""
        updates = [record["update"] for record in (*self.validations[-1:], self.end) if record]
        return max([*updates, *(point.update for point in self.training[-1:])], default=0)

    def add(self, record: dict[str, Any]) -> None:
        """Take in one record."""
        update = int(record["update"])
        if self.sittings:
            self.sittings[-1] = self.sittings[-1][0], float(record["time"])
        match record["kind"]:
            case "start" | "resume":
                self.sittings.append((record, float(record["time"])))
                self.end = {}
            case "train":
                _forget(self.training, lambda point: point.update >= update)
                self.training.append(_point(record))
                if skipped := _number(record, "skipped", 0.0):
                    self.skipped.append((update, int(skipped)))
            case "validation":
                _forget(self.validations, lambda other: other["update"] >= update)
                self.validations.append(record)
            case "rollback":
                self.rolled_back.append(update)
            case "end":
                self.end = record

    def best(self, metric: str) -> dict[str, Any] | None:
        """The validation record that was the best when it was made, the last such one; None without any."""
        marked = [record for record in self.validations if record.get("best")]
        if marked:
            return marked[-1]
        sound = [record for record in self.validations if math.isfinite(_number(record, metric))]
        sign = -1.0 if metric == "loss" else 1.0
        return max(sound, key=lambda record: sign * float(record[metric]), default=None)

    def spans(self) -> list[tuple[int, float]]:
        """The update each sitting began at, and its seconds; work that was done twice counts in neither."""
        starts = [record for record, _ in self.sittings]
        found = []
        for number, (record, last) in enumerate(self.sittings):
            following = starts[number + 1] if number + 1 < len(starts) else self.end
            if "seconds" in following and "seconds" in record:
                seconds = following["seconds"] - record["seconds"]
            else:
                seconds = last - record["time"]
            found.append((int(record["update"]), float(seconds)))
        return found

    def of_training(self, value: Callable[[TrainingPoint], float]) -> Line:
        """One figure of the training records over updates."""
        return Line([point.update for point in self.training], [value(point) for point in self.training])

    def of_validation(self, key: str) -> Line:
        """One figure of the validation records over updates."""
        return Line(
            [record["update"] for record in self.validations], [_number(record, key) for record in self.validations]
        )

    def epoch_ends(self) -> Line:
        """Updates at which epochs ended, and how many were done then.

        A validation at the end of an epoch tells the update; elsewhere it is half-way between two training records.
        """
        # At the same update the validation's record comes first, which is exact.
        done = sorted(
            [(record["update"], False, record["epoch"]) for record in self.validations]
            + [(point.update, True, point.epoch - 1) for point in self.training]
        )
        updates: list[float] = []
        epochs: list[float] = []
        previous = (0, 0)
        for update, between, epoch in done:
            if epoch > previous[1]:
                updates.append((previous[0] + update) / 2 if between else update)
                epochs.append(epoch)
            previous = update, max(epoch, previous[1])
        return Line(updates, epochs)


class JournalReader:
    """Reads a run's journal, and what was added to it since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._history = History()

    def read(self) -> History:
        """The history up to now.

        Raises:
            OSError: the journal cannot be read.
            ValueError: it holds a line that is no record.
        """
        with open(self._path, "rb") as file:
            if file.seek(0, os.SEEK_END) < self._position:  # was cut off, and is another one from there on
                self._position, self._history = 0, History()
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # is being written
                self._history.add(json.loads(line))
                self._position += len(line)
        return self._history


def _point(record: dict[str, Any]) -> TrainingPoint:
    return TrainingPoint(
        update=int(record["update"]),
        epoch=int(record["epoch"]),
        loss=_number(record, "loss"),
        perplexity=_number(record, "perplexity"),
        learning_rate=_number(record, "learning_rate"),
        gradient_norm=_number(record, "gradient_norm"),
        tokens_per_second=_number(record, "target_tokens_per_second"),
        memory_gib=_number(record, "memory_gib"),
    )


def _number(record: dict[str, Any], key: str, default: float = math.nan) -> float:
    value = record.get(key)
    return float(value) if isinstance(value, int | float) else default


def _forget(items: list[Any], undone: Callable[[Any], bool]) -> None:
    """Drop from the end of `items` what was undone."""
    while items and undone(items[-1]):
        items.pop()


def likelihood(points: Sequence[TrainingPoint]) -> list[float]:
    """Cross-entropy in nats per piece, from perplexities."""
    return [math.log(point.perplexity) if point.perplexity > 0.0 else math.nan for point in points]
