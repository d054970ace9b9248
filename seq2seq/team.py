"""Processes beside this one, each with a copy of an object, whose methods they call for it.

Threads that compute share one interpreter lock, and many small operators spend a part of their time waiting for it.
Processes do not. They are started by `python -m seq2seq.team` and talk over their standard input and output, so that
any program can have them, guarded or not.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any

from seq2seq.errors import DeviceError, Seq2SeqError

#: Bytes that say how long a message is.
_LENGTH = 8


class Team:
    """So many processes with a copy of an object each. Threads may share it."""

    def __init__(self, worker: object, *, processes: int, threads: int) -> None:
        """Start them. `worker` is what is copied, by pickle; every process computes with so many `threads`."""
        copied = pickle.dumps(worker)
        members = [_Member(copied, threads=threads) for _ in range(processes)]
        self._idle: SimpleQueue[_Member] = SimpleQueue()
        for member in members:
            self._idle.put(member)
        self._processes = processes
        # What a process reads ends with this one, however that ends, and then it ends, too.
        self.close = weakref.finalize(self, _end, members)

    def map(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """What the method returns for each of the arguments, in order.

        Raises:
            DeviceError: a process has ended by itself.
            Exception: what the method raises.
        """

        def ask(each: tuple[Any, ...]) -> Any:
            member = self._idle.get()
            try:
                return member.ask(method, each)
            finally:
                self._idle.put(member)

        with ThreadPoolExecutor(self._processes) as pool:
            return list(pool.map(ask, arguments))


class _Member:
    """One process."""

    def __init__(self, worker: bytes, *, threads: int) -> None:
        self._worker: bytes | None = worker
        # With a session of its own, an interrupt from the keyboard is for this process alone.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "seq2seq.team", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            start_new_session=True,
        )

    def ask(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """What the method returns there."""
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None
        assert answers is not None
        try:
            if self._worker is not None:  # not before, since it is read only when everything has been imported
                _write(questions, self._worker)
                self._worker = None
            _write(questions, pickle.dumps((method, arguments)))
            answer = _read(answers)
        except BrokenPipeError:
            answer = None
        if answer is None:
            status = self._process.wait()
            raise DeviceError(
                f"a process of several ended by itself with status {status}, as for want of memory; use fewer processes"
            )
        succeeded, value = pickle.loads(answer)
        if not succeeded:
            raise value
        return value

    def end(self) -> None:
        """Let it end, and wait for that."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process.wait()


def _end(members: Sequence[_Member]) -> None:
    for member in members:
        member.end()


def _write(stream: IO[bytes], message: bytes) -> None:
    stream.write(len(message).to_bytes(_LENGTH, "big"))
    stream.write(message)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """The next message; None at the end, be it in the middle of one."""
    length = stream.read(_LENGTH)
    message = stream.read(int.from_bytes(length, "big"))
    return message if len(length) == _LENGTH and len(message) == int.from_bytes(length, "big") else None


def _serve(threads: int) -> None:
    """Do what is asked until nothing more can be."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints is not to be in an answer
    import torch

    from seq2seq.allocator import bound_kernel_cache, keep_freed_memory

    bound_kernel_cache()
    keep_freed_memory()
    torch.set_num_threads(threads)
    copied = _read(sys.stdin.buffer)
    worker = None if copied is None else pickle.loads(copied)
    while worker is not None and (question := _read(sys.stdin.buffer)) is not None:
        method, arguments = pickle.loads(question)
        try:
            answer = pickle.dumps((True, getattr(worker, method)(*arguments)))
        except Seq2SeqError as error:
            answer = pickle.dumps((False, error))
        except Exception as error:  # others need not survive pickling
            answer = pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        try:
            _write(answers, answer)
        except BrokenPipeError:
            return


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
