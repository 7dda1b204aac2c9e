"""Which worker of pytest begins with which tests.

`--dist worksteal` gives each worker a part of the list, and a worker that is ready takes half of what another has left.
A test of twenty seconds that is taken last is waited for by all; so each part begins with its share of such tests.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def dealt(tests: Sequence[T], *, workers: int, is_first: Callable[[T], bool]) -> list[T]:
    """The tests in an order in which the part of each worker begins with its share of those that come first."""
    first: list[T] = []
    later: list[T] = []
    for test in tests:
        (first if is_first(test) else later).append(test)
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
