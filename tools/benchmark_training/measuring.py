"""Settings in turns: whole updates on the same batches, round by round, with the machine's peaks in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice
from time import perf_counter

import torch

from seq2seq.data.batch import Batch
from seq2seq.machine import memory_gib
from seq2seq.recipe import Recipe
from seq2seq.training.precision import chosen_precision
from tools.benchmark_training.contender import Contender
from tools.benchmark_training.flops import FlopCount, Flops
from tools.benchmark_training.material import Material
from tools.benchmark_training.parts import PARTS, PartTimes, time_parts
from tools.benchmark_training.peaks import Peaks

#: Batches whose making is timed: many more than are made ahead while the first is waited for.
_BATCHES_TIMED = 100


@dataclass(frozen=True)
class Setting:
    """A recipe with its overrides, by the name that the tables have for it."""

    name: str
    recipe: Recipe


@dataclass(frozen=True)
class Counts:
    """What some batches hold; real tokens, EOS counted, and `cells` with padding, on both sides."""

    batches: int
    pairs: int
    source_tokens: int
    target_tokens: int
    cells: int
    source_columns: int
    target_columns: int

    @classmethod
    def of(cls, batches: Sequence[Batch]) -> Counts:
        """Of `batches`."""
        return cls(
            batches=len(batches),
            pairs=sum(batch.size for batch in batches),
            source_tokens=sum(batch.source_tokens for batch in batches),
            target_tokens=sum(batch.target_tokens for batch in batches),
            cells=sum(batch.cells for batch in batches),
            source_columns=sum(batch.source.shape[1] for batch in batches),
            target_columns=sum(batch.target_out.shape[1] for batch in batches),
        )

    @property
    def padding(self) -> float:
        """Share of the cells."""
        return 1.0 - (self.source_tokens + self.target_tokens) / self.cells


@dataclass(frozen=True)
class Turn:
    """One setting's updates of one round; `peak` in GFLOP/s around it, of the kind that utilisation refers to."""

    seconds: float
    counts: Counts
    peak: float


