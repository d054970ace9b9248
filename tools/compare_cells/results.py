"""What a comparison has found so far: one JSON object a line, so that an interrupted one goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """One cell trained on one corpus.

    Attributes:
        corpus, cell, key: which training it was.
        status: trained, or diverged (the loss or the weights were lost), or failed (it could not be tried).
        reason: why, in words, where it was not trained.
        parameters: trainable numbers.
        updates: that were made.
        seconds: of training, in one process of one thread beside others.
        validation_loss: nats per target piece, without label smoothing.
        scores: of the test set, by metric: value and SacreBLEU's signature.
    """

    corpus: str
    cell: str
    key: str
    status: str
    reason: str = ""
    parameters: int | None = None
    updates: int | None = None
    seconds: float | None = None
    validation_loss: float | None = None
    scores: dict[str, tuple[float, str]] = field(default_factory=dict)

    @property
    def bleu(self) -> float | None:
        """BLEU in percent, None where nothing was trained."""
        return self.scores["bleu"][0] if "bleu" in self.scores else None


@dataclass(frozen=True)
class Speeds:
    """Target tokens per second of many cells, measured in turn in one process; medians and ranges over the rounds.

    Attributes:
        corpus: on whose batches.
        keys: the trainings that were timed, by cell.
        by_cell: median, lowest and highest.
        rounds, updates: how often all cells took their turn, and updates of a turn.
        threads, precision: of the process.
        parameters: trainable numbers of each cell's model.
    """

    corpus: str
    keys: dict[str, str]
    by_cell: dict[str, tuple[float, float, float]]
    rounds: int
    updates: int
    threads: int
    precision: str
    parameters: dict[str, int] = field(default_factory=dict)


class Results:
    """The file of outcomes and speeds. A line that was cut short by a kill is passed over, and made again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._outcomes: dict[str, Outcome] = {}
        self._speeds: list[Speeds] = []
        if not path.is_file():
            return
        for line in path.read_text(encoding="utf-8").split("\n"):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            self._take(record)

    def outcome(self, key: str) -> Outcome | None:
        """What became of a training, None if it is still to be done."""
        return self._outcomes.get(key)

    def speeds(self, corpus: str, keys: Mapping[str, str], *, threads: int) -> Speeds | None:
        """The last measurement that timed all of these trainings together, None if there is none."""
        fitting = (
            speeds
            for speeds in reversed(self._speeds)
            if speeds.corpus == corpus and speeds.threads == threads and dict(keys).items() <= speeds.keys.items()
        )
        return next(fitting, None)

    def add(self, found: Outcome | Speeds) -> None:
        """Keep it, in memory and in the file."""
        kind = "outcome" if isinstance(found, Outcome) else "speeds"
        record = {"kind": kind, **asdict(found)}
        self._take(json.loads(json.dumps(record)))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        needs_break = self.path.is_file() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if needs_break else "") + json.dumps(record, ensure_ascii=False) + "\n")

    def _take(self, record: Any) -> None:
        if not isinstance(record, dict):
            return
        kind = record.pop("kind", None)
        if kind == "outcome":
            record["scores"] = {name: (value, signature) for name, (value, signature) in record["scores"].items()}
            outcome = Outcome(**record)
            if outcome.status != "failed":  # What could not be tried is tried again.
                self._outcomes[outcome.key] = outcome
        elif kind == "speeds":
            record["by_cell"] = {name: tuple(figures) for name, figures in record["by_cell"].items()}
            self._speeds.append(Speeds(**record))
