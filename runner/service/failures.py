"""Replies that say no, and what each means for the call: turned away, refused, or unanswered. Pure."""

import re
from http import HTTPStatus
from typing import Final

from msgspec.structs import replace

from runner.foundation import server_time
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import JsonObject
from runner.runs.events import Trouble
from runner.service import bodies, calls, process_log, refusal_words, wire
from runner.service.excerpts import excerpt
from runner.service.login_page import other_host, signed_out, without_query
from runner.service.session import Answer
from runner.service.site import ExecuteMethod, Reply, Site
from runner.service.words import short_line, words_of

_FAULT_KEYS: Final = frozenset({"Message", "ExceptionType", "ExceptionDetail", "errorInfo"})

_RUNTIME_HINT: Final = {
    "/0": "check {what}`url` (the root, without `/0`); "
    "an application on .NET needs `runtime: net`, which leaves out `/0`",
    "": "check {what}`url`; an application on .NET Framework needs `runtime: net-framework`, "
    "which puts `/0` before the services",
}
_RIGHT_TO_CANCEL: Final = "give the user the operation right `CanCancelProcess`"
_CSRF: Final = "the site did not take the BPMCSRF of this session: what is in between must let cookies and headers pass"
_BPMCSRF: Final = "a lost or wrong BPMCSRF is answered so, too"
_RIGHTS_TO_RUN: Final = "the operation CanRunBusinessProcesses, the process's own permission"
_HINTS: Final[dict[tuple[type | None, int], str]] = {
    (None, 400): "check the names and values of the parameters",
    (None, 403): f"check the user's rights ({_RIGHTS_TO_RUN}); {_BPMCSRF}",
    (calls.ExecuteCall, 405): "try another `execute_method` in the target",
    (calls.ElementCall, 405): "try another `element_call` in the target",
    (None, 413): "send less in one call",
    (calls.ElementCall, 400): "check the id: an element has another in each run; `of` and `name` find it",
    (calls.ChangeCall, 400): "check `values`: the columns of the entity, of a lookup `…Id` and a GUID, and their types",
    (calls.ChangeCall, 403): f"check that the user may change records of this entity; {_BPMCSRF}",
    (calls.CancelCall, 403): f"{_RIGHT_TO_CANCEL}; {_BPMCSRF}",
    (calls.QueryCall, 400): "check `entity`, and the columns and values of `filter`, `select` and `orderby`",
    (calls.QueryCall, 403): f"check that the user may read this; {_BPMCSRF}",
}
"""What to check where the service refuses with this status a call of this class, or any call."""
_LONGEST_QUERY: Final = 2048  # IIS answers 404 to a longer query, unless it is configured otherwise [D]
_NOT_THERE: Final[dict[type, str]] = {
    calls.ExecuteCall: "the process's code and ",
    calls.RunProcessCall: "whether the site has RunProcess, which `execute` does without; then ",
    calls.ElementCall: "the element's id, and try another `element_call` in the target; then check ",
    calls.CompleteCall: "the element's id, and whether the site has CompleteExecuting, which `parameters` need; then ",
    calls.CancelCall: "whether the site has CancelExecution; then ",
    calls.QueryCall: "the entity's name and ",
    calls.ChangeCall: "the entity's name, that the record is there, and ",
}
"""What to check first where a call of this class is answered with 404."""
_OF_THE_REQUEST: Final = frozenset({405, 407, 411, 414, 417, 431})
"""Refusals of how it was asked: nobody hands such a request on."""
_LOGS: Final = frozenset({"SysProcessLog", "SysProcessElementLog"})
_READ_BY_US: Final = _LOGS | {"VwProcessLib"}
# OData just after the configuration was rebuilt [M]: nothing is wrong with the question.
_LATER: Final = "try again later, or ask those who run the site"
_PACE: Final = "bound the pace in the target, as by `rate: 2/s`, or ask those who run the site how much it takes"
_LOG: Final = "the application's own log may say more"
_ENTITY: Final = f"check the entity's name and its columns, and that the user may read it; {_LOG}"
_RIGHTS: Final = "check the user's rights: the operation CanRunBusinessProcesses, and the right to run this process"
# What a fault is about, by its words: those of the platform [M], else those that most faults of .NET have [?].
_NO_RIGHT: Final = lazy_pattern(
    r"permission|rights?\b|denied|not allowed|forbidden|security|CanRun|CanCancel"
    r"|\bправ[ао]?\b|\bдоступ(?:а|у)?\b",  # noqa: RUF001  Russian
    re.IGNORECASE,
)
_LICENCE: Final = lazy_pattern(r"licen[cs]e|LicException|лицензи", re.IGNORECASE)
_LICENCES: Final = "check the licences of the user in the site"
_NEWS: Final = "and the codes of its results; `runner catalog check -t TARGET` shows what the site has changed"
_ABOUT: Final = (
    (
        lazy_pattern(r"started manually|CannotBeManuallyStarted", re.IGNORECASE),
        "no call starts it: a signal, a message or a timer does; a `signal` step changes the record it waits for",
    ),
    (
        lazy_pattern(r"publish the ", re.IGNORECASE),
        "publish the process in the designer; a script process that was never published cannot be started",
    ),
    (_LICENCE, _LICENCES),
    (_NO_RIGHT, _RIGHTS),
    (
        lazy_pattern(rf"{refusal_words.NOT_FOUND}|ItemNotFound|no such|unknown", re.IGNORECASE),
        f"check the process's code (not its caption), that it is active and published, {_NEWS}",
    ),
    (
        lazy_pattern(r"cast|convert|FormatException|not in a correct format|parse|not a valid", re.IGNORECASE),
        "check the values of the parameters against their types: dates, numbers, GUIDs",
    ),
)
_LIKE_HTML: Final = lazy_pattern(r"dangerous Request\.QueryString|опасн.*Request\.QueryString", re.IGNORECASE)
_NO_HTML: Final = "ASP.NET takes a value in the address for HTML: `run` sends its values in a body"
_REDIRECT: Final = "redirects are not followed: if the site has moved, put its new address into `url` of the target"
_SESSION_HINT: Final = "check `auth` of the target; a gateway before the site must let cookies, BPMCSRF and tokens pass"
_CACHED: Final = "a cache between here and the site answered: let calls of services pass it"
_RULES: Final = (
    "{gateway} before the site refused this with a page, not the service: let its rules pass "
    "`{prefix}/ServiceModel/` and `{prefix}/odata/` (with `$select` and `$filter`), and cookies and BPMCSRF"
)
_ELSEWHERE: Final = "redirects are not followed, and nothing was sent there: if it is the site, put it into `url`"


def not_accepted(call: calls.Call | None, reply: Reply, site: Site) -> calls.CallFailed:
    """A call, or the sign-in (None), was answered with a demand to sign in: the service did not dispatch it [M].

    It proves nothing of the call: gateways repeat a GET that broke, some a POST, too, and hand on the answer to the
    second [D: nginx, `proxy_next_upstream`; haproxy, `retry-on`].
    """
    shown = f"{site.name} answered with its login page"
    if reply.status == HTTPStatus.UNAUTHORIZED:
        shown = _described(reply, site)
    elif host := other_host(reply, site):
        shown = f"{site.name} redirects to a login page of another host, `{host}`"
    return calls.CallFailed(
        kind=calls.FailureKind.TURNED_AWAY,
        trouble=Trouble(
            code=calls.SESSION_REFUSED,
            message=shown if call is None else f"the session is not accepted: {shown}",
            hint=_gateways_hint(reply) if call is None else _SESSION_HINT,
        ),
        status=reply.status,
        final=True,
        body=None if bodies.is_page(reply.body) else body_of(reply),
    )


def _gateways_hint(reply: Reply) -> str | None:
    """What to do where a server before the application, which knows Login and answers 200, wants a sign-in [?]."""
    scheme = short_line(reply.headers.get("www-authenticate", "").partition(" ")[0].strip(","))
    return (
        f"a server before the application asks for {scheme}: let it pass this call, or see `headers` of the target"
        if scheme
        else None
    )


