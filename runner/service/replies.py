"""Replies: how each call ended. Pure. A value proves nothing: a failed process gives what its parameter holds [M]."""

import contextlib
from http import HTTPStatus
from typing import Final, assert_never

from runner.foundation.values import Json, JsonObject, guid, is_guid, kind_of, mended_guid, well_formed
from runner.job.actions import Change, Decode
from runner.runs.process_status import BY_NUMBER
from runner.service import bodies, calls, failures, odata, process_log, refusal_words
from runner.service.login_page import signed_out
from runner.service.site import Reply, Site
from runner.service.words import short_line, words_of

_SPEAKS_OF_ERROR: Final = (
    "Message",
    "message",
    "error",
    "errorInfo",
    "ErrorCode",
    "errorCode",
    "Exception",
    "ErrorInfo",
)
_SAYS_NO: Final = ("false", "0")
_WRAPPED: Final = {calls.ExecuteCall: "ExecuteResult", calls.ElementCall: "ExecProcElByUIdResult"}
"""The key of an answer in a record of its own: WCF's `BodyStyle` `Wrapped`, as a host may have it [?]."""
_DIGITS = 9
_BEGUN: Final = frozenset(BY_NUMBER) - {0}


class _RefusalError(Exception):
    """A 2xx reply that says no, in the service's words."""


def read(
    call: calls.Call, reply: Reply, *, site: Site, earlier: tuple[JsonObject, ...] = (), took: float = 0.0
) -> calls.Answered | calls.CallFailed | odata.RecordsPage:
    """Read the reply to `call`; raises nothing. `earlier` are the pages before.

    `took` are the seconds until it came: some proxies count them as its age [?].
    """
    if signed_out(call, reply):
        return failures.not_accepted(call, reply, site)
    if not 200 <= reply.status < 300:  # noqa: PLR2004  success
        return failures.by_status(call, reply, site)
    if (age := reply.headers.get("age", "0")) != "0" and age.isdecimal() and int(age[:_DIGITS]) > took + 1:
        return failures.from_cache(call, reply, site, age=age)
    try:
        value = _value(call, reply)
        if isinstance(call, calls.TableCall):
            return _reading(call, value, site=site, earlier=earlier)
        return calls.Answered(value=_answer(call, value, site))
    except bodies.NonsenseError as error:
        if refusal_words.names_no_process(call, str(error)):
            return failures.refused(call, reply, f"{site.name} refused the call: {error}")
        return failures.nonsense(reply, site, f"{error}{_in_place_of_json(call, reply, error)}")
    except _RefusalError as error:
        words = str(error)
        refusal = f"refused the call: {words}" if words else "refused the call without a word"
        return failures.fault(call, reply, f"{site.name} {refusal}")


def _in_place_of_json(call: calls.Call, reply: Reply, error: bodies.NonsenseError) -> str:
    """What came in place of JSON, as a gateway writes it; nothing where it may be a result, which may be secret."""
    holds_none = call.result is None if isinstance(call, calls.ExecuteCall) else isinstance(call, calls.TableCall)
    text = short_line(failures.body_of(reply) or "") if holds_none and isinstance(error, bodies.NotJsonError) else ""
    return f", but the text `{text}`" if text and not text.startswith(bodies.BEGINNINGS) else ""


def _value(call: calls.Call, reply: Reply) -> Json:
    """The JSON in a reply, or none, where it is no refusal."""
    if reply.status == HTTPStatus.PARTIAL_CONTENT:  # no call asks for a part
        raise bodies.NonsenseError("it is only a part of an answer")
    is_reading = not isinstance(call, calls.Act)  # a result is handed on as it is, or not at all
    content = bodies.content(reply.body, content_type=reply.headers.get("content-type", ""), halves=is_reading)
    match content:
        case bodies.Fault(words):
            raise _RefusalError(words)
        case bodies.Page(title):
            raise bodies.NonsenseError(f"it is a web page{f' with the title `{title}`' if title else ''}")
        case bodies.JsonBody(value):
            if isinstance(value, dict) and value.keys() == {_WRAPPED.get(type(call))}:
                value = value.popitem()[1]
            _check_refusal(call, value)
            return _bare(call, value) if isinstance(call, calls.ExecuteCall) else value
        case bodies.Wrapped(text):
            return _inner(text)
        case None:
            return None
        case _:
            assert_never(content)


