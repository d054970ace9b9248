"""What a worker answers: a line of JSON for every line of JSON that it is sent.

    {"do": "load", "settings": {...}}
        -> {"versions": {...}, "detail": "..."}
    {"do": "translate", "lines": [...], "beam": 5, "batch_size": 64}
        -> {"text": [...], "tokens": 17, "seconds": 1.5, "text_seconds": 0.1, "peak_mib": 650.0}
    {"do": "latency", "lines": [...], "beam": 5}
        -> {"milliseconds": [...]}

`seconds` is the translation of pieces to pieces, in whatever batches the toolkit makes of them; `text_seconds`
tokenizing and detokenizing. Tokens are pieces of the target with the end of every sentence. What a toolkit prints goes
to stderr. Standard library alone: every environment runs this.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol


@dataclass(frozen=True)
class Translated:
    """Lines and their cost; see the module."""

    text: list[str]
    tokens: int
    seconds: float
    text_seconds: float


class Toolkit(Protocol):
    """A loaded model of a toolkit."""

    versions: dict[str, str]
    detail: str

    def translate(self, lines: Sequence[str], *, beam: int, batch_size: int) -> Translated:
        """Translate lines, none of them blank."""
        ...


def serve(load: Callable[[dict[str, Any]], Toolkit]) -> None:
    """Answer until standard input ends; a failure is an answer too, and the worker goes on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    toolkit: list[Toolkit] = []
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            answer = _answer(request, load, toolkit)
        except ModuleNotFoundError as error:
            answer = {"missing": error.name or str(error)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(
    request: dict[str, Any], load: Callable[[dict[str, Any]], Toolkit], toolkit: list[Toolkit]
) -> dict[str, Any]:
    if request["do"] == "load":
        toolkit[:] = [load(request["settings"])]
        return {"versions": toolkit[0].versions, "detail": toolkit[0].detail}
    if request["do"] == "latency":
        milliseconds = []
        for line in request["lines"]:
            began = perf_counter()
            toolkit[0].translate([line], beam=request["beam"], batch_size=1)
            milliseconds.append(1e3 * (perf_counter() - began))
        return {"milliseconds": milliseconds}
    _forget_peak()
    found = toolkit[0].translate(request["lines"], beam=request["beam"], batch_size=request["batch_size"])
    return {
        "text": found.text,
        "tokens": found.tokens,
        "seconds": found.seconds,
        "text_seconds": found.text_seconds,
        "peak_mib": _peak_mib(),
    }


def _forget_peak() -> None:
    """Let the highest memory use be counted anew, where Linux allows that."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _peak_mib() -> float | None:
    """Highest resident memory since then, MiB."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    return None
