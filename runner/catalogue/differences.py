"""Two catalogues held against each other, and which differences matter to given jobs.

Also what has changed on a site since a catalogue was written, and whether it has what packages in git say. What a file
does not say is no difference then: packages say less than a site.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, Process, ProcessElement, ProcessVersion

_Part = TypeVar("_Part", bound=Parameter | ProcessElement | ProcessVersion)
_Captioned = TypeVar("_Captioned", bound=Parameter | ProcessElement)


class About(StrEnum):
    PROCESS = "process"
    START = "start"
    VERSION = "version"  # which version acts, and what there is of each: another may do something else
    PARAMETER = "parameter"
    ELEMENT = "element"
    NOTE = "note"  # captions, and whether it is traced: no job depends on them


class CatalogueDifference(Struct, frozen=True, kw_only=True):
    """What differs of a process."""

    process: str
    about: About
    name: str = ""  # of a parameter, element or version; empty for the whole
    before: str | None  # in words
    after: str | None


class Use(Struct, frozen=True, kw_only=True):
    """What a job uses of a process, at a place. `process` is empty for an element, which names no process."""

    process: str
    about: About
    name: str = ""
    place: str


class Drift(Struct, frozen=True, kw_only=True):
    """A difference, and the places of the jobs that it matters to."""

    difference: CatalogueDifference
    places: tuple[str, ...] = field(default=())


def differences(before: Catalogue, after: Catalogue) -> tuple[CatalogueDifference, ...]:
    """Everything that differs, process by process; when and by whom the catalogues were pulled is none of it."""
    codes = sorted({*before.processes, *after.processes})
    return tuple(process for code in codes for process in _process_differences(code, before.processes, after.processes))


def drifts(found: Iterable[CatalogueDifference], uses: Sequence[Use]) -> tuple[Drift, ...]:
    """The differences, first those that matter to somebody."""
    found_drifts = [Drift(difference=each, places=tuple(_places(each, uses))) for each in found]
    return tuple(sorted(found_drifts, key=lambda drift: not drift.places))


def _places(difference: CatalogueDifference, uses: Iterable[Use]) -> Iterator[str]:
    """A new thing breaks nobody; a process that is gone breaks all that is used of it."""
    if difference.before is None:
        return
    named: dict[str, None] = {}
    for use in uses:
        if use.process in ("", difference.process) and (use.about, use.name) in _touched(difference):
            named[use.place] = None
    yield from named


def _touched(difference: CatalogueDifference) -> tuple[tuple[About, str], ...]:
    whole = difference.about in (About.PROCESS, About.START, About.VERSION)
    before = (difference.before or "").casefold()
    if difference.about is About.ELEMENT:  # jobs name it as its design does, too
        return (difference.about, difference.name), (difference.about, before.rpartition(", ")[0])
    if difference.name.startswith(_CAPTION_OF_ELEMENT):
        return ((About.ELEMENT, before),)
    return ((About.PROCESS, ""),) if whole else ((difference.about, difference.name),)


def _process_differences(
    code: str, before: Mapping[str, Process], after: Mapping[str, Process]
) -> Iterator[CatalogueDifference]:
    old, new = before.get(code), after.get(code)
    if old is None or new is None:
        gone, come = None if old is None else "there", None if new is None else "there"
        yield CatalogueDifference(process=code, about=About.PROCESS, before=gone, after=come)
        return
    yield from _change(code, About.START, old=_start(old), new=_start(new))
    yield from _change(code, About.NOTE, name="caption", old=old.caption, new=new.caption)
    yield from _change(code, About.NOTE, name="tracing", old=_traced(old), new=_traced(new))
    yield from _change(code, About.VERSION, old=_version(old), new=_version(new))
    yield from _each(code, About.VERSION, _by_code(old), _by_code(new), in_words=member_in_words)
    yield from _each(code, About.PARAMETER, old.parameters, new.parameters, in_words=parameter_in_words)
    yield from _each(
        code, About.ELEMENT, _by_uid(old), _by_uid(new), in_words=lambda element: f"{element.name}, {element.kind}"
    )
    yield from _captions(code, "parameter", old.parameters or {}, new.parameters or {})
    yield from _captions(code, "element", _by_uid(old) or {}, _by_uid(new) or {})


def _change(
    code: str, about: About, *, name: str = "", old: str | None, new: str | None
) -> Iterator[CatalogueDifference]:
    if old != new:
        yield CatalogueDifference(process=code, about=about, name=name, before=old, after=new)


def _each(
    code: str,
    about: About,
    before: Mapping[str, _Part] | None,
    after: Mapping[str, _Part] | None,
    *,
    in_words: Callable[[_Part], str],
) -> Iterator[CatalogueDifference]:
    """Differences of parts by their names; where a side could not be read, that alone."""
    if before is None or after is None:
        old, new = (None if side is None else "known" for side in (before, after))
        yield from _change(code, About.NOTE, name=f"{about}s", old=old or "not known", new=new or "not known")
        return
    for name in sorted({*before, *after}):
        old, new = (in_words(side[name]) if name in side else None for side in (before, after))
        yield from _change(code, about, name=name, old=old, new=new)


def _captions(
    code: str, part: str, before: Mapping[str, _Captioned], after: Mapping[str, _Captioned]
) -> Iterator[CatalogueDifference]:
    """The captions that differ; a note where a side has none at all."""
    both = [name for name in before if name in after]
    old, new = ("known" if any(side[name].caption for name in both) else "not known" for side in (before, after))
    if old != new:
        yield from _change(code, About.NOTE, name=f"captions of {part}s", old=old, new=new)
        return
    for name in sorted(both):
        old, new = before[name].caption, after[name].caption
        yield from _change(code, About.NOTE, name=f"caption of {part} `{name}`", old=old, new=new)


_CAPTION_OF_ELEMENT = "caption of element "


def member_in_words(version: ProcessVersion) -> str:
    """`version 2, active, disabled`: what is not known is left out."""
    number = None if version.version is None else f"version {version.version}"
    active = None if version.active is None else "active" if version.active else "not active"
    enabled = "disabled" if version.enabled is False else None
    return ", ".join(filter(None, (number, active, enabled))) or "a version"


def parameter_in_words(parameter: Parameter) -> str:
    """`records (Id guid, Name text), out`."""
    items = ", ".join(f"{name} {parameter.items[name]}" for name in sorted(parameter.items))
    lookup = f" of {parameter.lookup}" if parameter.lookup else ""
    return f"{parameter.kind}{lookup}{f' ({items})' if items else ''}, {parameter.direction}"


def _by_uid(process: Process) -> Mapping[str, ProcessElement] | None:
    return None if process.elements is None else {element.uid: element for element in process.elements}


def _by_code(process: Process) -> Mapping[str, ProcessVersion]:
    return {version.code: version for version in process.members}


def _start(process: Process) -> str:
    return "can be started" if process.why_not is None else f"cannot be started: {process.why_not}"


def _traced(process: Process) -> str | None:
    return None if process.traced is None else "on" if process.traced else "off"


def _version(process: Process) -> str | None:
    return None if process.version is None else str(process.version)


_Filled = TypeVar("_Filled", Process, ProcessVersion, Parameter, ProcessElement)
_OPEN: Final[tuple[object, ...]] = (None, "", "unknown", Kind.UNKNOWN, Direction.UNKNOWN, {})
"""Values that say nothing: the columns of a collection are not in packages, either [?]."""


def changed(before: Catalogue, site: Catalogue) -> tuple[CatalogueDifference, ...]:
    """What `site` has otherwise than it was `before`."""
    filled = {code: _filled(process, site.processes.get(code)) for code, process in before.processes.items()}
    return differences(replace(before, processes=filled), site)


def missing(packages: Catalogue, site: Catalogue) -> tuple[CatalogueDifference, ...]:
    """What `site` has otherwise than `packages` say, of their processes; captions differ by the reader's language."""
    known = {code: site.processes[code] for code in packages.processes if code in site.processes}
    found = changed(packages, replace(site, processes=known))
    return tuple(each for each in found if each.about is not About.NOTE or _is_lost(each))