def _answer(call: calls.Call, value: Json, site: Site) -> Json:
    assert not isinstance(call, calls.TableCall), "its answer is read by pages"
    match call:
        case calls.ExecuteCall():
            return bodies.decoded(value) if call.decode is Decode.AUTO else value
        case calls.ElementCall():
            return _execution_of_element(bodies.decoded(value))
        case calls.CompleteCall():
            return _execution(value)
        case calls.RunProcessCall():
            return _started(value)
        case calls.CancelCall():
            return None
        case calls.ChangeCall():
            return _changed(call, value)
        case calls.QueryCall():
            return odata.page(call, value, url=site.url, prefix=site.prefix)
        case calls.ReadSchema():
            return value
        case calls.WhoAmI():
            return process_log.contact(value)
        case _:
            assert_never(call)


def _reading(
    call: calls.TableCall, answer: Json, *, site: Site, earlier: tuple[JsonObject, ...]
) -> calls.Answered | odata.RecordsPage:
    """What all records of a reading come to. An empty page that leads on is nonsense [?]: it may be a circle."""
    asked = process_log.reading(call)
    found = odata.records(answer)
    records = (*earlier, *found)
    following = odata.following(answer, asked.entity, url=site.url, prefix=site.prefix)
    if following is None or len(records) >= asked.most:
        return calls.Answered(value=asked.value(records))
    if not found:
        raise bodies.NonsenseError("a page of it is empty and leads to another")
    return odata.RecordsPage(records=records, following=following)


def _changed(call: calls.ChangeCall, value: Json) -> Json:
    """The record of an insert; its Id may be another than ours [?]. Of an unknown entity a 200 says so [M]."""
    if isinstance(value, dict) and ("Message" in value or isinstance(value.get("error"), dict)):
        raise _RefusalError(words_of(value))
    if call.change != Change.INSERT:
        return None
    if not isinstance(value, dict) or not is_guid(str(value.get("Id"))):
        raise bodies.NonsenseError("it is not the record that was inserted")
    return odata.plain(value)


def _check_refusal(call: calls.Call, value: Json) -> None:
    """`success: false`, or a fault in a 200. OData answers an unknown entity with a `Message` and 200 [M]."""
    if not isinstance(value, dict):
        return
    is_fault = any(value.get(key) is not None for key in ("ExceptionType", "ExceptionDetail"))
    is_fault = is_fault or {"Message", "StackTrace"} <= value.keys()
    if not isinstance(call, calls.Act) and not {"value", "schema"} & value.keys():
        is_fault = is_fault or failures.is_fault(call, value)
    if is_fault or (_success(value) is False and not isinstance(call, calls.RunProcessCall)):
        raise _RefusalError(words_of(value))
    if isinstance(call, (calls.ExecuteCall, calls.ElementCall, calls.CancelCall)):
        _refuse_error_record(value)


def _refuse_error_record(value: JsonObject) -> None:
    """A bare record that speaks of an error may be a gateway's [?]. A result is a text that holds JSON [D]."""
    code = value.get("Code")
    if (type(code) is int and code != 0) or any(value.get(key) for key in _SPEAKS_OF_ERROR):
        words = words_of(value)
        raise bodies.NonsenseError(f"it is a record of an error{f': {words}' if words else ''}")


def _bare(call: calls.ExecuteCall, value: Json) -> Json:
    """An Execute() that was answered without `<string>`, as a host may [?]: what gateways write is no answer.

    A record is the value of no parameter: its text would be in quotes [D]. Without a result nothing comes, or that it
    succeeded, as other methods of the service say it [?].
    """
    if call.result is None and isinstance(value, dict) and value.get("success") is True:
        return None
    if isinstance(value, str):
        return _in_quotes_twice(value)
    if value is not None and (call.result is None or isinstance(value, dict)):
        raise bodies.NonsenseError(f"it is bare JSON, {kind_of(value)}, which this call is never answered with")
    return value


def _in_quotes_twice(text: str) -> Json:
    """The text of an Execute() is JSON [D], which a host on .NET may put into quotes once more [?]: `"null"`."""
    if text == "null" or (len(text) > 1 and text[0] == text[-1] == '"'):
        with contextlib.suppress(bodies.NonsenseError):
            return bodies.parsed(text)
    return text


def _inner(text: str) -> Json:
    """The text inside `<string>` is JSON [D]; if it is none and does not begin so, the text itself [?], as a GUID."""
    stripped = text.strip()
    if not stripped:
        return None
    try:
        return bodies.parsed(stripped)
    except bodies.NotJsonError:
        if stripped.startswith(bodies.BEGINNINGS):
            raise
        return well_formed(text)


