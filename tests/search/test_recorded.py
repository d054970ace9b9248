"""Recorded searches against plain ones: the same hypotheses, whatever the sizes, and nothing read on the way."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.errors import ModelError
from seq2seq.model.prepared import prepare
from seq2seq.recording import CudaRecorder
from seq2seq.search import Diversity, Request, Scoring, beam_search, phrases_of, prefixes_of, recorded
from seq2seq.search.recorded import RecordedSearch, _size_for, can_record
from tests.small_network import small_network
from tests.tape import TapeRecorder


class Again:
    """A recorder whose replay does the work again, for models that look at their values."""

    def __init__(self) -> None:
        self.recorded = 0

    def warm_up(self, work: Callable[[], Any]) -> Any:
        return work()

    def record(self, work: Callable[[], Any]) -> Callable[[], Any]:
        self.recorded += 1
        return work


@pytest.fixture(autouse=True)
def _as_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be read from the device in a step."""
    monkeypatch.setattr("seq2seq.search.selection.looking_waits", lambda device: True)


def of_one_width(model: Any) -> Any:
    """The toy model with attention weights of as many columns for every batch, as a translation model has."""
    step = model.step

    def padded(tokens: torch.Tensor, state: Any) -> Any:
        log_probs, state, attention = step(tokens, state)
        return log_probs, state, torch.nn.functional.pad(attention, (0, 8 - attention.shape[1]))

    model.step = padded
    return model


REQUESTS: dict[str, dict[str, Any]] = {
    "beam": {"beam": 3},
    "greedy": {"beam": 1},
    "n-best": {"beam": 5, "n_best": 4},
    "wider than the vocabulary": {"beam": 12, "n_best": 12},
    "no length penalty": {"beam": 4, "scoring": Scoring(length_penalty=0.0)},
    "gnmt": {"beam": 4, "scoring": Scoring(length_penalty=0.6, normalization="gnmt")},
    "heuristic": {"beam": 4, "n_best": 2, "scoring": Scoring(length_penalty=1.0, stopping="heuristic")},
    "words cost": {"beam": 4, "n_best": 2, "scoring": Scoring(length_penalty=1.0, word_penalty=0.3)},
    "words pay": {"beam": 4, "n_best": 2, "scoring": Scoring(length_penalty=1.0, word_penalty=-0.3)},
    "greedy that pays": {"beam": 1, "scoring": Scoring(length_penalty=0.5, word_penalty=-0.3)},
    "minimum": {"beam": 3, "rules": {"min_lengths": torch.tensor([n % 9 for n in range(24)])}},
}


@pytest.mark.parametrize("kind", ["hashing", "full_of_ties"])
@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_as_without(toys: SimpleNamespace, kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "_LOGGED_STEPS", 6)  # so that logs are read in the middle
    model = of_one_width(getattr(toys, kind)(tables=24, vocab=10))
    request = toys.request([1 + (5 * n) % 23 for n in range(24)], with_attention=True, **REQUESTS[name])
    state = model.start(list(range(24)))
    search = RecordedSearch(model, Again())
    for _ in range(2):  # with the recordings of the first time
        found = search.find(state, request)
        assert len(found) == 24
        for mine, expected in zip(found, beam_search(model, state, request), strict=True):
            assert [best.ids for best in mine] == [best.ids for best in expected]
            assert [best.finished for best in mine] == [best.finished for best in expected]
            for one, other in zip(mine, expected, strict=True):
                assert one.token_log_probs == other.token_log_probs
                assert one.log_prob == other.log_prob
                assert one.score == pytest.approx(other.score, rel=1e-6, abs=1e-6)
                assert one.attention is not None
                assert other.attention is not None
                assert torch.equal(one.attention, other.attention)


def test_sentences_leave_for_smaller_recordings(toys: SimpleNamespace) -> None:
    model, recorder = toys.hashing(tables=24, vocab=10), Again()
    search = RecordedSearch(model, recorder)
    request = toys.request([1 + 3 * n for n in range(24)], beam=2)
    model.rows.clear()
    search.find(model.start(list(range(24))), request)
    assert model.rows[:4] == [48] * 4
    sizes = list(dict.fromkeys(model.rows))
    assert len(sizes) > 3
    assert sizes == sorted(sizes, reverse=True)
    made = recorder.recorded
    search.find(model.start(list(range(24))), request)
    assert recorder.recorded == made


