"""Beam search by recordings, for a GPU: a step's many short kernels are started with one command.

Its slow twin is :func:`~seq2seq.search.beam.beam_search`, whose results it has. A recording (:mod:`seq2seq.recording`)
is made for every shape. So that there are few, a batch is filled up to one of some sizes, and what goes on moves to a
smaller one when enough sentences are done.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import count
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor

from seq2seq.recording import Recorder
from seq2seq.search.expansion import parted
from seq2seq.search.history import Endings, History
from seq2seq.search.hypothesis import Hypothesis
from seq2seq.search.outcome import CutOff, finished
from seq2seq.search.protocol import State, StepModel
from seq2seq.search.request import Request
from seq2seq.search.rules import Rules
from seq2seq.search.scoring import Scoring
from seq2seq.search.selection import best_continuations

#: Steps between two looks at what is done, for which the host waits.
_STEPS_BETWEEN_LOOKS = 4
#: Steps that a recording's log has room for, before it is read and begun anew.
_LOGGED_STEPS = 64
#: Recordings that are kept.
_MOST_PROGRAMS = 64

Value = TypeVar("Value")


def can_record(request: Request) -> bool:
    """Whether :class:`RecordedSearch` takes the request: no rule in it looks back, and no step is unlike another."""
    rules = request.rules
    return (
        request.constraints is None
        and request.diversity is None
        and not rules.read_tokens
        and rules.prefix is None
        and not request.scoring.coverage_penalty
    )


class RecordedSearch(Generic[State]):
    """Searches with one model, and keeps its recordings. Threads that share it wait for each other."""

    def __init__(self, model: StepModel[State], recorder: Recorder) -> None:
        """`model`: its states are dataclasses of tensors, and tuples of them, whose shapes no step changes."""
        self._model = model
        self._recorder = recorder
        self._programs: dict[_Kind, _Program[State]] = {}
        self._lock = threading.Lock()

    @torch.no_grad()
    def find(self, state: State, request: Request) -> list[list[Hypothesis]]:
        """As :func:`~seq2seq.search.beam.beam_search`, of a request that :func:`can_record` takes."""
        if not can_record(request):
            raise ValueError("a search that looks back at its tokens cannot be recorded")
        if request.sentences == 0:
            return []
        with self._lock:
            try:
                return self._find(_Loop.start(state, request), request)
            except torch.OutOfMemoryError:
                self._programs.clear()
                raise

    def _find(self, loop: _Loop[State], request: Request) -> list[list[Hypothesis]]:
        history = History(sentences=request.sentences, with_attention=request.with_attention)
        endings = Endings.none(sentences=request.sentences, n_best=request.n_best, device=request.device)
        active = torch.arange(request.sentences, device=request.device)
        while active.numel():
            program = self._program(loop, request)
            kept = program.run(loop, request.rules.forbidden)
            for step in program.steps(active.numel()):
                history.append(sentences=active, **step)
            loop = program.loop.first(active.numel())
            endings = endings.replace(active, loop.cut_off.fill(loop.endings, request.scoring, loop.max_lengths))
            loop, active = loop.keep(kept), active[kept]
        return history.hypotheses(endings)

    def _program(self, loop: _Loop[State], request: Request) -> _Program[State]:
        """The recording for a loop like this one, or a new one."""
        size = _size_for(loop.sentences)
        kind = _Kind(
            size=size,
            beam=request.beam,
            eos_id=request.eos_id,
            scoring=request.scoring,
            with_attention=request.with_attention,
            shapes=tuple((tensor.shape[1:], tensor.dtype) for tensor in _tensors(loop)),
            forbidden=request.rules.forbidden.shape[0],
        )
        program = self._programs.pop(kind, None)
        if program is None:
            program = _Program(self._model, self._recorder, kind, _copy_of(loop.filled_up(size)))
            while len(self._programs) >= _MOST_PROGRAMS:
                del self._programs[next(iter(self._programs))]
        self._programs[kind] = program  # the last one used is the last one to go
        return program


@dataclass(frozen=True)
class _Loop(Generic[State]):
    """All that a step reads and changes; one row per sentence, but for `tokens` and `state`, which have `beam` each."""

    state: State
    tokens: Tensor
    live: Tensor
    done: Tensor
    length: Tensor
    """Tokens of the hypotheses so far; the same for all sentences."""
    max_lengths: Tensor
    min_lengths: Tensor | None
    endings: Endings
    cut_off: CutOff

    @classmethod
    def start(cls, state: State, request: Request) -> _Loop[State]:
        """Before the first step: of every sentence one hypothesis, in the first place of its beam."""
        sentences, beam, device = request.sentences, request.beam, request.device
        live = torch.full((sentences, beam), -torch.inf, device=device)
        live[:, 0] = 0.0
        return cls(
            state=state.reorder(torch.arange(sentences, device=device).repeat_interleave(beam)),
            tokens=torch.full((sentences * beam,), request.bos_id, device=device),
            live=live,
            done=torch.zeros(sentences, dtype=torch.bool, device=device),
            length=torch.zeros(sentences, dtype=torch.long, device=device),
            max_lengths=request.max_lengths,
            min_lengths=request.rules.min_lengths,
            endings=Endings.none(sentences=sentences, n_best=request.n_best, device=device),
            cut_off=CutOff.none(sentences=sentences, beam=beam, device=device),
        )

    @property
    def sentences(self) -> int:
        """How many there are."""
        return self.live.shape[0]

    def keep(self, sentences: Tensor) -> _Loop[State]:
        """These sentences, LongTensor [kept]; one may be there several times."""
        beam = self.live.shape[1]
        return _Loop(
            state=self.state.keep(sentences),
            tokens=self.tokens.view(-1, beam)[sentences].flatten(),
            live=self.live[sentences],
            done=self.done[sentences],
            length=self.length[sentences],
            max_lengths=self.max_lengths[sentences],
            min_lengths=None if self.min_lengths is None else self.min_lengths[sentences],
            endings=self.endings.select(sentences),
            cut_off=self.cut_off.select(sentences),
        )

    def first(self, sentences: int) -> _Loop[State]:
        """The first so many."""
        return self.keep(torch.arange(sentences, device=self.live.device))

    def filled_up(self, size: int) -> _Loop[State]:
        """With copies of the first sentence up to `size`, of which nothing is alive."""
        places = torch.arange(size, device=self.live.device)
        real = places < self.sentences
        filled = self.keep(places * real)
        return replace(filled, live=filled.live.masked_fill(~real[:, None], -torch.inf))


@dataclass(frozen=True)
class _Kind:
    """What a recording is for: all that is fixed in it."""

    size: int
    beam: int
    eos_id: int
    scoring: Scoring
    with_attention: bool
    shapes: tuple[Any, ...]
    forbidden: int


class _Log:
    """What a step adds to the history, of some steps; all tensors are [steps, size, ...]."""

    def __init__(self, kind: _Kind, device: torch.device) -> None:
        shape = (_LOGGED_STEPS, kind.size, kind.beam)
        self.tokens = torch.zeros(shape, dtype=torch.long, device=device)
        self.parents = torch.zeros(shape, dtype=torch.long, device=device)
        self.log_probs = torch.zeros(shape, device=device)
        self.end_log_probs = torch.zeros(shape, device=device)
        self.attention: Tensor | None = None
        #: Where the next step goes, [1].
        self.place = torch.zeros(1, dtype=torch.long, device=device)

    def write(
        self, *, tokens: Tensor, parents: Tensor, log_probs: Tensor, end_log_probs: Tensor, attention: Tensor | None
    ) -> None:
        """Remember a step; `attention` is [rows, src_len]."""
        self.tokens.index_copy_(0, self.place, tokens[None])
        self.parents.index_copy_(0, self.place, parents[None])
        self.log_probs.index_copy_(0, self.place, log_probs[None])
        self.end_log_probs.index_copy_(0, self.place, end_log_probs.view(1, *tokens.shape))
        if attention is not None:
            if self.attention is None:
                self.attention = attention.new_zeros(_LOGGED_STEPS, *attention.shape)
            self.attention.index_copy_(0, self.place, attention[None])
        self.place.add_(1)

    def steps(self, number: int, sentences: int) -> Iterator[dict[str, Any]]:
        """The first `number` steps of the first `sentences`, as the arguments of :meth:`History.append`."""
        named = {
            "tokens": self.tokens,
            "parents": self.parents,
            "log_probs": self.log_probs,
            "end_log_probs": self.end_log_probs,
        }
        copies = {name: tensor[:number, :sentences].clone() for name, tensor in named.items()}
        rows = sentences * self.tokens.shape[2]
        attention = None if self.attention is None else self.attention[:number, :rows].clone()
        for step in range(number):
            columns: dict[str, Any] = {name: tensor[step] for name, tensor in copies.items()}
            yield columns | {"attention": None if attention is None else attention[step]}


class _Program(Generic[State]):
    """A step of one shape: done once as it is, then recorded, then replayed."""

    def __init__(self, model: StepModel[State], recorder: Recorder, kind: _Kind, loop: _Loop[State]) -> None:
        """`loop` is the recording's memory."""
        self.loop = loop
        self._model = model
        self._recorder = recorder
        self._kind = kind
        device = loop.live.device
        self._log = _Log(kind, device)
        self._rules = Rules(
            forbidden=torch.zeros(kind.forbidden, dtype=torch.long, device=device), min_lengths=loop.min_lengths
        )
        self._sentences = torch.arange(kind.size, device=device)
        self._first_rows = torch.arange(0, kind.size * kind.beam, kind.beam, device=device)
        self._steps = 0
        self._warm = False
        self._replay: Callable[[], None] | None = None

    def run(self, loop: _Loop[State], forbidden: Tensor) -> Tensor:
        """Go on with `loop` until few enough sentences are left for a smaller size, or the log is full.

        Returns:
            The places of the sentences that go on, LongTensor [kept].
        """
        _copy_into(self.loop, loop.filled_up(self._kind.size))
        self._rules.forbidden.copy_(forbidden)
        self._log.place.zero_()
        for step in count(1):
            self._advance()
            if step % _STEPS_BETWEEN_LOOKS and step < _LOGGED_STEPS:
                continue
            kept = (~self.loop.done).nonzero().squeeze(1)
            if _size_for(kept.numel()) < self._kind.size or step == _LOGGED_STEPS:
                self._steps = step
                return kept
        raise AssertionError("unreachable")

    def steps(self, sentences: int) -> Iterator[dict[str, Any]]:
        """What the last :meth:`run` did, of the first `sentences`, step by step."""
        return self._log.steps(self._steps, sentences)

    def _advance(self) -> None:
        if not self._warm:
            self._recorder.warm_up(self._step)
            self._warm = True
            return
        if self._replay is None:
            self._replay = self._recorded()
        self._replay()

    def _recorded(self) -> Callable[[], None]:
        try:
            return self._recorder.record(self._step)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # what torch and CUDA raise
            reason = (str(error).splitlines() or ["no reason given"])[0]
            warnings.warn(f"a search could not be recorded as a CUDA graph and is made without: {reason}", stacklevel=2)
            return self._step

    def _step(self) -> None:
        loop, kind, rules = self.loop, self._kind, self._rules
        log_probs, state, attention = self._model.step(loop.tokens, loop.state)
        length = loop.length + 1
        log_probs = rules.apply(
            log_probs.float(), sentences=self._sentences, length=length, so_far=None, eos_id=kind.eos_id
        )
        drawn = best_continuations(log_probs, loop.live, 2 * kind.beam)
        ends, going_on = parted(drawn, beam=kind.beam, eos_id=kind.eos_id)
        self._log.write(
            tokens=going_on.tokens,
            parents=going_on.parents,
            log_probs=going_on.token_log_probs,
            end_log_probs=log_probs[:, kind.eos_id],
            attention=attention if kind.with_attention else None,
        )
        ended = finished(ends, kind.scoring, length[:, None], None)
        endings = loop.endings.join(ended).best_first(loop.endings.scores.shape[1])
        live = going_on.log_probs
        at_limit = loop.max_lengths == length
        bound = kind.scoring.best_reachable(live.amax(dim=1), length=length, max_lengths=loop.max_lengths)
        done = loop.done | at_limit | (endings.scores[:, -1] >= bound)  # where a score is NaN, the limit alone ends it
        if kind.beam == 1:  # greedy search, which takes the end when it is the best
            done = done | (ends.log_probs[:, 0] > -torch.inf)
        rows = (self._first_rows[:, None] + going_on.parents).flatten()
        following = replace(
            loop,
            state=state.reorder(rows),
            tokens=going_on.tokens.flatten(),
            live=live.masked_fill(done[:, None], -torch.inf),
            done=done,
            length=length,
            endings=endings,
            cut_off=loop.cut_off.where(at_limit, live, None),
        )
        _copy_into(self.loop, following)


