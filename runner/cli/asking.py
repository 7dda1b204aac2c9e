"""A person at the terminal: whether there is one, and whether they say yes. Questions go to stderr, like all talk."""

import select
import sys
import time

from runner.cli import output
from runner.engine.effects import Ask
from runner.hosts.stop import Stop
from runner.reports.safe import clean
from runner.reports.words import said

_LOOK = 0.2
"""Seconds between two looks at the stop, while nobody answers."""


def is_there() -> bool:
    """Whether somebody can read a question and answer it."""
    return sys.stdin is not None and sys.stdin.isatty() and output.is_terminal("stderr")


def says_yes(question: str, *, explained: str | None = None) -> bool:
    """Ask, until the answer is one. No answer at all, the end of the input, is a no.

    `question` is made safe to print here; nothing in it may stand first in its line. `explained` is shown to whoever
    answers with `?`, or with something that is no answer.
    """
    while True:
        _put(question)
        meant = _meaning(_line(), explained)
        if meant is not None:
            return meant


def answer_of(ask: Ask, stop: Stop, seconds: float | None) -> bool | None:
    """What a person says to a question of a run; None where the stop was told, or `seconds` passed, before an answer.

    Windows cannot look at its terminal without reading from it, so there the question stays until it is answered.
    """
    if sys.platform == "win32":
        return says_yes(ask.text, explained=ask.help)
    ends = None if seconds is None else time.monotonic() + seconds
    _put(ask.text)
    while stop.why is None and (ends is None or time.monotonic() < ends):
        readable, _, _ = select.select([sys.stdin], [], [], _LOOK)
        if readable:
            meant = _meaning(_line(), ask.help)
            if meant is not None:
                return meant
            _put(ask.text)
    output.say_lines("\n")
    return None


def _put(question: str) -> None:
    output.say_lines(f"? {clean(question)} [y/N] ")


def _meaning(answer: str, explained: str | None) -> bool | None:
    """What an answer means; None of one that is none, after it was explained what is."""
    match answer.strip().casefold():
        case "y" | "yes":
            return True
        case "n" | "no" | "":
            if not answer:
                output.say_lines("\n")
            return False
    lines = said("help", explained) if explained else []
    output.say_lines("".join(f"  {line}\n" for line in (*lines, "`y` is a yes; `n`, or nothing, is a no")))
    return None


def _line() -> str:
    """What somebody typed; nothing where the terminal has gone, or it is no text."""
    try:
        return sys.stdin.readline()
    except (OSError, UnicodeDecodeError):
        return ""
