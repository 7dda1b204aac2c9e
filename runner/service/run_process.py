"""RunProcess: what its reply says about the process. Pure.

The status is the verdict, where there is an id; `success` may be `true` for a failed process [M], `false` for a process
that was started.
"""

from typing import Final

from runner.foundation.values import Json, JsonObject, guid, kind_of, mended_guid
from runner.runs.process_status import PROCESS_STATUSES
from runner.service.bodies import NonsenseError, decoded
from runner.service.words import shortened

STATUSES: Final = {number: status.word for status in PROCESS_STATUSES.values() for number in status.numbers}
_BEGUN: Final = frozenset(STATUSES) - {0}


def is_refused(answer: JsonObject) -> bool:
    """Whether it names no process that came of it: `success: false` without a process that has begun."""
    status = answer.get("processStatus")
    has_begun = isinstance(status, int) and status in _BEGUN and process_id(answer) is not None
    return answer.get("success") is False and not has_begun


def value(answer: JsonObject, *, error: str) -> Json:
    """What a `RunProcessCall` answers; `error` is the reply's own text. Raises `NonsenseError` where it names no
    process.

    Without an id only `success: true` says that there is a process: it is queued [M].
    """
    found = process_id(answer)
    status = _status(answer, found)
    success = answer.get("success")
    if found is None and success is not True:
        shown = kind_of(success) if "success" in answer else "missing"
        raise NonsenseError(f"it holds no `processId`, and its `success` is {shown}")
    results: Json = {code: decoded(result) for code, result in _results(answer).items()}
    error = error or ("its `success` is false" if success is False else "")
    return {"process_id": found, "status": status, "results": results, "error": error or None}


def process_id(answer: JsonObject) -> str | None:
    """The process's id in lower case; an empty text is none [M]. Raises `NonsenseError` for what is no id."""
    written = answer.get("processId")
    if written is None or written == "":
        return None
    found = mended_guid(written) if isinstance(written, str) else None
    if found is None:
        shown = f"`{shortened(written)}`" if isinstance(written, str) else kind_of(written)
        raise NonsenseError(f"its `processId` is no GUID, but {shown}")
    return guid(found)


def _status(answer: JsonObject, found: str | None) -> str:
    """The status as a word, or an unknown number as text. An inactive process with an id has not begun [?]."""
    status = answer.get("processStatus")
    if not isinstance(status, int) or isinstance(status, bool):
        raise NonsenseError(f"its `processStatus` is {kind_of(status)}")
    if status == 0 and found is None:
        return "queued"
    return STATUSES.get(status, str(status))


def _results(answer: JsonObject) -> JsonObject:
    found = answer.get("resultParameterValues")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise NonsenseError(f"its `resultParameterValues` are {kind_of(found)}")
    return found
