"""Doubles as a catalogue: what jobs are held against where their target is a sandbox."""

from collections.abc import Iterable, Mapping

from runner.catalogue.model import Catalogue, Direction, Element, Kind, Parameter, Process
from runner.sandbox.doubles import Double, Park


def catalogue(doubles: Mapping[str, Double], *, target: str) -> Catalogue:
    return Catalogue(name=f"target `{target}`", processes={code: _process(double) for code, double in doubles.items()})


def _process(double: Double) -> Process:
    """A double's elements are known where each has an id in the file: the others are given one that nobody writes."""
    parks = [activity.deed for activity in double.activities if isinstance(activity.deed, Park)]
    return Process(
        code=double.code,
        caption=double.caption,
        parameters={
            code: Parameter(
                kind=Kind(one.kind),
                direction=Direction(one.direction),
                items={name: Kind(kind) for name, kind in one.items.items()},
            )
            for code, one in double.parameters.items()
        },
        elements=_elements(parks) if all(park.uid for park in parks) else None,
    )


def _elements(parks: Iterable[Park]) -> tuple[Element, ...]:
    return tuple(Element(uid=park.uid, name=park.caption or "", kind="UserTask") for park in parks if park.uid)