def _execution(value: Json) -> Json:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bodies.NonsenseError("it is no record with `success` and `executionData`")
    _check_success(value)
    return bodies.decoded(value.get("executionData"))


def _execution_of_element(value: Json) -> Json:
    """What a record here looks like is not known [?]: a record that speaks of `success` must be clear about it."""
    if isinstance(value, dict) and not {"success", "Success"}.isdisjoint(value):
        _check_success(value)
    return value


def _check_success(value: JsonObject) -> None:
    """Only `true` says that it happened, only `false` that it was refused [C]."""
    success = _success(value)
    if success is False:
        raise _RefusalError(words_of(value))
    if success is not True:
        shown = "missing" if {"success", "Success"}.isdisjoint(value) else kind_of(success)
        raise bodies.NonsenseError(f"its `success` is {shown}")


def _success(value: JsonObject) -> Json:
    """What a record says under `success`; services that others write may begin their keys with capitals [?]."""
    return value.get("success", value.get("Success"))


def _started(answer: Json) -> Json:
    """What RunProcess says of its process.

    The status is the verdict, where there is an id; `success` may be `true` for a failed process [M], `false` for one
    that was started. Without an id only `success: true` says that there is a process: it is queued [M].
    """
    if not isinstance(answer, dict):
        raise bodies.NonsenseError("it is no record with `processId` and `processStatus`")
    if _names_no_process(answer):
        raise _RefusalError(words_of(answer))
    found, success = _process_id(answer), answer.get("success")
    status = _process_status(answer, found)
    if found is None and success is not True:
        shown = kind_of(success) if "success" in answer else "missing"
        raise bodies.NonsenseError(f"it holds no `processId`, and its `success` is {shown}")
    results: Json = {code: bodies.decoded(result) for code, result in _results(answer).items()}
    error = words_of(answer) or ("its `success` is false" if str(success).lower() in _SAYS_NO else "")
    return {"process_id": found, "status": status, "results": results, "error": error or None}


def _names_no_process(answer: JsonObject) -> bool:
    """`success: false` without a process that has begun."""
    has_begun = _status_number(answer) in _BEGUN and _process_id(answer) is not None
    return answer.get("success") is False and not has_begun


def _process_id(answer: JsonObject) -> str | None:
    """The process's id in lower case; an empty text is none [M]. Raises `NonsenseError` for what is no id."""
    written = answer.get("processId")
    if written is None or written == "":
        return None
    found = mended_guid(written) if isinstance(written, str) else None
    if found is None:
        shown = f"`{short_line(written)}`" if isinstance(written, str) else kind_of(written)
        raise bodies.NonsenseError(f"its `processId` is no GUID, but {shown}")
    return guid(found)


def _process_status(answer: JsonObject, found: str | None) -> str:
    """The status as a word, or what is in its place as text. An inactive process with an id has not begun [?].

    With an id the log shows how it ended, whatever the status is; without one that is nonsense.
    """
    status, number = answer.get("processStatus"), _status_number(answer)
    if number is None:
        shown = kind_of(status) if "processStatus" in answer else "missing"
        if found is None:
            raise bodies.NonsenseError(f"its `processStatus` is {shown}")
        return short_line(status) if isinstance(status, str) and status else shown
    if number == 0 and found is None:
        return "queued"
    return BY_NUMBER.get(number, str(number))


def _status_number(answer: JsonObject) -> int | None:
    """The number under `processStatus`; services that others write may give it as a text [?]."""
    status = answer.get("processStatus")
    if isinstance(status, str) and status.isdecimal() and len(status) < _DIGITS:
        return int(status)
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def _results(answer: JsonObject) -> JsonObject:
    found = answer.get("resultParameterValues")
    if isinstance(found, list):
        found = _dictionary_of_pairs(found)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise bodies.NonsenseError(f"its `resultParameterValues` are {kind_of(found)}")
    return found


def _dictionary_of_pairs(pairs: list[Json]) -> Json:
    """A dictionary as WCF writes it by default, a list of `Key` and `Value` [D: UseSimpleDictionaryFormat]."""
    found: JsonObject = {}
    for pair in pairs:
        match pair:
            case {"Key": str(key), "Value": value, **others} if not others and key not in found:
                found[key] = value
            case _:
                return pairs
    return found
