"""What is said when a command is told to stop: what happens now, for how long, and what was left undone."""

import os
import sys
from collections.abc import Callable

import click

from runner.durations import written
from runner.hosts.stop import Stop


def hearing(grace: float, *, begun: Callable[[], bool]) -> Callable[[str], None]:
    """Who tells of the first signal. It is said from the signal's handler, so past the buffers it may interrupt.

    `begun` says whether any run has begun by then.
    """

    def told(name: str) -> None:
        os.write(sys.stderr.fileno(), (_words(name, grace) if begun() else _NOTHING.format(name)).encode())

    return told


def tell_of_giving_up(stop: Stop, grace: float) -> None:
    """Said when nobody waits for the runs any longer; how each of them stands is told after it."""
    why = f"the grace of {written(grace)} is over" if stop.is_over() else "interrupted again"
    click.echo(f"{why}: ended here; what was under way is not waited for, and `undo` and `finally` stop too", err=True)


_NOTHING = "{}: no run has begun, and none will\n"


def _words(name: str, grace: float) -> str:
    return (
        f"{name}: no further step begins; a call in flight may still be answered; then `undo` and `finally`, "
        f"all within {written(grace)}; a second Ctrl-C ends it now\n"
    )
