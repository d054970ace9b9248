"""What seq2seq-evaluate prints and draws of every text that it has scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seq2seq.cli.writing import Output

if TYPE_CHECKING:
    from seq2seq.comparison import Comparison
    from seq2seq.held_out import Evaluated

Form = Literal["lines", "markdown", "json"]


class Report:
    """Prints texts as they come, or all of them at the end, as JSON and as a figure."""

    def __init__(self, form: Form, plot: Path | None, model: dict[str, Any]) -> None:
        """`plot`: where the figure goes; `model`: what JSON says of the model that translated, nothing without one."""
        self._form = form
        self._plot = plot
        self._stdout = Output(None)
        self._model = model
        self._comparison: dict[str, Any] = {}
        self._tests: list[dict[str, Any]] = []
        self._comparisons: list[Comparison] = []

    def add(self, evaluated: Evaluated, comparison: Comparison) -> None:
        """Take in a text: what the first system scores on it, and what all of them do."""
        from seq2seq.comparison import breakdown_lines, comparison_lines, comparison_markdown

        self._comparisons.append(comparison)
        several = comparison.test is not None
        if self._form == "json":
            breakdowns = [breakdown.as_dict() for breakdown in comparison.breakdowns]
            self._tests.append(evaluated.as_dict() | ({"breakdowns": breakdowns} if breakdowns else {}))
            if several:
                self._comparison = {"comparison": comparison.as_dict()}
        elif self._form == "markdown":
            self._stdout.write([*([""] if len(self._comparisons) > 1 else []), *comparison_markdown(comparison)])
        elif several:
            self._stdout.write(comparison_lines(comparison))
        else:
            others = [each for each in comparison.breakdowns if each.kind != "group"]  # groups are in the lines
            self._stdout.write([*evaluated.lines(), *breakdown_lines(others)])

    def finish(self) -> None:
        """Print the JSON, and draw the figure."""
        if self._form == "json":
            whole = {**self._model, "test_sets": self._tests, **self._comparison}
            self._stdout.write(json.dumps(whole, indent=2, ensure_ascii=False).splitlines())
        if self._plot is not None:
            from seq2seq.comparison.figure import plot_comparisons

            plot_comparisons(self._comparisons, self._plot)
