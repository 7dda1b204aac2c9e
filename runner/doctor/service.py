"""The way from a connection to a process: signing in, the right to run processes, the process log.

It starts nothing: the one call that could is made for a process that no site has.
"""

import re
from typing import Final, Protocol

from runner.doctor.findings import Finding, failed, ok, unsure
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    Ending,
    FailureKind,
    FindProcess,
    ReadRows,
    RunProcessCall,
    WhoAmI,
)

SIGN_IN: Final = "sign-in"
RIGHT: Final = "right to run"
LOG: Final = "process log"

SECONDS: Final = 30.0
"""For each call."""

_RIGHTS = re.compile(r"CanRunBusinessProcesses|permission|rights?\b|access|denied|forbidden|прав|доступ", re.IGNORECASE)
"""How a refusal may speak of rights, in the languages that sites are seen in [?]."""
_RIGHT_HINT: Final = "give the user the operation permission CanRunBusinessProcesses"
_LOG_HINT: Final = (
    "give the user the right to read SysProcessLog through OData; without it steps pass as not verified, "
    "and a call that was not answered stays unknown"
)


REPEATABLE: Final = unsure(
    "execute",
    "is a GET with this target: a gateway that repeats what broke would start a process twice",
    "`execute_method: post`, where the site takes it, or `run` in place of `execute`: gateways repeat no POST",
)
"""What nobody can find out from here: whether something on the way repeats a GET [D: nginx does by default]."""


class Caller(Protocol):
    def perform(self, call: Call, seconds: float) -> Ending: ...


def signed_in(caller: Caller, *, name: str) -> Finding:
    """Sign in by asking who we are; `name` says with what, without a secret.

    A site that does not know the question has let us in all the same.
    """
    ending = caller.perform(WhoAmI(), SECONDS)
    match ending:
        case Answered(value=str() as contact):
            return ok(SIGN_IN, f"accepted with {name}, contact {contact}")
        case Answered():
            return ok(SIGN_IN, f"accepted with {name}")
        case CallFailed(kind=FailureKind.REFUSED):
            told = f"accepted with {name}; the site does not say which contact that is"
            return unsure(SIGN_IN, told, "a call that is not answered may stay unknown: nothing tells our rows")
        case CallFailed(trouble=trouble):
            return failed(SIGN_IN, trouble.message.removeprefix("no sign-in: "), trouble.hint)


def may_run(caller: Caller, *, unknown: str) -> Finding:
    """Ask for a process that does not exist, `unknown`, and see what the refusal speaks of.

    How a site refuses is not documented [?]: a refusal that names the process is taken for a search that found nothing,
    which only a user with the right gets to. Nothing can be started by it.
    """
    ending = caller.perform(RunProcessCall(process=unknown, parameters={}), SECONDS)
    match ending:
        case Answered():
            return unsure(RIGHT, f"the site took a call for the process {unknown}, which nobody has", None)
        case CallFailed(kind=FailureKind.REFUSED, trouble=trouble, status=404):
            told = f"the site has no RunProcess: {trouble.message}"
            return unsure(RIGHT, told, "check `runtime` of the target; `execute` does without RunProcess")
        case CallFailed(kind=FailureKind.REFUSED, trouble=trouble, status=status):
            return _refusal(trouble.message, unknown, is_forbidden=status == 403)  # noqa: PLR2004  Forbidden
        case CallFailed(trouble=trouble):
            return failed(RIGHT, trouble.message, trouble.hint)


def _refusal(words: str, unknown: str, *, is_forbidden: bool) -> Finding:
    if is_forbidden or (unknown not in words and _RIGHTS.search(words)):
        return failed(RIGHT, words, _RIGHT_HINT)
    if unknown in words:
        return ok(RIGHT, "a process that does not exist was looked for, and refused for that alone")
    return unsure(RIGHT, f"a process that does not exist was refused, for another reason perhaps: {words}", _RIGHT_HINT)


def log_readable(caller: Caller, *, unknown: str) -> Finding:
    """Read the log as a run does: by a process's code, and where that is refused by way of VwProcessLib."""
    ending = caller.perform(ReadRows(process=unknown, top=1), SECONDS)
    if isinstance(ending, Answered):
        return ok(LOG, "can be read by a process's code")
    if ending.kind is not FailureKind.REFUSED:
        return failed(LOG, ending.trouble.message, ending.trouble.hint)
    schema = caller.perform(FindProcess(process=unknown), SECONDS)
    if isinstance(schema, Answered):
        by_id = caller.perform(ReadRows(process=unknown, schema_ids=(_NOBODY,), top=1), SECONDS)
        if isinstance(by_id, Answered):
            return ok(LOG, "can be read by way of VwProcessLib")
    return failed(LOG, ending.trouble.message, _LOG_HINT)


_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
