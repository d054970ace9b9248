from __future__ import annotations

from collections.abc import Iterator

import numpy
import pytest

from seq2seq.shortlist import learn_shortlist, learning, lexical_probabilities

DAS, HAUS, BUCH, EIN = range(4)
THE, HOUSE, BOOK, A = range(4)
PAIRS = [([DAS, HAUS], [THE, HOUSE]), ([DAS, BUCH], [THE, BOOK]), ([EIN, BUCH], [A, BOOK])]


def read() -> Iterator[tuple[list[int], list[int]]]:
    return iter(PAIRS)


@pytest.mark.parametrize("links_at_once", [1, 1000])
@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        # Koehn (2010), Statistical Machine Translation, figure 4.4.
        (1, {(DAS, THE): 0.5, (DAS, BOOK): 0.25, (DAS, HOUSE): 0.25, (EIN, A): 0.5, (HAUS, HOUSE): 0.5}),
        (2, {(DAS, THE): 0.6364, (DAS, BOOK): 0.1818, (BUCH, BOOK): 0.6364, (EIN, A): 0.5714, (HAUS, THE): 0.4286}),
        (3, {(DAS, THE): 0.7479, (DAS, BOOK): 0.1208, (BUCH, A): 0.1313, (EIN, A): 0.6534, (HAUS, HOUSE): 0.6534}),
    ],
)
def test_the_textbook_example(
    monkeypatch: pytest.MonkeyPatch, iterations: int, expected: dict[tuple[int, int], float], links_at_once: int
) -> None:
    monkeypatch.setattr(learning, "_LINKS_AT_ONCE", links_at_once)
    keys, probabilities = lexical_probabilities(read, source_vocabulary=4, target_vocabulary=4, iterations=iterations)
    found = {divmod(int(key), 4): float(p) for key, p in zip(keys, probabilities, strict=True)}
    for pair, probability in expected.items():
        assert found[pair] == pytest.approx(probability, abs=5e-5)
    assert (HAUS, A) not in found  # never in one pair
    sums = numpy.bincount(keys // 4, probabilities)
    assert sums == pytest.approx([1.0] * 4)


def test_a_shortlist_has_the_most_probable_the_most_frequent_and_the_same() -> None:
    shortlist = learn_shortlist(
        read,
        source_vocabulary=6,
        target_vocabulary=7,
        always=[6],
        same={5: 4},
        most=1,
        common=1,
    )
    assert shortlist.common.tolist() == [THE, 6]  # as frequent as book, and before it
    assert shortlist.likely.tolist() == [[THE, THE], [HOUSE, THE], [BOOK, THE], [A, THE], [THE, THE], [THE, 4]]


def test_an_empty_corpus_leaves_what_is_there_always() -> None:
    shortlist = learn_shortlist(
        lambda: iter([([], [1]), ([1], [])]), source_vocabulary=2, target_vocabulary=3, always=[2], same={}, most=3,
        common=1,
    )  # fmt: skip
    assert shortlist.common.tolist() == [1, 2]
    assert shortlist.likely.tolist() == [[1] * 4] * 2
