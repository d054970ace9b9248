"""The journal: its records, what a resumed run cuts off, and a disk that is full."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from seq2seq.errors import TrainingError
from seq2seq.training.journal import Journal, PlainDisplay, duration


def _records(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


def test_records_after_the_checkpoint_are_cut_off(tmp_path: Path) -> None:
    journal = Journal(tmp_path, keep_bytes=0, update=0, tensorboard=False)
    journal.write("train", 1, {"loss": 2.5})
    kept = journal.size
    journal.write("train", 2, {"loss": 2.25})
    journal.close()
    journal = Journal(tmp_path, keep_bytes=kept, update=1, tensorboard=False)
    journal.write("train", 2, {"loss": 2.125})
    journal.close()
    assert [(record["update"], record["loss"]) for record in _records(tmp_path)] == [(1, 2.5), (2, 2.125)]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    journal = Journal(tmp_path, keep_bytes=0, update=0, tensorboard=False)
    journal._file.close()
    journal._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
    with pytest.raises(TrainingError, match=r"journal\.jsonl: cannot be written \(No space left on device\)"):
        journal.write("train", 1, {"loss": 2.5})
    journal.close()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3599.0, "59:59"), (3600.0, "1:00:00"), (math.inf, "-")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_plain_line_says_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    record = {
        "epoch": 2,
        "update": 70,
        "loss": 1.23456,
        "learning_rate": 0.001,
        "target_tokens_per_second": 12345.6,
        "memory_gib": 1.04,
    }
    PlainDisplay().update(record, done=0.5, eta=75.0)
    line = capsys.readouterr().err
    assert line == " 50.0%  epoch 2  update 70  loss 1.235  lr 1.00e-03  12,346 tokens/s  1.0 GiB  ETA 1:15\n"
