"""Reads a folder of doubles, `*.process.yaml`, and of first records, `records.yaml`, with all of their mistakes.

Jobs for a sandbox are held against its catalogue. A record without an `Id` gets the same Id each time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from uuid import UUID, uuid5

from msgspec.structs import replace

from runner.catalogue.model import Catalogue, Entity, Process, ProcessVersion
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem, errors_in, in_order
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Json, JsonObject, ValuePath, is_guid, items, kind_of, record
from runner.language import lookalikes, schema
from runner.odata.functions import Edm
from runner.odata.names import is_entity
from runner.reading.collector import ProblemCollector, not_reported
from runner.reading.document import Document
from runner.reading.files import is_ours, names_in, passed_over, stray
from runner.reading.load import read
from runner.sandbox import build, rules, typos
from runner.sandbox.doubles import (
    OWN_ENTITIES,
    STAMPS,
    Delete,
    Double,
    Doubles,
    Insert,
    Update,
    flat_lookups,
    lookup_paths,
)
from runner.sandbox.entity_set import column_type, declared_types
from runner.sandbox.process_schemas import parked
from runner.targets.folders import ENDING, RECORDS, doubles_in

_LIKE_A_DOUBLE = lazy_pattern(r"(.+?)\.process(?:es)?(?:\.ya?ml)?(?:\.txt)?|(.+?)\.ya?ml", re.IGNORECASE)
_LIKE_RECORDS = lazy_pattern(r"records?\.ya?ml(?:\.txt)?", re.IGNORECASE)
_OF_A_PROCESS = lazy_pattern(rb"(?m)^process:[ \t]*\S")
_Found = Mapping[str, tuple[Double, Document]]


def load_doubles(folder: Path) -> tuple[Doubles, tuple[Problem, ...]]:
    """The doubles of `folder` without problems, and the problems. An empty folder is fine. Unchanged, it is read once.

    A run checks its job against its sandbox before it serves that.
    """
    try:
        state = tuple((each, each.lstat().st_mtime_ns, each.lstat().st_size) for each in sorted(folder.iterdir()))
        files = doubles_in(folder)
    except OSError as error:
        message = f"the folder `{folder}` cannot be read: {error.strerror or error}"
        return Doubles(), (Problem(code="E100", message=message, file=str(folder)),)
    return _loaded(folder, tuple(files), (Path.cwd(), state))


@lru_cache(maxsize=4)
def _loaded(folder: Path, files: tuple[Path, ...], state: object) -> tuple[Doubles, tuple[Problem, ...]]:
    """`state` is another where the files of the folder are."""
    del state
    found: dict[str, tuple[Double, Document]] = {}
    problems: list[Problem] = []
    for file in files:
        problems.extend(_add(file, found))
    processes, wrong_families = _families(found)
    records, wrong_records = load_records(folder / RECORDS)
    problems += [*wrong_families, *wrong_records, *_ignored_files(folder)]
    if not errors_in(problems):
        problems.extend(typos.check(found.values(), records))
    columns = _columns(processes.values(), records)
    return Doubles(processes=processes, columns=columns, records=records), tuple(problems)


def _add(file: Path, found: dict[str, tuple[Double, Document]]) -> Iterable[Problem]:
    """Put the double of `file` among those that were found; what is wrong with it."""
    if (wrong := stray(file, name=str(file))) is not None:
        return (wrong,)
    document = read(file, name=str(file))
    if isinstance(document, tuple):
        return document
    wrong_keys, document = schema.read(document, "process")
    problems = [*wrong_keys]
    in_vain = {"E126"} if any(each.path == ("parameters",) for each in problems) else set()
    problems += [each for each in not_reported(rules.check(document), problems) if each.code not in in_vain]
    problems += lookalikes.check(document, reported=problems)
    if errors_in(problems):
        return in_order(problems)
    double = build.double(document)
    if double.code in found:
        message = f"`{double.code}` has a double already, in {found[double.code][0].file}"
        return (document.problem("E111", message, path=("process",)),)
    found[double.code] = (double, document)
    return in_order(problems)


def _columns(doubles: Iterable[Double], records: Mapping[str, Iterable[JsonObject]]) -> dict[str, tuple[str, ...]]:
    """Every column that any file mentions, by entity; those of the records first, in their order."""
    found: dict[str, dict[str, None]] = {}
    for entity, rows in records.items():
        found[entity] = dict.fromkeys(["Id", *(column for row in rows for column in row)])
    for double in doubles:
        for use in build.column_uses(double):
            found.setdefault(use.entity, {})[use.column] = None
    return {entity: tuple(dict.fromkeys((*columns, *STAMPS))) for entity, columns in found.items()}


def _families(found: _Found) -> tuple[dict[str, Double], tuple[Problem, ...]]:
    """The doubles by code, with an active version a family, and problems. A root is active where no version is."""
    wrong = {code: problem for code in found if (problem := _without_root(code, found)) is not None}
    families: dict[str, list[str]] = {}
    for code, (double, _) in found.items():
        if code not in wrong:
            families.setdefault(double.root, []).append(code)
    active = {_active(root, family, found) for root, family in families.items()}
    processes = {
        code: replace(double, active=code in active) for code, (double, _) in found.items() if code not in wrong
    }
    twice = [problem for family in families.values() for problem in _twice(family, found)]
    return processes, (*wrong.values(), *twice)


def _without_root(code: str, found: _Found) -> Problem | None:
    double, document = found[code]
    if double.of is None:
        return None
    if double.of not in found:
        roots = [known for known, (other, _) in found.items() if other.of is None]
        message = f"there is no double of `{double.of}`, and this is a version of it"
        hint = did_you_mean(double.of, roots) or f"write a double of `{double.of}`, or leave `of` out"
        return document.problem("E126", message, path=("of",), hint=hint)
    root = found[double.of][0].of
    if root is None:
        return None
    message = f"`{double.of}` is a version itself, and no root"
    return document.problem("E107", message, path=("of",), hint=f"write `of: {root}`: all versions name their root")


def _active(root: str, family: list[str], found: _Found) -> str | None:
    """The active version by its file, or the root, unless its file denies that."""
    return next(
        (code for code in family if code != root and found[code][0].active), root if found[root][0].active else None
    )


def _twice(family: list[str], found: _Found) -> Iterator[Problem]:
    """Two that are both active by their files, and two of the same number."""
    numbers: dict[int, str] = {}
    active: str | None = None
    for code in family:
        double, document = found[code]
        other = numbers.setdefault(double.version, code)
        if other != code:
            message = f"version {double.version} of `{double.root}` is `{other}` already, in {found[other][0].file}"
            path = ("version",) if "version" in record(document.data) else ("process",)
            yield document.problem("E111", message, path=path, hint="give each version a number of its own")
        if record(document.data).get("active") is not True:
            continue
        if active is not None:
            message = f"two versions of `{double.root}` are active: this, and `{active}` in {found[active][0].file}"
            hint = "leave `active` out of one of them: a call runs the active version"
            yield document.problem("E111", message, path=("active",), hint=hint)
        active = active or code


def _ignored_files(folder: Path) -> Iterator[Problem]:
    """A warning for each file that looks like a file of the sandbox, and has another name than it reads."""
    for path in map(folder.joinpath, names_in(folder)):
        if path.name.startswith(".") or path.name.endswith(ENDING) or path.name == RECORDS or not path.is_file():
            continue
        if _LIKE_RECORDS.fullmatch(path.name):
            message = f"these records are not read: the first records are in {RECORDS}"
            yield passed_over(message, name=str(path), instead=RECORDS)
        elif (found := _LIKE_A_DOUBLE.fullmatch(path.name)) and is_ours(path, _OF_A_PROCESS):
            message = f"this double is not read: its name must end in {ENDING}"
            yield passed_over(message, name=str(path), instead=f"{found[1] or found[2]}{ENDING}")


_IDS = UUID("0b8f5a0e-3c0a-4c39-9f56-1f2f7f7a9c10")

Records = dict[str, tuple[JsonObject, ...]]


def load_records(file: Path) -> tuple[Records, tuple[Problem, ...]]:
    """The records by entity, or the problems; nothing of either where there is no such file."""
    if not file.exists():
        return {}, ()
    if (wrong := stray(file, name=str(file))) is not None:
        return {}, (wrong,)
    document = read(file, name=str(file))
    if isinstance(document, tuple):
        return {}, document
    checked = _RecordRules(document=document)
    checked.entities(document.data)
    if checked.problems:
        return {}, tuple(checked.problems)
    written = {entity: [record(row) for row in items(rows)] for entity, rows in record(document.data).items()}
    records = {
        entity: tuple(_with_id(entity, index, row) for index, row in enumerate(rows))
        for entity, rows in written.items()
    }
    return records, tuple(typos.check_records(document, written))


class _RecordRules(ProblemCollector, frozen=True):
    def entities(self, entities: Json) -> None:
        if entities is not None and not isinstance(entities, dict):
            message = f"{kind_of(entities)} is here instead of entities by name"
            hint = "write the name of each entity before its records: `Contact: [{…}]`"
            self.report("E106", message, (), hint=hint)
        for entity, rows in record(entities).items():
            if entity == "runner":
                self.report("E104", "records.yaml has no `runner`", (entity,), at_key=True, hint="leave it out")
            else:
                self._entity(entity, rows)

    def _entity(self, entity: str, rows: Json) -> None:
        if (wrong := rules.entity_mistake(entity)) is not None:
            self.report("E107", wrong, (entity,), at_key=True)
        if not isinstance(rows, list):
            hint = "write a list, each item a record: `- {Name: …}`"
            self.report("E106", f"the records of `{entity}` are {kind_of(rows)}", (entity,), hint=hint)
        ids: set[str] = set()
        for index, row in enumerate(items(rows)):
            if isinstance(row, dict):
                self._record(row, (entity, index), ids)
            else:
                self.report("E106", f"{kind_of(row)} is here instead of a record", (entity, index))

    def _record(self, row: JsonObject, path: ValuePath, ids: set[str]) -> None:
        for column, value in row.items():
            here = (*path, column)
            if not is_entity(column):  # columns are called alike
                self.report("E107", f"`{column}` is no name of a column", here, at_key=True)
            if isinstance(value, list | dict):
                self.report("E106", f"a column holds no {kind_of(value).removeprefix('a ')}", here)
            elif isinstance(value, str) and "{{" in value:
                self.report("E122", "no template is read here", here)
        key, here = row.get("Id"), (*path, "Id")
        if "Id" not in row:
            return
        if not isinstance(key, str) or not is_guid(key):
            self.report("E113", "an `Id` is a GUID", here)
        elif key.lower() in ids:
            self.report("E111", "two records have this Id", here)
        else:
            ids.add(key.lower())


def _with_id(entity: str, index: int, row: JsonObject) -> JsonObject:
    key = str(row["Id"]).lower() if "Id" in row else str(uuid5(_IDS, f"{entity}/{index}"))
    return {"Id": key, **{column: value for column, value in row.items() if column != "Id"}}


def catalogue(doubles: Doubles, *, target: str, folder: str) -> Catalogue:
    """The catalogue of `target`, by its `doubles` in `folder`."""
    own: dict[str, Entity | None] = {name: _as_entity(name, doubles) for name in doubles.columns}
    versions: dict[str, list[Double]] = {}
    for double in doubles.processes.values():
        versions.setdefault(double.root, []).append(double)
    return Catalogue(
        name=f"target `{target}`",
        processes={double.root: _as_process(double, versions[double.root]) for double in _acting(versions)},
        entities={**own, **dict.fromkeys(OWN_ENTITIES)},
        doubles=folder,
    )


def _as_entity(name: str, doubles: Doubles) -> Entity:
    columns = doubles.columns[name]
    paths = lookup_paths(columns, doubles.columns)

    @cache
    def kind(path: str) -> str | None:
        if path not in columns:
            return Edm.GUID if path.endswith("/Id") else None
        declared = declared_types(doubles.processes.values()).get((name, path), ())
        return column_type(path, doubles.records.get(name, ()), declared)

    return Entity(
        columns=frozenset(columns),
        paths=frozenset({*columns, *paths}),
        lookups=flat_lookups(paths),
        column_type=kind,
    )


def _acting(versions: Mapping[str, Sequence[Double]]) -> Iterator[Double]:
    """The version of each family that a call runs: the active, else the root."""
    for root, family in versions.items():
        own = next(double for double in family if double.code == root)
        yield next((double for double in family if double.active), own)


_CHANGES = (Insert, Update, Delete)


def _as_process(double: Double, versions: Sequence[Double]) -> Process:
    return Process(
        code=double.root,
        caption=double.caption,
        version=double.version,
        why_not=None if double.active else "none of its versions is active",
        members=tuple(map(_member, sorted(versions, key=lambda double: double.version))) if len(versions) > 1 else (),
        parameters=double.parameters,
        elements=tuple(parked(double)),
        changes=frozenset(each.deed.entity for each in double.activities if isinstance(each.deed, _CHANGES)),
    )


def _member(double: Double) -> ProcessVersion:
    return ProcessVersion(
        code=double.code,
        version=double.version,
        active=double.active,
        enabled=True,
        parameters=double.parameters,
    )
