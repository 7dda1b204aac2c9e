"""What stored runs know of a process, as no site shows it: given and returned values, executed elements; no secrets."""

from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from typing import Final

from msgspec import Struct, field

from runner.foundation.values import Json, JsonObject, compact, record
from runner.runs.events import AnyEvent, CallAnswered, CallSent, StepFinished
from runner.runs.journal import parse
from runner.runs.store import Part, RunStore, StoreError
from runner.secrets.holes import MARK

_STARTS: Final = ("run", "execute")
_HIDDEN: Final = "***"


class StoredStart(Struct, frozen=True, kw_only=True):
    """The call that started it. `status`: what `run` was answered, else None; `failure`: its step's, cut."""

    process: str
    given: Mapping[str, Json]
    results: Mapping[str, Json]
    status: str | None = None
    hidden: tuple[str, ...] = ()
    failure: str = ""


class StoredCalls(Struct, frozen=True, kw_only=True):
    """What stored runs know. `executed`: elements that calls executed, with their values."""

    start: StoredStart | None = None
    executed: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


def known(store: RunStore, process_id: str, elements: Collection[str]) -> StoredCalls:
    """What readable runs in `store` know of the process; `elements` are the ids of its elements."""
    ids = {process_id, *elements}
    start: StoredStart | None = None
    executed: dict[str, Mapping[str, Json]] = {}
    for events in _run_events(store, ids):
        start = start or _start(events, process_id)
        executed |= _executed(events, elements)
    return StoredCalls(start=start, executed=executed)


def _run_events(store: RunStore, ids: Collection[str]) -> Iterator[list[AnyEvent]]:
    """The events of runs that name any of the ids, the newest run first."""
    wanted = [key.encode() for key in ids]
    for run in store.newest():
        try:
            content = store.get(run, Part.EVENTS)
        except StoreError:
            continue
        lowered = content.lower()
        if any(each in lowered for each in wanted):
            yield [line.event for line in parse(BytesIO(content)).lines]


def _start(events: list[AnyEvent], process_id: str) -> StoredStart | None:
    """The start of the process: a `run` has its id in the answer, an `execute` in its row."""
    sent: dict[str, JsonObject] = {}
    answered: dict[str, tuple[JsonObject, Json]] = {}
    for event in events:
        match event:
            case CallSent(key=key, call=call):
                sent[key] = call
            case CallAnswered(key=key, value=value) if sent.get(key, {}).get("kind") in _STARTS:
                answered[key] = (sent[key], value)
                if _same(record(value).get("process_id"), process_id) and sent[key]["kind"] == "run":
                    return _as_start(*answered[key], failure=_failure(events, key))
            case StepFinished(key=key, process_id=found) if key in answered and _same(found, process_id):
                return _as_start(*answered[key], failure=_failure(events, key))
            case _:
                pass
    return None


def _same(found: Json, wanted: str) -> bool:
    return isinstance(found, str) and found.lower() == wanted


def _failure(events: list[AnyEvent], key: str) -> str:
    errors = (each.error for each in events if isinstance(each, StepFinished) and each.key == key)
    return "".join(error.message for error in errors if error is not None)


def _as_start(call: JsonObject, value: Json, *, failure: str) -> StoredStart:
    is_run = call["kind"] == "run"
    result = call.get("result")
    results = record(record(value).get("results")) if is_run else {result: value} if isinstance(result, str) else {}
    values = {**record(call.get("parameters")), **results}
    hidden = [code for code, given in values.items() if _is_hidden(given)]
    status = record(value).get("status") if is_run else None
    return StoredStart(
        process=str(call.get("process")),
        given={code: sent for code, sent in record(call.get("parameters")).items() if code not in hidden},
        results={code: each for code, each in results.items() if code not in hidden},
        status=status if isinstance(status, str) else None,
        hidden=tuple(dict.fromkeys(hidden)),
        failure=failure,
    )


def _is_hidden(value: Json) -> bool:
    """Whether a secret was cut out of it, or it lies apart since it is large."""
    return MARK in compact(value) or value == _HIDDEN or "$result" in record(value)


def _executed(events: list[AnyEvent], elements: Collection[str]) -> dict[str, Mapping[str, Json]]:
    found: dict[str, Mapping[str, Json]] = {}
    for event in events:
        if isinstance(event, CallSent) and event.call.get("kind") in ("element", "complete"):
            uid = str(event.call.get("uid")).lower()
            if uid in elements:
                given = record(event.call.get("parameters"))
                found[uid] = {code: each for code, each in given.items() if not _is_hidden(each)}
    return found
