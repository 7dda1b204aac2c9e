"""What people read: mistakes in their files, and exit codes.

A mistake of the user is a `Problem` value; all are collected, then printed. What codes mean is in `explanations/`. A
code is a promise: it is never given another meaning. The exceptions are for a command that cannot go on.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from msgspec import Struct

from runner.foundation.places import START_OF_FILE, Span
from runner.foundation.values import Path


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(Struct, frozen=True, kw_only=True):
    """A mistake, its place and how to mend it.

    `file` is as the user named it, None for a mistake on the command line. `excerpt` is the source line at
    `span.line`, without its line end. `hint` is a whole sentence or fragment without a full stop. `run` is the run that
    it is about, if it is about a run: its `job[case]` and its target.
    """

    code: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR
    file: str | None = None
    span: Span | None = None
    path: Path = ()
    excerpt: str | None = None
    run: tuple[str, str] | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """A problem before its place in a file is known.

    `path` leads to it within the value that was checked; `part` and `line`, which counts from 0, within the text.
    `instead` is the key or name of ours that should be there.
    """

    code: str = "E107"
    message: str
    hint: str | None = None
    path: Path = ()
    at_key: bool = False
    warning: bool = False
    part: str | None = None
    line: int = 0
    instead: str | None = None


def errors_in(problems: Iterable[Problem]) -> list[Problem]:
    """Those that are more than warnings."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those of a file in the order of the file; what has no place comes first."""
    return tuple(sorted(problems, key=_place))


def _place(problem: Problem) -> tuple[int, int, str]:
    span = problem.span or START_OF_FILE
    return span.line, span.column, problem.code


class ExitCode(IntEnum):
    PASSED = 0
    FAILED = 1
    INVALID = 2
    NO_ANSWER = 3
    UNKNOWN = 4
    NOTHING_SELECTED = 5
    REFUSED = 6
    FAULT = 70
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


STOPPED = {"SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED, "SIGHUP": ExitCode.HUNG_UP}
"""The code of a run that a signal stopped, by the signal."""

_STRONGEST_FIRST = (
    ExitCode.FAULT,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.HUNG_UP,
    ExitCode.UNKNOWN,
    ExitCode.NO_ANSWER,
    ExitCode.FAILED,
    ExitCode.REFUSED,
    ExitCode.NOTHING_SELECTED,
    ExitCode.PASSED,
)


def strongest(codes: Iterable[ExitCode]) -> ExitCode:
    """The code of a command whose parts ended with `codes`; of no parts at all: nothing was selected."""
    found = set(codes)
    return next((code for code in _STRONGEST_FIRST if code in found), ExitCode.NOTHING_SELECTED)


class _NothingSentError(Exception):
    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class UsageError(_NothingSentError):
    """The command cannot be carried out as it was typed, or files refuse it; nothing was sent. Exit 2."""


class SiteSilentError(_NothingSentError):
    """A site that was asked what it has gave no usable answer; nothing was started. Exit 3."""


class RefusedError(_NothingSentError):
    """A guard refuses the command: a protected target, `allow`, a question to nobody; nothing was sent. Exit 6."""
