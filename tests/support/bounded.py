"""Work that stays within bounds: it ends, whatever machine it is done on, where work that explodes never would."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

MOST_SECONDS = 60
"""Of the processor: fifty times and more of what such work takes. How fast it is shows `tests/bench`, not a test."""


@contextmanager
def bounded(seconds: int = MOST_SECONDS) -> Iterator[None]:
    """Fails if the block takes more than `seconds` of the processor, which other programs do not take from it."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < seconds
