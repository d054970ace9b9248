"""A batch of sentences with recorded searches, as on a GPU, and without: the same translations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seq2seq import Translator
from seq2seq.batch_search import BatchSearch
from tests.tape import TapeRecorder

LINES = ["Where is the station?", "", "I would like two tickets, please.", "the small dog", "bread and milk", "a dog"]


@pytest.fixture
def recorders(monkeypatch: pytest.MonkeyPatch) -> list[TapeRecorder]:
    """The recorders of all translators from here on, which record as if the CPU were a GPU."""
    made: list[TapeRecorder] = []
    begin = BatchSearch.__init__

    def with_recorder(self: BatchSearch, **arguments: Any) -> None:
        made.append(TapeRecorder())
        begin(self, **arguments, recorder=made[-1])

    monkeypatch.setattr(BatchSearch, "__init__", with_recorder)
    monkeypatch.setattr("seq2seq.search.selection.looking_waits", lambda device: True)
    return made


@pytest.mark.parametrize("members", ["one", "several"])
@pytest.mark.parametrize("beam", [1, 4])
def test_recorded_searches_translate_the_same(
    small_model: Path, other_seed: Path, recorders: list[TapeRecorder], members: str, beam: int
) -> None:
    directories = [small_model] if members == "one" else [small_model, other_seed]
    found = Translator.load(directories, device="cpu")
    lines = LINES * 3
    recorded = [found.translate(lines, beam=beam, n_best=beam, batch_size=4, max_length=12) for _ in range(2)]
    assert recorders[0].replayed > recorders[0].recorded > 0
    made = recorders[0].recorded
    # What looks back at its tokens, or draws them, is searched without.
    found.translate(lines, beam=beam, no_repeat_ngram=2, max_length=12)
    found.translate(lines, method="sampling", max_length=12)
    assert recorders[0].recorded == made
    found._batch_search._recorded = None
    for mine in recorded:
        for one, other in zip(mine, found.translate(lines, beam=beam, n_best=beam, max_length=12), strict=True):
            assert [each.text for each in one] == [each.text for each in other]
            assert [each.score for each in one] == pytest.approx([each.score for each in other], rel=1e-5)
            assert [each.alignment for each in one] == [each.alignment for each in other]
