"""Doubles as a catalogue: what jobs are held against where their target is a sandbox."""

from collections.abc import Iterable

from runner.catalogue.model import Catalogue, Direction, Element, Entity, Kind, Parameter, Process
from runner.sandbox.doubles import OWN_ENTITIES, Double, Doubles, lookups
from runner.sandbox.library import element_uid, parked
from runner.values import JsonObject, is_number


def catalogue(doubles: Doubles, *, target: str, folder: str) -> Catalogue:
    own: dict[str, Entity | None] = {
        name: Entity(
            columns=frozenset(columns),
            paths=frozenset({*columns, *lookups(columns)}),
            numbers=_numbers(doubles.records.get(name, ())),
        )
        for name, columns in doubles.columns.items()
    }
    return Catalogue(
        name=f"target `{target}`",
        processes={code: _process(double) for code, double in doubles.processes.items()},
        entities={**own, **dict.fromkeys(OWN_ENTITIES)},
        doubles=folder,
    )


def _numbers(records: Iterable[JsonObject]) -> frozenset[str]:
    """The columns that hold numbers in the first records, and nothing else."""
    numbers: set[str] = set()
    others: set[str] = set()
    for column, value in (pair for record in records for pair in record.items() if pair[1] is not None):
        (numbers if is_number(value) else others).add(column)
    return frozenset(numbers - others)


def _process(double: Double) -> Process:
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
        elements=tuple(
            Element(uid=element_uid(double.code, park, position), name=name, caption=caption, kind="UserTask")
            for name, caption, park, position in parked(double)
        ),
    )
