from __future__ import annotations

import threading

import pytest
import torch

from seq2seq.side_by_side import side_by_side


@pytest.fixture(autouse=True)
def _threads_of_torch() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_are_in_order(threads: int) -> None:
    assert side_by_side([3, 1, 2], lambda item: item * 10, threads=threads) == [30, 10, 20]
    assert side_by_side([], lambda item: item, threads=threads) == []


def test_every_thread_computes_with_one_core_and_the_caller_keeps_its_own() -> None:
    torch.set_num_threads(2)
    both = threading.Barrier(2, timeout=20)  # passes when two items are worked on at once

    def work(item: int) -> tuple[int, bool]:
        both.wait()
        return torch.get_num_threads(), threading.current_thread() is threading.main_thread()

    assert side_by_side([0, 1, 2, 3], work, threads=2) == [(1, False)] * 4
    assert torch.get_num_threads() == 2
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [2]


def test_alone_there_is_no_thread() -> None:
    torch.set_num_threads(2)
    found = side_by_side([0], lambda item: (torch.get_num_threads(), threading.current_thread().name), threads=4)
    assert found == [(2, threading.current_thread().name)]


def test_the_first_error_is_raised_and_what_has_not_begun_does_not_begin() -> None:
    begun = []
    failed = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            failed.set()
            raise ValueError("no such thing")
        failed.wait(20)
        return item

    with pytest.raises(ValueError, match="no such thing"):
        side_by_side(list(range(1000)), work, threads=2)
    assert len(begun) < 1000
