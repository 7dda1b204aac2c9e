"""How many examples a property is tried with: half of those that a test asks for, and all with `--long`."""

from typing import Final

from hypothesis import settings

SOME: Final = 50
"""Examples where a test names no number; with `--long` twice as many."""
LONG: Final = 100


def some(number: int) -> int:
    """Half of `number`, or all with `--long`."""
    return number * settings().max_examples // LONG
