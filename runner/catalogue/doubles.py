"""Makes a double of a process of a catalogue: its signature, and its elements in their order.

A double is valid as it is, and waits at elements that jobs execute. A `TODO` marks what no catalogue says; a `Script`
has what was seen in a run.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from runner.catalogue.model import Direction, Kind, Parameter, Process, ProcessElement, ProcessVersion
from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import as_yaml, is_guid

_HEAD: Final = ("# Written by `runner catalog doubles`, which never writes over it: fill in what is marked TODO.",)
_TASK: Final = "UserTask"
_WAITS: Final = "does it wait here for somebody? Then delete this line."
_ENDS: Final = lazy_pattern(r"(Start|Terminate|End)\w*")


class NewDouble(Struct, frozen=True, kw_only=True):
    code: str
    text: str


class Script(Struct, frozen=True, kw_only=True):
    """What a process is known to do: lines of YAML, with the comments of `head` above."""

    head: tuple[str, ...]
    activities: tuple[str, ...]


def doubles(process: Process, *, executed: Collection[str] = (), script: Script | None = None) -> Iterator[NewDouble]:
    """The double of a process, and of the version that acts, if that has a code of its own.

    It waits at the elements `executed`, which are ids, or names in lower case; a `script` replaces its elements.
    """
    known = script or Script(head=_HEAD, activities=tuple(_designed(process, executed)))
    acting = next((member for member in process.members if member.active), None)
    if acting is None or acting.code == process.code:
        more = [f"version: {process.version}"] if process.version not in (None, 1) else []
        yield NewDouble(code=process.code, text=_text(process, process.code, more, known))
        return
    number = acting.version if acting.version is not None else process.version or 2
    yield NewDouble(code=process.code, text=_root(process, acting, number, known.head))
    more = [f"of: {as_yaml(process.code)}", f"version: {number}", "active: true"]
    yield NewDouble(code=acting.code, text=_text(process, acting.code, more, known))


def _root(process: Process, acting: ProcessVersion, number: int, head: Iterable[str]) -> str:
    own = next((member.version for member in process.members if member.code == process.code), None)
    version = own if own is not None and own != number else 0 if number == 1 else 1
    lines = [
        *head,
        "runner: 1",
        f"process: {as_yaml(process.code)}",
        f"caption: {as_yaml(process.caption or process.code)}",
        f"version: {version}",
        "active: false",
        f"# TODO: this is the root. A call of it runs {as_yaml(acting.code)}, whose double is another file.",
        "parameters: {}",
        "activities: []",
    ]
    return _joined(lines)


def _text(process: Process, code: str, more: list[str], script: Script) -> str:
    named = ["runner: 1", f"process: {as_yaml(code)}", f"caption: {as_yaml(process.caption or code)}", *more]
    return _joined([*script.head, *named, *_parameters(process.parameters), *_activities(script.activities)])


def _parameters(parameters: Mapping[str, Parameter] | None) -> Iterator[str]:
    if parameters is None:
        yield "# TODO: the catalogue does not know its parameters."
    if not parameters:
        yield "parameters: {}"
        return
    yield "parameters:"
    for code in sorted(parameters):
        yield f"  {as_yaml(code)}: {{{', '.join(_parameter(parameters[code]))}}}{_note(parameters[code])}"


def _parameter(parameter: Parameter) -> Iterator[str]:
    """The lines of a parameter; the unknown becomes a text, given and taken."""
    yield f"type: {Kind.TEXT if parameter.kind is Kind.UNKNOWN else parameter.kind}"
    yield f"direction: {Direction.BOTH if parameter.direction is Direction.UNKNOWN else parameter.direction}"
    if parameter.kind is Kind.RECORDS and parameter.items:
        columns = (f"{as_yaml(name)}: {column_kind(kind)}" for name, kind in sorted(parameter.items.items()))
        yield f"items: {{{', '.join(columns)}}}"


def column_kind(kind: Kind) -> Kind:
    return Kind.TEXT if kind in (Kind.UNKNOWN, Kind.RECORDS) else kind


def _note(parameter: Parameter) -> str:
    notes = [as_yaml(parameter.caption)] if parameter.caption else []
    if parameter.kind is Kind.UNKNOWN:
        notes.append("TODO: its type is not known")
    if parameter.direction is Direction.UNKNOWN:
        notes.append("TODO: its direction is not known")
    if parameter.kind is Kind.RECORDS and not parameter.items:
        notes.append("TODO: `items`, its columns with their types")
    return f"  # {', '.join(notes)}" if notes else ""


def _designed(process: Process, executed: Collection[str]) -> Iterator[str]:
    yield from _elements(process.elements, executed)
    gives = sorted(code for code in process.gives if code not in process.takes)
    if gives:
        values = ", ".join(f"{as_yaml(code)}: …" for code in gives)
        yield f"# TODO: what it gives, as in `- set: {{{values}}}`."


def _activities(lines: Sequence[str]) -> Iterator[str]:
    is_empty = all(line.startswith("#") for line in lines)
    yield "activities: []" if is_empty else "activities:"
    yield from (f"  {line}" for line in lines)


def _elements(elements: tuple[ProcessElement, ...] | None, executed: Collection[str]) -> Iterator[str]:
    """A design does not say which tasks wait for somebody: as written none does, and no rehearsal waits for ever."""
    if elements is None:
        yield "# TODO: the catalogue does not know its elements."
    for element in elements or ():
        if is_end(element.kind):
            continue
        is_executed = not {element.uid, *element.names}.isdisjoint(executed)
        if not is_guid(element.uid) or not (is_executed or element.kind == _TASK):
            yield f"# TODO: {_called(element)}: what it does."
            continue
        yield f"# {_called(element)}"
        caption = f", caption: {as_yaml(element.shown)}" if element.shown else ""
        yield f"- element: {{uid: {as_yaml(element.uid)}{caption}}}"
        if not is_executed:
            yield f"  if: false  # TODO: {_WAITS}"


def is_end(kind: str) -> bool:
    """Whether an element of this kind is a start or an end: a double has neither."""
    return _ENDS.fullmatch(kind) is not None


def _called(element: ProcessElement) -> str:
    named = f"{as_yaml(element.caption)}, " if element.caption else ""
    return f"{named}{as_yaml(element.name)}, {as_yaml(element.kind)}"


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
