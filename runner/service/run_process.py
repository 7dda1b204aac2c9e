"""RunProcess: what its reply says about the process that was started.

Pure. `success` is not the verdict: a process that failed may be answered with `true` [M], and with `false` although it
has been started. The status is the verdict, where there is an id.
"""

from typing import Final

from runner.foundation.guids import guid, mended
from runner.foundation.values import Json, JsonObject, kind_of
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
    """What a `RunProcessCall` answers. `error`: the reply's own words for what went wrong, empty for none.

    Raises `NonsenseError` where the reply names no process. Without an id, only `success: true` says that there is a
    process: it is queued [M].
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
    """The process's id in lower case; an empty text is no id [M].

    Raises `NonsenseError` for an id by which no row of the log can be found.
    """
    written = answer.get("processId")
    if written is None or written == "":
        return None
    found = mended(written) if isinstance(written, str) else None
    if found is None:
        shown = f"`{shortened(written)}`" if isinstance(written, str) else kind_of(written)
        raise NonsenseError(f"its `processId` is no GUID, but {shown}")
    return guid(found)


def _status(answer: JsonObject, found: str | None) -> str:
    """The status as a word; a number that is not known, as text.

    A process that is called inactive although it has an id has not begun [?].
    """
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