def test_what_is_different_is_recorded_anew(toys: SimpleNamespace) -> None:
    model, recorder = toys.hashing(tables=4, vocab=10, end=-9.0), Again()
    search = RecordedSearch(model, recorder)
    requests = [
        toys.request([9] * 4, beam=2),
        toys.request([9] * 4, beam=3),
        toys.request([9] * 4, beam=3, length_penalty=0.5),
        toys.request([9] * 4, beam=3, n_best=2),
        toys.request([9] * 4, beam=3, rules={"min_lengths": torch.tensor([2] * 4)}),
        toys.request([9] * 3, beam=3),
        toys.request([9] * 2, beam=3),
    ]
    for number, request in enumerate(requests, start=1):
        state = model.start(list(range(request.sentences)))
        found = search.find(state, request)
        assert found == beam_search(model, state, request)
        assert recorder.recorded == number
    # Of one shape: other sentences, limits and ids that are never generated.
    request = toys.request([9] * 4, beam=2, forbidden_ids=(5,))
    state = model.start([3, 2, 1, 0])
    assert search.find(state, request) == beam_search(model, state, request)
    assert recorder.recorded == number


@pytest.mark.parametrize(
    ("sentences", "size"),
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (6, 6), (7, 8), (9, 12), (13, 16), (17, 24), (64, 64), (65, 96)],
)
def test_sizes(sentences: int, size: int) -> None:
    assert _size_for(sentences) == size


def test_no_sentence(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=1, vocab=6)
    assert RecordedSearch(model, Again()).find(model.start([]), toys.request([], beam=2)) == []


def test_nan_is_named_not_returned(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=2, vocab=6)
    model.tables[1] = torch.nan
    with pytest.raises(ModelError, match="the model gives log-probabilities that are not numbers"):
        RecordedSearch(model, Again()).find(model.start([0, 1]), toys.request([5, 5], beam=2))


def test_what_cannot_be_recorded_is_searched_without(toys: SimpleNamespace) -> None:
    class Refusing(Again):
        def record(self, work: Callable[[], Any]) -> Callable[[], Any]:
            raise RuntimeError("operation not permitted when stream is capturing\nand more")

    model = toys.hashing(tables=5, vocab=10)
    request, state = toys.request([9] * 5, beam=3), model.start(list(range(5)))
    with pytest.warns(UserWarning, match="without: operation not permitted when stream is capturing$"):
        assert RecordedSearch(model, Refusing()).find(state, request) == beam_search(model, state, request)


def test_without_memory_the_recordings_go(toys: SimpleNamespace) -> None:
    class Full(Again):
        def record(self, work: Callable[[], Any]) -> Callable[[], Any]:
            raise torch.OutOfMemoryError("CUDA out of memory")

    model = toys.hashing(tables=5, vocab=10)
    search = RecordedSearch(model, Full())
    with pytest.raises(torch.OutOfMemoryError):
        search.find(model.start(list(range(5))), toys.request([9] * 5, beam=3))
    assert not search._programs


def test_the_oldest_recordings_are_forgotten(toys: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "_MOST_PROGRAMS", 2)
    model, recorder = toys.hashing(tables=4, vocab=10, end=-9.0), Again()
    search = RecordedSearch(model, recorder)
    counts = []
    for sentences in (4, 3, 4, 2, 4, 3):
        search.find(model.start(list(range(sentences))), toys.request([9] * sentences, beam=2))
        counts.append(recorder.recorded)
    assert counts == [1, 2, 2, 3, 3, 4]


