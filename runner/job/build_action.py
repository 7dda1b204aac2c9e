"""The fields of a step without mistakes → its action. Checks nothing."""

from runner.job import defaults
from runner.job.columns import columns
from runner.job.model import (
    Action,
    Confirm,
    Decode,
    Element,
    Elements,
    Execute,
    IncludedJob,
    Job,
    Pause,
    Query,
    Run,
    Until,
    Wait,
    WaitFor,
)
from runner.raw import duration, items, number, one_of, record, sure_text, text
from runner.values import Json, JsonObject

_EVERY = 1.0
_MAX_EVERY = 10.0
_TOP = 100


def action(fields: JsonObject, *, included: Job | None) -> Action:
    """The action of a step; `included` is the job in its place."""
    match defaults.action(fields):
        case "execute":
            return _execute(record(fields["execute"]))
        case "element":
            return _element(fields["element"])
        case "elements":
            return Elements(items=tuple(_element(item) for item in items(fields["elements"])))
        case "run":
            return _run(record(fields["run"]))
        case "wait":
            return _wait(record(fields["wait"]))
        case "query":
            return _query(record(fields["query"]))
        case "job":
            assert included is not None, fields
            return IncludedJob(job=included, inputs=record(record(fields["job"]).get("inputs")))
        case "confirm":
            return Confirm(text=sure_text(fields["confirm"]))
        case "pause":
            return Pause(seconds=_sure(duration(fields["pause"])))
        case other:
            raise AssertionError(other)


def _execute(written: JsonObject) -> Execute:
    return Execute(
        process=sure_text(written["process"]),
        parameters=record(written.get("parameters")),
        result=text(written, "result"),
        required=written.get("required") is True,
        decode=one_of(Decode, written.get("decode"), Decode.AUTO),
        until=one_of(Until, written.get("until"), Until.DONE if "result" in written else Until.STARTED),
    )


def _element(written: Json) -> Element:
    if not isinstance(written, dict):
        return Element(uid=sure_text(written))
    parameters = written.get("parameters")
    return Element(uid=sure_text(written["uid"]), parameters=None if parameters is None else record(parameters))


def _run(written: JsonObject) -> Run:
    return Run(
        process=sure_text(written["process"]),
        version=number(written.get("version"), 0) if "version" in written else None,
        parameters=record(written.get("parameters")),
        results=tuple(sure_text(code) for code in items(written.get("results"))),
        until=one_of(Until, written.get("until"), Until.DONE),
    )


def _wait(written: JsonObject) -> Wait:
    """Who names only one of the two pauses means that the other goes along with it."""
    first, longest = duration(written.get("every")), duration(written.get("max_every"))
    return Wait(
        process_id=sure_text(written["process_id"]),
        wanted=one_of(WaitFor, written.get("for"), WaitFor.COMPLETED),
        every=first or min(_EVERY, longest or _EVERY),
        max_every=longest or max(_MAX_EVERY, first or _MAX_EVERY),
    )


def _query(written: JsonObject) -> Query:
    return Query(
        entity=sure_text(written["entity"]),
        filter=text(written, "filter"),
        select=columns(written.get("select")),
        orderby=columns(written.get("orderby")),
        top=number(written.get("top"), _TOP),
    )


def _sure(seconds: float | None) -> float:
    assert seconds is not None
    return seconds
