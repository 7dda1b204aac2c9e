"""Where the command begins: sets signal handlers, then calls `runner.cli.main`.

A signal during the imports ends the program at once: an exception in an import may be swallowed, or leave a module
locked.
"""

import gc
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from runner.cli import import_libraries

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def main() -> NoReturn:
    """The command `runner`. It does not come back."""
    _fill_the_first_three()
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    gc.disable()  # until the verb is imported: what is imported stays, and is searched for garbage in vain
    import_libraries()
    from runner.cli.main import ended  # noqa: PLC0415  what it imports may take half a second

    code = ended(sys.argv[1:])
    os._exit(code)  # nothing is left to be written; to take everything apart takes 10 ms, after many runs 25


def _fill_the_first_three() -> None:
    """Let no file of ours, such as a journal, get the number of a standard stream that the caller has closed."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:  # noqa: PLR2004  stdin, stdout, stderr
        os.set_inheritable(number, True)  # noqa: FBT003  its only way
    os.close(number)


def _leave(number: int, frame: FrameType | None) -> None:
    """End with the code of a program that a signal has ended. Nothing of ours is under way that had to be finished."""
    del frame
    os._exit(128 + number)
