import hashlib
import io
import json
import math
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.errors import CorpusError, TokenizerError
from seq2seq.text import tokenizer as module
from seq2seq.text.tokenizer import Algorithm, Tokenizer
from seq2seq.text.tokenizer_training import _draw

WORDS = [
    "the",
    "a",
    "red",
    "blue",
    "old",
    "small",
    "house",
    "garden",
    "river",
    "mountain",
    "child",
    "teacher",
    "reads",
    "writes",
    "opens",
    "closes",
    "quickly",
    "slowly",
    "field",
]


def corpus(number: int = 600) -> list[str]:
    chooser = random.Random(7)
    return [" ".join(chooser.choices(WORDS, k=chooser.randint(3, 9))).capitalize() + "." for _ in range(number)]


def train(algorithm: Algorithm = "unigram", vocabulary_size: int = 70, **options: object) -> Tokenizer:
    return Tokenizer.train(corpus(), algorithm=algorithm, vocabulary_size=vocabulary_size, **options)  # type: ignore[arg-type]


def rich(algorithm: Algorithm) -> Tokenizer:
    """A tokenizer with many ways to segment a word: words are made of a few syllables, many of which are pieces."""
    chooser = random.Random(3)
    syllables = ["ba", "na", "ti", "lo", "ban", "at", "il", "o"]
    words = ["".join(chooser.choices(syllables, k=chooser.randint(1, 4))) for _ in range(3_000)]
    texts = [" ".join(words[start : start + 5]) for start in range(0, len(words), 5)]
    return Tokenizer.train(texts, algorithm=algorithm, vocabulary_size=60)


@pytest.fixture(scope="module")
def unigram() -> Tokenizer:
    return train()


@pytest.fixture(scope="module")
def bpe() -> Tokenizer:
    return train("bpe")


@pytest.fixture(scope="module")
def bytewise() -> Tokenizer:
    return train("bpe", 340, byte_fallback=True, normalization="identity")


def foreign(**options: object) -> bytes:
    """A model with SentencePiece's own ids: unk 0, bos 1, eos 2, no pad."""
    model = io.BytesIO()
    given = {"vocab_size": 60, "minloglevel": 2, **options}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus()), model_writer=model, **given)
    return model.getvalue()


@pytest.mark.parametrize("algorithm", ["unigram", "bpe", "char"])
def test_trained_ids_and_round_trip(algorithm: Algorithm) -> None:
    tokenizer = train(algorithm)
    assert (tokenizer.pad_id, tokenizer.unk_id, tokenizer.bos_id, tokenizer.eos_id) == (0, 1, 2, 3)
    # A character vocabulary is as large as the characters: letters of the text, the space, four special pieces.
    letters = set("".join(corpus())) - {" "}
    assert tokenizer.vocabulary_size == (len(letters) + 1 + 4 if algorithm == "char" else 70)
    encoded = tokenizer.encode(corpus())
    assert tokenizer.decode(encoded) == corpus()
    assert not {0, 1, 2, 3} & {number for ids in encoded for number in ids}
    assert [tokenizer.encode_one(text) for text in corpus()] == encoded


