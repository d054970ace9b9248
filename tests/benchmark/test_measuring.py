from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq.benchmark import measuring
from seq2seq.benchmark.material import SyntheticIds, Text
from seq2seq.benchmark.measuring import Setting, Stopwatch, Throughput, Turn, measure, parameter_count, translate
from seq2seq.errors import DeviceError
from seq2seq.translation_options import TranslationOptions, with_keywords
from seq2seq.translator import Translator

LINES = ["Where is the station? It is here.", "", "the small dog", "bread, " * 30, "two tickets", "I see Mr. Cat. Yes"]


def options_of(translator: Translator, **keywords: Any) -> TranslationOptions:
    return with_keywords(translator.options, {"alignment": False, **keywords})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("split_sentences", [False, True])
def test_it_translates_as_the_translator_does(translator: Translator, split_sentences: bool) -> None:
    keywords: dict[str, Any] = {"beam": 3, "batch_size": 2, "split_sentences": split_sentences}
    text = Text("text", LINES, tokenizer=translator.source_tokenizer)
    found, _ = translate(translator, text, range(6), options=options_of(translator, **keywords))
    expected = translator.translate(LINES, alignment=False, **keywords)
    assert found == expected
    found, turn = translate(translator, text, range(2, 3), options=options_of(translator, **keywords))
    assert (found[0].text, found[0].pieces) == (expected[2].text, expected[2].pieces)
    assert turn.sentences == 1


def test_tokens_are_pieces_without_padding(translator: Translator) -> None:
    """Counted once more: by the tokenizer, and by what the translator itself gives."""
    tokenizer = translator.source_tokenizer
    lines = ["the small dog", "", "Where is the station?", "milk", "I would like two tickets", "bread and milk"]
    text = Text("text", lines, tokenizer=tokenizer)
    options = options_of(translator, beam=1, batch_size=64)
    _, turn = translate(translator, text, range(len(lines)), options=options)
    expected = translator.translate(lines, beam=1)
    assert len({each.finished for each in expected if each.pieces}) == 2
    ends = sum(each.finished for each in expected if each.pieces)
    assert turn.sentences == len(lines)
    assert turn.source_tokens == sum(len(tokenizer.encode_one(line)) for line in lines)
    assert turn.target_tokens == sum(len(each.pieces) for each in expected) + ends
    drawn = SyntheticIds([2, 7], sentences=5, tokenizer=tokenizer)
    assert translate(translator, drawn, range(5), options=options)[1].source_tokens == 2 + 7 + 2 + 7 + 2


def test_the_steps_are_timed_apart(translator: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on a second whenever it is read."""
    seconds = count()
    monkeypatch.setattr(measuring, "perf_counter", lambda: float(next(seconds)))
    text = Text("text", LINES[:1] * 5, tokenizer=translator.source_tokenizer)
    _, turn = translate(translator, text, range(5), options=options_of(translator, beam=1, batch_size=2))
    # Each step once, for all batches: these are searched side by side.
    assert (turn.encoding, turn.search, turn.decoding) == (1.0, 1.0, 1.0)
    assert turn.seconds == 3.0


def test_a_gpu_is_waited_for_before_the_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: events.append(str(device)))
    monkeypatch.setattr(measuring, "perf_counter", lambda: float(len(events)) if not events.append("read") else 0.0)  # type: ignore[func-returns-value]
    watch = Stopwatch(torch.device("cuda", 1))
    assert watch.lap() == 2.0
    assert events == ["cuda:1", "read", "cuda:1", "read"]
    events.clear()
    Stopwatch(torch.device("cpu")).lap()
    assert events == ["read", "read"]


def test_rates_and_shares_by_hand() -> None:
    throughput = Throughput(Setting(5, 64))
    throughput.turns = [
        Turn(10, 40, 50, 0.5, 1.0, 0.5),
        Turn(10, 40, 50, 0.5, 3.0, 0.5),
        Turn(10, 40, 50, 0.0, 1.0, 0.0),
    ]
    rate = throughput.per_second(lambda turn: turn.sentences)
    assert (rate.median, rate.lowest, rate.highest) == (5.0, 2.5, 10.0)
    assert throughput.per_second(lambda turn: turn.target_tokens).median == 25.0
    assert throughput.share(lambda turn: turn.search) == pytest.approx(5.0 / 7.0)
    assert throughput.share(lambda turn: turn.encoding) == pytest.approx(1.0 / 7.0)


def test_settings_take_turns_and_the_first_round_does_not_count(
    translator: Translator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, range]] = []

    def noted(translator: Translator, material: Text, places: range, *, options: TranslationOptions) -> Any:
        asked.append((options.beam, options.batch_size, places))
        assert not options.alignment
        return [], Turn(len(places), 1, 1, 0.001 * len(asked), 0.25, 0.0)

    monkeypatch.setattr(measuring, "translate", noted)
    text = Text("text", LINES[:1] * 5, tokenizer=translator.source_tokenizer)
    settings = [Setting(1, 64), Setting(5, 16, sentences=2), Setting(5, 1, sentences=9)]
    said: list[str] = []
    throughputs, latencies = measure(
        translator, text, settings=settings, beams=[1, 5], single_sentences=2, rounds=2, say=said.append
    )
    once = [
        (1, 64, range(5)),
        (5, 16, range(2)),
        (5, 1, range(5)),
        *((beam, 1, range(place, place + 1)) for beam in (1, 5) for place in (0, 1)),
    ]
    assert asked == once * 3
    assert [each.setting for each in throughputs] == settings
    assert [[turn.encoding for turn in each.turns] for each in throughputs] == [
        [pytest.approx(0.008), pytest.approx(0.015)],
        [pytest.approx(0.009), pytest.approx(0.016)],
        [pytest.approx(0.010), pytest.approx(0.017)],
    ]
    assert [(each.beam, each.sentences) for each in latencies] == [(1, 2), (5, 2)]
    assert latencies[1].milliseconds == pytest.approx([263.0, 264.0, 270.0, 271.0])
    assert latencies[1].search_milliseconds == [250.0] * 4
    assert [line.split(":")[0] for line in said] == ["warming up", "round 1 of 2", "round 2 of 2"]
    assert measure(translator, text, settings=[], beams=[1], single_sentences=0, rounds=1, say=said.append)[1] == []


def test_a_batch_that_does_not_fit_is_an_error(translator: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Halves of it would be another measurement."""

    def full(*arguments: object, **options: object) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(translator, "search_batch", full)
    text = Text("text", LINES, tokenizer=translator.source_tokenizer)
    with pytest.raises(DeviceError, match=r"^beam 5 with batches of 512 does not fit into the memory of cpu; measure"):
        measure(translator, text, settings=[Setting(5, 512)], rounds=1, say=lambda line: None)


def test_parameters_of_all_models_are_counted(translator: Translator, small_model: Path) -> None:
    one = sum(parameter.numel() for _, parameter in translator.model.named_parameters())
    assert parameter_count(translator) == one
    ensemble = Translator.load([small_model, small_model], device="cpu")
    assert parameter_count(ensemble) == 2 * one
    drawn = SyntheticIds([4], sentences=2, tokenizer=ensemble.source_tokenizer)
    assert translate(ensemble, drawn, range(2), options=options_of(ensemble))[1].source_tokens == 8
