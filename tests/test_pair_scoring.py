"""Scores of given pairs: against the search, against one step after the other, and at the edges."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from seq2seq import Scored, Translator, pair_scoring
from seq2seq.build import build_model
from seq2seq.errors import DeviceError, ModelError, UsageError
from seq2seq.model_directory import save_description, save_weights
from seq2seq.recipe import recipe_from_text
from seq2seq.text.tokenizer import Tokenizer
from tests.conftest import RECIPE, SENTENCES

SOURCES = ["Where is the station?", "the small dog", "I would like two tickets, please.", "bread", "cat " * 9, "\u6f22"]
TARGETS = [
    "Où est la gare ?",
    "",
    "Je voudrais deux billets, s'il vous plaît.",
    "\u6f22\u5b57 du  pain",
    "chat " * 30,
    "x",
]


@pytest.fixture(scope="module")
def spelling(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    """A model whose target has characters for pieces, and so an unknown piece for all others."""
    directory = tmp_path_factory.mktemp("models") / "spelling"
    recipe = recipe_from_text(RECIPE, "recipe")
    tokenizer = Tokenizer.train(SENTENCES, algorithm="char", vocabulary_size=100)
    size = tokenizer.vocabulary_size
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = build_model(recipe.model, source_vocabulary=size, target_vocabulary=size)
    save_description(directory, recipe=recipe, source_tokenizer=tokenizer, target_tokenizer=tokenizer)
    weights = dict(model.named_parameters())
    save_weights(directory, weights, source_tokenizer=tokenizer, target_tokenizer=tokenizer, metadata={})
    return Translator.load(directory, device="cpu")


@torch.no_grad()
def stepped(members: Sequence[Translator], source: str, target: str) -> torch.Tensor:
    """The slow twin: log-probabilities of every next piece by each model, one step at a time, float64.

    [members, tgt_len + 1, vocab]; models are those of `members`, each alone.
    """
    found = []
    for member in members:
        tokenizer, target_tokenizer = member.source_tokenizer, member.target_tokenizer
        ids = torch.tensor([[*tokenizer.encode_one(source), tokenizer.eos_id]])
        state = member.model.start(ids, torch.tensor([ids.shape[1]]))
        steps = []
        for token in [target_tokenizer.bos_id, *target_tokenizer.encode_one(target)]:
            log_probs, state, _ = member.model.step(torch.tensor([token]), state)
            steps.append(log_probs[0].double())
        found.append(torch.stack(steps))
    return torch.stack(found)


def expected_log_probs(
    members: Sequence[Translator], source: str, target: str, *, shares: Sequence[float] = (1.0,), linear: bool = False
) -> list[float]:
    """What the models say together of the target's pieces and its end, by the definition."""
    log_probs = stepped(members, source, target)
    weights = torch.tensor(list(shares), dtype=torch.float64)[:, None, None]
    if linear:
        together = (log_probs.exp() * weights).sum(0).log()
    else:
        together = (log_probs * weights).sum(0)
        together = together - together.logsumexp(-1, keepdim=True)
    ids = [*members[0].target_tokenizer.encode_one(target), members[0].target_tokenizer.eos_id]
    return [float(together[place, number]) for place, number in enumerate(ids)]


