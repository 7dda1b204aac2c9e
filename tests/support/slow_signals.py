"""In a forked command: a machine so busy that the handler of a signal takes longer than a look at the clock."""

import signal
import time
from collections.abc import Callable
from types import FrameType
from unittest import mock


def handle_late(*, seconds: float) -> None:
    """Every handler of a signal takes so long from here on."""
    really = signal.signal

    def set_handler(number: int, handler: object) -> object:
        return really(number, _late(handler, seconds) if callable(handler) else handler)  # type: ignore[arg-type]

    mock.patch.object(signal, "signal", set_handler).start()


def begin_no_run() -> None:
    """The thread of a run hangs before its first event."""
    hangs = mock.Mock(side_effect=lambda *_: time.sleep(3600))
    mock.patch("runner.execution.run_pool._carry", hangs).start()


def _late(
    handler: Callable[[int, FrameType | None], object], seconds: float
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        handler(number, frame)
        time.sleep(seconds)

    return handle
