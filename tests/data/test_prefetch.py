import gc
import threading
import time
from collections.abc import Iterator

import pytest

from seq2seq.data.prefetch import prefetch


def workers() -> int:
    return sum(thread.name == "prefetch" for thread in threading.enumerate())


def test_everything_arrives_in_order() -> None:
    assert list(prefetch(lambda: iter(range(100)), depth=3)) == list(range(100))
    assert list(prefetch(lambda: iter(()), depth=1)) == []
    assert workers() == 0


def test_work_goes_ahead_but_not_further_than_depth() -> None:
    made: list[int] = []

    def produce() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = prefetch(produce, depth=4)
    assert made == []
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.05)
    # One was taken, four lie ready, and at most one more is in the worker's hands.
    assert 5 <= len(made) <= 6
    items.close()  # type: ignore[attr-defined]


def test_work_is_done_in_another_thread() -> None:

    def produce() -> Iterator[int]:
        yield threading.get_ident()

    assert list(prefetch(produce, depth=1)) != [threading.get_ident()]


def test_an_exception_comes_after_what_was_made_before_it() -> None:
    def produce() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("third")

    items = prefetch(produce, depth=5)
    assert next(items) == 1
    assert next(items) == 2
    with pytest.raises(ValueError, match="third"):
        next(items)
    assert workers() == 0


@pytest.mark.parametrize("way", ["close", "forget", "break"])
def test_the_thread_ends_with_its_consumer(way: str) -> None:
    closed = threading.Event()

    def produce() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield (number := number + 1)
        finally:
            closed.set()

    items = prefetch(produce, depth=2)
    assert next(items) == 1
    if way == "close":
        items.close()  # type: ignore[attr-defined]
    elif way == "forget":
        del items
        gc.collect()
    else:
        for _ in items:
            break
        del items
    assert closed.wait(5)
    assert workers() == 0
