"""Processes that work for this one: the same results in the same order, errors, and ends of every kind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from seq2seq import Translator
from seq2seq.errors import DeviceError, UsageError
from seq2seq.team import Team

LINES = [
    *("Where is the station?", "", "I would like two tickets, please.", "the small dog", "bread and milk", "a dog"),
] * 3


class Worker:
    """What is copied in these tests."""

    def __init__(self) -> None:
        self.calls = 0

    def square(self, number: int) -> tuple[int, int, int]:
        self.calls += 1
        print("not an answer")  # goes to stderr
        return number * number, os.getpid(), torch.get_num_threads()

    def fail(self, number: int) -> None:
        raise UsageError(f"{number} cannot be used") if number == 3 else KeyError(number)

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def team() -> Team:
    return Team(Worker(), processes=2, threads=1)


def test_results_are_in_order_and_of_several_processes(team: Team) -> None:
    found = team.map("square", [(number,) for number in range(40)])
    assert [square for square, _, _ in found] == [number * number for number in range(40)]
    assert len({process for _, process, _ in found} - {os.getpid()}) == 2
    assert {threads for _, _, threads in found} == {1}
    assert team.map("square", []) == []


def test_errors_come_back_and_the_team_goes_on(team: Team) -> None:
    with pytest.raises(UsageError, match="3 cannot be used"):
        team.map("fail", [(3,)])
    with pytest.raises(RuntimeError, match="KeyError: 4"):
        team.map("fail", [(4,)])
    assert team.map("square", [(5,)])[0][0] == 25


def test_a_process_that_dies_is_reported() -> None:
    team = Team(Worker(), processes=1, threads=1)
    with pytest.raises(DeviceError, match="ended by itself with status -9, as for want of memory; use fewer processes"):
        team.map("die", [()])
    team.close()


def test_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    """Even where that is killed."""
    script = (
        "import sys, time; from tests.test_team import Team, Worker\n"
        "team = Team(Worker(), processes=1, threads=1)\n"
        "print(team.map('square', [(2,)])[0][1], flush=True)\n"
        "time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        member = int(process.stdout.readline())
        os.kill(member, 0)
        process.kill()
    for _ in range(200):
        try:
            os.kill(member, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{member}/stat").exists() and Path(f"/proc/{member}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the process is still there")


@pytest.mark.parametrize("n_best", [None, 3])
def test_a_translator_with_processes_translates_the_same(small_model: Path, n_best: int | None) -> None:
    several = Translator.load(small_model, device="cpu", processes=2)
    one = Translator.load(small_model, device="cpu")
    options = {"beam": 3, "batch_size": 2, "max_length": 12, "n_best": n_best}
    assert several.translate(LINES, **options) == one.translate(LINES, **options)  # type: ignore[call-overload]
    several.close()


def test_an_ensemble_is_copied_with_its_weights(small_model: Path, other_seed: Path) -> None:
    several = Translator.load([small_model, other_seed], device="cpu", weights=[1.0, 2.0], processes=2)
    one = Translator.load([small_model, other_seed], device="cpu", weights=[1.0, 2.0])
    assert several.translate(LINES, batch_size=3, max_length=9) == one.translate(LINES, batch_size=3, max_length=9)
    several.close()
    copied = pickle.loads(pickle.dumps(one))
    assert copied.translate(LINES[0]) == one.translate(LINES[0])


def test_processes_are_for_the_cpu_and_one_at_least(small_model: Path) -> None:
    with pytest.raises(UsageError, match="processes must be"):
        Translator.load(small_model, device="cpu", processes=0)
