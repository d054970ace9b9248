"""Peak memory of seq2seq-translate for inputs of different lengths, the same lines over and over.

    python -m tools.measure_memory --model runs/en-fr --input test.en --lines 10000 1000000 -- --beam 1

Every length is a process of its own, which reads the lines from a pipe: nothing of them is stored anywhere. What
follows `--` are options of seq2seq-translate. Its peak of resident memory is what Linux calls VmHWM.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path
from typing import IO, NamedTuple

from seq2seq.cli import failure
from seq2seq.cli.arguments import count
from seq2seq.errors import CorpusError, Seq2SeqError, UsageError
from seq2seq.text.lines import read_lines

#: Lines that are written at once.
_BLOCK = 1000
#: Seconds between two looks at the memory, whose peak only grows.
_INTERVAL = 0.05


class Measured(NamedTuple):
    """What translating so many lines took."""

    lines_in: int
    lines_out: int
    #: Peak of resident memory in KiB.
    peak: int
    seconds: float


def measure(model: Path, lines: Sequence[str], number: int, options: Sequence[str] = ()) -> Measured:
    """Translate the first `number` of the lines, repeated without end.

    Raises:
        UsageError: the system does not tell a process's memory.
        Seq2SeqError: the command failed; it has said why on stderr.
    """
    command = [sys.executable, "-m", "seq2seq.cli.translate", "--quiet", "--model", str(model), *options]
    peak_of(os.getpid())
    began = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        found: list[int] = []
        writing = threading.Thread(target=_write, args=(process.stdin, lines, number), daemon=True)
        counting = threading.Thread(target=lambda stream: found.append(_line_breaks(stream)), args=(process.stdout,))
        writing.start()
        counting.start()
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_of(process.pid))
            time.sleep(_INTERVAL)
        writing.join()
        counting.join()
    if process.returncode != 0:
        raise Seq2SeqError(f"seq2seq-translate ended with status {process.returncode} after {sum(found):,} lines")
    return Measured(number, sum(found), peak, time.monotonic() - began)


def peak_of(process: int) -> int:
    """Peak of a process's resident memory so far in KiB; 0 once it has ended. Raises UsageError without /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii", "replace")
    except (FileNotFoundError, ProcessLookupError):
        if not Path("/proc/self/status").exists():
            raise UsageError("there is no /proc here that tells a process's memory; measure on Linux") from None
        return 0
    peaks = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(next(peaks, "0"))


def _write(stream: IO[bytes], lines: Sequence[str], number: int) -> None:
    with suppress(BrokenPipeError), stream:
        for block in _blocks(lines, number):
            stream.write(block)


def _blocks(lines: Sequence[str], number: int) -> Iterator[bytes]:
    """The first `number` of the lines, repeated without end, with their breaks."""
    repeated = islice(cycle(lines), number)
    while block := list(islice(repeated, _BLOCK)):
        yield "".join(line + "\n" for line in block).encode()


def _line_breaks(stream: IO[bytes]) -> int:
    return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 16), b""))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    return failure.run("measure_memory", lambda: _measure_all(arguments))


def _measure_all(arguments: Sequence[str] | None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", metavar="DIR", type=Path, required=True)
    parser.add_argument("--input", metavar="FILE", type=Path, required=True, help="one sentence per line")
    parser.add_argument("--lines", metavar="N", type=count, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("options", metavar="-- OPTION", nargs="*", help="of seq2seq-translate")
    chosen = parser.parse_args(arguments)
    lines = list(read_lines(chosen.input))
    if not lines:
        raise CorpusError(f"the input file {chosen.input} has no lines")
    for number in chosen.lines:
        found = measure(chosen.model, lines, number, chosen.options)
        print(
            f"{found.lines_in:,} lines in, {found.lines_out:,} lines out, peak memory {found.peak / 1024:,.1f} MiB, "
            f"{found.seconds:,.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
