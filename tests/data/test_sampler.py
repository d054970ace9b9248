import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from seq2seq.data.sampler import Padding, cut_batches, epoch_order, generator_of, plan_batches, sort_by_length, windows

LENGTHS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=80)


def sides(pairs: list[tuple[int, int]]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
    source, target = zip(*pairs, strict=True)
    return numpy.array(source, dtype=numpy.int64), numpy.array(target, dtype=numpy.int64)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    first = epoch_order(1_000, seed=3, epoch=5)
    numpy.random.default_rng(0).random(5)
    assert sorted(first.tolist()) == list(range(1_000))
    assert first.tolist() == epoch_order(1_000, seed=3, epoch=5).tolist()
    assert first.tolist() != epoch_order(1_000, seed=3, epoch=6).tolist()
    assert first.tolist() != epoch_order(1_000, seed=4, epoch=5).tolist()
    assert generator_of(1, 2, 3).random() != generator_of(1, 3, 2).random()


@pytest.mark.parametrize(("pairs", "size"), [(1, 1), (10, 3), (10, 10), (10, 99), (1_000_001, 1_000_000)])
def test_windows_are_equal_and_cover_everything(pairs: int, size: int) -> None:
    found = windows(pairs, size=size)
    assert [number for window in found for number in range(pairs)[window]] == list(range(pairs))
    widths = [window.stop - window.start for window in found]
    assert max(widths) <= size
    assert max(widths) - min(widths) <= 1


@settings(deadline=None)
@given(pairs=LENGTHS, budget=st.integers(1, 200), multiple=st.sampled_from([1, 2, 4, 8]))
def test_batches_hold_every_pair_once_within_the_budget(
    pairs: list[tuple[int, int]], budget: int, multiple: int
) -> None:
    source, target = sides(pairs)
    batches, padding = plan_batches(source, target, batch_tokens=budget, multiple_of=multiple)
    assert sorted(place for batch in batches for place in batch.tolist()) == list(range(len(pairs)))
    cells = 0
    for number, batch in enumerate(batches):
        longest_source, longest_target = source[batch].max(), target[batch].max()
        assert len(batch) == 1 or len(batch) * max(longest_source, longest_target) <= budget
        assert len(batch) < multiple or len(batch) % multiple == 0 or number == len(batches) - 1
        cells += len(batch) * int(longest_source + longest_target)
    assert padding == Padding(cells, cells - int(source.sum() + target.sum()))


@settings(deadline=None)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=60), budget=st.integers(1, 200))
def test_cutting_against_a_loop(lengths: list[int], budget: int) -> None:
    """Take pairs one after the other, and begin a new batch whenever the next would not fit."""
    expected = [0]
    for place in range(1, len(lengths)):
        grown = lengths[expected[-1] : place + 1]
        if len(grown) * max(grown) > budget:
            expected.append(place)
    assert cut_batches(numpy.array(lengths), batch_tokens=budget).tolist() == [*expected, len(lengths)]


def test_sorting_by_hand() -> None:
    # Longer sides 2, 3, 3, 3, 4, 4: the differences rise in even lengths and fall in odd ones; equals stay in order.
    pairs = [(4, 1), (3, 3), (4, 4), (1, 3), (2, 2), (3, 3)]
    assert sort_by_length(*sides(pairs)).tolist() == [4, 1, 5, 3, 2, 0]
    assert sort_by_length(*sides([(4, 4), (1, 4)])).tolist() == [1, 0]


def test_neighbours_are_alike() -> None:
    """Of many pairs as corpora have them, little is padding: a twentieth on both sides together."""
    generator = numpy.random.default_rng(1)
    source = generator.poisson(15, 30_000) + 2
    target = numpy.maximum(1, (source * 1.15 + generator.normal(0, 2.5, 30_000)).astype(int))
    batches, padding = plan_batches(source, target, batch_tokens=4096)
    assert padding.share < 0.05
    assert all(len(batch) > 20 for batch in batches)
    widths = [int(numpy.maximum(source[batch], target[batch]).max()) for batch in batches]
    assert widths == sorted(widths)


def test_padding_adds_up() -> None:
    total = sum([Padding(10, 1), Padding(30, 3)], Padding())
    assert (total, total.share, Padding().share) == (Padding(40, 4), 0.1, 0.0)


def test_lengths_in_multiples() -> None:
    """Batches are those of the rounded lengths, and the padding counts up to them."""
    # Longer sides 1, 3, 4, 5, 8 count as 4, 4, 4, 8, 8: of 16 places 4 pairs of 4, or 2 of 8.
    source, target = sides([(1, 1), (2, 3), (4, 4), (5, 1), (8, 6)])
    batches, padding = plan_batches(source, target, batch_tokens=16, length_multiple=4)
    assert [batch.tolist() for batch in batches] == [[0, 1, 2], [3, 4]]
    assert padding == Padding(3 * (4 + 4) + 2 * (8 + 8), 56 - 20 - 15)


@settings(deadline=None)
@given(pairs=LENGTHS, budget=st.integers(1, 200), multiple=st.sampled_from([2, 4, 8]))
def test_rounded_batches_fit(pairs: list[tuple[int, int]], budget: int, multiple: int) -> None:
    source, target = sides(pairs)
    batches, _ = plan_batches(source, target, batch_tokens=budget, length_multiple=multiple)
    assert sorted(place for batch in batches for place in batch.tolist()) == list(range(len(pairs)))
    for batch in batches:
        longest = max(int(source[batch].max()), int(target[batch].max()))
        assert len(batch) == 1 or len(batch) * (longest + -longest % multiple) <= budget
