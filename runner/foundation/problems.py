"""What people read: mistakes in their files, exit codes, and the table of error codes.

A mistake of the user is a `Problem` value; all are collected, then printed. A code is a promise: it is never
given another meaning. The two exceptions are for a command that cannot go on: as it was typed, or for a guard.
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
    `span.line`, without its line end. `hint` is a whole sentence or fragment without a full stop.
    """

    code: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR
    file: str | None = None
    span: Span | None = None
    path: Path = ()
    excerpt: str | None = None


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


def are_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them is more than a warning."""
    return any(problem.severity is Severity.ERROR for problem in problems)


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


class UsageError(Exception):
    """The command cannot be carried out as it was typed, or files refuse it; nothing was sent. Exit 2."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class RefusedError(Exception):
    """A guard refuses the command: a protected target, `allow`, a question that nobody can answer. Exit 6.

    Nothing was sent.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


CODES = {
    # files and YAML
    "E100": "a file or folder cannot be read",
    "E101": "the text is not YAML or JSON, or not UTF-8",
    "E102": "YAML that is not read here: tags, merge keys, several documents, too deep, too large",
    "E103": "a key is there twice",
    "E104": "unknown key",
    "E105": "a key is missing",
    "E106": "a value of the wrong kind",
    "E107": "a value that is not allowed here",
    "E108": "nothing is there where something must be",
    "E109": "a value that YAML reads otherwise than it looks",
    "E110": "a step needs exactly one action",
    "E111": "a name or id is used twice",
    "E112": "a retry that could start a process twice",
    "E113": "not a GUID",
    "E114": "not a duration",
    "E115": "not a JSON Schema",
    "E116": "a default that does not fit its own schema",
    "E117": "an expectation that says nothing",
    "E118": "a job that includes itself, or others too deep",
    "E119": "a path that leads out of the folder of `.git`, or of the job",
    # templates and expressions
    "E120": "an expression that cannot be read",
    "E121": "braces around a bare expression",
    "E122": "a template where none is read",
    "E123": "`${{` of another language",
    "E124": "unknown filter, test or function",
    "E125": "an operation that expressions do not have",
    "E126": "unknown name",
    "E127": "a step that comes later",
    "E128": "a step that gives no such value",
    # inputs, targets, the command line
    "E130": "a required input is missing",
    "E131": "an input that the job does not know",
    "E132": "an input of the wrong type or value",
    "E133": "a secret on the command line",
    "E134": "an empty secret",
    "E135": "a secret too short to be hidden everywhere",
    "E136": "a CSV that cannot be read: other separators, quotes, rows of another length",
    "E140": "no target",
    "E141": "unknown target",
    "E142": "a target that cannot be made ready: a variable or a file is missing",
    "E143": "a target without TLS",
    "E144": "a process that the target does not have",
    "E145": "a parameter that the process does not take",
    "E146": "a result that the process does not give",
    "E147": "an entity or a column that the target does not have",
    "E148": "a call of a version, in the place of its process",
    "E149": "an element that the process does not have, that several are, or that nobody executes",
    "E150": "the command line cannot be understood",
    "E151": "the runs folder cannot be written or read",
    "E152": "unknown run",
    "E153": "a file that is to be written is there already, or cannot be written",
    "E154": "a file that is no stored plan, or a plan that cannot be carried out as it was stored",
    "E155": "events that were changed after they were written",
    "E156": "a run that cannot be resumed",
    "E157": "another secret than the run began with",
    "E158": "a verdict that cannot be given",
    "E159": "a name or a value that is not UTF-8",
    # what a site has, and the types of values
    "E170": "a process that cannot be started",
    "E171": "a value that its parameter does not take",
    "E172": "the id of an element that no run of a process has",
    "E173": "a field that the records do not have",
    "E174": "an operation between types that do not go together",
    "E175": "a condition that is never a boolean",
    "E176": "a list is needed to repeat a step",
    "E177": "a comparison whose outcome is known before",
    "E178": "something that a site answers about its processes and nobody can read",
    "E179": "a catalogue that is not there, or cannot be written",
    # what a command selects
    "E180": "nothing was selected",
    # packages in git
    "E191": "a file of a package that cannot be read",
    "E192": "an element that a process may never leave",
    "E193": "a process that no call can start",
    "E194": "a version that no call runs",
    "E195": "a parameter that two versions of a process type differently",
    "E196": "versions of a process that do not go together",
    # processes that are watched
    "E197": "a moment that is none, or is not known by then",
    "E198": "a pattern that nothing of the target matches",
    # runs that are not settled
    "E181": "a run that is not settled, and cannot be run again",
    # calls of stored runs
    "E182": "a call of a run that cannot be shown",
    # versions that were applied
    "E183": "a version that did not pass, and is not carried out again by itself",
    "E184": "a version that waits for a job that has not passed",
    "E185": "the ledger cannot be read or written",
    "E186": "a needed job that is not there, or that needs the job itself",
    # what has changed in git
    "E187": "git cannot say what has changed",
    # guards
    "E160": "a protected target that nobody has confirmed",
    "E161": "a process or an effect that the target does not allow",
    "E162": "a question that nobody is there to answer",
    "E163": "a lock that another run holds",
    "E164": "no thread can be started",
    "E165": "a stored plan that has been carried out before",
    "E166": "a secret that is written in a file",
    "E167": "a target that is called without TLS, as it says",
    "E168": "a wait for a site that can never succeed",
    "E169": "a target that holds no run to be recorded",
    # what a run met
    "E201": "an expectation is not met",
    "E202": "an expectation cannot be evaluated",
    "E203": "the process failed",
    "E204": "the process was cancelled",
    "E205": "the service refused the call",
    "E206": "the result that was asked for is null",
    "E207": "an expression broke",
    "E208": "nothing shows whether the process passed",
    "E209": "more records than were allowed for",
    "E210": "a person did not say yes",
    "E211": "an included job did not pass",
    "E212": "the job's time is over",
    "E213": "a person reported a failure",
    "E214": "one call, and several starts",
    "E215": "an answer that names the process of another call",
    "E217": "the process could not be cancelled",
    "E218": "more processes failed than may",
    "E219": "the failures of processes cannot be counted",
    "E220": "an element that never waited to be executed",
    "E221": "a name of an element that leads to several, or to none that is executed",
    "E222": "an element that was executed before, with other values",
    "E223": "a version that the process does not have",
    "E224": "a version that cannot be found out",
    "E225": "a process that cannot be recorded",
    "E301": "no connection",
    "E302": "no trusted TLS connection",
    "E303": "the sign-in was refused",
    "E304": "the session is not accepted, also after a fresh sign-in",
    "E305": "no answer in time",
    "E306": "the connection broke before the answer was whole",
    "E307": "an answer that makes no sense",
    "E308": "an answer that is too large",
    "E309": "the service or a gateway before it is in trouble",
    "E310": "the service asks to call later",
    "E311": "the run's own files cannot be written",
    "E312": "the run was stopped or broke off",
    "E313": "the site sent something before it was asked",
    "E317": "a site that was not ready in time",
    "E318": "a wait for a site that was given up: it refuses the sign-in",
    "E319": "a record started no process",
    "E401": "it may or may not have happened",
    "E402": "it happened, but its result was lost",
    "E403": "the process log shows a start that may be it",
    "E700": "a fault of this program",
}
