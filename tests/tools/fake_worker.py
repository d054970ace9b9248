"""A worker whose seconds follow a formula, for tests of tools/benchmark_decoding."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Sequence
from typing import Any

from tools.benchmark_decoding.workers.protocol import Translated, serve


class Fake:
    """Takes `seconds` for each line at the best batch size, and one time more for every doubling away from it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        print("a toolkit may print")
        importlib.import_module(settings.get("imports", "json"))
        self.settings = settings
        self.versions = {"Fake": "1.2"}
        self.detail = "a formula"
        self.calls = 0

    def translate(self, lines: Sequence[str], *, beam: int, batch_size: int) -> Translated:
        print("while it translates, too")
        self.calls += 1
        if self.settings.get("fails_with_beam") == beam:
            raise ValueError("it cannot do that")
        if self.settings.get("dies_after") == self.calls:
            os._exit(3)
        away = abs(math.log2(batch_size / self.settings["best"]))
        seconds = len(lines) * self.settings["seconds"] * beam * (1 + away)
        text = [line.replace("a", self.settings.get("a", "a")) for line in lines]
        return Translated(text=text, tokens=7 * len(lines), seconds=seconds, text_seconds=0.001 * len(lines))


if __name__ == "__main__":
    serve(Fake)
