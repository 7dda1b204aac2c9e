"""What has changed on a site since a catalogue was written, and whether it has what packages in git say.

What a file does not say is no difference: packages say less than a site.
"""

from typing import Final, TypeVar

from msgspec.structs import replace

from runner.catalogue.differences import About, CatalogueDifference, differences
from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, Process, ProcessElement, ProcessVersion

_Part = TypeVar("_Part", Process, ProcessVersion, Parameter, ProcessElement)
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
        members=tuple(_each(own, members.get(own.code), ("version", "active", "enabled")) for own in filled.members),
        parameters=filled.parameters
        and {code: _each(own, parameters.get(code), names) for code, own in filled.parameters.items()},
        elements=filled.elements
        and tuple(_each(own, elements.get(own.uid), ("kind", "caption")) for own in filled.elements),
    )


def _each(part: _Part, site: _Part | None, names: tuple[str, ...]) -> _Part:
    return part if site is None else _with(part, site, names)


def _with(part: _Part, site: _Part, names: tuple[str, ...]) -> _Part:
    """`part` with the fields that it leaves open as `site` has them."""
    open_fields = [each for each in part.__struct_fields__ if each in names and getattr(part, each) in _OPEN]
    return replace(part, **{name: getattr(site, name) for name in open_fields})