def test_encoding_agrees_with_sentencepiece_in_long_lists(unigram: Tokenizer) -> None:
    plain = sentencepiece.SentencePieceProcessor(model_proto=unigram.to_bytes())
    texts = corpus(3 * module._THREADED_FROM // 2)
    assert unigram.encode(texts) == [plain.encode(text) for text in texts]


def test_training_depends_on_text_and_seed_alone() -> None:
    def fingerprint(seed: int) -> str:
        return train(training_sentences=50, seed=seed, vocabulary_size=60).fingerprint

    first = fingerprint(1)
    sentencepiece.set_random_generator_seed(99)
    assert fingerprint(1) == first
    assert fingerprint(2) != first


def test_the_sample_for_training_is_even() -> None:
    # Each of 30,000 sentences is drawn 3,000 times in 10 trials of 3,000: 1,000 of each tenth, within five deviations.
    tenths: Counter[int] = Counter()
    for seed in range(10):
        drawn = _draw((str(number) for number in range(30_000)), number=3_000, seed=seed)
        assert len(set(drawn)) == 3_000
        tenths.update(int(sentence) // 3_000 for sentence in drawn)
    assert all(abs(tenths[tenth] - 3_000) < 5 * 52 for tenth in range(10))


def test_few_sentences_are_all_taken_in_their_order() -> None:
    assert _draw(["b", "", " ", "a\nc", "d\0"], number=9, seed=1) == ["b", "a c", "d "]


def test_too_large_a_vocabulary_names_the_largest() -> None:
    with pytest.raises(TokenizerError) as caught:
        train(vocabulary_size=8000)
    message = str(caught.value)
    assert message.startswith("tokenizer.vocabulary_size is 8000, but the training text supports at most ")
    assert "\n" not in message
    largest = int(message.split("at most ")[1].split()[0])
    assert train(vocabulary_size=largest).vocabulary_size == largest
    with pytest.raises(TokenizerError, match=f"supports at most {largest} "):
        train(vocabulary_size=largest + 1)


@pytest.mark.parametrize("byte_fallback", [False, True])
def test_too_small_a_vocabulary_names_what_is_needed(byte_fallback: bool) -> None:
    letters = len(set("".join(corpus())) - {" "}) + 1
    needed = letters + 4 + 256 * byte_fallback
    with pytest.raises(TokenizerError, match=f"vocabulary_size is 16, but .* alone need {needed}; set it to more"):
        train(vocabulary_size=16, byte_fallback=byte_fallback)
    assert train(vocabulary_size=needed + 1, byte_fallback=byte_fallback).vocabulary_size == needed + 1


def test_whole_words_by_frequency() -> None:
    """Three words of falling frequency, of which the two rarest have no piece where there is room for one only."""
    texts = ["the dog", "the cat", "the dog barks."] * 20
    tokenizer = Tokenizer.train(texts, algorithm="word", vocabulary_size=16)
    assert tokenizer.pieces(range(8)) == ["<pad>", "<unk>", "<s>", "</s>", "▁the", "▁dog", "▁barks.", "▁cat"]
    assert tokenizer.vocabulary_size == 8  # as many as there are, and no error
    assert tokenizer.encode_one("the dog barks.") == [4, 5, 6]
    assert tokenizer.decode([[4, 7, 5]]) == ["the cat dog"]
    small = Tokenizer.train(texts, algorithm="word", vocabulary_size=6)
    assert small.pieces(range(small.vocabulary_size)) == ["<pad>", "<unk>", "<s>", "</s>", "▁the", "▁dog"]
    assert small.encode_one("the cat the dog") == [4, 1, 4, 5]
    assert small.encode_one("the dogs") == [4, 1]  # nothing smaller than a word
    # SentencePiece makes one unknown piece of neighbouring words that it does not know.
    assert small.encode_one("the cat barks. the") == [4, 1, 4]
    ids, pieces, words = small.words_of_pieces("the cat barks. the")
    assert (ids, pieces, words) == ([4, 1, 4], ["▁the", "<unk>", "▁the"], [0, 1, 3])


@pytest.mark.parametrize("algorithm", ["char", "word"])
def test_a_vocabulary_that_need_not_be_filled(algorithm: Algorithm) -> None:
    words = {word for text in corpus() for word in text.split()}
    pieces = len(words) if algorithm == "word" else len(set("".join(corpus())))
    assert train(algorithm, 5000).vocabulary_size == pieces + 4


def test_the_key_of_the_size_is_named() -> None:
    for key in ("vocabulary_size", "target_vocabulary_size"):
        with pytest.raises(TokenizerError, match=rf"^tokenizer\.{key} is 8000, but the training text supports at most"):
            train(vocabulary_size=8000, size_key=key)
        with pytest.raises(TokenizerError, match=rf"^tokenizer\.{key} is 16, but the characters of the training text"):
            train(vocabulary_size=16, size_key=key)


@pytest.mark.parametrize("sentences", [[], ["", "  "]])
def test_nothing_to_train_from(sentences: list[str]) -> None:
    with pytest.raises(TokenizerError, match="the training text has no words"):
        Tokenizer.train(sentences, algorithm="bpe", vocabulary_size=100)


def test_an_error_while_reading_arrives_as_it_is() -> None:
    def broken() -> Iterator[str]:
        yield "one"
        raise CorpusError("line 2 is bad")

    with pytest.raises(CorpusError, match=r"^line 2 is bad$"):
        Tokenizer.train(broken(), algorithm="bpe", vocabulary_size=100)


def test_training_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    train()
    assert capfd.readouterr() == ("", "")


def test_saving_and_loading(tmp_path: Path, unigram: Tokenizer) -> None:
    unigram.save(tmp_path / "t.spm")
    loaded = Tokenizer.load(tmp_path / "t.spm")
    assert loaded.to_bytes() == unigram.to_bytes() == (tmp_path / "t.spm").read_bytes()
    assert loaded.fingerprint == unigram.fingerprint == hashlib.sha256(unigram.to_bytes()).hexdigest()
    assert Tokenizer.from_bytes(unigram.to_bytes()).encode(corpus()) == unigram.encode(corpus())


def test_files_that_are_no_tokenizer(tmp_path: Path, unigram: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match=r"none\.spm does not exist"):
        Tokenizer.load(tmp_path / "none.spm")
    with pytest.raises(TokenizerError, match="is a folder"):
        Tokenizer.load(tmp_path)
    for content in (b"", b"not a model", unigram.to_bytes()[:-7]):
        (tmp_path / "bad.spm").write_bytes(content)
        with pytest.raises(TokenizerError, match=r"bad\.spm is not a SentencePiece model, or is damaged$"):
            Tokenizer.load(tmp_path / "bad.spm")


def test_foreign_models() -> None:
    tokenizer = Tokenizer.from_bytes(foreign())
    assert (tokenizer.unk_id, tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id) == (0, 1, 2, 2)
    assert tokenizer.decode(tokenizer.encode(corpus()[:5])) == corpus()[:5]
    with pytest.raises(TokenizerError, match="has no BOS piece"):
        Tokenizer.from_bytes(foreign(bos_id=-1))
    with pytest.raises(TokenizerError, match="has no EOS piece"):
        Tokenizer.from_bytes(foreign(eos_id=-1))


@pytest.mark.parametrize("name", ["unigram", "bpe"])
def test_sampling_depends_on_texts_and_seed_alone(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    tokenizer: Tokenizer = request.getfixturevalue(name)
    texts = corpus(9_000)  # more than are worked on together
    first = tokenizer.sample(texts, alpha=0.3, seed=5)
    tokenizer.sample(texts[:10], alpha=0.9, seed=1)
    assert tokenizer.sample(texts, alpha=0.3, seed=5) == first
    assert tokenizer.sample(texts, alpha=0.3, seed=6) != first
    assert first != tokenizer.encode(texts)
    assert tokenizer.decode(first) == texts
    tokenizer.save(tmp_path / "t.spm")
    code = (
        "import sys, hashlib, json; from seq2seq.text.tokenizer import Tokenizer; t = Tokenizer.load(sys.argv[1]);"
        "s = t.sample(json.load(sys.stdin), alpha=0.3, seed=5); print(hashlib.sha256(repr(s).encode()).hexdigest())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t.spm")],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout.strip() == hashlib.sha256(repr(first).encode()).hexdigest()


def test_sampling_follows_the_model_to_the_power_of_alpha() -> None:
    """Frequencies of the segmentations of one word against p^alpha, p from the pieces' scores, all enumerated."""
    tokenizer = rich("unigram")
    plain = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.to_bytes())
    scores = {plain.id_to_piece(number): plain.get_score(number) for number in range(4, plain.vocab_size())}

    def segmentations(rest: str) -> list[tuple[str, ...]]:
        if not rest:
            return [()]
        heads = [rest[:end] for end in range(1, len(rest) + 1) if rest[:end] in scores]
        return [(head, *tail) for head in heads for tail in segmentations(rest[len(head) :])]

    alpha, draws = 0.2, 20_000
    weights = {s: math.exp(alpha * sum(scores[piece] for piece in s)) for s in segmentations("▁banatilo")}
    assert len(weights) > 20
    total = sum(weights.values())
    counts = Counter(
        tuple(tokenizer.pieces(ids)) for ids in tokenizer.sample(["banatilo"] * draws, alpha=alpha, seed=11)
    )
    for segmentation, weight in weights.items():
        share = weight / total
        assert abs(counts[segmentation] / draws - share) < 5 * (share * (1 - share) / draws) ** 0.5 + 5 / draws


def test_bpe_dropout_follows_its_definition() -> None:
    """Frequencies of the segmentations of one word against their probabilities, all courses of merging enumerated."""
    tokenizer = rich("bpe")
    plain = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.to_bytes())
    ranks = {plain.id_to_piece(number): -plain.get_score(number) for number in range(4, plain.vocab_size())}
    alpha, draws = 0.3, 20_000
    expected: Counter[tuple[str, ...]] = Counter()

    def follow(symbols: tuple[str, ...], barred: frozenset[tuple[int, str, str]], probability: float) -> None:
        starts = [sum(map(len, symbols[:number])) for number in range(len(symbols))]
        pairs = [
            (ranks[left + right], start, left, right)
            for start, left, right in zip(starts, symbols, symbols[1:], strict=False)
            if left + right in ranks and (start, left, right) not in barred
        ]
        if not pairs:
            expected[symbols] += probability  # type: ignore[assignment]
            return
        _, start, left, right = min(pairs)
        follow(symbols, barred | {(start, left, right)}, probability * alpha)
        place = starts.index(start)
        follow((*symbols[:place], left + right, *symbols[place + 2 :]), barred, probability * (1 - alpha))

    follow(tuple("▁banatilo"), frozenset(), 1.0)
    assert len(expected) > 20
    counts = Counter(
        tuple(tokenizer.pieces(ids)) for ids in tokenizer.sample(["banatilo"] * draws, alpha=alpha, seed=11)
    )
    assert set(counts) <= set(expected)
    for segmentation, share in expected.items():
        assert abs(counts[segmentation] / draws - share) < 5 * (share * (1 - share) / draws) ** 0.5 + 5 / draws


