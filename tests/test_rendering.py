"""Words of translations: their scores, their attention, and what is carried over, through a translator."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from seq2seq.errors import UsageError
from seq2seq.text.alignment import attention_of_words
from seq2seq.text.markup import take_out
from seq2seq.translator import Translator

LINE = "Where is the station? It is behind the market."


def test_attention_of_words_by_hand() -> None:
    # Two pieces of the first target word, one of the second; the third source column is the end.
    attention = numpy.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0], [0.1, 0.1, 0.8]], dtype=numpy.float32)
    found = attention_of_words(attention, source_words=[0, 0], target_words=[0, 0, 1])
    assert found.tolist() == [[pytest.approx(0.75)], [pytest.approx(0.2)]]
    found = attention_of_words(attention, source_words=[0, 1], target_words=[0, 0, 1])
    assert found.tolist() == [pytest.approx([0.4, 0.35]), pytest.approx([0.1, 0.1])]
    assert attention_of_words(attention, source_words=[], target_words=[0]).shape == (0, 0)


@pytest.mark.parametrize("options", [{}, {"max_input_pieces": 12}])
def test_words_have_the_scores_of_their_pieces(translator: Translator, options: dict[str, Any]) -> None:
    best = translator.translate(LINE, beam=3, soft_alignment=True, **options)
    words = best.text.split()
    assert len(best.word_log_probs) == len(best.word_confidences) == len(words) == len(best.soft_alignment)
    assert best.word_confidences == pytest.approx([math.exp(value) for value in best.word_log_probs])
    ends = best.log_prob - math.fsum(best.word_log_probs)  # what is left are the ends of the parts
    assert ends <= 1e-5
    if not options:
        assert ends == pytest.approx(best.piece_log_probs[-1] if best.finished else 0.0, abs=1e-4)
    for target, row in enumerate(best.soft_alignment):
        assert len(row) == len(LINE.split())
        assert 0.0 < sum(row) <= 1.0 + 1e-5
        # The hard alignment is the largest of the row, where no word is parted.
        assert (row.index(max(row)), target) in best.alignment


def test_words_only_where_they_are_asked_for(translator: Translator) -> None:
    best = translator.translate(LINE, alignment=False)
    assert (best.alignment, best.word_log_probs, best.soft_alignment) == ((), (), ())


@pytest.mark.parametrize("options", [{}, {"max_input_pieces": 12}])
def test_tags_are_all_there_and_the_model_does_not_see_them(translator: Translator, options: dict[str, Any]) -> None:
    tagged = "Where is <b>the station</b>?<br/>It is <i>behind</i> the market."
    best, plain = translator.translate([tagged, take_out(tagged).plain], carry_over=("tags",), **options)
    assert sorted(tag.text for tag in take_out(best.text).tags) == ["</b>", "</i>", "<b>", "<br/>", "<i>"]
    assert "".join(take_out(best.text).plain.split()) == "".join(plain.text.split())
    assert best.pieces == plain.pieces
    assert max(source for source, _ in best.alignment) < len(tagged.split())
    assert max(target for _, target in best.alignment) < len(best.text.split())
    assert translator.translate("<br/>", carry_over=("tags",)).text == "<br/>"


def test_an_address_is_carried_over(translator: Translator) -> None:
    line = "Where is http://example.org/station?page=2 please"
    best = translator.translate(line, carry_over=("urls",), beam=4)
    plain = translator.translate(line, beam=4)
    aligned = [target for source, target in plain.alignment if source == 2]
    assert ("http://example.org/station?page=2" in best.text.split()) == bool(aligned)
    assert "http" not in plain.text.split()


def test_what_cannot_be_carried_over(translator: Translator) -> None:
    with pytest.raises(UsageError, match="carry_over takes urls, numbers, unknown and tags, not 'names'"):
        translator.translate("a", carry_over=("names",))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="carry_over must be a list"):
        translator.translate("a", carry_over="urls")  # type: ignore[arg-type]
