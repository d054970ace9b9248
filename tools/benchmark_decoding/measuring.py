"""Measuring: every contender's best batch size first, then rounds in which all take their turns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seq2seq.benchmark.figures import Spread
from tools.benchmark_decoding.worker import Contender, Worker, WorkerError

Say = Callable[[str], None]
#: Lines that warm a worker up before it is timed.
_WARMING = 64
#: The search for a batch size ends after so many sizes that are slower than the best.
_SLOWER = 2


@dataclass(frozen=True)
class Plan:
    """What is measured: see `python -m tools.benchmark_decoding --help`."""

    lines: Sequence[str]
    beams: Sequence[int]
    batch_sizes: Sequence[int]
    rounds: int
    threads: int
    latency_lines: Sequence[str]
    latency_beam: int
    logs: Path


@dataclass
class BeamFigures:
    """One beam of one contender."""

    #: Sentences per second of every batch size that was tried, once each.
    tried: dict[int, float] = field(default_factory=dict)
    batch_size: int = 0
    seconds: list[float] = field(default_factory=list)
    text_seconds: list[float] = field(default_factory=list)
    peaks_mib: list[float] = field(default_factory=list)
    tokens: int = 0
    text: list[str] = field(default_factory=list)


@dataclass
class Figures:
    """One contender; `absent` says why it has none."""

    contender: Contender
    absent: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    detail: str = ""
    start_seconds: float = 0.0
    beams: dict[int, BeamFigures] = field(default_factory=dict)
    milliseconds: list[float] = field(default_factory=list)

    def rates(self, beam: int, sentences: int) -> list[float]:
        """Sentences per second of every round."""
        return [sentences / seconds for seconds in self.beams[beam].seconds]


def measure(contenders: Sequence[Contender], plan: Plan, *, between: Callable[[], object], say: Say) -> list[Figures]:
    """Measure all; `between` is called before every round.

    A contender that fails is left out with the reason, and the others go on.
    """
    found = [Figures(contender, absent=contender.absent) for contender in contenders]
    for figures in _present(found):
        with _leaving_out(figures, say):
            _find_batch_sizes(figures, plan, say)
    with contextlib.ExitStack() as stack:
        workers = _start(found, plan, stack, say)
        for number in range(1, plan.rounds + 1):
            between()
            for beam in plan.beams:
                for figures, worker in _in_race(workers):
                    with _leaving_out(figures, say):
                        _turn(figures, worker, beam, plan)
            for figures, worker in _in_race(workers):
                with _leaving_out(figures, say):
                    figures.milliseconds += worker.latency(plan.latency_lines, beam=plan.latency_beam)
            say(f"round {number} of {plan.rounds}: {_speeds(found, plan)}")
        between()
    return found


def _present(found: Sequence[Figures]) -> list[Figures]:
    return [figures for figures in found if figures.absent is None]


def _in_race(workers: Sequence[tuple[Figures, Worker]]) -> list[tuple[Figures, Worker]]:
    return [(figures, worker) for figures, worker in workers if figures.absent is None]


@contextlib.contextmanager
def _leaving_out(figures: Figures, say: Say) -> Iterator[None]:
    """Go on without a contender that fails."""
    try:
        yield
    except WorkerError as error:
        figures.absent = str(error)
        say(f"{figures.contender.name}: {error}")


def _log(figures: Figures, plan: Plan) -> Path:
    name = "".join(character if character.isalnum() else "-" for character in figures.contender.name)
    return plan.logs / f"{name}.log"


def _find_batch_sizes(figures: Figures, plan: Plan, say: Say) -> None:
    with Worker(figures.contender, threads=plan.threads, log=_log(figures, plan)) as worker:
        for beam in plan.beams:
            found = figures.beams[beam] = BeamFigures()
            worker.translate(plan.lines[:_WARMING], beam=beam, batch_size=min(plan.batch_sizes))
            for size in plan.batch_sizes:
                answer = worker.translate(plan.lines, beam=beam, batch_size=size)
                found.tried[size] = len(plan.lines) / answer["seconds"]
                found.batch_size = max(found.tried, key=lambda tried: found.tried[tried])
                if len(found.tried) - list(found.tried).index(found.batch_size) > _SLOWER:
                    break
            tried = ", ".join(f"{size}: {rate:.1f}" for size, rate in found.tried.items())
            say(f"{figures.contender.name}, beam {beam}, sentences/s by batch size: {tried}")


def _start(found: Sequence[Figures], plan: Plan, stack: contextlib.ExitStack, say: Say) -> list[tuple[Figures, Worker]]:
    """A fresh worker for each, so that memory is that of its own setting, warmed up."""
    workers = []
    for figures in _present(found):
        with _leaving_out(figures, say):
            worker = stack.enter_context(Worker(figures.contender, threads=plan.threads, log=_log(figures, plan)))
            for beam in plan.beams:
                worker.translate(plan.lines[:_WARMING], beam=beam, batch_size=figures.beams[beam].batch_size)
            figures.versions, figures.detail = worker.versions, worker.detail
            figures.start_seconds = worker.start_seconds
            workers.append((figures, worker))
    return workers


def _turn(figures: Figures, worker: Worker, beam: int, plan: Plan) -> None:
    found = figures.beams[beam]
    answer: dict[str, Any] = worker.translate(plan.lines, beam=beam, batch_size=found.batch_size)
    found.seconds.append(answer["seconds"])
    found.text_seconds.append(answer["text_seconds"])
    if answer["peak_mib"] is not None:
        found.peaks_mib.append(answer["peak_mib"])
    found.tokens, found.text = answer["tokens"], answer["text"]


def _speeds(found: Sequence[Figures], plan: Plan) -> str:
    beam = plan.beams[0]
    return ", ".join(
        f"{each.contender.name} {each.rates(beam, len(plan.lines))[-1]:.1f}" for each in _present(found)
    ) + (f" sentences/s with beam {beam}")


def ratios(ours: Figures, other: Figures, *, beam: int) -> Spread:
    """How many times as fast, round by round."""
    pairs = zip(other.beams[beam].seconds, ours.beams[beam].seconds, strict=True)
    return Spread.of([theirs / own for theirs, own in pairs])
