import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2seq.data.batch import Batch, make_batch, make_source

SPECIAL = {"source_eos_id": 9, "source_pad_id": 8, "bos_id": 2, "eos_id": 3, "pad_id": 0}


def test_a_batch_by_hand() -> None:
    batch = make_batch([[5, 6, 7], [4]], [[11], [12, 13]], **SPECIAL)
    assert batch.source.tolist() == [[5, 6, 7, 9], [4, 9, 8, 8]]
    assert batch.source_lengths.tolist() == [4, 2]
    assert batch.target_in.tolist() == [[2, 11, 0], [2, 12, 13]]
    assert batch.target_out.tolist() == [[11, 3, 0], [12, 13, 3]]
    assert batch.target_lengths.tolist() == [2, 3]
    assert batch.source_mask.tolist() == [[True] * 4, [True, True, False, False]]
    assert batch.target_mask.tolist() == [[True, True, False], [True] * 3]
    assert (batch.size, batch.source_tokens, batch.target_tokens, batch.cells, batch.padding) == (2, 6, 5, 14, 3)
    tensors = (batch.source, batch.source_lengths, batch.target_in, batch.target_out, batch.target_lengths)
    assert {tensor.dtype for tensor in tensors} == {torch.int64}
    assert {batch.source_mask.dtype, batch.target_mask.dtype} == {torch.bool}


def test_the_source_alone() -> None:
    source, lengths = make_source([[5], [], [6, 7]], eos_id=3, pad_id=0)
    assert source.tolist() == [[5, 3, 0], [3, 0, 0], [6, 7, 3]]
    assert lengths.tolist() == [2, 1, 3]


ROWS = st.lists(st.lists(st.integers(10, 99), max_size=6), min_size=1, max_size=5)


@settings(deadline=None)
@given(sources=ROWS, targets=ROWS)
def test_against_loops(sources: list[list[int]], targets: list[list[int]]) -> None:
    number = min(len(sources), len(targets))
    sources, targets = sources[:number], targets[:number]
    batch = make_batch(sources, targets, **SPECIAL)
    longest_source, longest_target = max(map(len, sources)), max(map(len, targets))
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        assert batch.source[row].tolist() == [*source, 9] + [8] * (longest_source - len(source))
        assert batch.target_in[row].tolist() == [2, *target] + [0] * (longest_target - len(target))
        assert batch.target_out[row].tolist() == [*target, 3] + [0] * (longest_target - len(target))
    assert batch.source_tokens == int(batch.source_mask.sum()) == sum(len(source) + 1 for source in sources)
    assert batch.target_tokens == int(batch.target_mask.sum()) == sum(len(target) + 1 for target in targets)


def test_moving_keeps_everything() -> None:
    batch = make_batch([[5, 6]], [[7]], **SPECIAL)
    moved = batch.to("cpu")
    assert isinstance(moved, Batch)
    assert torch.equal(moved.source, batch.source)
    assert torch.equal(moved.target_in, batch.target_in)
    assert torch.equal(moved.target_out, batch.target_out)
    assert torch.equal(moved.source_lengths, batch.source_lengths)
    assert torch.equal(moved.target_lengths, batch.target_lengths)
    assert (moved.source_tokens, moved.target_tokens) == (3, 2)


def test_what_makes_no_batch() -> None:
    with pytest.raises(ValueError, match="at least one sentence"):
        make_batch([], [], **SPECIAL)
    with pytest.raises(ValueError, match="not 1 sources and 2 targets"):
        make_batch([[1]], [[1], [2]], **SPECIAL)
