"""Doubles as a catalogue: what jobs are held against where their target is a sandbox."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from runner.catalogue.model import Catalogue, Entity, Process, ProcessVersion
from runner.foundation.values import Json, JsonObject, is_number
from runner.sandbox.doubles import OWN_ENTITIES, Double, Doubles, lookup_paths
from runner.sandbox.process_schemas import parked


def catalogue(doubles: Doubles, *, target: str, folder: str) -> Catalogue:
    """The catalogue of `target`, by its `doubles` in `folder`."""
    own: dict[str, Entity | None] = {
        name: Entity(
            columns=frozenset(columns),
            paths=frozenset({*columns, *lookup_paths(columns, doubles.columns)}),
            numbers=_holding(doubles.records.get(name, ()), is_number),
            booleans=_holding(doubles.records.get(name, ()), lambda value: isinstance(value, bool)),
        )
        for name, columns in doubles.columns.items()
    }
    versions: dict[str, list[Double]] = {}
    for double in doubles.processes.values():
        versions.setdefault(double.root, []).append(double)
    return Catalogue(
        name=f"target `{target}`",
        processes={double.root: _process(double, versions[double.root]) for double in _acting(versions)},
        entities={**own, **dict.fromkeys(OWN_ENTITIES)},
        doubles=folder,
    )


def _holding(records: Iterable[JsonObject], fits: Callable[[Json], bool]) -> frozenset[str]:
    """The columns with values in the first records that all fit."""
    right: set[str] = set()
    others: set[str] = set()
    for column, value in (pair for record in records for pair in record.items() if pair[1] is not None):
        (right if fits(value) else others).add(column)
    return frozenset(right - others)


def _acting(versions: Mapping[str, Sequence[Double]]) -> Iterator[Double]:
    """The version of each family that a call runs: the active, else the root."""
    for root, family in versions.items():
        own = next(double for double in family if double.code == root)
        yield next((double for double in family if double.active), own)


def _process(double: Double, versions: Sequence[Double]) -> Process:
    return Process(
        code=double.root,
        caption=double.caption,
        version=double.version,
        why_not=None if double.active else "none of its versions is active",
        members=tuple(map(_member, sorted(versions, key=lambda double: double.version))) if len(versions) > 1 else (),
        parameters=double.parameters,
        elements=tuple(parked(double)),
    )


def _member(double: Double) -> ProcessVersion:
    return ProcessVersion(
        code=double.code,
        version=double.version,
        active=double.active,
        enabled=True,
        parameters=double.parameters,
    )