def test_threads_take_turns(toys: SimpleNamespace) -> None:
    model = toys.hashing(tables=12, vocab=10)
    search = RecordedSearch(model, Again())
    work = [(model.start(list(range(n, 12))), toys.request([2 + n] * (12 - n), beam=3)) for n in range(8)]
    expected = [beam_search(model, *each) for each in work]
    found: dict[int, Any] = {}

    def run(place: int) -> None:
        for _ in range(3):
            found[place] = search.find(*work[place])

    threads = [threading.Thread(target=run, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(8)] == expected


def test_which_requests_can_be_recorded(toys: SimpleNamespace) -> None:
    plain: Request = toys.request([4, 4], beam=2)
    cpu = torch.device("cpu")
    assert can_record(plain)
    others = [
        replace(plain, diversity=Diversity(groups=2)),
        replace(plain, scoring=Scoring(coverage_penalty=0.1), source_lengths=torch.tensor([2, 2])),
        replace(plain, rules=replace(plain.rules, no_repeat_ngram=2)),
        replace(plain, rules=replace(plain.rules, prefix=prefixes_of([[3], []], device=cpu))),
        replace(plain, rules=replace(plain.rules, avoided=phrases_of([[[3]], []], device=cpu))),
    ]
    assert not any(can_record(request) for request in others)
    model = toys.hashing(tables=2, vocab=6)
    with pytest.raises(ValueError, match="cannot be recorded"):
        RecordedSearch(model, Again()).find(model.start([0, 1]), others[0])


def batch(rows: Sequence[int], *, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Source ids [batch, length] of these lengths, and the lengths."""
    source = torch.tensor([[(7 * row + 5 * place) % 26 + 4 for place in range(length)] for row in range(len(rows))])
    lengths = torch.tensor(rows)
    return source.masked_fill(torch.arange(length) >= lengths[:, None], 0), lengths


WIRINGS: dict[str, dict[str, Any]] = {
    "output": {},
    "no attention": {"attention": {"type": "none", "context": "none"}},
    "input feeding": {"attention": {"type": "additive", "context": "input-feeding"}},
    "upper layers": {"attention": {"type": "normalized-additive", "context": "upper-layers"}},
    "conditional": {"attention": {"type": "additive", "context": "conditional"}, "decoder": {"cell": "gru"}},
    "multihead": {"attention": {"type": "multihead", "heads": 2}},
    "coverage": {"attention": {"type": "coverage"}},
    "location": {"attention": {"type": "location", "context": "previous-state"}},
    "copy": {"generator": "copy"},
    "gru": {"decoder": {"cell": "gru"}},
}


@pytest.mark.parametrize("prepares", [False, True], ids=["plain", "prepared"])
@pytest.mark.parametrize("name", WIRINGS)
@pytest.mark.parametrize("beam", [1, 4])
@torch.no_grad()
def test_networks_by_a_tape_that_reads_nothing(name: str, prepares: bool, beam: int, toys: SimpleNamespace) -> None:
    """The tape is as strict as a CUDA graph: whatever Python decided is fixed at the recording."""
    model: Any = small_network(factor=4.0, **WIRINGS[name])
    if prepares:
        model = prepare(model, dtype=torch.float32)
        if model is None:
            pytest.skip("it has no prepared form here")
    recorder = TapeRecorder()
    search = RecordedSearch(model, recorder)
    for rows, length in (([6, 2, 5, 3, 4], 8), ([8, 1, 1], 8), ([3, 3, 2, 3, 1, 2], 4), ([7, 8, 7, 8, 7, 6], 8)):
        source, lengths = batch(rows, length=length)
        state = model.start(source, lengths)
        request = toys.request([2 * row + 3 for row in rows], beam=beam, n_best=beam, with_attention=True)
        found, expected = search.find(state, request), beam_search(model, state, request)
        for mine, theirs in zip(found, expected, strict=True):
            assert [best.ids for best in mine] == [best.ids for best in theirs]
            for one, other in zip(mine, theirs, strict=True):
                assert one.score == pytest.approx(other.score, rel=1e-4)
                assert (one.attention is None) == (other.attention is None)
                if one.attention is not None and other.attention is not None:
                    columns = other.attention.shape[1]
                    assert torch.allclose(one.attention[:, :columns], other.attention, atol=1e-5)
    assert recorder.replayed > recorder.recorded > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("name", ["output", "upper layers", "input feeding", "gru"])
@pytest.mark.parametrize("beam", [1, 4])
@torch.no_grad()
def test_recordings_of_a_gpu(name: str, beam: int, toys: SimpleNamespace) -> None:
    device = torch.device("cuda", torch.cuda.current_device())
    model: Any = prepare(small_network(factor=4.0, **WIRINGS[name]).to(device), dtype=torch.float32)
    assert model is not None
    search = RecordedSearch(model, CudaRecorder(device))
    for rows in ([6, 2, 5, 3, 4], [8, 1, 1], [7, 8, 7, 8, 7, 6], [6, 2, 5, 3, 4]):
        source, lengths = (tensor.to(device) for tensor in batch(rows, length=8))
        request = toys.request([2 * row + 3 for row in rows], beam=beam, n_best=beam, with_attention=True)
        request = replace(
            request,
            max_lengths=request.max_lengths.to(device),
            rules=replace(request.rules, forbidden=request.rules.forbidden.to(device)),
        )
        state = model.start(source, lengths)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as that of a step that could not be recorded
            found = search.find(state, request)
        for mine, theirs in zip(found, beam_search(model, state, request), strict=True):
            assert [best.ids for best in mine] == [best.ids for best in theirs]
            assert [best.score for best in mine] == pytest.approx([best.score for best in theirs], rel=1e-4)