def _size_for(sentences: int) -> int:
    """The size that so many are filled up to: a power of two, or one and a half of it; 0 for none."""
    if sentences < 3:
        return sentences
    power = 1 << (sentences - 1).bit_length()
    return power * 3 // 4 if sentences <= power * 3 // 4 else power


def _tensors(value: object) -> list[Tensor]:
    """All tensors of a value of dataclasses and tuples, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, tuple):
        return [tensor for part in value for tensor in _tensors(part)]
    if is_dataclass(value):
        return [tensor for field in fields(value) for tensor in _tensors(getattr(value, field.name))]
    return []


def _copy_of(value: Value) -> Value:
    """The same with tensors of its own."""
    if isinstance(value, Tensor):
        return cast(Value, value.clone(memory_format=torch.contiguous_format))
    if isinstance(value, tuple):
        return cast(Value, tuple(_copy_of(part) for part in value))
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: _copy_of(getattr(value, field.name)) for field in fields(value)}
        return cast(Value, replace(value, **parts))
    return value


def _copy_into(memory: object, value: object) -> None:
    """Copy every tensor of `value` to its place in `memory`, which is of the same kind."""
    for old, new in zip(_tensors(memory), _tensors(value), strict=True):
        if old is not new:
            if old.shape != new.shape:
                raise RuntimeError(f"a step changes the shape of a state from {list(old.shape)} to {list(new.shape)}")
            old.copy_(new)
