"""What a translator's options ask of the search, seen in the translations."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import fields
from typing import Any

import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seq2seq.data.batch import make_source
from seq2seq.demands import Source
from seq2seq.errors import UsageError
from seq2seq.minimum_bayes_risk import expected_utilities
from seq2seq.search import Scoring
from seq2seq.searching import scoring_of
from seq2seq.translation_options import TranslationOptions
from seq2seq.translator import Translation, Translator

LINES = [
    "The small cat sleeps.",
    "Where is the station?",
    "",
    "I would like two tickets, please.",
    "bread and milk",
    "the shop is open until eight",
]


def texts(translations: list[Translation]) -> list[str]:
    return [translation.text for translation in translations]


def windows(pieces: tuple[str, ...], size: int) -> list[tuple[str, ...]]:
    return [pieces[place : place + size] for place in range(len(pieces) - size + 1)]


def attention(translator: Translator, line: str, translation: Translation) -> torch.Tensor:
    """Attention weights of every step, teacher-forced: [pieces and the end, source pieces and the end]."""
    tokenizer = translator.source_tokenizer
    source, lengths = make_source([tokenizer.encode_one(line)], eos_id=tokenizer.eos_id, pad_id=tokenizer.pad_id)
    state = translator.model.start(source, lengths)
    rows = []
    ids = translator.target_tokenizer.ids_of_pieces(translation.pieces)
    with torch.no_grad():
        for token in (tokenizer.bos_id, *ids):
            _, state, weights = translator.model.step(torch.tensor([token]), state)
            assert weights is not None
            rows.append(weights[0])
    return torch.stack(rows)


def test_scores_by_their_formula(translator: Translator) -> None:
    line = LINES[3]
    for best in translator.translate(
        line, n_best=4, beam=4, length_penalty=0.7, normalization="gnmt", word_penalty=0.1, coverage_penalty=0.3
    ):
        if not best.finished:
            continue
        count = len(best.pieces) + 1
        covered = attention(translator, line, best).sum(dim=0)[:-1].clamp(1e-3, 1.0).log().sum().item()
        expected = best.log_prob / ((5 + count) / 6) ** 0.7 - 0.1 * count + 0.3 * covered
        assert best.score == pytest.approx(expected, abs=1e-4)


def test_every_option_of_the_score_reaches_it() -> None:
    chosen = {
        "length_penalty": 0.6, "normalization": "gnmt", "word_penalty": 0.1, "coverage_penalty": 0.3,
        "stopping": "heuristic",
    }  # fmt: skip
    assert scoring_of(TranslationOptions(**chosen)) == Scoring(**chosen)
    assert set(chosen) == {field.name for field in fields(Scoring)}


def test_a_word_penalty_moves_the_length(translator: Translator) -> None:
    def length(penalty: float) -> int:
        return len(translator.translate(LINES[3], beam=8, word_penalty=penalty).pieces)

    assert length(1.0) <= length(0.0) < length(-1.0)


def test_lengths_are_kept(translator: Translator) -> None:
    for best in translator.translate(LINES, beam=3, max_length=4):
        assert len(best.pieces) <= 4 + (not best.finished)
    plain = translator.translate(LINES, beam=3)
    for line, best, free in zip(LINES, translator.translate(LINES, beam=3, min_length=9), plain, strict=True):
        assert not line or len(best.pieces) >= 9
        assert len(free.pieces) < 9 or free.pieces == best.pieces
    for best in translator.translate(LINES, beam=3, min_length_ratio=0.9):
        assert len(best.pieces) >= math.ceil(0.9 * best.source_pieces)


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("options", [{"beam": 4}, {"beam": 1}, {"method": "sampling", "temperature": 0.7}])
def test_no_ngram_occurs_twice(translator: Translator, size: int, options: dict[str, Any]) -> None:
    repeats = False
    for best in translator.translate(LINES, **options):
        repeats |= max(Counter(windows(best.pieces, size)).values(), default=0) > 1
    assert repeats  # there is something to forbid
    for best in translator.translate(LINES, no_repeat_ngram=size, **options):
        assert max(Counter(windows(best.pieces, size)).values(), default=0) <= 1


def test_diverse_beams_differ(translator: Translator) -> None:
    def first_pieces(**options: Any) -> int:
        found = translator.translate(LINES, n_best=6, beam=6, **options)
        return sum(len({each.pieces[:1] for each in best}) for best in found)

    assert first_pieces(diversity_groups=6, diversity_strength=3.0) > first_pieces()


@pytest.mark.parametrize("options", [{"beam": 1}, {"beam": 4}, {"method": "sampling"}])
def test_a_translation_begins_with_its_prefix(translator: Translator, options: dict[str, Any]) -> None:
    sources = [Source(text=line, prefix="Le petit") for line in LINES]
    for line, best in zip(LINES, translator.translate(sources, **options), strict=True):
        assert best.text.startswith("Le petit") or not line
    # What is forced keeps the probability that the model gives it.
    best = translator.translate(Source(text=LINES[0], prefix="Je voudrais du pain"), beam=3)
    free = translator.translate(LINES[0], beam=3)
    assert best.log_prob < free.log_prob
    assert sum(best.piece_log_probs) == pytest.approx(best.log_prob, abs=1e-4)


@pytest.mark.parametrize("beam", [1, 5])
def test_phrases_are_in_the_translation(translator: Translator, beam: int) -> None:
    sources = [Source(text=line, include=("vieux chien", "la gare")) for line in LINES if line]
    for best in translator.translate(sources, beam=beam, max_length_offset=40):
        if best.finished:
            assert "vieux chien" in best.text
            assert "la gare" in best.text
    plain = translator.translate(LINES, beam=beam)
    mixed = [Source(text=LINES[0], include=("gare",)), *LINES[1:]]
    assert texts(translator.translate(mixed, beam=beam))[1:] == texts(plain)[1:]


def test_phrases_are_avoided_however_they_are_written(translator: Translator) -> None:
    plain = translator.translate(LINES, beam=4)
    words = sorted({word for best in plain for word in best.text.split() if word.isalpha()})
    assert words
    sources = [Source(text=line, avoid=tuple(words)) for line in LINES]
    ways = [translator.target_tokenizer.segmentations(word, 16) for word in words]
    for best in translator.translate(sources, beam=4):
        ids = translator.target_tokenizer.ids_of_pieces(best.pieces)
        for way in [each for several in ways for each in several]:
            assert all(ids[place : place + len(way)] != way for place in range(len(ids)))


def test_a_long_line_keeps_its_prefix_and_refuses_phrases(translator: Translator) -> None:
    line = "Where is the station? " * 8
    best = translator.translate(Source(text=line, prefix="Je voudrais"), max_input_pieces=20)
    assert best.text.startswith("Je voudrais")
    with pytest.raises(UsageError, match=r"^line 1 is translated in \d+ parts, and nobody knows in which of them"):
        translator.translate(Source(text=line, include=("gare",)), max_input_pieces=20)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(text="a", include=("gare", " ")), "a phrase to include is empty"),
        (Source(text="a", avoid="gare"), "avoid is of type str, but it must be a list of phrases"),  # type: ignore[arg-type]
        (Source(text="a", include=(b"gare",)), "a phrase to include is bytes"),  # type: ignore[arg-type]
        (Source(text="a", include=("x",), avoid=("x",)), "'x' is to be included and avoided at once"),
        (Source(text="a", prefix=3), "the prefix is of type int"),  # type: ignore[arg-type]
    ],
)
def test_demands_that_make_no_sense(translator: Translator, source: Source, message: str) -> None:
    with pytest.raises(UsageError, match=f"^line 2: {message}"):
        translator.translate(["", source])


def test_samples_depend_on_seed_and_place_alone(translator: Translator) -> None:
    lines = LINES * 3
    options: dict[str, Any] = {"method": "sampling", "n_best": 3, "top_p": 0.95}
    drawn = translator.translate(lines, seed=5, batch_size=64, **options)
    again = translator.translate(lines, seed=5, batch_size=2, **options)
    assert [texts(each) for each in drawn] == [texts(each) for each in again]
    assert [texts(each) for each in drawn] != [texts(each) for each in translator.translate(lines, seed=6, **options)]
    chunks = translator.translate_chunks([lines[:5], lines[5:]], seed=5, **options)
    assert [texts(each) for chunk in chunks for each in chunk] == [texts(each) for each in drawn]
    assert texts(drawn[0]) != texts(drawn[6])  # the same line at another place
    assert len(drawn[0]) == 3
    assert len(drawn[2]) == 1  # an empty line has one translation


def test_a_single_sample_is_the_first_of_several(translator: Translator) -> None:
    alone = translator.translate(LINES, method="sampling", seed=9)
    several = translator.translate(LINES, method="sampling", seed=9, n_best=4)
    assert texts(alone) == [each[0].text for each in several]


def test_a_sharp_distribution_is_greedy_search(translator: Translator) -> None:
    greedy = texts(translator.translate(LINES, beam=1))
    assert texts(translator.translate(LINES, method="sampling", temperature=0.001)) == greedy
    assert texts(translator.translate(LINES, method="sampling", top_k=1)) == greedy
    assert texts(translator.translate(LINES, method="sampling", epsilon=0.999)) == greedy


def test_expected_utilities_by_hand() -> None:
    samples = ["a b c d", "a b c e", "a b c d", "x y z w"]
    chrf = CHRF()
    score = {(one, other): chrf.sentence_score(one, [other]).score for one in samples for other in samples}
    expected = {one: sum(score[one, other] for other in samples) / 4 for one in samples}
    found = expected_utilities(samples, utility="chrf")
    assert found == pytest.approx(expected)
    assert list(found) == ["a b c d", "a b c e", "x y z w"]
    bleu = BLEU(effective_order=True)
    assert expected_utilities(samples, utility="bleu")["a b c e"] == pytest.approx(
        sum(bleu.sentence_score("a b c e", [other]).score for other in samples) / 4
    )
    assert expected_utilities([""], utility="chrf") == {"": 0.0}


@pytest.mark.parametrize("utility", ["chrf", "bleu"])
def test_minimum_bayes_risk_is_the_best_of_the_samples(translator: Translator, utility: Any) -> None:
    samples = translator.translate(LINES, method="sampling", n_best=12, seed=3)
    found = translator.translate(LINES, method="mbr", samples=12, n_best=12, seed=3, utility=utility)
    for line, drawn, best in zip(LINES, samples, found, strict=True):
        if line:
            expected = expected_utilities(texts(drawn), utility=utility)
            assert texts(best) == list(expected)
            assert [each.score for each in best] == pytest.approx(list(expected.values()))
            by_text = {each.text: each for each in reversed(drawn)}
            assert all(each.log_prob == by_text[each.text].log_prob for each in best)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalization": "marian"}, "normalization must be power or gnmt, not 'marian'"),
        ({"stopping": "never"}, "stopping must be exact or heuristic, not 'never'"),
        ({"method": "greedy"}, "method must be beam, sampling or mbr, not 'greedy'"),
        ({"utility": "ter"}, "utility must be chrf or bleu"),
        ({"word_penalty": math.inf}, "word_penalty must be a number, not inf"),
        ({"coverage_penalty": -1.0}, "coverage_penalty must be a number of 0 or more"),
        ({"min_length": -1}, "min_length must be a whole number of 0 or more"),
        ({"no_repeat_ngram": 1.5}, "no_repeat_ngram must be a whole number"),
        ({"max_length": 0}, "max_length must be a whole number of 1 or more"),
        ({"beam": 5, "diversity_groups": 2}, "a beam of 5 cannot be divided into 2 equal groups"),
        ({"top_p": 0.0}, "top_p must be a number above 0 and not above 1"),
        ({"epsilon": 1.0}, "epsilon must be a number of 0 or more, below 1"),
        ({"temperature": 0}, "temperature must be a number above 0"),
        ({"top_k": 0}, "top_k must be a whole number of 1 or more"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"method": "mbr", "samples": 3, "n_best": 4}, "n_best 4 is more than the samples, 3"),
    ],
)
def test_options_that_cannot_be_used(translator: Translator, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match="^" + message):
        translator.translate("cat", **options)


def test_company_changes_nothing_with_everything_at_once(translator: Translator) -> None:
    draw = random.Random(3)
    sources = [
        Source(
            text=draw.choice(LINES),
            prefix=draw.choice(["", "Le", "Je voudrais"]),
            include=draw.choice([(), ("gare",), ("vieux chien", "du pain")]),
            avoid=draw.choice([(), ("la", "et")]),
        )
        for _ in range(25)
    ]
    options: dict[str, Any] = {
        "beam": 4, "min_length": 3, "no_repeat_ngram": 3, "coverage_penalty": 0.2, "normalization": "gnmt",
    }  # fmt: skip
    together = translator.translate(sources, **options)
    alone = [translator.translate(source, **options) for source in sources]
    assert texts(together) == texts(alone)
    assert [best.score for best in together] == pytest.approx([best.score for best in alone], abs=1e-4)