@pytest.mark.parametrize(
    "options",
    [
        {"model_type": "unigram"},
        {"model_type": "bpe"},
        {"model_type": "bpe", "byte_fallback": True, "vocab_size": 340},
        {"model_type": "unigram", "byte_fallback": True, "vocab_size": 320},
        {"model_type": "unigram", "user_defined_symbols": ["<x>", "river"]},
        {"model_type": "bpe", "user_defined_symbols": ["<x>", "river"]},
        {"model_type": "unigram", "split_by_whitespace": False},
        {"model_type": "bpe", "split_by_whitespace": False, "remove_extra_whitespaces": False},
        {"model_type": "unigram", "add_dummy_prefix": False},
        {"model_type": "unigram", "treat_whitespace_as_suffix": True, "add_dummy_prefix": False},
    ],
)
def test_sampling_has_the_best_segmentation_as_its_limit(options: dict[str, object]) -> None:
    """Where nothing is dropped, or the best outweighs all, sampling and SentencePiece's own search must agree."""
    tokenizer = Tokenizer.from_bytes(foreign(**options))
    texts = [
        *corpus(40),
        "",
        " ",
        "the  日本語 x日",
        "rivers <x> a<x>river",
        "日本",
        "語",
        "Ünknown ünknown",
        "a b\0c",
        "the " * 300,
    ]
    limit = 1e-12 if options["model_type"] == "bpe" else 1e4
    for text, ids in zip(texts, tokenizer.sample(texts, alpha=limit, seed=3), strict=True):
        assert (text, tokenizer.pieces(ids)) == (text, tokenizer.pieces(tokenizer.encode_one(text)))
    sampled = tokenizer.sample(texts, alpha=0.4 if options["model_type"] == "bpe" else 0.02, seed=3)
    assert sampled != tokenizer.encode(texts)
    assert tokenizer.decode(sampled) == tokenizer.decode(tokenizer.encode(texts))


