"""From a connection to a process: the sign-in, the services, the right to run, the process log. It starts nothing."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from runner.doctor.findings import WayFinding, WayVerdict, failed, ok, unsure
from runner.foundation.lazy import lazy_pattern
from runner.foundation.sentences import listed
from runner.foundation.values import EMPTY_GUID, items, record
from runner.service import bodies, calls, refusal_words
from runner.service.access import BY_DOCTOR
from runner.service.calls import Caller, SessionCaller
from runner.service.gate import OPEN
from runner.service.site import Runtime

SIGN_IN: Final = "sign-in"
SERVICES: Final = "services"
RIGHT: Final = "right to run"
LOG: Final = "process log"
LIBRARY: Final = "process library"
ELEMENTS: Final = "elements"

SECONDS: Final = 30.0  # for each call

_RIGHTS = lazy_pattern(
    r"CanRunBusinessProcesses|permission|rights?\b|access|denied|forbidden|прав|доступ", re.IGNORECASE
)
"""How a refusal may speak of rights, in the languages that sites are seen in [?]."""
_RIGHT_HINT: Final = "give the user the operation permission CanRunBusinessProcesses"
_RIGHTS_PERHAPS: Final = f"{_RIGHT_HINT}, or what these words ask for"
NEED_LOG: Final = "without the log steps pass as not verified, and a call that was not answered stays unknown"
_LOG_HINT: Final = (
    "give the user the right to read SysProcessLog through OData, and perhaps the operation permission "
    f"CanManageProcessLogSection; {NEED_LOG}"
)
_CACHE_HINT: Final = (
    "let what is between here and the site keep no answers of `/ServiceModel/` and `/odata/`: "
    "an `execute` that a cache answers starts nothing"
)
_COLUMNS: Final = {"StatusId": EMPTY_GUID, "OwnerId": EMPTY_GUID, "StartDate": "0001-01-01T00:00:00Z"}
"""Without these nobody knows whose a row is, and how its process ended; with the empty value of each."""
NEED_LIBRARY: Final = "`catalog pull`, `version`, and the rows of a process's other versions need it"
NEED_ELEMENTS: Final = (
    "`element`, `elements` and `wait: {for: parked}` need one of SysProcessElementData and SysProcessElementLog"
)
_URL_HINT: Final = (
    "`url` of the target must be the root of the site, without `/0` and without a page; "
    "what is between here and there must let `/ServiceModel/` and `/odata/` pass"
)
_CONTACT_HINT: Final = (
    "let the user read its own row of SysAdminUnit; nothing else says which rows of the process log are its own, "
    "and a call that was not answered may stay unknown"
)
_BELOW: Final = {Runtime.NET_FRAMEWORK: "below `/0`", Runtime.NET: "without `/0`"}
_LOOKED_FOR: Final = "UserInfoService, odata/SysProcessLog, RunProcess and Execute"
_NO_SESSION: Final = "E304"
_NONSENSE: Final = "E307"


REPEATABLE: Final = unsure(
    "execute",
    "is a GET with this target: a gateway that repeats what broke would start a process twice",
    "`execute_method: post`, where the site takes it, or `run` in place of `execute`: most gateways repeat no POST",
)
"""What nobody can find out from here: whether something on the way repeats a GET [D: nginx does by default], or any
call [D: haproxy with `retry-on`].
"""


def signed_in(caller: SessionCaller, *, name: str) -> WayFinding:
    """Sign in, and ask which contact we are; a site that does not know this has let us in. `name`: with what."""
    refusal = caller.sign_in(SECONDS)
    if refusal is not None:
        hint = (refusal.trouble.hint or "").removesuffix(BY_DOCTOR)
        return failed(SIGN_IN, refusal.no_session or refusal.trouble.message, hint or None)
    is_found = False
    for call in (calls.WhoAmI(), calls.WhoIsUser()):
        ending = caller.perform(call, SECONDS, gate=OPEN)
        is_found = is_found or not _is_elsewhere(ending)
        if isinstance(ending, calls.Answered) and isinstance(ending.value, str):
            return ok(SIGN_IN, f"accepted with {name}, contact {ending.value}")
        if isinstance(ending, calls.CallFailed) and ending.no_session:
            return failed(SIGN_IN, ending.no_session, ending.trouble.hint)
        if not _is_answer(ending) and not _is_elsewhere(ending):
            is_found = False
            break
    if not is_found:  # a later step says why
        return ok(SIGN_IN, f"accepted with {name}")
    return unsure(SIGN_IN, f"accepted with {name}; the site does not say which contact that is", _CONTACT_HINT)


def found_at(caller: Caller, *, runtime: Runtime, at_other: Callable[[], Caller], unknown: str) -> WayFinding:
    """Whether the services answer where `runtime` puts them; where not, whether they do where the other puts them."""
    ending = _answer_of_any(caller, unknown)
    if isinstance(ending, calls.Answered) or _is_answer(ending):
        return ok(SERVICES, f"found {_BELOW[runtime]}")
    if not _is_elsewhere(ending):
        return failed(SERVICES, ending.trouble.message, ending.trouble.hint)
    other = Runtime.NET if runtime is Runtime.NET_FRAMEWORK else Runtime.NET_FRAMEWORK
    if _is_answer(_answer_of_any(at_other(), unknown)):
        seen = f"found {_BELOW[other]}; the target has `runtime: {runtime}`, which calls them {_BELOW[runtime]}"
        return failed(SERVICES, seen, f"write `runtime: {other}` in the target")
    seen = f"found {_LOOKED_FOR} neither {_BELOW[runtime]} nor {_BELOW[other]}: {ending.trouble.message}"
    knows = ending.trouble.code == _NO_SESSION or ending.status == HTTPStatus.FORBIDDEN
    return failed(SERVICES, seen, ending.trouble.hint if knows else _URL_HINT)


def _answer_of_any(caller: Caller, unknown: str) -> calls.Ending:
    """How a call to the first service that is found ends: a site may lack any of the four.

    The services of others may answer 404 to the code of a process: where the words say so, that is an answer.
    """
    first = caller.perform(calls.WhoAmI(), SECONDS, gate=OPEN)
    ending: calls.Ending = first
    for call in (
        calls.ReadRows(process=unknown, top=1),
        calls.RunProcessCall(process=unknown, parameters={}),
        calls.ExecuteCall(process=unknown, parameters={}),
    ):
        if not _is_elsewhere(ending):
            return ending
        ending = caller.perform(call, SECONDS, gate=OPEN)
        if isinstance(ending, calls.CallFailed) and refusal_words.names_no_process(call, ending.trouble.message):
            return calls.Answered(value=None)
    return first if _is_elsewhere(ending) else ending


def _is_answer(ending: calls.Ending) -> bool:
    return isinstance(ending, calls.Answered) or (
        ending.kind is calls.FailureKind.REFUSED and not _is_elsewhere(ending)
    )


def _is_elsewhere(ending: calls.Ending) -> bool:
    """How an address without a service answers: with 404 [M], a redirect, a page, or the way to the sign-in [?]."""
    if isinstance(ending, calls.Answered):
        return False
    if ending.kind is calls.FailureKind.REFUSED:
        if ending.status == HTTPStatus.FORBIDDEN:
            return bodies.is_page((ending.body or "").encode())
        return ending.status is not None and (ending.status == HTTPStatus.NOT_FOUND or 300 <= ending.status < 400)  # noqa: PLR2004  redirects
    return ending.trouble.code in (_NO_SESSION, _NONSENSE)


def may_run(caller: Caller, *, unknown: str) -> WayFinding:
    """Ask for the process `unknown`, which does not exist. A refusal that names it shows the right to run [?]."""
    ending = caller.perform(calls.RunProcessCall(process=unknown, parameters={}), SECONDS, gate=OPEN)
    match ending:
        case calls.Answered():
            return unsure(RIGHT, f"the site took a call for the process {unknown}, which nobody has", None)
        case calls.CallFailed(kind=calls.FailureKind.REFUSED, trouble=trouble, status=404):
            seen = f"the site has no RunProcess: {trouble.message}"
            return unsure(RIGHT, seen, "use `execute`, which does without RunProcess")
        case calls.CallFailed(kind=calls.FailureKind.REFUSED, trouble=trouble, status=status):
            if status == HTTPStatus.FORBIDDEN:
                return failed(RIGHT, trouble.message, trouble.hint)
            return _refusal(trouble.message, unknown)
        case calls.CallFailed(trouble=trouble):
            return failed(RIGHT, trouble.message, trouble.hint)


def _refusal(words: str, unknown: str) -> WayFinding:
    if unknown not in words and _RIGHTS.search(words):
        return failed(RIGHT, words, _RIGHT_HINT)
    if unknown in words:
        return ok(RIGHT, "a process that does not exist was asked for, and refused for that alone")
    return unsure(
        RIGHT, f"a process that does not exist was refused, for another reason perhaps: {words}", _RIGHTS_PERHAPS
    )


def log_readable(caller: Caller, *, unknown: str, stranger: Caller | None = None, prefix: str = "") -> WayFinding:
    """`stranger` calls the site without signing in: only a cache gives it what the site has just given to us."""
    found = _log_readable(caller, unknown=unknown)
    if found.verdict is not WayVerdict.OK:
        return found
    if hidden := _hidden_columns(caller):
        return unsure(LOG, f"the user may not read {hidden} of its rows", _LOG_HINT)
    if stranger is None:
        return found
    same = calls.QueryCall(entity="SysProcessLog", next=f"{prefix}/odata/SysProcessLog?$top=1&_={unknown}")
    endings = [each.perform(same, SECONDS, gate=OPEN) for each in (caller, stranger)]
    is_given = all(isinstance(ending, calls.Answered) for ending in endings)
    return (
        unsure(LOG, "was given to a call without a sign-in, too: by a cache, it seems", _CACHE_HINT)
        if is_given
        else found
    )


def _hidden_columns(caller: Caller) -> str:
    """Columns that are empty in each row, as they are shown to a user without the right to read them [D]."""
    call = calls.QueryCall(entity="SysProcessLog", select=tuple(_COLUMNS), top=20)
    ending = caller.perform(call, SECONDS, gate=OPEN)
    rows = items(record(ending.value).get("records")) if isinstance(ending, calls.Answered) else []
    return listed(
        [
            name
            for name, empty in _COLUMNS.items()
            if rows and all(record(row).get(name) in (None, "", empty) for row in rows)
        ]
    )


def _log_readable(caller: Caller, *, unknown: str) -> WayFinding:
    """Read the log as a run does: by a process's code, and where that is refused by way of VwProcessLib."""
    ending = caller.perform(calls.ReadRows(process=unknown, top=1), SECONDS, gate=OPEN)
    if isinstance(ending, calls.Answered):
        return ok(LOG, "can be read by a process's code")
    if ending.kind is not calls.FailureKind.REFUSED:
        return failed(LOG, ending.trouble.message, ending.trouble.hint)
    schema = caller.perform(calls.FindProcess(process=unknown), SECONDS, gate=OPEN)
    if isinstance(schema, calls.Answered):
        by_id = caller.perform(calls.ReadRows(process=unknown, schema_ids=(EMPTY_GUID,), top=1), SECONDS, gate=OPEN)
        if isinstance(by_id, calls.Answered):
            return ok(LOG, "can be read by way of VwProcessLib")
    return failed(LOG, ending.trouble.message, "; ".join(filter(None, (ending.trouble.hint, NEED_LOG))))


def readable(caller: Caller, step: str, *readings: calls.Call, why: str) -> WayFinding:
    """What only some jobs need ends no way; `why` says which."""
    for call in readings:
        ending = caller.perform(call, SECONDS, gate=OPEN)
        if not isinstance(ending, calls.Answered):
            return unsure(step, ending.trouble.message, "; ".join(filter(None, (ending.trouble.hint, why))))
    return ok(step, "can be read")
