"""What has changed on a site since a catalogue was written, and whether it has what packages in git say.

What a file leaves open is no difference: packages say less than a site, and so does a file of an earlier version.
"""

from collections.abc import Mapping
from dataclasses import replace

from runner.catalogue.differences import About, Difference, differences
from runner.catalogue.model import Catalogue, Direction, Element, Kind, Member, Parameter, Process


def changed(before: Catalogue, site: Catalogue) -> tuple[Difference, ...]:
    """What `site` has otherwise than it was `before`."""
    filled = {code: _filled(process, site.processes.get(code)) for code, process in before.processes.items()}
    return differences(replace(before, processes=filled), site)


def missing(said: Catalogue, site: Catalogue) -> tuple[Difference, ...]:
    """What `site` has otherwise than packages have `said`, of the processes that they hold: a site has more packages
    than those of one team, and captions are in the language of whoever reads them.
    """
    known = {code: site.processes[code] for code in said.processes if code in site.processes}
    found = changed(said, replace(site, processes=known))
    return tuple(one for one in found if one.about is not About.NOTE or _is_lost(one))


def _is_lost(one: Difference) -> bool:
    """What the packages hold, and the site could not be asked for."""
    return one.name in ("parameters", "elements") and one.before == "known"


def _filled(said: Process, site: Process | None) -> Process:
    """What is said, and where nothing is, what the site has."""
    if site is None:
        return said
    return replace(
        said,
        version=site.version if said.version is None else said.version,
        traced=site.traced if said.traced is None else said.traced,
        members=tuple(_member(one, {other.code: other for other in site.members}) for one in said.members),
        parameters=site.parameters if said.parameters is None else _parameters(said.parameters, site.parameters or {}),
        elements=site.elements if said.elements is None else _elements(said.elements, site.elements or ()),
    )


def _member(said: Member, site: Mapping[str, Member]) -> Member:
    other = site.get(said.code)
    if other is None:
        return said
    return replace(
        said,
        version=other.version if said.version is None else said.version,
        active=other.active if said.active is None else said.active,
        enabled=other.enabled if said.enabled is None else said.enabled,
    )


def _parameters(said: Mapping[str, Parameter], site: Mapping[str, Parameter]) -> dict[str, Parameter]:
    return {code: _parameter(one, site[code]) if code in site else one for code, one in said.items()}


def _parameter(said: Parameter, site: Parameter) -> Parameter:
    """The columns of a collection are not in packages [?]."""
    return replace(
        said,
        kind=site.kind if said.kind is Kind.UNKNOWN else said.kind,
        direction=site.direction if said.direction is Direction.UNKNOWN else said.direction,
        items=said.items or site.items,
        lookup=said.lookup or site.lookup,
        caption=said.caption or site.caption,
    )


def _elements(said: tuple[Element, ...], site: tuple[Element, ...]) -> tuple[Element, ...]:
    known = {one.uid: one for one in site}
    return tuple(_element(one, known[one.uid]) if one.uid in known else one for one in said)


def _element(said: Element, site: Element) -> Element:
    kind = site.kind if said.kind in ("", "unknown") else said.kind
    return replace(said, kind=kind, caption=said.caption or site.caption)
