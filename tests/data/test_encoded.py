from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import pytest

from seq2seq.data import encoded as module
from seq2seq.data.encoded import EncodedCorpus, encode_corpus
from seq2seq.data.filtering import FilterReport, PairFilter
from seq2seq.errors import CorpusError
from seq2seq.text.corpus import ParallelText
from seq2seq.text.tokenizer import Tokenizer

PAIRS = [("a b", "c"), ("", "c"), ("a", " "), ("a b a b a", "c c"), ("b", "c c c c"), ("\u2028 a\rb", "c")]
KEPT = [0, 3, 5]


@pytest.fixture(scope="module")
def tokenizers() -> tuple[Tokenizer, Tokenizer]:
    return (
        Tokenizer.train(["a b", "b a"], algorithm="char", vocabulary_size=100),
        Tokenizer.train(["c d", "d c"], algorithm="char", vocabulary_size=100),
    )


def texts(folder: Path, number: int = 1) -> list[ParallelText]:
    for side, language in enumerate(("en", "fr")):
        path = folder / f"train.{language}"
        if not path.exists():
            path.write_bytes("".join(pair[side] + "\n" for pair in PAIRS).encode())
    return [ParallelText(source_language="en", target_language="fr", prefix=str(folder / "train"))] * number


def encode(folder: Path, tokenizers: tuple[Tokenizer, Tokenizer], number: int = 1, **options: bool) -> EncodedCorpus:
    return encode_corpus(
        texts(folder, number),
        source_tokenizer=tokenizers[0],
        target_tokenizer=tokenizers[1],
        pair_filter=PairFilter(max_pieces=10, max_length_ratio=3.0),
        cache=folder / "cache",
        **options,
    )


def rows(corpus: EncodedCorpus, side: str) -> list[list[int]]:
    flat = getattr(corpus, side)
    return [flat.take(numpy.array([index]))[0].tolist() for index in range(len(corpus))]


@pytest.mark.parametrize("chunk", [1, 2, 20_000])
def test_pairs_that_pass_are_there_in_order(
    tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "_CHUNK", chunk)
    corpus = encode(tmp_path, tokenizers, number=2, keep_text=True)
    ordinals = [*KEPT, *(index + len(PAIRS) for index in KEPT)]
    expected = [PAIRS[index] for index in KEPT] * 2
    assert rows(corpus, "source") == tokenizers[0].encode([source for source, _ in expected])
    assert rows(corpus, "target") == tokenizers[1].encode([target for _, target in expected])
    assert corpus.ordinals.tolist() == ordinals
    assert corpus.source_text is not None
    assert corpus.target_text is not None
    every = numpy.arange(len(corpus))
    assert corpus.source_text.texts(every) == [source for source, _ in expected]
    assert corpus.target_text.texts(every) == [target for _, target in expected]
    assert corpus.report == FilterReport(read=12, empty_source=2, empty_target=2, length_ratio=2)
    assert corpus.source.values.dtype == numpy.uint16
    special = corpus.special
    assert (special.source_eos_id, special.source_pad_id, special.bos_id, special.eos_id, special.pad_id) == (
        *(3, 0),
        *(2, 3, 0),
    )


def test_the_same_content_is_not_encoded_again(
    tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = encode(tmp_path, tokenizers)
    assert first.source_text is None
    with monkeypatch.context() as patch:
        patch.setattr(Tokenizer, "encode", None)
        again = encode(tmp_path, tokenizers)
    assert again.key == first.key
    assert rows(again, "source") == rows(first, "source")
    assert again.report == first.report
    assert encode(tmp_path, tokenizers, keep_text=True).key != first.key
    assert encode(tmp_path, tokenizers, number=2).key != first.key
    assert encode(tmp_path, (tokenizers[1], tokenizers[0])).key != first.key


def test_damage_is_mended(tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    first = encode(tmp_path, tokenizers)
    expected = rows(first, "target")
    path = tmp_path / "cache" / first.key / "target"
    path.unlink()
    path.write_bytes(b"\xff" * 10)
    assert rows(encode(tmp_path, tokenizers), "target") == expected


def test_nothing_left(tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    with pytest.raises(CorpusError) as caught:
        encode_corpus(
            texts(tmp_path),
            source_tokenizer=tokenizers[0],
            target_tokenizer=tokenizers[1],
            pair_filter=PairFilter(max_pieces=1),
            cache=tmp_path / "cache",
        )
    assert "can be used: 6 pairs read, 0 kept; left out: 1 with an empty source, " in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(
        CorpusError, match=r"cannot write the encoded corpus into .*cache: .*; free space there, or set"
    ):
        encode(tmp_path, tokenizers)


def test_a_large_vocabulary_takes_wider_numbers(tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    tokenizer = Tokenizer.from_bytes(tokenizers[0].to_bytes())
    for size, kind in ((2**16, numpy.uint16), (2**16 + 1, numpy.int32)):
        tokenizer.vocabulary_size = size
        assert module._dtype(tokenizer) == kind


def test_two_at_once(tmp_path: Path, tokenizers: tuple[Tokenizer, Tokenizer]) -> None:
    texts(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: rows(encode(tmp_path, tokenizers), "source"), range(8)))
    assert found == [found[0]] * 8
    assert len(list((tmp_path / "cache").iterdir())) == 1
