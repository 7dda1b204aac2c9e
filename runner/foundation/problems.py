"""What people read: mistakes in their files, and exit codes.

All mistakes are collected, then printed; `explanations/` has their codes, whose meaning never changes. The exceptions
are for a command that cannot go on.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from msgspec import Struct

from runner.foundation.values import ValuePath


class Span(Struct, frozen=True):
    """A place in a file. Lines and columns count from 1, columns in characters; an end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


START_OF_FILE = Span(1, 1, 1, 1)


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(Struct, frozen=True, kw_only=True):
    """A mistake, its place and how to mend it."""

    code: str
    message: str
    hint: str | None = None  # without a full stop
    severity: Severity = Severity.ERROR
    file: str | None = None  # as the user named it; None: the command line
    span: Span | None = None
    path: ValuePath = ()
    excerpt: str | None = None  # the line at `span.line`
    run: tuple[str, str] | None = None  # its `job[case]` and its target
    also: tuple[ValuePath, ...] = ()  # of the same mistake


class Finding(Struct, frozen=True, kw_only=True):
    """A problem before its place in a file is known."""

    code: str = "E107"
    message: str
    hint: str | None = None
    path: ValuePath = ()  # within the value that was checked
    at_key: bool = False
    warning: bool = False
    part: str | None = None  # of the text
    line: int = 0  # counts from 0 within the text
    instead: str | None = None  # the key or name of ours that should be there
    also: tuple[ValuePath, ...] = ()


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
    """The strongest is the last: a command ends with the strongest of its parts."""

    PASSED = 0
    NOTHING_SELECTED = 5
    INVALID = 2
    REFUSED = 6
    FAILED = 1
    NO_ANSWER = 3
    UNKNOWN = 4
    HUNG_UP = 129
    TERMINATED = 143
    INTERRUPTED = 130
    FAULT = 70


STOPPED = {"SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED, "SIGHUP": ExitCode.HUNG_UP}
"""The code of a run that a signal stopped, by the signal."""


def strongest(codes: Iterable[ExitCode]) -> ExitCode:
    """The code of a command by those of its parts; without parts: nothing was selected."""
    found = set(codes)
    return next((code for code in reversed(ExitCode) if code in found), ExitCode.NOTHING_SELECTED)


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
