"""Several processes that train one model: what torchrun starts, on one machine or more.

Nothing here is needed, or imported of torch, by a process that trains alone.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast, final

from seq2seq.errors import DeviceError, Seq2SeqError, TrainingError
from seq2seq.training.interrupt import Interrupted

if TYPE_CHECKING:
    import torch
    from torch.distributed import ProcessGroup
    from torch.distributed.distributed_c10d import Store

    from seq2seq.training.exchange import Exchange

Result = TypeVar("Result")

#: What torchrun tells its processes; a cluster's own variables lack LOCAL_RANK.
_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
#: Longest wait at the start, until every process has come.
_GATHERING = timedelta(minutes=10)
#: Longest wait for the leader, who may train a tokenizer, encode a corpus or validate meanwhile.
_PATIENCE = timedelta(days=14)
#: Seconds that an error message may take; torchrun cuts the wait short.
_TIME_TO_SPEAK = 10.0
#: Keys of the store that the processes share.
_PRESENT, _FAILURES = "present", "failures"
#: Trainings of this process, the same number in all, so that one is not confused with the next.
_TRAININGS = itertools.count()
#: How torch words a connection that was lost; gloo's errors have no class of their own.
_LOST = re.compile(r"gloo|nccl|connection|socket|peer|store|timed? ?out|process ?group|broken pipe", re.IGNORECASE)


def first_of_machine() -> bool:
    """Whether this process is to speak of what every process of its machine finds alike, such as a wrong recipe."""
    return _launched(os.environ) is None or os.environ["LOCAL_RANK"] == "0"


def leave_in_silence(exit_code: int) -> NoReturn:
    """End this process because of an error that another one tells of.

    torchrun ends all processes as soon as one has ended, so this one first gives the other the time to speak.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        time.sleep(_TIME_TO_SPEAK)
    raise SystemExit(exit_code) from None


def leads() -> bool:
    """Whether this process is the leader, or alone."""
    return _launched(os.environ) is None or os.environ["RANK"] == "0"


def _launched(environment: Mapping[str, str]) -> tuple[int, int, int] | None:
    """Rank, number of processes and rank on this machine; None for a process that is alone."""
    if any(not environment.get(name) for name in _VARIABLES) or environment["WORLD_SIZE"] == "1":
        return None
    try:
        return int(environment["RANK"]), int(environment["WORLD_SIZE"]), int(environment["LOCAL_RANK"])
    except ValueError:
        return None


