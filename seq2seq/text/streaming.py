"""Reading through the `datasets` library. Importing this file imports that library, which takes about a second."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets

from seq2seq.errors import CorpusError

Record = dict[str, Any]


class _Generated(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """A data set of the records that a function gives.

    The library's own `text` builder opens files with universal newlines, so a lone CR inside a sentence would end its
    line and shift everything after it against the other language; its `csv` builder interprets quotes, and its `json`
    builder guesses types block by block (a block of dates becomes timestamps) and loses line numbers. The strict
    readers of :mod:`seq2seq.text.lines` are therefore put beneath the library, and streamed through it.
    """

    def __init__(self, *, records: Callable[[], Iterator[Record]], cache_dir: str) -> None:
        self._records = records
        super().__init__(cache_dir=cache_dir)

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo()

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [datasets.SplitGenerator(name="train", gen_kwargs={})]

    def _generate_examples(self) -> Iterator[tuple[int, Record]]:
        yield from enumerate(self._records())


def stream_generated(records: Callable[[], Iterator[Record]]) -> Iterator[Record]:
    """Stream what `records` gives; nothing is cached, and its errors arrive as they are."""
    # A builder insists on a cache folder, if only for a lock file; the user's own is none of our business here.
    with tempfile.TemporaryDirectory(prefix="seq2seq-datasets-") as cache, _quiet():
        yield from _Generated(records=records, cache_dir=cache).as_streaming_dataset(split="train")


def stream_parquet(path: str) -> Iterator[Record]:
    """Stream the rows of a Parquet file. Raises CorpusError when it is none."""
    with tempfile.TemporaryDirectory(prefix="seq2seq-datasets-") as cache, _quiet(), _explained(path, "read"):
        yield from datasets.load_dataset(
            "parquet", data_files={"train": [_literal(path)]}, split="train", streaming=True, cache_dir=cache
        )


def stream_hub(name: str, *, subset: str | None, split: str) -> Iterator[Record]:
    """Stream a split of a data set of the hub, or of a local folder that `datasets` can load.

    A folder is streamed. A data set of the hub is downloaded once into the library's cache, from where it is also read
    without a network; its rows are mapped into memory, not loaded. Raises CorpusError when that fails.
    """
    with _quiet(), _explained(_called(name), "load"):
        if os.path.isdir(name):
            with tempfile.TemporaryDirectory(prefix="seq2seq-datasets-") as cache:
                yield from datasets.load_dataset(name, subset, split=split, streaming=True, cache_dir=cache)
        else:
            yield from datasets.load_dataset(name, subset, split=split)


def hub_files(name: str, *, subset: str | None, split: str) -> list[Path]:
    """The local files that hold a split: of a folder all, of a data set of the hub the cached tables."""
    if os.path.isdir(name):
        return sorted(path for path in Path(name).rglob("*") if path.is_file())
    with _quiet(), _explained(_called(name), "load"):
        loaded = datasets.load_dataset(name, subset, split=split)
    return [Path(entry["filename"]) for entry in loaded.cache_files]


def _called(name: str) -> str:
    """A data set in an error: where it was looked for matters."""
    return name if os.path.isdir(name) else f"{name} (no folder here, so a data set of the hub)"


def _literal(path: str) -> str:
    """The path for a place where the library expects a pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in os.path.abspath(path))


@contextmanager
def _explained(name: str, verb: str) -> Iterator[None]:
    """Turn whatever the library raises for its input into one sentence."""
    try:
        yield
    except CorpusError:
        raise
    except GeneratorExit:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise CorpusError(f"cannot {verb} {name} with datasets: {reason}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of the library, whose place on stderr is our own progress; as before afterwards."""
    silent = datasets.are_progress_bars_disabled()
    if not silent:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not silent:
            datasets.enable_progress_bars()
