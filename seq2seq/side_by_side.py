"""Work on a CPU in several threads, each with one core: one long product after the other leaves cores idle between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(items: Sequence[Item], work: Callable[[Item], Result], *, threads: int) -> list[Result]:
    """Results of `work` for every item, in order, in so many threads whose own products take one thread each.

    PyTorch lets other threads run while it computes. Where one thread or one item is all there is, the work is done
    here, with all of PyTorch's threads. The first error, in the order of the items, is raised, and what has not begun
    by then does not begin.
    """
    if threads < 2 or len(items) < 2:
        return [work(item) for item in items]
    of_one_product = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(min(threads, len(items)), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(work, items))
    finally:
        # It is a thread's own number, but PyTorch takes the last one that was set for threads to come.
        torch.set_num_threads(of_one_product)
