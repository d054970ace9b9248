"""Bring Multi30k (task 1, raw text) to where recipes/multi30k-en-fr.yaml looks for it.

    python tools/fetch_multi30k.py                  # from its public home, into data/multi30k
    python tools/fetch_multi30k.py --from FOLDER    # from a copy on this machine: the same files, plain or gz

Elliott et al. 2016 (English, German) and 2017 (French). The captions derive from Flickr30K and are for non-commercial
research; they are not part of this project and must not be redistributed with it.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from seq2seq.errors import CorpusError, Seq2SeqError
from seq2seq.storage import write_atomically

HOME = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
#: Lines of every part, by which a broken transfer is noticed.
PARTS = {"train": 29_000, "val": 1_014, "test_2016_flickr": 1_000}
LANGUAGES = ("en", "fr", "de")


def _fetch(name: str) -> bytes:
    """The gzip file `name` from the public home."""
    try:
        with urllib.request.urlopen(HOME + name, timeout=60) as response:
            content: bytes = response.read()
            return content
    except (urllib.error.URLError, TimeoutError) as error:
        raise CorpusError(
            f"{HOME}{name}: cannot be fetched ({error}); download task 1 of the multi30k/dataset repository by hand "
            "and use --from FOLDER"
        ) from error


def _take(folder: Path, name: str) -> bytes:
    """The file `name` of a local copy, which may lie there unpacked."""
    for path in (folder / name, folder / name.removesuffix(".gz")):
        if path.is_file():
            content = path.read_bytes()
            return content if path.suffix == ".gz" else gzip.compress(content, mtime=0)
    raise CorpusError(f"{folder}: neither {name} nor {name.removesuffix('.gz')} is there")


def bring(destination: Path, *, source: Path | None) -> list[str]:
    """Write every part in every language under `destination`; returns a line about each.

    Raises:
        CorpusError: a part is missing, unreadable or of another length than published.
    """
    destination.mkdir(parents=True, exist_ok=True)
    lines = []
    for part, expected in PARTS.items():
        for language in LANGUAGES:
            name = f"{part}.{language}.gz"
            content = _fetch(name) if source is None else _take(source, name)
            try:
                count = gzip.decompress(content).count(b"\n")
            except (OSError, EOFError) as error:
                raise CorpusError(f"{name}: the file is damaged ({error}); fetch it again") from error
            if count != expected:
                raise CorpusError(f"{name}: {count} lines, but the published file has {expected}; fetch it again")
            write_atomically(destination / name, content)
            lines.append(f"{destination / name}: {count} lines")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="take a local copy, do not download")
    parser.add_argument("--output", type=Path, default=Path("data/multi30k"), help="where to (default: %(default)s)")
    arguments = parser.parse_args(argv)
    try:
        for line in bring(arguments.output, source=arguments.source):
            print(line)
    except Seq2SeqError as error:
        print(f"fetch_multi30k: error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