def _is_lost(difference: CatalogueDifference) -> bool:
    """What the packages hold, and the site could not be asked for."""
    return difference.name in ("parameters", "elements") and difference.before == "known"


def _filled(process: Process, site: Process | None) -> Process:
    if site is None:
        return process
    filled = _with(process, site, ("version", "traced", "parameters", "elements"))
    members = {member.code: member for member in site.members}
    elements = {element.uid: element for element in site.elements or ()}
    names = ("kind", "direction", "items", "lookup", "caption")
    parameters = site.parameters or {}
    return replace(
        filled,
        members=tuple(
            _each_filled(own, members.get(own.code), ("version", "active", "enabled")) for own in filled.members
        ),
        parameters=filled.parameters
        and {code: _each_filled(own, parameters.get(code), names) for code, own in filled.parameters.items()},
        elements=filled.elements
        and tuple(_each_filled(own, elements.get(own.uid), ("kind", "caption")) for own in filled.elements),
    )


def _each_filled(part: _Filled, site: _Filled | None, names: tuple[str, ...]) -> _Filled:
    return part if site is None else _with(part, site, names)


def _with(part: _Filled, site: _Filled, names: tuple[str, ...]) -> _Filled:
    """`part` with the fields that it leaves open as `site` has them."""
    open_fields = [each for each in part.__struct_fields__ if each in names and getattr(part, each) in _OPEN]
    return replace(part, **{name: getattr(site, name) for name in open_fields})