def test_sampling_corner_cases(unigram: Tokenizer) -> None:
    assert unigram.sample([], alpha=0.1, seed=1) == []
    assert unigram.sample(["", "the"], alpha=0.1, nbest_size=1, seed=1) == unigram.encode(["", "the"])
    assert unigram.sample([""], alpha=0.1, seed=2**40)[0] == []
    limited = unigram.sample(["the house"] * 500, alpha=0.01, nbest_size=2, seed=1)
    assert len({tuple(ids) for ids in limited}) == 2
    with pytest.raises(TokenizerError, match="cannot sample"):
        train("char").sample(["the"], alpha=0.1, seed=1)


def test_decoding_bears_any_ids(unigram: Tokenizer, bytewise: Tokenizer) -> None:
    ids = unigram.encode_one("the house")
    assert unigram.decode([[2, *ids[:1], 0, *ids[1:], 3, 0]]) == ["the house"]
    assert unigram.decode([]) == []
    assert unigram.decode([[], [-1], [10**12], [unigram.vocabulary_size]]) == ["", " ⁇ ", " ⁇ ", " ⁇ "]
    line_feed = bytewise.pieces(range(bytewise.vocabulary_size)).index("<0x0A>")
    half = bytewise.pieces(range(bytewise.vocabulary_size)).index("<0xC3>")
    assert bytewise.decode([[line_feed, half]]) == [" \ufffd"]


