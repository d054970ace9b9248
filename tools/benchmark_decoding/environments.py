"""Make the virtual environments of the other toolkits, each with the versions that the workers are written for.

    python -m tools.benchmark_decoding.environments venvs [opennmt] [joey] [marian]

The toolkits themselves are installed without what they ask for, which would bring older versions of torch and protobuf
than they need; `requirements/` has what they import. On a machine whose package index gives torch's CUDA build, install
the CPU build into venvs/opennmt and venvs/joey first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from seq2seq.cli import failure
from seq2seq.errors import UsageError

PROGRAM = "benchmark_decoding.environments"
TOOLKITS = {"opennmt": "OpenNMT-py==3.5.1", "joey": "joeynmt==2.3.0", "marian": "pymarian==1.12.42"}
REQUIREMENTS = Path(__file__).parent / "requirements"


def commands_of(name: str, folder: Path, *, python: str) -> list[list[str]]:
    """What makes the environment `name` in `folder`, command by command."""
    pip = [str(folder / name / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    return [
        [python, "-m", "venv", str(folder / name)],
        [*pip, "--requirement", str(REQUIREMENTS / f"{name}.txt")],
        [*pip, "--no-deps", TOOLKITS[name]],
    ]


def _make(folder: Path, names: Sequence[str], python: str) -> None:
    unknown = [name for name in names if name not in TOOLKITS]
    if unknown:
        raise UsageError(f"there is no environment {unknown[0]}; there are {', '.join(TOOLKITS)}")
    for name in names or TOOLKITS:
        for command in commands_of(name, folder, python=python):
            try:
                subprocess.run(command, check=True, stdout=sys.stderr)
            except (OSError, subprocess.CalledProcessError) as error:
                raise UsageError(f"the environment {folder / name} cannot be made: {error}") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog=f"python -m tools.{PROGRAM}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(TOOLKITS)}; default: all")
    parser.add_argument("--python", default=sys.executable, help="interpreter of the environments (pymarian: 3.11)")
    arguments = parser.parse_args(argv)
    return failure.run(PROGRAM, lambda: _make(arguments.folder, arguments.names, arguments.python))


if __name__ == "__main__":
    sys.exit(main())
