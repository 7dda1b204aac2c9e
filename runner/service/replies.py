"""Replies: how each call ended, read from what came back.

Pure. A returned value is no proof that the process passed: a failed one answers with whatever its parameter holds [M].
"""

from typing import Final

from runner.job.model import Decode
from runner.service import bodies, failures, library, odata, process_log, run_process
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    CompleteCall,
    ElementCall,
    ExecuteCall,
    QueryCall,
    ReadSchema,
    RunProcessCall,
)
from runner.service.wire import Reply, Site
from runner.values import Json, well_formed

# A text that begins so was meant to be JSON: what does not parse then has been cut or broken.
_BEGINNINGS: Final = ("[", "{", '"')


class _RefusalError(Exception):
    """A 2xx reply that says no, in the service's words."""


def read(call: Call, reply: Reply, *, site: Site) -> Answered | CallFailed:
    """Read the reply to `call`. Raises nothing, whatever the bytes are."""
    if failures.signed_out(reply):
        return failures.not_accepted(reply, site)
    if not 200 <= reply.status < 300:  # noqa: PLR2004  success
        return failures.by_status(call, reply, site)
    try:
        return Answered(value=_value(call, reply, site))
    except bodies.NonsenseError as error:
        return failures.nonsense(reply, site, str(error))
    except _RefusalError as error:
        words = str(error)
        said = f"refused the call: {words}" if words else "refused the call without a word"
        return failures.refused(call, reply, f"{site.name} {said}")


def _value(call: Call, reply: Reply, site: Site) -> Json:
    content = bodies.content(reply.body, content_type=reply.headers.get("content-type", ""))
    match content:
        case bodies.Fault(words):
            raise _RefusalError(words)
        case bodies.Page(title):
            raise bodies.NonsenseError(f"it is a web page{f' with the title `{title}`' if title else ''}")
        case bodies.Plain(value):
            _check_refusal(call, value)
        case bodies.Wrapped(text):
            value = _inner(text)
        case None:
            value = None
    match call:
        case ExecuteCall():
            return bodies.decoded(value) if call.decode is Decode.AUTO else value
        case ElementCall():
            return bodies.decoded(value)
        case CompleteCall():
            return _execution(value)
        case RunProcessCall():
            return _started(value)
        case QueryCall():
            return odata.page(call, value, url=site.url, prefix=site.prefix)
        case ReadSchema():
            return library.signature(value)
        case _:
            return process_log.value(call, value)


def _check_refusal(call: Call, value: Json) -> None:
    """`success: false`, or a fault in a 200. OData answers an unknown entity with a `Message` and 200 [M]."""
    if not isinstance(value, dict):
        return
    is_fault = any(value.get(key) is not None for key in ("ExceptionType", "ExceptionDetail"))
    is_fault = is_fault or {"Message", "StackTrace"} <= value.keys()
    if not failures.is_of_engine(call) and not {"value", "schema"} & value.keys():
        is_fault = is_fault or failures.is_fault(call, value)
    if is_fault or (value.get("success") is False and not isinstance(call, RunProcessCall)):
        raise _RefusalError(failures.words_of(value))


def _inner(text: str) -> Json:
    """The text inside `<string>` is JSON [D].

    One that is none, and was not meant to be, is taken for the text itself [?]: a bare GUID or date is a plausible
    result, and calling it nonsense would leave the call in doubt.
    """
    stripped = text.strip()
    if not stripped:
        return None
    try:
        return bodies.parsed(stripped)
    except bodies.NotJsonError:
        if stripped.startswith(_BEGINNINGS):
            raise
        return well_formed(text)


def _execution(value: Json) -> Json:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bodies.NonsenseError("it is no record with `success` and `executionData`")
    if value.get("success") is False:
        raise _RefusalError(failures.words_of(value))
    return bodies.decoded(value.get("executionData"))


def _started(value: Json) -> Json:
    if not isinstance(value, dict):
        raise bodies.NonsenseError("it is no record with `processId` and `processStatus`")
    error = failures.words_of(value)
    if run_process.is_refused(value):
        raise _RefusalError(error)
    return run_process.value(value, error=error)
