import random
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import numpy
import pytest
import torch

from seq2seq.data.batch import Batch
from seq2seq.data.encoded import EncodedCorpus, encode_corpus
from seq2seq.data.filtering import PairFilter
from seq2seq.data.loader import SubwordSampling, TrainingLoader, ValidationLoader
from seq2seq.text.corpus import ParallelText
from seq2seq.text.tokenizer import Tokenizer

SYLLABLES = ["ba", "na", "ti", "lo", "ke", "sur", "vin", "do"]
MAX_PIECES = 30


def sentences(number: int, seed: int) -> list[str]:
    chooser = random.Random(seed)
    words = ["".join(chooser.choices(SYLLABLES, k=chooser.randint(1, 3))) for _ in range(60)]
    return [" ".join(chooser.choices(words, k=chooser.randint(1, 12))) for _ in range(number)]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(sentences(500, 1) + sentences(500, 2), algorithm="unigram", vocabulary_size=80)


@pytest.fixture(scope="module")
def corpus(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> EncodedCorpus:
    folder = tmp_path_factory.mktemp("corpus")
    for seed, language in enumerate(("en", "fr"), start=1):
        (folder / f"train.{language}").write_text("\n".join(sentences(700, seed)), encoding="utf-8")
    return encode(folder, tokenizer)


def encode(folder: Path, tokenizer: Tokenizer, *, keep_text: bool = True) -> EncodedCorpus:
    return encode_corpus(
        [ParallelText(source_language="en", target_language="fr", prefix=str(folder / "train"))],
        source_tokenizer=tokenizer,
        target_tokenizer=tokenizer,
        pair_filter=PairFilter(max_pieces=MAX_PIECES),
        cache=folder / "cache",
        keep_text=keep_text,
    )


def both(tokenizer: Tokenizer) -> SubwordSampling:
    return SubwordSampling(source_tokenizer=tokenizer, target_tokenizer=tokenizer, alpha=0.1)


def pairs(batches: Iterable[Batch]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Ids of source and target of every pair, without EOS and padding."""
    return [
        (tuple(source[: source_length - 1]), tuple(target[: target_length - 1]))
        for batch in batches
        for source, source_length, target, target_length in zip(
            batch.source.tolist(),
            batch.source_lengths.tolist(),
            batch.target_out.tolist(),
            batch.target_lengths.tolist(),
            strict=True,
        )
    ]


def of_corpus(corpus: EncodedCorpus) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    every = [numpy.array([index]) for index in range(len(corpus))]
    return [(tuple(corpus.source.take(i)[0].tolist()), tuple(corpus.target.take(i)[0].tolist())) for i in every]


def same(one: Batch, other: Batch) -> bool:
    tensors = ("source", "source_lengths", "target_in", "target_out", "target_lengths")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in tensors)


@pytest.mark.parametrize("shuffle_window", [10_000, 200])
def test_an_epoch_has_every_pair_once(corpus: EncodedCorpus, shuffle_window: int) -> None:
    loader = TrainingLoader(corpus, batch_tokens=300, seed=1, shuffle_window=shuffle_window)
    batches = list(loader.epoch(0))
    assert sorted(pairs(batches)) == sorted(of_corpus(corpus))
    for batch in batches:
        assert batch.size * max(batch.source.shape[1], batch.target_out.shape[1]) <= 300
    cells = sum(batch.source.numel() + batch.target_out.numel() for batch in batches)
    real = sum(int(batch.source_mask.sum() + batch.target_mask.sum()) for batch in batches)
    assert (loader.padding.cells, loader.padding.padding) == (cells, cells - real)
    assert abs(loader.estimated_batches - len(batches)) <= (0 if shuffle_window == 10_000 else 5)


def test_batches_hold_pairs_of_like_length_in_random_order(corpus: EncodedCorpus) -> None:
    batches = list(TrainingLoader(corpus, batch_tokens=300, seed=1).epoch(0))
    widths = [max(batch.source.shape[1], batch.target_out.shape[1]) for batch in batches]
    assert widths != sorted(widths)
    for batch in batches:
        longer = torch.maximum(batch.source_lengths, batch.target_lengths)
        assert int(longer.max() - longer.min()) <= 4


@pytest.mark.parametrize("sampled", [False, True])
def test_an_epoch_depends_on_seed_and_epoch_alone(corpus: EncodedCorpus, tokenizer: Tokenizer, sampled: bool) -> None:
    def loader(seed: int) -> TrainingLoader:
        sampling = both(tokenizer) if sampled else None
        return TrainingLoader(corpus, batch_tokens=300, seed=seed, shuffle_window=250, sampling=sampling)

    used, fresh = loader(1), loader(1)
    list(used.epoch(0))
    next(used.epoch(1))
    tokenizer.sample(["lo"], alpha=0.5, seed=8)
    torch.rand(3)
    first = pairs(used.epoch(3))
    assert first == pairs(fresh.epoch(3))
    assert first != pairs(fresh.epoch(2))
    assert first != pairs(loader(2).epoch(3))


@pytest.mark.parametrize("sampled", [False, True])
def test_starting_later_gives_exactly_the_rest(corpus: EncodedCorpus, tokenizer: Tokenizer, sampled: bool) -> None:
    sampling = both(tokenizer) if sampled else None
    loader = TrainingLoader(corpus, batch_tokens=400, seed=4, shuffle_window=250, sampling=sampling)
    whole = list(loader.epoch(2))
    padding = loader.padding
    for start in (0, 1, len(whole) // 2, len(whole) - 1, len(whole), len(whole) + 3):
        rest = list(loader.epoch(2, start_batch=start))
        assert len(rest) == max(0, len(whole) - start)
        assert all(same(one, other) for one, other in zip(rest, whole[start:], strict=True))
        assert loader.padding == padding


def test_sampling_segments_anew_in_every_epoch(corpus: EncodedCorpus, tokenizer: Tokenizer) -> None:
    loader = TrainingLoader(corpus, batch_tokens=300, seed=1, shuffle_window=250, sampling=both(tokenizer))
    best = of_corpus(corpus)

    def texts(found: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> list[tuple[str, ...]]:
        return sorted(tuple(tokenizer.decode([list(ids) for ids in pair])) for pair in found)

    first, second = pairs(loader.epoch(0)), pairs(loader.epoch(1))
    assert texts(first) == texts(second) == texts(best)
    assert sum(pair in set(second) for pair in first) < len(first) / 2
    assert sum(pair in set(best) for pair in first) < len(first) / 2
    assert max(len(ids) for pair in first for ids in pair) <= MAX_PIECES
    assert any(len(ids) == MAX_PIECES for pair in first + second for ids in pair)


@pytest.mark.parametrize("sampled", [False, True])
def test_threads_end_with_an_epoch_that_is_left(corpus: EncodedCorpus, tokenizer: Tokenizer, sampled: bool) -> None:
    sampling = both(tokenizer) if sampled else None
    loader = TrainingLoader(corpus, batch_tokens=100, seed=1, shuffle_window=100, sampling=sampling)
    batches = loader.epoch(0)
    next(batches)
    del batches
    deadline = time.monotonic() + 5
    while any(thread.name == "prefetch" for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.mark.parametrize("sampled", [0, 1])
def test_one_side_may_be_sampled(corpus: EncodedCorpus, tokenizer: Tokenizer, sampled: int) -> None:
    source, target = (tokenizer, None) if sampled == 0 else (None, tokenizer)
    sampling = SubwordSampling(source_tokenizer=source, target_tokenizer=target, alpha=0.1)
    found = pairs(TrainingLoader(corpus, batch_tokens=300, seed=1, sampling=sampling).epoch(0))
    assert sorted(pair[1 - sampled] for pair in found) == sorted(pair[1 - sampled] for pair in of_corpus(corpus))
    assert sorted(pair[sampled] for pair in found) != sorted(pair[sampled] for pair in of_corpus(corpus))


def test_sampling_needs_the_text(tmp_path: Path, tokenizer: Tokenizer) -> None:
    for language in ("en", "fr"):
        (tmp_path / f"train.{language}").write_text("lo\n", encoding="utf-8")
    corpus = encode(tmp_path, tokenizer, keep_text=False)
    with pytest.raises(ValueError, match="keep_text=True"):
        TrainingLoader(corpus, batch_tokens=10, seed=1, sampling=both(tokenizer))
    assert [batch.size for batch in TrainingLoader(corpus, batch_tokens=1, seed=1).epoch(0)] == [1]


def test_sizes_are_multiples(corpus: EncodedCorpus) -> None:
    batches = list(TrainingLoader(corpus, batch_tokens=300, seed=1, multiple_of=8).epoch(0))
    sizes = [batch.size for batch in batches]
    assert sum(size % 8 != 0 for size in sizes) <= 1
    assert sum(sizes) == len(corpus)


def test_validation_batches_are_always_the_same(corpus: EncodedCorpus) -> None:
    loader = ValidationLoader(corpus, batch_tokens=300)
    batches = list(loader)
    assert len(loader) == len(batches)
    assert sorted(index for indices, _ in batches for index in indices.tolist()) == list(range(len(corpus)))
    expected = of_corpus(corpus)
    for indices, batch in batches:
        assert pairs([batch]) == [expected[index] for index in indices]
    widths = [max(batch.source.shape[1], batch.target_out.shape[1]) for _, batch in batches]
    assert widths == sorted(widths)
    assert all(same(one, other) for (_, one), (_, other) in zip(batches, loader, strict=True))
    assert loader.padding.padding == sum(batch.padding for _, batch in batches)


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize(("group", "processes"), [(3, 3), (4, 2), (2, 1)])
def test_shares_are_disjoint_and_together_the_epoch(
    corpus: EncodedCorpus,
    tokenizer: Tokenizer,
    group: int,
    processes: int,
    sampled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sampling = both(tokenizer) if sampled else None

    def loader() -> TrainingLoader:
        return TrainingLoader(corpus, batch_tokens=300, seed=4, shuffle_window=250, sampling=sampling)

    whole = list(loader().epoch(1))
    start = 5
    shares = [
        list(loader().shares(1, start_batch=start, group=group, rank=rank, processes=processes))
        for rank in range(processes)
    ]
    seeds = {}
    for number, parts in enumerate(zip(*shares, strict=True)):
        expected = whole[start + number * group :][:group]
        assert {part.group for part in parts} == {len(expected)}
        assert {part.target_tokens for part in parts} == {sum(batch.target_tokens for batch in expected)}
        assert {part.source_tokens for part in parts} == {sum(batch.source_tokens for batch in expected)}
        for rank, part in enumerate(parts):
            own = expected[rank::processes]
            assert len(part.batches) == len(part.seeds) == len(own)
            assert all(same(one, other) for one, other in zip(part.batches, own, strict=True))
            seeds |= {start + number * group + rank + processes * i: seed for i, seed in enumerate(part.seeds)}
    assert sorted(seeds) == list(range(start, len(whole)))  # every batch once
    assert len(set(seeds.values())) == len(seeds)
    alone = [seed for share in loader().shares(1, group=1) for seed in share.seeds]
    assert [seeds[number] for number in sorted(seeds)] == alone[start:]
    assert alone != [seed for share in loader().shares(2, group=1) for seed in share.seeds]

    made = []
    monkeypatch.setattr("seq2seq.data.loader._gather", lambda *_, **__: made.append(1))
    shares = [list(loader().shares(1, group=group, rank=0, processes=processes))]
    assert len(made) == sum(len(share.batches) for share in shares[0]) <= -(-len(whole) // processes) + group
