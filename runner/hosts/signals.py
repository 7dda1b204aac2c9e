"""Signals of the operating system, turned into a `Stop`. Only the main thread may listen."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from runner.hosts.stop import Stop

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Windows knows no SIGHUP; what a system does not know is not listened for."""


@contextmanager
def listening(stop: Stop, given_up: threading.Event, *, told: Callable[[str], None]) -> Iterator[None]:
    """The first signal tells `stop`, and `told` its name, inside of the handler.

    A second SIGINT says that nobody waits any longer: it sets `given_up`. A hang-up that was told to be ignored, as
    `nohup` does, is ignored.
    """

    def hear(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.why is None:
            stop.tell(signal.Signals(number).name)
            told(signal.Signals(number).name)
        elif number == signal.SIGINT:
            given_up.set()

    known = [number for name in _NAMES if (number := getattr(signal, name, None)) and not _is_ignored(number)]
    before = {number: signal.signal(number, hear) for number in known}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_ignored(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN
