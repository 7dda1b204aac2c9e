"""The elements of one running process: which of them a name leads to, and how it stands with one.

An element is executed by the id that it has in one instance, never by that of its design, which all instances share
[C][S]. The engine's own store holds what waits, whatever is logged; the log of elements tells captions, and what was
executed before; it is empty where tracing is off.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runner.engine import process_log
from runner.engine.effects import Running
from runner.engine.instance import GONE, MAY_BE_EXECUTED, Instance
from runner.engine.process_log import Unread
from runner.engine.state import State
from runner.foundation.guids import is_guid
from runner.foundation.values import JsonObject
from runner.service.calls import FailureKind, ReadElementData, ReadElements

NEVER_EXECUTED = "FlowIteratorGateway"
"""The kind of element that the vendor shows no button for [C]."""
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a process shows of its elements. `fitting` are those that the name leads to, newest first."""

    fitting: tuple[Instance, ...]
    seen: tuple[Instance, ...]

    @property
    def ready(self) -> tuple[Instance, ...]:
        """Those of them that may be executed now."""
        return tuple(one for one in self.fitting if one.status in MAY_BE_EXECUTED)

    def others(self, state: State) -> str:
        """What is there besides, in words."""
        shown = [f"{shown_name(state, one)} ({one.status})" for one in self.seen]
        more = f" and {len(shown) - _MOST_TOLD} more" if len(shown) > _MOST_TOLD else ""
        return ", ".join(shown[:_MOST_TOLD]) + more


def look(state: State, key: str, process_id: str, *, name: str) -> Running[Look | Unread]:
    """Look for the elements that `name` leads to: a caption, a code, or the id of a design.

    The log is read only where the store does not show one that waits.
    """
    uids = _designs(state, name)
    waiting = yield from process_log.elements_in(state, key, ReadElementData(process_id=process_id))
    if isinstance(waiting, Unread) and waiting.failure.kind is FailureKind.NOT_SENT:
        return waiting  # nor would the log of elements be reached
    stored = _instances(waiting, held=True)
    fitting = tuple(one for one in stored if one.uid in uids)
    if any(one.status in MAY_BE_EXECUTED for one in fitting):
        return Look(fitting=fitting, seen=stored)
    told = yield from process_log.elements_in(state, key, ReadElements(process_id=process_id))
    if isinstance(told, Unread) and (isinstance(waiting, Unread) or not uids):
        return told  # captions are told by nobody else
    logged = _instances(told)
    called = [one for one in logged if one.uid in uids or _is_called(one.caption, name)]
    uids |= {one.uid for one in called if one.uid is not None}
    ids = {one.id for one in called}
    own = [one for one in stored if one.uid in uids and one.id not in ids]
    return Look(fitting=(*own, *called), seen=logged or stored)


def again(state: State, key: str, process_id: str, before: Instance) -> Running[Instance | None]:
    """How it stands with an element now; None where nobody tells."""
    told = yield from process_log.elements_in(state, key, ReadElements(process_id=process_id))
    logged = next((one for one in _instances(told) if one.id == before.id), None)
    if logged is not None and logged.status not in MAY_BE_EXECUTED:
        return logged
    stored = yield from process_log.elements_in(state, key, ReadElementData(process_id=process_id))
    if isinstance(stored, Unread):
        return logged
    held = next((one for one in _instances(stored, held=True) if one.id == before.id), None)
    if logged is None and held is None and before.held:
        return replace(before, status=GONE)
    return held if logged is None or (held is not None and held.status not in MAY_BE_EXECUTED) else logged


def shown_name(state: State, one: Instance) -> str:
    design = next((design for design in state.run.plan.elements if design.uid == one.uid), None)
    return one.caption or (design.shown if design is not None else None) or one.uid or one.id


def kind_of(state: State, one: Instance) -> str:
    design = next((design for design in state.run.plan.elements if design.uid == one.uid), None)
    return one.kind or (design.kind if design is not None else "")


def _designs(state: State, name: str) -> set[str]:
    """The ids of the designs that `name` leads to, as far as they were known when the run was planned."""
    if is_guid(name):
        return {name.lower()}
    known = state.run.plan.elements
    return {one.uid for one in known if _is_called(one.caption, name) or _is_called(one.name, name)}


def _is_called(caption: str | None, name: str) -> bool:
    return bool(caption) and (caption or "").strip().casefold() == name.strip().casefold()


def _instances(rows: "Iterable[JsonObject] | Unread", *, held: bool = False) -> tuple[Instance, ...]:
    if isinstance(rows, Unread):
        return ()
    return tuple(_instance(row, held=held) for row in rows if isinstance(row.get("id"), str))


def _instance(row: JsonObject, *, held: bool) -> Instance:
    return Instance(
        id=str(row["id"]),
        uid=_text(row, "uid"),
        status=_text(row, "status"),
        kind=_text(row, "kind"),
        caption=_text(row, "caption"),
        error=_text(row, "error"),
        held=held,
    )


def _text(row: JsonObject, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None
