"""A cache entry: a folder of flat arrays with a table of their sizes and checksums, there in full or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, final

import numpy
from numpy.typing import NDArray

_TABLE = "contents.json"
_BLOCK = 1 << 22
#: Seconds without a write after which an unfinished folder is taken to be left by a run that was killed.
_ABANDONED_AFTER = 3600.0


@final
class EntryWriter:
    """Writes an entry into a temporary sibling of its folder; :meth:`finish` makes it durable and puts it in place.

    Leaving the `with` block otherwise removes what was written. Several processes may write the same entry at once: the
    first to finish provides it. Raises OSError as the file system does.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = Path()
        self._files: dict[str, BinaryIO] = {}
        self._arrays: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> EntryWriter:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(self._folder)
        self._temporary = Path(tempfile.mkdtemp(prefix=f".{self._folder.name}.", dir=self._folder.parent))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for stream in self._files.values():
            with contextlib.suppress(OSError):  # a full disk complains again on closing
                stream.close()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def append(self, name: str, values: NDArray[Any]) -> None:
        """Add values to the end of an array; all calls for a name must have the same type."""
        if name not in self._files:
            self._files[name] = (self._temporary / name).open("wb")
            self._arrays[name] = {"dtype": values.dtype.str, "bytes": 0, "crc32": 0}
        array = self._arrays[name]
        assert array["dtype"] == values.dtype.str
        data = values.tobytes()
        self._files[name].write(data)
        array["bytes"] += len(data)
        array["crc32"] = zlib.crc32(data, array["crc32"])

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the table with `facts` in it, flush everything to the disk, and rename the folder into place."""
        for stream in self._files.values():
            stream.flush()
            os.fsync(stream.fileno())
            stream.close()
        table = json.dumps({"arrays": self._arrays, "facts": dict(facts)}, indent=1, sort_keys=True)
        with open(self._temporary / _TABLE, "wb") as stream:
            stream.write(table.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        _sync_folder(self._temporary)
        try:
            os.rename(self._temporary, self._folder)
        except OSError:
            if read_entry(self._folder) is not None:
                return  # another process was first, with the same content
            shutil.rmtree(self._folder, ignore_errors=True)
            os.rename(self._temporary, self._folder)
        _sync_folder(self._folder.parent)


def read_entry(folder: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """The arrays of an entry, mapped and read-only, and its facts; None if it is missing, incomplete or damaged.

    Every byte is compared with its checksum, at a gigabyte or two a second: an id out of range would otherwise end the
    training much later, in a place that says nothing about the disk.
    """
    try:
        table = json.loads((folder / _TABLE).read_text(encoding="utf-8"))
        arrays: dict[str, NDArray[Any]] = {}
        for name, array in table["arrays"].items():
            path = folder / name
            if path.stat().st_size != array["bytes"] or _checksum(path) != array["crc32"]:
                return None
            arrays[name] = _mapped(path, numpy.dtype(array["dtype"]))
        return arrays, dict(table["facts"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _mapped(path: Path, dtype: numpy.dtype[Any]) -> NDArray[Any]:
    if path.stat().st_size == 0:  # nothing cannot be mapped
        return numpy.zeros(0, dtype=dtype)
    return numpy.asarray(numpy.memmap(path, dtype=dtype, mode="r"))


def _checksum(path: Path) -> int:
    checksum = 0
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system can open folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed runs left of this entry: a living one writes all the time."""
    for sibling in folder.parent.glob(f".{folder.name}.*"):
        with contextlib.suppress(OSError):
            if time.time() - max(_times(sibling)) > _ABANDONED_AFTER:
                shutil.rmtree(sibling, ignore_errors=True)


def _times(folder: Path) -> Iterator[float]:
    yield folder.stat().st_mtime
    for path in folder.iterdir():
        yield path.stat().st_mtime