def answer_of(reply: Reply, site: Site) -> Answer:
    record: JsonObject | None = None
    unread: str | None = None
    try:
        content = bodies.content(reply.body, content_type=_content_type(reply), halves=True)
        match content:
            case bodies.JsonBody(dict() as found):
                record = found
            case bodies.Page(title):
                unread = f"it is a web page{f' with the title `{title}`' if title else ''}"
            case None:
                unread = "it is empty"
    except bodies.NonsenseError as error:
        unread = str(error)
    return Answer(
        status=reply.status,
        failure=None if 200 <= reply.status < 300 else by_status(None, reply, site),  # noqa: PLR2004  success
        record=record,
        unread=unread,
        is_page=bodies.is_page(reply.body),
        is_login_page=signed_out(None, reply),
        location=without_query(reply.headers.get("location", "")),
        cookies=reply.cookies,
        body=body_of(reply),
    )


def by_status(call: calls.Call | None, reply: Reply, site: Site) -> calls.CallFailed:
    """What a reply with another status than 2xx means; `call` is None while signing in."""
    status = reply.status
    if signed_out(call, reply):
        return not_accepted(call, reply, site)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        trouble = Trouble(code="E310", message=_described(reply, site), hint=_PACE)
        return _failed(reply, calls.FailureKind.TURNED_AWAY, trouble)
    if status == HTTPStatus.NOT_MODIFIED:
        return _unproved(call, refused(call, reply, _described(reply, site), hint=_CACHED))
    if 300 <= status < 400:  # noqa: PLR2004  redirects
        return _unproved(call, _redirected(call, reply, site))
    if 400 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT:  # noqa: PLR2004  the caller's mistakes
        words = _words(reply)
        is_missing = refusal_words.names_no_process(call, words)
        by_words = _by_words(call, words) if is_missing or status == HTTPStatus.BAD_REQUEST else None
        hint = by_words or _what_to_check(call, reply, site)
        failure = refused(call, reply, _described(reply, site), hint=hint)
        return failure if is_missing or _is_proved(call, reply) else _unproved(call, failure)
    if status in (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.NOT_IMPLEMENTED) and _holds_fault(call, reply):
        return fault(call, reply, _described(reply, site))
    words = _described(reply, site)
    if refusal_words.names_no_process(call, words):
        return refused(call, reply, words)
    if isinstance(call, calls.ExecuteCall) and _LIKE_HTML.search(words):
        return _unproved(call, refused(call, reply, words, hint=_NO_HTML))
    if status < HTTPStatus.OK:
        return nonsense(reply, site, "its status is none that ends a call")
    return _failed(
        reply, calls.FailureKind.UNANSWERED, Trouble(code="E309", message=_described(reply, site), hint=_LATER)
    )


def _redirected(call: calls.Call | None, reply: Reply, site: Site) -> calls.CallFailed:
    address = short_line(without_query(reply.headers.get("location", "")))
    message = f"{site.name} redirects ({_named(reply.status)}) to {f'`{address}`' if address else 'nowhere'}"
    if other_host(reply, site):
        return refused(call, reply, f"{message}, which is on another host", hint=_ELSEWHERE)
    return refused(call, reply, message, hint=_REDIRECT)


def _is_proved(call: calls.Call | None, reply: Reply) -> bool:
    """Whether a refusal proves that nothing was begun or changed: what was asked cannot be carried out by anybody; or
    the service itself, in a fault, gives no right or finds nothing there [?]; or its words are of the check before.

    All else is also what a proxy says, or code that ran and failed [?]. So may be an empty 404, although a missing
    method is answered so [M].
    """
    if reply.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return _holds_fault(call, reply)
    return reply.status in _OF_THE_REQUEST or refusal_words.proves_no_start(call, _words(reply))


def fault(call: calls.Call | None, reply: Reply, message: str) -> calls.CallFailed:
    """An exception passed through the service, perhaps after a process has begun: a thread was aborted, a database was
    slow.

    It is a refusal for certain only where the check before says so: no such process or result, or no right.
    """
    failure = refused(call, reply, message)
    return failure if refusal_words.proves_no_start(call, message) else _unproved(call, failure)


