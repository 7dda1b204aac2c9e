"""What the libraries of a worker warn of, as lines of its messages."""

import contextlib
import logging
from collections.abc import Callable, Iterator


class _LibraryWarnings(logging.Handler):
    """Hands on the first line of what a library warns of."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        lines = record.getMessage().strip().splitlines()
        reason = f": {record.exc_info[1]!r}" if record.exc_info and record.exc_info[1] else ""
        self._say(f"{record.name}: {lines[0] if lines else ''}{reason}")


@contextlib.contextmanager
def library_messages(say: Callable[[str], None]) -> Iterator[None]:
    """Hand `say` what libraries would write to stderr, but for outages and parked runs, which are known here."""
    for name in ("procrastinate", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # no level is above
    handler, root = _LibraryWarnings(say), logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.removeHandler(handler)