@final
class World:
    """The processes of a training: this one's `rank` of `size`, and the `device` it computes on.

    Rank 0 is the leader, which alone writes, shows and validates. Used as a context: entering connects the processes,
    leaving disconnects them. However a training ends, one process says why: in the others what it ends by becomes
    SystemExit. Every method but :meth:`alone` and :meth:`join` must be called by all processes in the same order, and
    is nothing but its obvious result in a process that is alone.
    """

    def __init__(self, *, rank: int, size: int, local_rank: int, device_name: str) -> None:
        self.rank = rank
        self.size = size
        self.local_rank = local_rank
        self._device_name = device_name
        self._device: torch.device | None = None
        self._store: Store | None = None
        self._control: ProcessGroup | None = None
        self._gradients: ProcessGroup | None = None

    @classmethod
    def alone(cls, device_name: str) -> World:
        """A world of one process."""
        return cls(rank=0, size=1, local_rank=0, device_name=device_name)

    @classmethod
    def join(cls, device_name: str) -> World:
        """The world that torchrun's environment describes, of one process without it.

        Args:
            device_name: `run.device` of the recipe; every process of a machine takes the GPU of its local rank.
        """
        launched = _launched(os.environ)
        if launched is None:
            return cls.alone(device_name)
        rank, size, local_rank = launched
        return cls(rank=rank, size=size, local_rank=local_rank, device_name=device_name)

    @property
    def leads(self) -> bool:
        """Whether this process is the leader."""
        return self.rank == 0

    @property
    def device(self) -> torch.device:
        """What this process computes on."""
        assert self._device is not None, "the world is entered first"
        return self._device

    def __enter__(self) -> World:
        """Connect the processes.

        Raises:
            DeviceError: this process has no device of its own, or the machines have devices of different kinds.
            TrainingError: the processes do not find each other.
        """
        if self.size == 1:
            from seq2seq.device import resolve_device

            self._device = resolve_device(self._device_name)
            return self
        try:
            self._connect()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.size == 1:
            return
        if error is None:
            try:
                self.wait()  # else who is ready first would take the others' connections away
            except RuntimeError as left:
                error = left
        try:
            if error is not None:
                self._end_by(error)
        finally:
            self._disconnect(failed=error is not None)

    def _end_by(self, error: BaseException) -> None:
        """Raise what this process ends by in the place of `error`, if it is not that."""
        if isinstance(error, KeyboardInterrupt):
            if not self.leads:
                raise SystemExit(error.exit_code if isinstance(error, Interrupted) else 130) from None
            return
        lost = _is_lost_connection(error)
        first = self._speaks_first()
        if (isinstance(error, Seq2SeqError) or lost) and not first:
            leave_in_silence(error.exit_code if isinstance(error, Seq2SeqError) else 1)
        if lost:
            raise TrainingError(
                "another process of this training has ended without a word (killed, or out of memory?), so this one "
                "cannot go on; what was saved last is untouched, and the same command continues from there"
            ) from error

    # What the processes do together

    def agree(self, *numbers: int) -> tuple[int, ...]:
        """The largest of each of `numbers` over all processes, known to all."""
        if self.size == 1:
            return numbers
        import torch
        from torch import distributed

        largest = torch.tensor(numbers, dtype=torch.int64)
        distributed.all_reduce(largest, op=distributed.ReduceOp.MAX, group=self._control)
        return tuple(largest.tolist())

    def total(self, number: int) -> int:
        """The sum of `number` over all processes, known to all."""
        if self.size == 1:
            return number
        import torch
        from torch import distributed

        total = torch.tensor([number], dtype=torch.int64)
        distributed.all_reduce(total, group=self._control)
        return int(total)

    def wait(self) -> None:
        """Wait until every process is here."""
        self.agree(0)

    def first(self, work: Callable[[], Result]) -> Result:
        """What `work` gives in the leader, for all; the others wait, for however long it takes.

        An interrupt in the leader is one in all. Its other errors end the others in silence.
        """
        if self.size == 1:
            return work()
        from torch import distributed

        outcome: list[object] = [None]
        if self.leads:
            try:
                outcome = [work()]
            except Interrupted as interrupted:
                outcome = [interrupted]
        distributed.broadcast_object_list(outcome, src=0, group=self._control)
        if isinstance(outcome[0], Interrupted):
            raise Interrupted(outcome[0].number)
        return cast(Result, outcome[0])

    def in_turn(self, work: Callable[[], Result]) -> Result:
        """What `work` gives in every process; the leader goes first, and the others find what it has left on disk."""
        if self.leads:
            result = work()
            self.wait()
            return result
        self.wait()
        return work()

    def exchange(self, model: torch.nn.Module) -> Exchange | None:
        """What adds up the gradients of `model` over the processes; None for a process alone.

        The model's weights become the leader's.
        """
        if self.size == 1:
            return None
        from seq2seq.training.exchange import Exchange

        assert self._gradients is not None
        return Exchange(model, group=self._gradients)

    # Connecting

    def _connect(self) -> None:
        import torch
        from torch import distributed
        from torch.distributed.distributed_c10d import PrefixStore

        try:
            self._store = PrefixStore(f"seq2seq/{next(_TRAININGS)}", _common_store())
        except (RuntimeError, ValueError) as error:
            raise self._not_gathered(error) from error
        self._device = self._own_device()
        self._gather()
        try:
            distributed.init_process_group(
                "gloo",
                store=PrefixStore("groups", self._store),
                rank=self.rank,
                world_size=self.size,
            )
            self._control = distributed.new_group(backend="gloo", timeout=_PATIENCE)
            on_gpu, not_on_gpu = self.agree(self._device.type == "cuda", self._device.type != "cuda")
            if on_gpu and not_on_gpu:
                raise DeviceError(
                    "some processes have a GPU and some do not; set run.device=cpu, or start them on machines with GPUs"
                )
            if on_gpu:
                torch.cuda.set_device(self._device)
            self._gradients = distributed.new_group(backend="nccl") if on_gpu else distributed.group.WORLD
        except (RuntimeError, ValueError) as error:
            raise self._not_gathered(error) from error

    def _own_device(self) -> torch.device:
        """The device of this process among those of its machine."""
        import torch

        from seq2seq.device import resolve_device

        device = resolve_device(self._device_name)
        if device.type != "cuda":
            return device
        if device.index is not None:
            raise DeviceError(
                f"run.device {self._device_name} is a single GPU, but {self.size} processes train together; use cuda, "
                "which gives each its own"
            )
        if self.local_rank >= torch.cuda.device_count():
            raise DeviceError(
                f"process {self.local_rank + 1} of this machine finds only {torch.cuda.device_count()} GPUs; start "
                "one process for each (torchrun --nproc-per-node gpu), or set run.device=cpu"
            )
        return torch.device("cuda", self.local_rank)

    def _gather(self) -> None:
        """Wait until every process has come this far, or one of them has failed."""
        assert self._store is not None
        self._store.add(_PRESENT, 1)
        began = time.monotonic()
        while (present := self._store.add(_PRESENT, 0)) < self.size:
            if self._store.add(_FAILURES, 0):
                raise SystemExit(1)
            if time.monotonic() - began > _GATHERING.total_seconds():
                raise TrainingError(f"only {present} of {self.size} processes have come; start all of them together")
            time.sleep(0.02)

    def _not_gathered(self, error: Exception) -> TrainingError:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return TrainingError(
            f"the {self.size} processes of this training cannot be connected through "
            f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']} ({reason}); check torchrun's --rdzv-endpoint or "
            "--master-addr, and with several network interfaces set GLOO_SOCKET_IFNAME (NCCL_SOCKET_IFNAME on GPUs)"
        )

    def _disconnect(self, *, failed: bool) -> None:
        """Close the connections, by which the others notice if this process has failed."""
        from torch import distributed

        on_gpu = self._device is not None and self._device.type == "cuda"
        if distributed.is_initialized() and not (failed and on_gpu):  # NCCL would wait for what can never end
            distributed.destroy_process_group()

    def _speaks_first(self) -> bool:
        """Whether no other process has told of a failure; from now on one has."""
        if self._store is None:
            return first_of_machine()
        try:
            return self._store.add(_FAILURES, 1) == 1
        except RuntimeError:  # The store went with the leader's machine.
            return first_of_machine()


@functools.cache
def _common_store() -> Store:
    """The store of all processes, kept while this one lives: without torchrun it is in the leader's memory."""
    from torch.distributed.rendezvous import rendezvous

    store: Store = next(rendezvous("env://", timeout=_GATHERING))[0]
    return store


def _is_lost_connection(error: BaseException) -> bool:
    """Whether `error` only says that another process is gone."""
    return (
        isinstance(error, RuntimeError)
        and type(error).__module__.partition(".")[0] in ("builtins", "torch")
        and not type(error).__name__.startswith("OutOfMemory")
        and _LOST.search(str(error)) is not None
    )
