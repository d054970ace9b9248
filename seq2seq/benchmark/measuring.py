"""Measuring: settings take turns, round by round, each in the steps that a translation takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import final

import torch

from seq2seq.benchmark.figures import Spread
from seq2seq.benchmark.material import Material
from seq2seq.errors import DeviceError
from seq2seq.machine import memory_gib
from seq2seq.rendering import join_n_best
from seq2seq.source_lines import batches_by_length
from seq2seq.translation import EMPTY_TRANSLATION, Translation
from seq2seq.translation_options import TranslationOptions, with_keywords
from seq2seq.translator import Translator


@dataclass(frozen=True)
class Setting:
    """A beam and a number of sentences to a batch; of the first `sentences` lines, or of all."""

    beam: int
    batch_size: int
    sentences: int | None = None


@dataclass(frozen=True)
class Turn:
    """One translation of some lines: what it counted, and the seconds of its steps.

    Tokens are pieces: of the source without its end, of the target with it where the model has set it. Encoding is text
    to ids, decoding is ids to text.
    """

    sentences: int
    source_tokens: int
    target_tokens: int
    encoding: float
    search: float
    decoding: float

    @property
    def seconds(self) -> float:
        """The whole of it."""
        return self.encoding + self.search + self.decoding


@dataclass
class Throughput:
    """The turns of a setting."""

    setting: Setting
    turns: list[Turn] = field(default_factory=list)
    #: Highest allocation on a GPU; 0 without one, for a process keeps what it once had.
    memory_gib: float = 0.0

    def per_second(self, count: Callable[[Turn], float]) -> Spread:
        """What `count` counts, by the seconds of each turn."""
        return Spread.of([count(turn) / turn.seconds for turn in self.turns])

    def share(self, seconds: Callable[[Turn], float]) -> float:
        """The share of a step in the time of all turns."""
        return sum(map(seconds, self.turns)) / sum(turn.seconds for turn in self.turns)


@dataclass
class Latency:
    """Milliseconds that single sentences took, one after the other: the whole way, and the search in it."""

    beam: int
    sentences: int
    milliseconds: list[float] = field(default_factory=list)
    search_milliseconds: list[float] = field(default_factory=list)


@final
class Stopwatch:
    """Seconds since the last reading, when all that a GPU was given is done."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._last = 0.0
        self.lap()

    def lap(self) -> float:
        """Seconds since the last lap, or since it was made."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        last, self._last = self._last, perf_counter()
        return self._last - last


def parameter_count(translator: Translator) -> int:
    """Number of parameters of all models together; one that several parts of a model share counts once."""
    models = [translator.model, *(other.model for other in translator.others)]
    return sum(parameter.numel() for model in models for parameter in model.parameters())


def translate(
    translator: Translator, material: Material, places: range, *, options: TranslationOptions
) -> tuple[list[Translation], Turn]:
    """Translate the lines at `places` as :meth:`Translator.translate` does, with the time of every step.

    Raises:
        DeviceError: a batch does not fit into memory; it is not halved, which would be another measurement.
    """
    watch = Stopwatch(translator.device)
    lines = material.prepare(places, options=options)
    encoding = watch.lap()
    sentences = [sentence for line in lines for sentence in line.sentences]
    found: dict[int, Translation] = {}
    lengths = [len(sentence.ids) for sentence in sentences]
    batches = list(batches_by_length(lengths, batch_size=options.batch_size, max_tokens=options.max_tokens))

    try:
        of_batches = translator.search_batches([[sentences[index] for index in batch] for batch in batches], options)
    except torch.OutOfMemoryError:
        raise DeviceError(
            f"beam {options.beam} with batches of {options.batch_size} does not fit into the memory of "
            f"{translator.device}; measure smaller ones"
        ) from None
    search = watch.lap()
    for batch, hypotheses in zip(batches, of_batches, strict=True):
        for index, best_first in zip(batch, hypotheses, strict=True):
            found[index] = translator.translation_of(sentences[index], best_first[0], options)
    in_order = (found.get(index, EMPTY_TRANSLATION) for index in range(len(sentences)))
    translations = [
        join_n_best(line.text, line.parts, [[next(in_order)] for _ in line.parts], options)[0] for line in lines
    ]
    decoding = watch.lap()
    return translations, Turn(
        sentences=len(lines),
        source_tokens=sum(lengths),
        target_tokens=sum(len(translation.piece_log_probs) for translation in translations),
        encoding=encoding,
        search=search,
        decoding=decoding,
    )


def measure(
    translator: Translator,
    material: Material,
    *,
    settings: Sequence[Setting],
    beams: Sequence[int] = (),
    single_sentences: int = 0,
    rounds: int,
    say: Callable[[str], None],
) -> tuple[list[Throughput], list[Latency]]:
    """Measure throughput for `settings`, and latency for `beams` on the first `single_sentences` lines.

    All take turns in every round; a first round warms up and is not counted. `say` gets a line for every round.
    """
    throughputs = [Throughput(setting) for setting in settings]
    latencies = [Latency(beam, min(single_sentences, len(material))) for beam in beams if single_sentences]
    for number in range(rounds + 1):
        speeds = []
        for throughput in throughputs:
            turn = _turn(translator, material, throughput)
            speeds.append(f"{turn.sentences / turn.seconds:,.1f}")
            if number > 0:
                throughput.turns.append(turn)
        for latency in latencies:
            whole, search = _single(translator, material, latency)
            if number > 0:
                latency.milliseconds += whole
                latency.search_milliseconds += search
        what = f"round {number} of {rounds}" if number else "warming up"
        say(f"{what}: {', '.join(speeds)} sentences/s")
    return throughputs, latencies


def _turn(translator: Translator, material: Material, throughput: Throughput) -> Turn:
    setting = throughput.setting
    options = with_keywords(
        translator.options, {"beam": setting.beam, "batch_size": setting.batch_size, "alignment": False}
    )
    on_gpu = translator.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(translator.device)
    places = range(len(material))[: setting.sentences]
    turn = translate(translator, material, places, options=options)[1]
    if on_gpu:
        throughput.memory_gib = max(throughput.memory_gib, memory_gib(translator.device))
    return turn


def _single(translator: Translator, material: Material, latency: Latency) -> tuple[list[float], list[float]]:
    """Milliseconds of every sentence by itself, and of the search in them."""
    options = with_keywords(translator.options, {"beam": latency.beam, "batch_size": 1, "alignment": False})
    turns = [
        translate(translator, material, range(place, place + 1), options=options)[1]
        for place in range(latency.sentences)
    ]
    return [1e3 * turn.seconds for turn in turns], [1e3 * turn.search for turn in turns]
