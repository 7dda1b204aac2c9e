"""Which worker of pytest begins with which tests.

`--dist worksteal` gives each worker a part of the list, and a worker that is ready takes half of what another has left.
A test of twenty seconds that is taken last is waited for by all; so each part begins with its share of such tests. Some
of them wait and others compute: every second part gets the former, so that no processor is idle meanwhile.
"""

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

T = TypeVar("T")


def dealt(tests: Sequence[T], *, workers: int, waits: Callable[[T], bool], computes: Callable[[T], bool]) -> list[T]:
    """The tests in an order in which the part of each worker begins with its share of those that `waits` or `computes`
    name.
    """
    pairs = zip_longest(filter(waits, tests), filter(computes, tests))
    first = [test for test in chain.from_iterable(pairs) if test is not None]
    later = [test for test in tests if not waits(test) and not computes(test)]
    others = iter(later)
    order: list[T] = []
    for worker, size in enumerate(_sizes(len(tests), workers)):
        own = first[worker::workers]
        order += own + [test for _, test in zip(range(size - len(own)), others, strict=False)]
    return order + list(others)


def _sizes(count: int, workers: int) -> list[int]:
    """How many tests each worker gets, as `WorkStealingScheduling.check_schedule` divides them."""
    sizes: list[int] = []
    for left in range(workers, 0, -1):
        sizes.append((count - sum(sizes)) // left)
    return sizes
