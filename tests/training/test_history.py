"""The history of a run, from journals written by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from seq2seq.training.history import History, JournalReader, likelihood


def train(update: int, epoch: int, loss: float, **more: Any) -> dict[str, Any]:
    figures = {"learning_rate": 0.1, "gradient_norm": 2.0, "target_tokens_per_second": 50.0, "memory_gib": 1.5}
    record = {"kind": "train", "update": update, "time": 100.0 + update, "epoch": epoch, "loss": loss}
    return record | figures | {"perplexity": math.exp(loss)} | more


def validation(update: int, epoch: int, bleu: float, *, best: bool) -> dict[str, Any]:
    record = {"kind": "validation", "update": update, "time": 100.0 + update, "epoch": epoch, "loss": 1.0, "bleu": bleu}
    return record | {"chrf": 2 * bleu, "best": best}


def start(kind: str, update: int, time: float) -> dict[str, Any]:
    return {"kind": kind, "update": update, "time": time}


def history_of(*records: dict[str, Any]) -> History:
    history = History()
    for record in records:
        history.add(record)
    return history


def test_figures_over_updates() -> None:
    history = history_of(
        start("start", 0, 100.0),
        train(5, 1, 3.0),
        train(10, 2, 2.0, perplexity="Infinity"),
        validation(10, 1, 20.0, best=True),
        start("resume", 10, 500.0),
        train(15, 2, 1.5),
        validation(15, 1, 19.0, best=False),
    )
    assert history.of_training(lambda point: point.loss).values == [3.0, 2.0, 1.5]
    assert history.of_validation("chrf").updates == [10, 15]
    assert history.of_validation("chrf").values == [40.0, 38.0]
    assert likelihood(history.training)[0] == pytest.approx(3.0)
    assert math.isnan(likelihood(history.training)[1])
    assert history.best("bleu") == validation(10, 1, 20.0, best=True)
    assert [(record["update"], last) for record, last in history.sittings] == [(0, 500.0), (10, 115.0)]
    assert history.last_update == 15


def test_ends_of_epochs() -> None:
    """Known exactly where a validation stands, half-way between two records elsewhere."""
    history = history_of(
        train(4, 1, 1.0), train(8, 2, 1.0), train(10, 3, 1.0), validation(10, 2, 1.0, best=True), train(20, 5, 1.0)
    )
    ends = history.epoch_ends()
    assert (ends.updates, ends.values) == ([6.0, 10, 15.0], [1, 2, 4])


def test_what_happened_on_the_way() -> None:
    """A return to earlier weights undoes no update; only an update that comes again does."""
    history = history_of(
        train(10, 1, 3.0),
        validation(10, 0, 20.0, best=True),
        train(18, 1, 9.0, skipped=3),
        {"kind": "rollback", "update": 18, "time": 1.0, "weights_update": 10},
        train(25, 1, 2.5),
        validation(25, 0, 25.0, best=True),
    )
    assert history.of_training(lambda point: point.loss).values == [3.0, 9.0, 2.5]
    assert history.of_validation("bleu").values == [20.0, 25.0]
    assert (history.skipped, history.rolled_back) == ([(18, 3)], [18])
    history.add(train(18, 1, 2.0))
    assert history.of_training(lambda point: point.loss).values == [3.0, 2.0]
    again = history_of(validation(10, 0, 20.0, best=True), validation(10, 0, 21.0, best=True))
    assert again.of_validation("bleu").values == [21.0]


def test_a_journal_is_read_on_and_a_shorter_one_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first, second = json.dumps(train(5, 1, 3.0)), json.dumps(train(10, 1, 2.0))
    path.write_text(f"{first}\n{second[:20]}", "utf-8")  # the second is being written
    reader = JournalReader(path)
    assert [point.update for point in reader.read().training] == [5]
    path.write_text(f"{first}\n{second}\n", "utf-8")
    assert [point.update for point in reader.read().training] == [5, 10]
    assert [point.update for point in reader.read().training] == [5, 10]
    path.write_text(f"{second}\n", "utf-8")
    assert [point.update for point in reader.read().training] == [10]