def _unproved(call: calls.Call | None, failure: calls.CallFailed) -> calls.CallFailed:
    return replace(failure, unproved=True) if isinstance(call, calls.Act) else failure


def is_post(call: calls.Call | None, site: Site) -> bool:
    """Whether the call acts, and is made by a POST."""
    by_post = isinstance(call, calls.ExecuteCall) and site.calls.execute_method is ExecuteMethod.POST
    return by_post or isinstance(call, calls.CompleteCall | calls.RunProcessCall)


def refused(call: calls.Call | None, reply: Reply, message: str, *, hint: str | None = _LOG) -> calls.CallFailed:
    """The service refused, in the words of `message`; where no `hint` is given, they say what to check."""
    if hint is _LOG:
        hint = _ENTITY if isinstance(call, calls.QueryCall) else _about(call, message)
    if "Collection was modified" in message and not isinstance(call, calls.Act):
        return _failed(reply, calls.FailureKind.UNANSWERED, Trouble(code="E309", message=message, hint=_LATER))
    return _failed(reply, calls.FailureKind.REFUSED, Trouble(code="E205", message=message, hint=hint))


def _what_to_check(call: calls.Call | None, reply: Reply, site: Site) -> str | None:
    """A hint by the status, for a refusal with 4xx. Which right OData asks for is not known [?]."""
    status, server = reply.status, short_line(reply.headers.get("server", ""))
    if status == HTTPStatus.FORBIDDEN and bodies.is_page(reply.body):
        return _RULES.format(gateway=f"a gateway (`{server}`)" if server else "a gateway", prefix=site.prefix)
    if status == HTTPStatus.BAD_REQUEST and isinstance(call, calls.ExecuteCall) and not call.parameters:
        return _LOG
    if status == HTTPStatus.FORBIDDEN and "CSRF" in _words(reply).upper():
        return _CSRF
    if status == HTTPStatus.FORBIDDEN and _LICENCE.search(_words(reply)):
        return _LICENCES
    may_be_long = status in (HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_URI_TOO_LONG) or bodies.is_page(reply.body)
    if may_be_long and (too_long := _too_long(call, site)):
        return too_long
    entity = process_log.reading(call).entity if isinstance(call, calls.TableCall) else None
    if isinstance(call, calls.QueryCall) and call.entity in _READ_BY_US:
        entity = call.entity
    if status == HTTPStatus.NOT_FOUND:
        if entity is not None:
            passes = f"that what is in between lets `{site.prefix}/odata/` pass"
            return f"check that the site gives {entity} through OData, and {passes}"
        what = _NOT_THERE.get(type(call), "")
        by_post = isinstance(call, calls.ExecuteCall) and is_post(call, site)
        other = "; or try another `execute_method`" if by_post else ""
        return _RUNTIME_HINT[site.prefix].format(what=what) + other if site.prefix in _RUNTIME_HINT else None
    if status == HTTPStatus.FORBIDDEN and entity is not None:
        section = ", and perhaps the operation CanManageProcessLogSection" if entity in _LOGS else ""
        return f"give the user the right to read {entity} through OData{section}"
    if status == HTTPStatus.BAD_REQUEST and entity is not None:
        return f"check that {entity} has the column that the answer names, and that the user may read it"
    return _HINTS.get((type(call), status)) or _HINTS.get((None, status))


def _too_long(call: calls.Call | None, site: Site) -> str | None:
    """What to do where the call is in its address, and that is longer than a server may take."""
    if not isinstance(call, calls.ExecuteCall | calls.QueryCall):
        return None
    if (length := len(wire.request(call, site, username=None).path.partition("?")[2])) <= _LONGEST_QUERY:
        return None
    less = "`run` sends its values in a body" if isinstance(call, calls.ExecuteCall) else "ask for less in one `filter`"
    return f"the call has {length:,} characters in its address, where IIS takes {_LONGEST_QUERY:,} by default: {less}"