@settings(max_examples=60, deadline=None)
@given(text=st.text())
def test_any_string_can_be_encoded(unigram: Tokenizer, bytewise: Tokenizer, text: str) -> None:
    for tokenizer in (unigram, bytewise):
        ids, pieces, words = tokenizer.words_of_pieces(text)
        assert ids == tokenizer.encode_one(text)
        assert pieces == tokenizer.pieces(ids)
        assert len(words) == len(ids)
        assert words == sorted(words)
        assert all(0 <= word < max(1, len(text.split())) for word in words)
        assert isinstance(tokenizer.decode([ids])[0], str)
        tokenizer.sample([text], alpha=0.5, seed=1)


@settings(deadline=None)
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\n▁"), max_size=30).map(lambda text: text.strip(" "))
)
def test_bytes_spell_what_letters_cannot(bytewise: Tokenizer, text: str) -> None:
    squeezed = " ".join(part for part in text.split(" ") if part)
    assert bytewise.decode([bytewise.encode_one(squeezed)]) == [squeezed]


def test_control_characters_and_lone_surrogates(unigram: Tokenizer, bytewise: Tokenizer) -> None:
    assert bytewise.decode([bytewise.encode_one("a\0b\x01\x7f")]) == ["a\0b\x01\x7f"]
    assert bytewise.encode_one("a\ud800b") == bytewise.encode_one("a\ufffdb")
    assert bytewise.encode_one("\ud83d\ude00") == bytewise.encode_one("\U0001f600")
    assert unigram.encode(["the", "\udfff"])[0] == unigram.encode_one("the")
    assert len(unigram.encode_one("word " * 20_000)) >= 20_000


def test_words_of_pieces(unigram: Tokenizer, bytewise: Tokenizer) -> None:
    # By hand: an ideographic space and a line separator divide words for str.split, and ligatures become two letters.
    text = "\u3000the  rea…\u2028house\ufb01 "
    ids, pieces, words = unigram.words_of_pieces(text)
    assert ids == unigram.encode_one(text)
    spelled = ["", "", ""]
    for piece, word in zip(pieces, words, strict=True):
        spelled[word] += piece
    assert text.split() == ["the", "rea…", "house\ufb01"]
    assert [part.replace("▁", "") for part in spelled] == ["the", "rea...", "housefi"]
    _, pieces, words = bytewise.words_of_pieces("é 日本")
    assert [piece for piece in pieces if piece != "▁"] == [f"<0x{byte:02X}>" for byte in "é日本".encode()]
    assert [word for piece, word in zip(pieces, words, strict=True) if piece != "▁"] == [0] * 2 + [1] * 6
    assert unigram.words_of_pieces("") == ([], [], [])
