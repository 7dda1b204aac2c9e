"""In a forked command: a clock that the test advances with a signal."""

import signal
import time
from importlib import import_module
from unittest import mock


def advance_at_signal(*, module: str, seconds: float) -> None:
    """For `module`, this time passes at once when the command gets SIGUSR1."""
    clock = mock.Mock(wraps=time)
    mock.patch.object(import_module(module), "time", clock).start()
    signal.signal(
        signal.SIGUSR1, lambda *_: clock.monotonic.configure_mock(side_effect=lambda: time.monotonic() + seconds)
    )
