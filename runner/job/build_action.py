"""The fields of a step without mistakes → its action. Checks nothing."""

from runner.foundation.raw import duration, items, number, one_of, record, sure_text, text
from runner.foundation.values import Json, JsonObject
from runner.job import defaults
from runner.job.columns import columns
from runner.job.model import (
    EVERY,
    MAX_EVERY,
    SINCE_RUN,
    Action,
    Cancel,
    Change,
    Confirm,
    Decode,
    Element,
    Elements,
    Execute,
    Failures,
    IncludedJob,
    Job,
    Named,
    Pause,
    Query,
    Run,
    Signal,
    Until,
    Wait,
    WaitFor,
)

_TOP = 100


def action(fields: JsonObject, *, included: Job | None) -> Action:
    """The action of a step; `included` is the job in its place."""
    match defaults.action(fields):
        case "execute":
            return _execute(record(fields["execute"]))
        case "element":
            return _element(fields["element"])
        case "elements":
            return Elements(items=_chain(fields["elements"]))
        case "run":
            return _run(record(fields["run"]))
        case "wait":
            return _wait(record(fields["wait"]))
        case "cancel":
            return Cancel(process_id=sure_text(record(fields["cancel"])["process_id"]))
        case "failures":
            return _failures(record(fields["failures"]))
        case "signal":
            return _signal(record(fields["signal"]))
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
        return Element(which=sure_text(written))
    which = sure_text(written["uid"]) if "uid" in written else _named(written, written)
    return Element(which=which, parameters=_given(written))


def _chain(written: Json) -> tuple[Element, ...]:
    """Each element of a chain is found in the one instance that the chain is `of`."""
    if not isinstance(written, dict):
        return tuple(_element(item) for item in items(written))
    links: list[JsonObject] = [link if isinstance(link, dict) else {"name": link} for link in items(written["chain"])]
    return tuple(Element(which=_named(written, link), parameters=_given(link)) for link in links)


def _named(whole: JsonObject, link: JsonObject) -> Named:
    every, max_every = _pauses(whole)
    return Named(of=sure_text(whole["of"]), name=sure_text(link["name"]), every=every, max_every=max_every)


def _given(written: JsonObject) -> JsonObject | None:
    parameters = written.get("parameters")
    return None if parameters is None else record(parameters)


def _run(written: JsonObject) -> Run:
    return Run(
        process=sure_text(written["process"]),
        version=number(written.get("version"), 0) if "version" in written else None,
        parameters=record(written.get("parameters")),
        results=tuple(sure_text(code) for code in items(written.get("results"))),
        until=one_of(Until, written.get("until"), Until.DONE),
    )


def _wait(written: JsonObject) -> Wait:
    every, max_every = _pauses(written)
    return Wait(
        process_id=sure_text(written["process_id"]),
        wanted=one_of(WaitFor, written.get("for"), WaitFor.COMPLETED),
        every=every,
        max_every=max_every,
    )


def _failures(written: JsonObject) -> Failures:
    return Failures(
        processes=tuple(sure_text(pattern) for pattern in items(written["processes"])),
        since=text(written, "since") or SINCE_RUN,
        seconds=duration(written.get("for")) or 0.0,
        at_most=number(written.get("at_most"), 0),
    )


def _signal(written: JsonObject) -> Signal:
    change = next(change for change in Change if change in written)
    fields = record(written[change])
    values = record(fields.get("values"))
    return Signal(
        change=change,
        entity=sure_text(fields["entity"]),
        id=text(fields, "id") or text(values, "Id"),
        values={column: value for column, value in values.items() if column != "Id"},
        starts=text(written, "starts"),
        until=one_of(Until, written.get("until"), Until.DONE),
    )


def _pauses(written: JsonObject) -> tuple[float, float]:
    """Who names only one of the two pauses means that the other goes along with it."""
    first, longest = duration(written.get("every")), duration(written.get("max_every"))
    return first or min(EVERY, longest or EVERY), longest or max(MAX_EVERY, first or MAX_EVERY)


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
