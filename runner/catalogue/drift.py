"""Whether a site has what packages in git say: their processes, their versions, what each takes, gives and holds.

A site has more than one team's packages, and packages say less than a site: neither is a difference. Captions are in
the language of whoever reads them.
"""

from collections.abc import Mapping
from dataclasses import replace

from runner.catalogue.differences import About, Difference, differences
from runner.catalogue.model import Catalogue, Direction, Element, Kind, Member, Parameter, Process


def missing(said: Catalogue, site: Catalogue) -> tuple[Difference, ...]:
    """What `site` has otherwise than it is `said`, of the processes that are said. What is not known is not told."""
    known = {code: site.processes[code] for code in said.processes if code in site.processes}
    filled = {code: _filled(process, known.get(code)) for code, process in said.processes.items()}
    found = differences(replace(said, processes=filled), replace(site, processes=known))
    return tuple(one for one in found if one.about is not About.NOTE or _is_lost(one))


def _is_lost(one: Difference) -> bool:
    """What the site does not tell any more, and the packages do."""
    return one.name in ("parameters", "elements") and one.before == "known"


def _filled(said: Process, site: Process | None) -> Process:
    """What is said, and where nothing is, what the site has."""
    if site is None:
        return said
    return replace(
        said,
        version=site.version if said.version is None else said.version,
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
    )


def _elements(said: tuple[Element, ...], site: tuple[Element, ...]) -> tuple[Element, ...]:
    kinds = {one.uid: one.kind for one in site}
    return tuple(replace(one, kind=kinds[one.uid]) if _lacks_kind(one, kinds) else one for one in said)


def _lacks_kind(one: Element, kinds: Mapping[str, str]) -> bool:
    return one.kind in ("", "unknown") and one.uid in kinds
