import numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.data.filtering import REASONS, FilterReport, PairFilter


def reasons(pairs: list[tuple[int, int]], pair_filter: PairFilter) -> list[str | None]:
    sources, targets = (numpy.array(side, dtype=numpy.int64) for side in zip(*pairs, strict=True))
    found: list[str | None] = [None] * len(pairs)
    for reason, affected in pair_filter.reasons(sources, targets).items():
        for place in numpy.flatnonzero(affected):
            assert found[place] is None
            found[place] = reason
    return found


def test_limits_are_the_last_that_stay() -> None:
    pairs = [(0, 0), (0, 5), (5, 0), (10, 10), (11, 10), (10, 11), (11, 11), (3, 9), (3, 10), (9, 3), (10, 3), (1, 3)]
    assert reasons(pairs, PairFilter(max_pieces=10, max_length_ratio=3.0)) == [
        *("empty_source", "empty_source", "empty_target", None, "source_too_long", "target_too_long"),
        *("source_too_long", None, "length_ratio", None, "length_ratio", None),
    ]
    assert reasons([(2, 2), (2, 3)], PairFilter(max_length_ratio=1.0)) == [None, "length_ratio"]
    assert reasons([(1, 99_999), (0, 1)], PairFilter()) == [None, "empty_source"]


@settings(deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1),
    longest=st.integers(1, 12),
    ratio=st.sampled_from([1.0, 1.5, 2.0, 9.0]),
)
def test_against_a_loop(pairs: list[tuple[int, int]], longest: int, ratio: float) -> None:
    def reason(source: int, target: int) -> str | None:
        if source == 0 or target == 0:
            return "empty_source" if source == 0 else "empty_target"
        if source > longest or target > longest:
            return "source_too_long" if source > longest else "target_too_long"
        return "length_ratio" if max(source, target) / min(source, target) > ratio else None

    expected = [reason(source, target) for source, target in pairs]
    assert reasons(pairs, PairFilter(max_pieces=longest, max_length_ratio=ratio)) == expected


def test_the_report_says_what_is_missing() -> None:
    report = FilterReport(read=12_345, empty_source=1, target_too_long=2_000, length_ratio=4)
    assert (report.left_out, report.kept) == (2_005, 10_340)
    assert report.describe() == (
        "12,345 pairs read, 10,340 kept; left out: 1 with an empty source, 2,000 with too long a target, "
        "4 of an odd length ratio"
    )
    assert FilterReport(read=1).describe() == "1 pair read, all kept"
    assert {*REASONS, "read"} == set(FilterReport.__dataclass_fields__)
