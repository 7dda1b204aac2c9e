"""Two catalogues held against each other, and which differences matter to given jobs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from runner.catalogue.model import Catalogue, Element, Parameter, Process


class About(StrEnum):
    """What of a process a difference is about."""

    PROCESS = "process"
    START = "start"
    PARAMETER = "parameter"
    ELEMENT = "element"
    NOTE = "note"
    """Caption and version: no job depends on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`name` is the parameter's code or the element's id, empty where it is about the whole process.

    `before` and `after` are in words, None for nothing there.
    """

    process: str
    about: About
    name: str = ""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a job uses of a process, at a place. A whole process is used by who starts it; of an element a job does not
    say whose it is, and `process` is empty.
    """

    process: str
    about: About
    name: str = ""
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A difference, and the places of the jobs that it matters to."""

    difference: Difference
    places: tuple[str, ...] = field(default=())


def differences(before: Catalogue, after: Catalogue) -> tuple[Difference, ...]:
    """Everything that differs, process by process; when and by whom the catalogues were pulled is none of it."""
    codes = sorted({*before.processes, *after.processes})
    return tuple(one for code in codes for one in _of_process(code, before.processes, after.processes))


def drifts(found: Iterable[Difference], uses: Sequence[Use]) -> tuple[Drift, ...]:
    """The differences, first those that matter to somebody."""
    told = [Drift(difference=one, places=tuple(_places(one, uses))) for one in found]
    return tuple(sorted(told, key=lambda drift: not drift.places))


def _places(one: Difference, uses: Iterable[Use]) -> Iterator[str]:
    """A new thing breaks nobody; a process that is gone breaks all that is used of it."""
    if one.before is None:
        return
    named: dict[str, None] = {}
    for use in uses:
        if use.process in ("", one.process) and (use.about, use.name) in _touched(one):
            named[use.place] = None
    yield from named


def _touched(one: Difference) -> tuple[tuple[About, str], ...]:
    whole = one.about in (About.PROCESS, About.START)
    if one.about is About.ELEMENT:  # jobs name it as its design does, too
        return (one.about, one.name), (one.about, (one.before or "").rpartition(", ")[0])
    return ((About.PROCESS, ""),) if whole else ((one.about, one.name),)


def _of_process(code: str, before: Mapping[str, Process], after: Mapping[str, Process]) -> Iterator[Difference]:
    old, new = before.get(code), after.get(code)
    if old is None or new is None:
        gone, come = None if old is None else "there", None if new is None else "there"
        yield Difference(process=code, about=About.PROCESS, before=gone, after=come)
        return
    yield from _one(code, About.START, old=_start(old), new=_start(new))
    yield from _one(code, About.NOTE, name="caption", old=old.caption, new=new.caption)
    yield from _one(code, About.NOTE, name="version", old=_version(old), new=_version(new))
    yield from _each(code, About.PARAMETER, old.parameters, new.parameters, in_words=parameter_in_words)
    yield from _each(code, About.ELEMENT, _by_uid(old), _by_uid(new), in_words=_element)


def _one(code: str, about: About, *, name: str = "", old: str | None, new: str | None) -> Iterator[Difference]:
    if old != new:
        yield Difference(process=code, about=about, name=name, before=old, after=new)


def _each(
    code: str,
    about: About,
    before: Mapping[str, Parameter] | Mapping[str, Element] | None,
    after: Mapping[str, Parameter] | Mapping[str, Element] | None,
    *,
    in_words: Callable[..., str],
) -> Iterator[Difference]:
    """Differences of parts by their names; where one side could not be read, that alone."""
    if before is None or after is None:
        old, new = (None if side is None else "known" for side in (before, after))
        yield from _one(code, About.NOTE, name=f"{about}s", old=old or "not known", new=new or "not known")
        return
    for name in sorted({*before, *after}):
        old, new = (in_words(side[name]) if name in side else None for side in (before, after))
        yield from _one(code, about, name=name, old=old, new=new)


def parameter_in_words(one: Parameter) -> str:
    """`records (Id guid, Name text), out`."""
    items = ", ".join(f"{name} {one.items[name]}" for name in sorted(one.items))
    lookup = f" of {one.lookup}" if one.lookup else ""
    return f"{one.kind}{lookup}{f' ({items})' if items else ''}, {one.direction}"


def _element(one: Element) -> str:
    return f"{one.name}, {one.kind}"


def _by_uid(process: Process) -> Mapping[str, Element] | None:
    return None if process.elements is None else {one.uid: one for one in process.elements}


def _start(process: Process) -> str:
    return "can be started" if process.why_not is None else f"cannot be started: {process.why_not}"


def _version(process: Process) -> str | None:
    return None if process.version is None else str(process.version)
