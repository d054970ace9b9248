"""Writing lines: to stdout as they come, or to a file that has its name once it is complete."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from seq2seq.errors import UsageError


class Output:
    """Where lines go; a context manager.

    A file is written beside its place, as `NAME.partial`, and takes its name when everything is in it. After an error
    the partial file stays, so that the work is not lost, and what was there under the name is untouched. A file whose
    name ends in `.gz` is compressed. A device or a pipe is written to as it is.
    """

    def __init__(self, path: Path | None, *, keep_returns: bool = False) -> None:
        """Open the file `path`, or stdout for None. Raises UsageError when that cannot be.

        A line break inside of a line becomes a space when it is written; `keep_returns` leaves carriage returns.
        """
        self.path = path
        self._breaks = "\n" if keep_returns else "\n\r"
        self.lines = 0
        #: Where an unfinished file lies; None for stdout and devices.
        self.partial: Path | None = None
        if path is None:
            if sys.stdout is None:
                raise UsageError("there is no standard output; name a file with --output")
            self._stream: BinaryIO = cast(BinaryIO, sys.stdout.buffer)
            self._name = "standard output"
            return
        self._name = str(path)
        check_output(path)
        if not path.exists() or path.is_file():
            # A link stays a link: what it leads to is replaced.
            self._target = path.resolve()
            self.partial = self._target.with_name(self._target.name + ".partial")
        try:
            file = open(self.partial or path, "wb")  # noqa: SIM115
        except OSError as error:
            raise self._failure(error) from None
        compressed = path.name.endswith(".gz")
        self._stream = cast(
            BinaryIO, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) if compressed else file
        )
        self._file = file

    def write(self, lines: Iterable[str]) -> None:
        """Write lines and their breaks in UTF-8, and let them go at once."""
        whole = list(lines)
        for mark in self._breaks:
            whole = [line.replace(mark, " ") for line in whole]
        try:
            self._stream.write("".join(line + "\n" for line in whole).encode("utf-8", "replace"))
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from None
        self.lines += len(whole)

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.path is None:
            return
        try:
            if self._stream is not self._file:
                self._stream.close()  # writes the end of a gz file, and leaves the file open
            self._file.flush()
            if kind is None and self.partial is not None:
                os.fsync(self._file.fileno())
            self._file.close()
            if kind is None and self.partial is not None:
                os.replace(self.partial, self._target)
            elif self.partial is not None and not self.lines:
                self.partial.unlink(missing_ok=True)
        except OSError as failure:
            if kind is None:
                raise self._failure(failure) from None
        finally:
            with suppress(OSError):
                self._file.close()

    def kept(self) -> str:
        """After an error, where what was written is to be found; empty if there is no such place."""
        if self.partial is None or not self.lines:
            return ""
        return f"the first {self.lines} line{'s are' if self.lines > 1 else ' is'} in {self.partial}"

    def _failure(self, error: OSError) -> UsageError:
        return UsageError(f"cannot write {self._name}: {error.strerror or error}")


def check_output(path: Path, *, inputs: Sequence[Path | None] = ()) -> None:
    """Raise UsageError unless a file `path` can be made, and is none of the `inputs`; None is no file."""
    if path.is_dir():
        raise UsageError(f"the output {path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} for the output {path.name} does not exist; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"the output {path} may not be written; change the permissions or name another file")
    for source in inputs:
        if source is not None and path.exists() and source.exists() and os.path.samefile(source, path):
            raise UsageError(f"the output {path} is the input too; name another file")
