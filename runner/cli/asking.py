"""A person at the terminal: whether there is one, and whether they say yes. Questions go to stderr, like all talk."""

import select
import sys
import time

from runner.cli import output
from runner.hosts.stop import Stop
from runner.report.safe import clean

_LOOK = 0.2
"""Seconds between two looks at the stop, while nobody answers."""


def is_there() -> bool:
    """Whether somebody can read a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and output.is_terminal("stderr")


def says_yes(question: str) -> bool:
    """Ask, until the answer is one. No answer at all, the end of the input, is a no.

    `question` is made safe to print here; nothing in it may stand first in its line.
    """
    while True:
        output.say_lines(f"? {clean(question)} [y/N] ")
        answer = _line()
        match answer.strip().casefold():
            case "y" | "yes":
                return True
            case "n" | "no" | "":
                if not answer:
                    output.say_lines("\n")
                return False


def answer_of(question: str, stop: Stop, seconds: float | None) -> bool | None:
    """What a person says to a question of a run; None where the stop was told, or `seconds` passed, before an answer.

    Windows cannot look at its terminal without reading from it, so there the question stays until it is answered.
    """
    if sys.platform == "win32":
        return says_yes(question)
    ends = None if seconds is None else time.monotonic() + seconds
    output.say_lines(f"? {clean(question)} [y/N] ")
    while stop.why is None and (ends is None or time.monotonic() < ends):
        readable, _, _ = select.select([sys.stdin], [], [], _LOOK)
        if readable:
            return _line().strip().casefold() in ("y", "yes")
    output.say_lines("\n")
    return None


def _line() -> str:
    """What somebody typed; nothing where the terminal has gone, or it is no text."""
    try:
        return sys.stdin.readline()
    except (OSError, UnicodeDecodeError):
        return ""