def assert_same(found: Sequence[Scored], expected: Sequence[Scored]) -> None:
    assert [(each.pieces, each.words) for each in found] == [(each.pieces, each.words) for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.piece_log_probs == pytest.approx(other.piece_log_probs, abs=1e-5)
        assert one.word_log_probs == pytest.approx(other.word_log_probs, abs=1e-4)
        assert one.log_prob == pytest.approx(other.log_prob, abs=1e-4)
        assert one.score == pytest.approx(other.score, abs=1e-5)


NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
GOLDEN = Path(__file__).parent / "golden"
STORED = {
    "attention": [GOLDEN / "version-1"],
    "copying": [GOLDEN / "version-2"],
    "log-linear": [GOLDEN / "version-1", GOLDEN / "version-2"],
    "linear": [GOLDEN / "version-1", GOLDEN / "version-2"],
}


@pytest.mark.parametrize("length_penalty", [None, 0.0, 0.6])
@pytest.mark.parametrize("kind", STORED)
def test_scores_are_those_of_the_search(kind: Any, length_penalty: float | None) -> None:
    """Whatever a trained model finds scores what its search says, if the text is cut into the same pieces again."""
    ensemble = {} if len(STORED[kind]) == 1 else {"combination": kind, "weights": [2.0, 1.0]}
    translator = Translator.load(STORED[kind], device="cpu", **ensemble)  # type: ignore[arg-type]
    draw = random.Random(7)
    lines = [" ".join(draw.choices(NUMBERS, k=draw.randint(1, 7))) for _ in range(12)]
    searched = translator.translate(lines, n_best=4, length_penalty=length_penalty)
    pairs = [(line, each) for line, n_best in zip(lines, searched, strict=True) for each in n_best if each.finished]
    found = translator.score(
        [line for line, _ in pairs], [each.text for _, each in pairs], length_penalty=length_penalty
    )
    same = [(one, each) for one, (_, each) in zip(found, pairs, strict=True) if one.pieces == each.pieces]
    assert len(same) > 35
    for one, translation in same:
        assert one.piece_log_probs == pytest.approx(translation.piece_log_probs, abs=2e-5)
        assert one.log_prob == pytest.approx(translation.log_prob, abs=1e-4)
        assert one.score == pytest.approx(translation.score, abs=1e-5 if length_penalty != 0.0 else 1e-4)
        assert one.source_pieces == translation.source_pieces


def test_a_target_at_once_is_a_target_step_by_step(translator: Translator) -> None:
    found = translator.score(SOURCES, TARGETS)
    for source, target, one in zip(SOURCES, TARGETS, found, strict=True):
        expected = expected_log_probs([translator], source, target)
        assert one.piece_log_probs == pytest.approx(expected, abs=1e-5)
        assert one.log_prob == pytest.approx(sum(expected), abs=1e-4)
        assert one.score == pytest.approx(sum(expected) / len(expected), abs=1e-5)
        assert one.perplexity == pytest.approx(math.exp(-sum(expected) / len(expected)), rel=1e-4)
        assert len(one.pieces) + 1 == len(one.piece_log_probs)
    penalised = translator.score(SOURCES[0], TARGETS[0], length_penalty=0.7)
    assert penalised.score == pytest.approx(penalised.log_prob / len(penalised.piece_log_probs) ** 0.7)


@pytest.mark.parametrize("combination", ["log-linear", "linear"])
def test_an_ensemble_at_once_is_an_ensemble_step_by_step(
    small_model: Path, other_seed: Path, characters: Path, blind: Path, combination: Any
) -> None:
    """Other cells, other sizes, other source pieces, no attention."""
    directories, weights = [characters, small_model, other_seed, blind], [2.0, 1.0, 0.5, 1.5]
    ensemble = Translator.load(directories, device="cpu", combination=combination, weights=weights)
    alone = [Translator.load(directory, device="cpu") for directory in directories]
    for source, target, one in zip(SOURCES, TARGETS, ensemble.score(SOURCES, TARGETS), strict=True):
        shares = [weight / 5.0 for weight in weights]
        expected = expected_log_probs(alone, source, target, shares=shares, linear=combination == "linear")
        assert one.piece_log_probs == pytest.approx(expected, abs=2e-5)
        assert one.source_pieces == len(alone[0].source_tokenizer.encode_one(source))


def test_neither_batches_nor_order_nor_parts_change_a_score(
    translator: Translator, small_model: Path, other_seed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(3)
    sources = [" ".join(draw.choices(SENTENCES[0].split(), k=draw.randint(0, 9))) for _ in range(30)]
    targets = [" ".join(draw.choices(SENTENCES[4].split(), k=draw.randint(0, 14))) for _ in range(30)]
    for subject in (translator, Translator.load([small_model, other_seed], device="cpu")):
        alone = [subject.score(source, target) for source, target in zip(sources, targets, strict=True)]
        assert len({one.log_prob for one in alone}) > 25
        for options in ({"batch_size": 7}, {"batch_size": 64}, {"max_tokens": 40, "batch_size": 64}):
            assert_same(subject.score(sources, targets, **options), alone)
        assert_same(subject.score(sources[::-1], targets[::-1]), alone[::-1])
        with monkeypatch.context() as patch:
            # Two or three positions of a batch at a time, and then one.
            for numbers in (2 * 5 * 8 * 340, 1):
                patch.setattr(pair_scoring, "_MOST_NUMBERS", numbers)
                assert_same(subject.score(sources, targets), alone)


def test_batches_hold_what_they_may(translator: Translator, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many pairs of like length on the longer side, and so many target positions at once as their numbers fit."""
    start, read = translator.model.start, translator.model.read
    batches: list[tuple[int, int]] = []
    positions: list[int] = []

    def watched_start(source: torch.Tensor, lengths: torch.Tensor) -> Any:
        batches.append((source.shape[0], source.shape[1]))
        return start(source, lengths)

    def watched_read(tokens: torch.Tensor, state: Any) -> Any:
        positions.append(tokens.shape[1])
        return read(tokens, state)

    monkeypatch.setattr(translator.model, "start", watched_start)
    monkeypatch.setattr(translator.model, "read", watched_read)
    texts = ["a a a a a a a a a a", "a", "a a a a", "a a"]
    length = [len(translator.source_tokenizer.encode_one(text)) for text in texts]
    sources, targets = texts, [texts[1], texts[2], texts[3], texts[0]]
    assert length[0] > length[2] > length[3] > length[1]
    translator.score(sources, targets, batch_size=2)
    # The longest source, of the shortest target, goes with the longest target, of a short source.
    assert batches == [(2, length[0] + 1), (2, length[2] + 1)]
    assert positions == [length[0] + 1, length[2] + 1]
    batches.clear()
    translator.score(sources, targets, batch_size=4, max_tokens=2 * (length[0] + 1))
    assert batches == [(2, length[0] + 1), (2, length[2] + 1)]
    batches.clear()
    positions.clear()
    monkeypatch.setattr(pair_scoring, "_MOST_NUMBERS", 4 * 340 * 4)
    translator.score(sources, targets, batch_size=4)
    assert batches == [(4, length[0] + 1)]
    assert positions[:-1] == [4] * (length[0] // 4)
    assert sum(positions) == length[0] + 1
    # Where the longer sides are equally long, targets of like length are together.
    positions.clear()
    translator.score([texts[0]] * 4, [texts[1], texts[2], texts[1], texts[2]], batch_size=2)
    assert positions == [length[2] + 1, length[1] + 1]


@pytest.mark.parametrize("nothing", ["", " ", "\t \u3000", "\u2028"])
def test_empty_lines(translator: Translator, nothing: str) -> None:
    sources, targets = ["cat", nothing, nothing, "dog"], [nothing, nothing, "chat noir", "chien"]
    no_target, neither, no_source, both = translator.score(sources, targets)
    assert no_target.pieces == no_target.words == ()
    assert no_target.piece_log_probs == pytest.approx(expected_log_probs([translator], "cat", ""), abs=1e-5)
    assert no_target.score == no_target.log_prob < 0.0
    assert neither == Scored(0.0, 0.0, (), (), (), ())
    empty = translator.translate(nothing)
    assert (neither.log_prob, neither.score) == (empty.log_prob, empty.score)
    assert (no_source.log_prob, no_source.score, no_source.perplexity) == (-math.inf, -math.inf, math.inf)
    assert len(no_source.piece_log_probs) == len(no_source.pieces) + 1 > 1
    assert no_source.word_log_probs == (-math.inf, -math.inf)
    assert_same([both], [translator.score("dog", "chien")])


def test_nothing_to_score(translator: Translator) -> None:
    assert translator.score([], ()) == []
    assert list(translator.score_chunks([])) == []
    assert [len(scored) for scored in translator.score_chunks([[], [("cat", "chat")]])] == [0, 1]


def test_an_unknown_piece_scores_what_the_model_gives_it(spelling: Translator) -> None:
    """Over the whole vocabulary, of which nothing is left out that a search would not write."""
    target = "le \u6f22\u5b57 chat"
    tokenizer = spelling.target_tokenizer
    ids = tokenizer.encode_one(target)
    assert ids.count(tokenizer.unk_id) == 1
    found = spelling.score("the cat", target)
    assert found.unknown_pieces == 1
    assert found.piece_log_probs == pytest.approx(expected_log_probs([spelling], "the cat", target), abs=1e-5)
    log_probs = stepped([spelling], "the cat", target)[0]
    assert log_probs.exp().sum(-1) == pytest.approx(1.0)
    place = ids.index(tokenizer.unk_id)
    assert found.piece_log_probs[place] == pytest.approx(float(log_probs[place, tokenizer.unk_id]), abs=1e-5)
    assert spelling.score("the cat", "le chat").unknown_pieces == 0


def test_words_are_worth_what_their_pieces_are(translator: Translator) -> None:
    targets = [*SENTENCES, *TARGETS, "\u6f22\u5b57 \U0001f600 b", " deux  billets ", "a\u2028b c\u00a0d", "\ud800 x"]
    for target, one in zip(targets, translator.score(["the small dog"] * len(targets), targets), strict=True):
        assert one.words == tuple(target.split())
        assert len(one.word_log_probs) == len(one.words)
        assert math.fsum([*one.word_log_probs, one.piece_log_probs[-1]]) == pytest.approx(one.log_prob, abs=1e-9)
    # U+0085 is white space for str.split, but not for the tokenizer.
    no_word = translator.score("the small dog", "\x85")
    assert (no_word.words, no_word.word_log_probs) == ((), ())
    assert len(no_word.pieces) > 0
    # In plain text a word begins with every mark of its pieces.
    for target in SENTENCES:
        one = translator.score("the small dog", target)
        sums: list[float] = []
        for piece, log_prob in zip(one.pieces, one.piece_log_probs, strict=False):
            if piece.startswith("▁"):
                sums.append(0.0)
            sums[-1] += log_prob
        assert one.word_log_probs == pytest.approx(sums)
        assert len(one.pieces) > len(one.words)


def test_a_line_is_read_whole_however_long(translator: Translator) -> None:
    """Beyond max_input_pieces, which is 40 here and at which translation would split the line."""
    source, target = "Where is the dog. " * 12, "le chien, " * 150
    found = translator.score(source, target)
    assert found.source_pieces > 2 * translator.options.max_input_pieces
    assert len(found.pieces) > 300
    assert found.piece_log_probs == pytest.approx(expected_log_probs([translator], source, target), abs=1e-4)


def test_precision(translator: Translator, small_model: Path) -> None:
    rough = Translator.load(small_model, device="cpu", precision="bf16")
    for one, other in zip(rough.score(SOURCES, TARGETS), translator.score(SOURCES, TARGETS), strict=True):
        assert one.score == pytest.approx(other.score, rel=0.05)
        assert one.log_prob != other.log_prob


def test_a_batch_that_does_not_fit_into_memory_is_halved(
    translator: Translator, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = translator.score(SENTENCES, SENTENCES[::-1])
    start, sizes = translator.model.start, []

    def narrow(source: torch.Tensor, lengths: torch.Tensor) -> Any:
        sizes.append(source.shape[0])
        if source.shape[0] > most:
            raise torch.OutOfMemoryError("out of memory")
        return start(source, lengths)

    monkeypatch.setattr(translator.model, "start", narrow)
    most = 3
    assert_same(translator.score(SENTENCES, SENTENCES[::-1]), expected)
    assert max(sizes) > 3
    most = 0
    with pytest.raises(
        DeviceError, match=r"^a pair of \d+ source and \d+ target pieces does not fit into the memory of cpu; leave it"
    ):
        translator.score(SENTENCES, SENTENCES[::-1])


def test_a_broken_model_is_named(small_model: Path) -> None:
    broken = Translator.load(small_model, device="cpu")
    with torch.no_grad():
        broken.model.output.bias[7] = math.nan
    with pytest.raises(ModelError, match=r"^the model gives log-probabilities that are not numbers \(NaN\)"):
        broken.score("cat", "chat")


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("cat", ["chat"], "score takes a line of text and its translation, or a list .*, not a line and a list"),
        (["cat"], "chat", "score takes .*, not a list and a line"),
        (None, "chat", "score takes .*, not None and a line"),
        ("cat", b"chat", r"score takes .*, not a line and bytes \(decode them first\)"),
        (iter(["cat"]), ["chat"], "score takes .*, not of type list_iterator and a list"),
        (["cat", "dog"], ["chat"], "there are 2 sources and 1 targets; give a target for each source"),
        (["cat", "dog"], ["chat", None], "the target of pair 2 is None, but a line must be text"),
        (["cat", b"dog"], ["chat", "x"], r"the source of pair 2 is bytes \(decode them first\), but a line must be"),
    ],
)
def test_what_is_no_pair_is_refused(translator: Translator, source: Any, target: Any, message: str) -> None:
    with pytest.raises(UsageError, match="^" + message):
        translator.score(source, target)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of 1 or more, not 0"),
        ({"max_tokens": 2.5}, "max_tokens must be a whole number of 1 or more, not 2.5"),
        ({"length_penalty": -1}, "length_penalty must be a number of 0 or more, not -1"),
    ],
)
def test_options_that_cannot_be_used(translator: Translator, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match="^" + message):
        translator.score("cat", "chat", **options)
    with pytest.raises(UsageError, match="^" + message):
        translator.score_chunks(iter([[("cat", "chat")]]), **options)  # at once, not at the first pair
    with pytest.raises(TypeError, match="beam"):
        translator.score("cat", "chat", beam=3)  # type: ignore[call-overload]


def test_chunks_are_scored_one_after_the_other(translator: Translator) -> None:
    pairs = list(zip(SOURCES, TARGETS, strict=True))
    taken = []

    def chunks() -> Iterator[list[tuple[str, str]]]:
        for place in range(0, 6, 2):
            taken.append(place)
            yield pairs[place : place + 2]
        yield [("cat", None)]  # type: ignore[list-item]

    found = translator.score_chunks(chunks())
    assert taken == []
    first = next(found)
    assert taken == [0]
    assert_same([*first, *next(found), *next(found)], translator.score(SOURCES, TARGETS))
    with pytest.raises(UsageError, match=r"^the target of pair 7 is None"):
        next(found)