def _about(call: calls.Call | None, message: str) -> str:
    """What to check. An element belongs to a process that runs: its words are no news of a process's code."""
    if isinstance(call, calls.CancelCall) and _NO_RIGHT.search(message):
        return f"{_RIGHT_TO_CANCEL}; {_LOG}"
    found = _by_words(call, message)
    return f"{found}; {_LOG}" if found else _LOG


def _by_words(call: calls.Call | None, message: str) -> str | None:
    """What to check by the service's words, of a start."""
    starts = isinstance(call, calls.ExecuteCall | calls.RunProcessCall)
    return next((hint for words, hint in _ABOUT if words.search(message)), None) if starts else None


def from_cache(call: calls.Call, reply: Reply, site: Site, *, age: str) -> calls.CallFailed:
    """An answer that a cache has held for some seconds is none to this call [D: RFC 9111, `Age`]."""
    why = f"a cache gave it, which has had it for {age} s"
    if isinstance(call, calls.Act):
        message = f"the answer of {site.name} is none to this call: {why}"
        return _unproved(call, refused(call, reply, message, hint=_CACHED))
    failure = nonsense(reply, site, why)
    return replace(failure, trouble=replace(failure.trouble, hint=_CACHED))


def nonsense(reply: Reply, site: Site, why: str) -> calls.CallFailed:
    """A reply that cannot be read as an answer to the call; `why` begins with `it` or `its`."""
    message = f"the answer of {site.name} makes no sense: {why}"
    hint = "check `url` and `runtime` of the target, and what is between here and the site"
    return _failed(reply, calls.FailureKind.UNANSWERED, Trouble(code="E307", message=message, hint=hint))


def is_fault(call: calls.Call | None, value: JsonObject) -> bool:
    """A JSON object that names a fault of the service. OData names its own `error`, as a gateway might, too."""
    has_error = isinstance(value.get("error"), dict) and not isinstance(call, calls.Act)
    return has_error or not _FAULT_KEYS.isdisjoint(value)


def _failed(reply: Reply, kind: calls.FailureKind, trouble: Trouble) -> calls.CallFailed:
    return calls.CallFailed(
        kind=kind,
        trouble=trouble,
        status=reply.status,
        retry_after=server_time.retry_after(reply.headers),
        body=body_of(reply),
    )


def body_of(reply: Reply) -> str | None:
    """What the reply says, as far as an event keeps it."""
    return excerpt(reply.body, content_type=_content_type(reply))


def _content_type(reply: Reply) -> str:
    return reply.headers.get("content-type", "")


def _described(reply: Reply, site: Site) -> str:
    words, named = _words(reply), _named(reply.status)
    says_no_more = named.endswith(words)
    if words.startswith(str(reply.status)):  # a page whose title is its status, or begins with it
        rest, phrase = words.removeprefix(str(reply.status)).split(), named.split()[1:]
        says_no_more = rest[:1] in ([], phrase[:1]) and len(rest) <= len(phrase) + 1
    return f"{site.name} answered {named}" if says_no_more else f"{site.name} answered {named}: {words}"


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _words(reply: Reply) -> str:
    """The service's own words, shortened; of a web page its title or text. Where none are known, all that it wrote."""
    match _content(reply):
        case bodies.Fault(words) if words:
            return words
        case bodies.Page(title):
            return title or bodies.page_text(reply.body, content_type=_content_type(reply))
        case bodies.JsonBody(dict() as value) if words := words_of(value):
            return words
        case bodies.JsonBody(str() as text) | bodies.Wrapped(text):
            return short_line(text)
        case _:
            return short_line(body_of(reply) or "")


def _content(reply: Reply) -> bodies.Content:
    """The content of a reply that has failed anyway: nonsense in it is as good as nothing."""
    try:
        return bodies.content(reply.body, content_type=_content_type(reply), halves=True)
    except bodies.NonsenseError:
        return None


def _holds_fault(call: calls.Call | None, reply: Reply) -> bool:
    """The service's own fault, as against the page of a gateway: XML `Fault`, or a JSON object that names a fault."""
    match _content(reply):
        case bodies.Fault():
            return True
        case bodies.JsonBody(dict() as value):
            return is_fault(call, value)
        case _:
            return False
