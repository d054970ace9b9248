"""The journal of a run: every figure as a line of JSON, as TensorBoard events, and on the terminal."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from torch.utils.tensorboard import SummaryWriter

from seq2seq.errors import TrainingError

JOURNAL = "journal.jsonl"


class Display(Protocol):
    """Where a person sees how training goes."""

    def update(self, record: dict[str, Any], *, done: float, eta: float) -> None:
        """Show a training record; `done` is the share of the run that is over, `eta` seconds to its end."""
        ...

    def message(self, text: str) -> None:
        """Show one line that stays."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class PlainDisplay:
    """Lines on stderr, for logs and pipes."""

    def update(self, record: dict[str, Any], *, done: float, eta: float) -> None:
        """One line per record."""
        self.message(
            f"{done:6.1%}  epoch {record['epoch']}  update {record['update']}  loss {record['loss']:.3f}  "
            f"lr {record['learning_rate']:.2e}  {record['target_tokens_per_second']:,.0f} tokens/s  "
            f"{record['memory_gib']:.1f} GiB  ETA {duration(eta)}{_trouble(record)}"
        )

    def message(self, text: str) -> None:
        """One line."""
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to tidy up."""


class BarDisplay:
    """A progress bar on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.percentage:5.1f}%"),
            BarColumn(bar_width=None),
            TextColumn("{task.description}"),
            console=Console(stderr=True, highlight=False),
            expand=True,
        )
        self._task = self._progress.add_task("starting", total=1.0)
        self._progress.start()

    def update(self, record: dict[str, Any], *, done: float, eta: float) -> None:
        """Move the bar."""
        text = (
            f"epoch {record['epoch']}  loss {record['loss']:.3f}  lr {record['learning_rate']:.1e}  "
            f"{record['target_tokens_per_second']:,.0f} tok/s  {record['memory_gib']:.1f} GiB  ETA {duration(eta)}"
            + _trouble(record)
        )
        self._progress.update(self._task, completed=done, description=text)

    def message(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Stop drawing."""
        self._progress.stop()


def make_display() -> Display:
    """A bar when stderr is a terminal, plain lines otherwise."""
    return BarDisplay() if sys.stderr.isatty() else PlainDisplay()


class Journal:
    """Writes records to `journal.jsonl` and TensorBoard under one run's folder."""

    def __init__(self, directory: Path, *, keep_bytes: int, update: int, tensorboard: bool) -> None:
        """Open the journal, cutting off what was written after the checkpoint that a run continues from."""
        self._path = directory / JOURNAL
        self._file = open(self._path, "ab")  # noqa: SIM115 (closed in close)
        os.truncate(self._path, min(keep_bytes, self._path.stat().st_size))
        self._file.seek(0, os.SEEK_END)
        self._events = SummaryWriter(str(directory / "tensorboard"), purge_step=update + 1) if tensorboard else None

    @property
    def size(self) -> int:
        """Bytes in the journal."""
        return self._file.tell()

    def write(self, kind: str, update: int, figures: dict[str, Any]) -> None:
        """Append one record: `kind` (start, resume, train, validation, rollback, end), the update and its figures."""
        record = {"kind": kind, "update": update, "time": round(time.time(), 3), **figures}
        try:
            self._file.write((json.dumps(record, ensure_ascii=False) + "\n").encode())
            self._file.flush()
        except OSError as error:
            raise TrainingError(
                f"{self._path}: cannot be written ({error.strerror}); the last checkpoint is untouched"
            ) from error
        if self._events is not None:
            for name, value in figures.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    self._events.add_scalar(f"{kind}/{name}", value, update)
            self._events.flush()

    def show_text(self, tag: str, update: int, text: str) -> None:
        """Put a text, as Markdown, among the TensorBoard events."""
        if self._events is not None:
            self._events.add_text(tag, text, update)

    def show_image(self, tag: str, update: int, png: bytes) -> None:
        """Put a picture among the TensorBoard events."""
        if self._events is not None:
            from matplotlib.image import imread

            pixels = imread(io.BytesIO(png), format="png")
            self._events.add_image(tag, pixels, update, dataformats="HWC")

    def close(self) -> None:
        """Write what is left and close the files."""
        self._file.close()
        if self._events is not None:
            self._events.close()


def _trouble(record: dict[str, Any]) -> str:
    """What has gone wrong since the last line, as the end of one; mostly nothing."""
    return "".join(f"  {name} {record[name]}" for name in ("skipped", "splits") if record.get(name))


def duration(seconds: float) -> str:
    """`seconds` as h:mm:ss, or m:ss below an hour."""
    if seconds != seconds or seconds == float("inf"):
        return "-"
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