@dataclass
class Contest:
    """A setting, what trains it, and what was measured."""

    setting: Setting
    contender: Contender
    material: Material
    batches: list[Batch]
    #: Milliseconds that making a batch takes, beside the training.
    making_ms: float
    flop_count: FlopCount
    peak_name: str = ""
    turns: list[Turn] = field(default_factory=list)
    parts: PartTimes | None = None
    #: Seconds of the same updates without marks.
    parts_whole: float = 0.0
    memory_gib: float = 0.0

    @property
    def accumulation(self) -> int:
        """Batches of an update."""
        return self.setting.recipe.training.accumulation

    @property
    def parameters(self) -> int:
        """Numbers in the network."""
        return sum(parameter.numel() for parameter in self.contender.model.parameters())

    def per_pair(self) -> Flops:
        """Operations per target and source token: of a pair of the mean target length on both sides, by that length."""
        counts = self.counts()
        length = counts.target_tokens / counts.pairs
        flops = self.flop_count.of(length, length)
        return Flops(flops.encoder / length, flops.decoder / length, flops.output / length)

    def per_target_token(self) -> Flops:
        """Operations per target token of these batches, with as many source tokens as they have for it."""
        counts = self.counts()
        source, target = counts.source_tokens / counts.pairs, counts.target_tokens / counts.pairs
        flops = self.flop_count.of(source, target)
        return Flops(flops.encoder / target, flops.decoder / target, flops.output / target)

    def counts(self) -> Counts:
        """Of all rounds but the first, which warms up."""
        counted = len(self.turns) * (len(self.batches) // (len(self.turns) + 1))
        return Counts.of(self.batches[-counted:])


def data_of(recipe: Recipe) -> tuple[object, ...]:
    """What decides over batches: settings that agree in it train on the same."""
    training = recipe.training
    return (recipe.corpus, recipe.tokenizer, recipe.run.seed, training.batch, training.shuffle_window)


def enter(
    settings: Sequence[Setting],
    *,
    device: torch.device,
    prepare: Callable[[Recipe], Material],
    rounds: int,
    updates: int,
    say: Callable[[str], None],
) -> list[Contest]:
    """Prepare every setting: batches for `rounds` and one more, and a network."""
    contests: list[Contest] = []
    counted: dict[tuple[str, tuple[int, int]], FlopCount] = {}
    prepared: dict[tuple[object, ...], tuple[Material, dict[int, tuple[list[Batch], float]]]] = {}
    for setting in settings:
        recipe = setting.recipe
        key = tuple(map(repr, data_of(recipe)))
        if key not in prepared:
            prepared[key] = prepare(recipe), {}
        material, drawn = prepared[key]
        number = (rounds + 1) * updates * recipe.training.accumulation
        if number not in drawn:
            drawn[number] = _draw(material, number)
        cells = (recipe.model.encoder.cell, recipe.model.decoder.cell)
        dtype, reason = chosen_precision(recipe.training.precision, device, cells=cells)
        if reason is not None:
            say(f"{setting.name}: {reason}")
        contender = Contender(recipe, dtype, device, material.vocabularies)
        known = repr(recipe.model), material.vocabularies
        if known not in counted:
            counted[known] = FlopCount(recipe.model, vocabularies=material.vocabularies)
        contests.append(
            Contest(
                setting=setting,
                contender=contender,
                material=material,
                batches=drawn[number][0],
                making_ms=drawn[number][1],
                flop_count=counted[known],
            )
        )
    return contests


def _draw(material: Material, number: int) -> tuple[list[Batch], float]:
    """The first batches, and milliseconds that making one takes once an epoch is planned."""
    source = endless(material)
    batches = [next(source)]
    timed = max(number - 1, _BATCHES_TIMED)
    began = perf_counter()
    batches += islice(source, timed)
    return batches[:number], 1e3 * (perf_counter() - began) / timed


def endless(material: Material) -> Iterator[Batch]:
    """The batches of one epoch after the other."""
    return chain.from_iterable(material.loader.epoch(epoch) for epoch in count())


def take_turns(contests: Sequence[Contest], peaks: Peaks, *, rounds: int, say: Callable[[str], None]) -> None:
    """Train every setting once per round, in their order; the first round warms up and is not counted."""
    for number in range(rounds + 1):
        timed = []
        for contest in contests:
            part = _round(contest, number, rounds)
            device = contest.contender.device
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            timed.append((contest.contender.seconds(part), Counts.of(part)))
            contest.memory_gib = max(contest.memory_gib, memory_gib(device))
        speeds = ", ".join(f"{counts.target_tokens / seconds:,.0f}" for seconds, counts in timed)
        say(f"round {number} of {rounds}: {speeds} target tokens/s" + ("" if number else ", warming up"))
        peaks.take()
        if number == 0:
            continue
        for contest, (seconds, counts) in zip(contests, timed, strict=True):
            peak = peaks.of(contest.contender.precision.dtype)
            contest.peak_name = peak.name
            contest.turns.append(Turn(seconds, counts, max(peak.readings[-2:])))


def _round(contest: Contest, number: int, rounds: int) -> list[Batch]:
    """The batches of a round; 0 is the one that warms up."""
    size = len(contest.batches) // (rounds + 1)
    return contest.batches[number * size : (number + 1) * size]


def take_parts(contests: Sequence[Contest], *, rounds: int, parts_rounds: int, say: Callable[[str], None]) -> None:
    """Train on the batches of the first rounds again, in turns: whole, then drawn while training and with marks."""
    sources = [endless(contest.material) for contest in contests]
    for number in range(parts_rounds + 1):
        say(f"parts, round {number} of {parts_rounds}" + ("" if number else ", warming up"))
        for contest, source in zip(contests, sources, strict=True):
            batches = _round(contest, number, rounds)
            whole = contest.contender.seconds(batches)  # just before, since the machine drifts
            taken = time_parts(contest.contender, source, updates=len(batches) // contest.accumulation)
            if number == 0:
                continue
            contest.parts_whole += whole
            before = contest.parts
            if before is None:
                contest.parts = taken
            else:
                contest.parts = PartTimes(
                    {part: before.seconds[part] + taken.seconds[part] for part in PARTS},
                    before.updates + taken.updates,
                    before.positions + taken.positions,
                )
