"""The files of a trained model, in a directory or in a bundle: one file that holds them all.

A bundle is a zip archive with nothing compressed, so that `unzip` makes a model directory of it. Every file in it is
read straight into memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, final

from seq2seq.errors import ModelError

RECIPE, WEIGHTS, SOURCE_TOKENIZER, TARGET_TOKENIZER, FORMAT = (
    "recipe.yaml",
    "weights.safetensors",
    "source.spm",
    "target.spm",
    "format.json",
)
#: The ending of bundles, which any name may have: what counts is what is in the file.
BUNDLE_SUFFIX = ".s2s"
#: How a zip archive begins.
_MAGIC = b"PK\x03\x04"


class ModelFiles(Protocol):
    """The files of one model. `place` is the directory or the bundle; `place / name` is how messages call a file."""

    place: Path
    #: What such a place is called.
    kind: str

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        ...

    def read(self, name: str) -> bytes:
        """Its content; raises ModelError where it is missing, damaged or cannot be read."""
        ...


@final
class _Directory:
    kind = "model directory"

    def __init__(self, place: Path) -> None:
        self.place = place

    def has(self, name: str) -> bool:
        return (self.place / name).is_file()

    def read(self, name: str) -> bytes:
        path = self.place / name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise ModelError(
                f"{self.place}: the model directory is incomplete, {name} is missing; copy it again"
            ) from None
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from None


@final
class _Bundle:
    kind = "bundle"

    def __init__(self, place: Path, archive: zipfile.ZipFile) -> None:
        self.place = place
        self._archive = archive
        self._names = set(archive.namelist())

    def has(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        if name not in self._names:
            raise ModelError(f"{self.place}: the bundle is incomplete, {name} is missing; copy it again")
        try:
            return self._archive.read(name)
        # Every way in which a checksum, a length or a method of compression can be wrong.
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            raise ModelError(f"{self.place / name}: the bundle is damaged ({error}); copy it again") from None


def is_bundle(path: Path) -> bool:
    """Whether `path` is a file that begins as a bundle does, be it damaged further on."""
    if not path.is_file():  # a pipe would wait
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


@contextmanager
def open_model(place: Path) -> Iterator[ModelFiles]:
    """The files of the model in `place`, a model directory or a bundle.

    Raises:
        ModelError: it does not exist, is neither, or is a bundle that is damaged.
    """
    if place.is_dir():
        yield _Directory(place)
        return
    if not is_bundle(place):
        what = "is neither a directory nor a bundle" if place.exists() else "does not exist"
        raise ModelError(f"{place}: {what}; a model directory is what seq2seq-train writes, such as runs/en-fr")
    try:
        archive = zipfile.ZipFile(place)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError):
        raise ModelError(f"{place}: the bundle is damaged or truncated; copy it again") from None
    with archive:
        yield _Bundle(place, archive)
