import numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.data.flat import FlatSentences

ROWS = st.lists(st.lists(st.integers(0, 65_535), max_size=5), min_size=1, max_size=8)


@settings(deadline=None)
@given(rows=ROWS, choice=st.lists(st.integers(0, 7), max_size=12))
def test_sentences_are_taken_in_any_order(rows: list[list[int]], choice: list[int]) -> None:
    flat = FlatSentences.of_rows(rows, dtype=numpy.dtype(numpy.uint16))
    indices = [index % len(rows) for index in choice]
    expected = [rows[index] for index in indices]
    for kind in (numpy.int64, numpy.uint32):
        values, lengths = flat.take(numpy.array(indices, dtype=kind))
        assert values.tolist() == [number for row in expected for number in row]
        assert lengths.tolist() == flat.lengths(numpy.array(indices, dtype=kind)).tolist() == list(map(len, expected))
    assert len(flat) == len(rows)
    assert flat.lengths().tolist() == list(map(len, rows))
    assert [row.tolist() for row in flat.rows()] == rows


def test_parts_are_joined() -> None:
    kind = numpy.dtype(numpy.int32)
    parts = [FlatSentences.of_rows(rows, dtype=kind) for rows in ([[1, 2], []], [[3]])]
    joined = FlatSentences.joined(parts)
    assert joined.values.tolist() == [1, 2, 3]
    assert joined.offsets.tolist() == [0, 2, 2, 3]


def test_text() -> None:
    texts = ["déjà", "", "日本 \u2028"]
    flat = FlatSentences.of_rows([text.encode() for text in texts], dtype=numpy.dtype(numpy.uint8))
    assert flat.texts(numpy.array([2, 0, 1, 2])) == ["日本 \u2028", "déjà", "", "日本 \u2028"]
