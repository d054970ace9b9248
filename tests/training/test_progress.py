"""The record of a run: what is best, and when the plateau schedule reduces."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from seq2seq.training.progress import Progress
from seq2seq.training.schedule import Schedule


def validate(progress: Progress, *values: float, higher: bool = True, patience: int = 1) -> list[bool]:
    answers = []
    for value in values:
        progress.update += 100
        progress.validation_due = True
        answers.append(progress.record_validation(value, higher_is_better=higher, schedule_patience=patience))
    return answers


def test_higher_is_better() -> None:
    progress = Progress()
    assert validate(progress, 10.0, 12.0, 12.0, 11.0) == [True, True, False, False]
    assert (progress.best, progress.best_update, progress.without_progress) == (12.0, 200, 2)
    assert (progress.validations, progress.validated_update, progress.validation_due) == (4, 400, False)


def test_lower_is_better() -> None:
    progress = Progress()
    assert validate(progress, 3.0, 4.0, 2.0, 2.0, higher=False) == [True, False, True, False]
    assert (progress.best, progress.best_update, progress.without_progress) == (2.0, 300, 1)


@pytest.mark.parametrize(
    ("patience", "expected"),
    [
        # One best, then five without progress, a better one, which wipes out what was counted, and three without.
        (0, [0, 1, 2, 3, 4, 5, 5, 6, 7, 8]),
        (1, [0, 0, 1, 1, 2, 2, 2, 2, 3, 3]),
        (2, [0, 0, 0, 1, 1, 1, 1, 1, 1, 2]),
    ],
)
def test_reductions_of_the_plateau_schedule(patience: int, expected: list[int]) -> None:
    progress = Progress()
    reductions = []
    for value in [5.0, *[4.0] * 5, 6.0, *[1.0] * 3]:
        validate(progress, value, patience=patience)
        reductions.append(progress.reductions)
    assert reductions == expected
    assert progress.without_progress == 3  # which a reduction does not forget
    schedule = Schedule(
        name="plateau", learning_rate=1.0, warmup_updates=0, minimum=0.0, factor=0.5, patience=patience,
        total_updates=0, step_after=0.0, step_every=1.0,
    )  # fmt: skip
    assert schedule.rate(9, reductions=progress.reductions) == 0.5 ** expected[-1]


@pytest.mark.parametrize("higher", [True, False])
def test_a_value_that_is_no_number_is_never_better_than_one(higher: bool) -> None:
    progress = Progress()
    assert validate(progress, 5.0, math.nan, 5.0, higher=higher) == [True, False, False]
    assert progress.best == 5.0
    # Where a run begins with it, the first number replaces it.
    progress = Progress()
    assert validate(progress, math.nan, math.nan, 7.0, 7.0, higher=higher) == [True, False, True, False]
    assert (progress.best, progress.best_update) == (7.0, 300)


def test_json_round_trip() -> None:
    fields = {}
    for index, field in enumerate(dataclasses.fields(Progress)):
        kinds = {
            "int": index,
            "float": index + 0.1,
            "bool": True,
            "str": f"text {index}",
            "float | None": 1 / 3,
            "list[int]": [index, 7],
        }
        fields[field.name] = kinds[str(field.type)]
    progress = Progress(**fields)
    text = progress.to_json()
    assert json.loads(text) == fields
    assert Progress.from_json(text) == progress
    assert Progress.from_json(Progress().to_json()) == Progress()
