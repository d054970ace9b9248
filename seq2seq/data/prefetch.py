"""Working ahead: a generator runs in a background thread, a few items before its consumer."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

#: Seconds that a consumer who stops early waits for the thread to end.
_PATIENCE = 1.0


def prefetch(produce: Callable[[], Iterator[Item]], *, depth: int) -> Iterator[Item]:
    """Give what `produce` gives, made in one background thread at most `depth` items ahead.

    The thread starts with the first item asked for. What `produce` raises is raised here, after the items before it.
    When the consumer stops early, closes this generator or forgets it, the thread ends after the item it is making, and
    the generator that `produce` gave is closed in it.
    """
    ready: deque[Item] = deque()
    failures: list[BaseException] = []
    free, filled, stop = threading.Semaphore(depth), threading.Semaphore(0), threading.Event()

    def work() -> None:
        try:
            items = produce()
            try:
                for item in items:
                    ready.append(item)
                    filled.release()
                    del item  # or it would stay alive here while the next is waited for
                    free.acquire()
                    if stop.is_set():
                        return
            finally:
                if hasattr(items, "close"):
                    items.close()
        except BaseException as error:
            failures.append(error)
        finally:
            filled.release()

    worker = threading.Thread(target=work, name="prefetch", daemon=True)
    worker.start()
    try:
        while True:
            filled.acquire()
            if not ready:  # the worker's last release stands for its end
                break
            item = ready.popleft()
            free.release()
            yield item
            del item
        if failures:
            raise failures[0]
    finally:
        stop.set()
        free.release()
        # What is being made may take long, and who stops early, at an interrupt say, must not wait for it. The garbage
        # collector may even close this generator in the worker itself.
        if threading.current_thread() is not worker:
            worker.join(timeout=_PATIENCE)
