"""A worker from outside: a process of its own environment, asked and answering in lines of JSON."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_WORKERS = "tools.benchmark_decoding.workers"


class WorkerError(Exception):
    """A worker cannot do what it was asked; the message says why, for the table."""


@dataclass(frozen=True)
class Contender:
    """What is measured: a toolkit in a setting.

    Attributes:
        name: what the table calls it.
        command: what starts its worker.
        settings: what its worker loads.
        same_weights: whether it decodes with the weights of the run.
        ours: whether it is this toolkit.
        absent: why it cannot take part, if that is known before.
    """

    name: str
    command: tuple[str, ...]
    settings: dict[str, Any]
    same_weights: bool = True
    ours: bool = False
    absent: str | None = None


def worker_command(module: str, environment: Path | None) -> tuple[str, ...]:
    """What starts the worker `module`, with the Python of a virtual environment, or with this one."""
    python = sys.executable if environment is None else str(environment.absolute() / "bin" / "python")
    return (python, "-m", f"{_WORKERS}.{module}")


class Worker:
    """A started worker, which has loaded its model; a context manager that ends it."""

    def __init__(self, contender: Contender, *, threads: int, log: Path) -> None:
        """Start it and load. Raises WorkerError when there is no such environment, toolkit or model."""
        self.contender = contender
        self._log = log
        began = perf_counter()
        environment = os.environ | {
            **{key: str(threads) for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")},
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
        }
        with log.open("ab") as errors:
            try:
                self._process = subprocess.Popen(
                    contender.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=environment,
                    cwd=ROOT,
                )
            except OSError as error:
                raise WorkerError(f"not installed: {contender.command[0]} cannot be run ({error.strerror})") from None
        try:
            loaded = self._ask({"do": "load", "settings": contender.settings})
        except BaseException:
            self.close()
            raise
        #: From the start of the process to a model that can translate.
        self.start_seconds = perf_counter() - began
        self.versions: dict[str, str] = loaded["versions"]
        self.detail: str = loaded["detail"]

    def translate(self, lines: Sequence[str], *, beam: int, batch_size: int) -> dict[str, Any]:
        """The answer of tools/benchmark_decoding/workers/protocol.py."""
        return self._ask({"do": "translate", "lines": list(lines), "beam": beam, "batch_size": batch_size})

    def latency(self, lines: Sequence[str], *, beam: int) -> list[float]:
        """Milliseconds of every line by itself."""
        milliseconds: list[float] = self._ask({"do": "latency", "lines": list(lines), "beam": beam})["milliseconds"]
        return milliseconds

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # its end is told below
        line = self._process.stdout.readline()
        if not line:
            status, last = self._process.wait(), self._last_words()
            missing = re.fullmatch(r"ModuleNotFoundError: No module named '(.+)'", last)
            if missing is not None:
                raise self._without(missing[1])
            raise WorkerError(f"its worker ended with status {status} ({last or 'without a word'}); see {self._log}")
        answer: dict[str, Any] = json.loads(line)
        if "missing" in answer:
            raise self._without(answer["missing"])
        if "error" in answer:
            raise WorkerError(f"{answer['error']}; see {self._log}")
        return answer

    def _without(self, module: str) -> WorkerError:
        return WorkerError(f"not installed: {self.contender.command[0]} has no {module}")

    def _last_words(self) -> str:
        words = [line.strip() for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        return words[-1] if words else ""

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
