"""Packages on disk → the catalogue that a site with them would give, without a site; and who calls which process."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from runner.catalogue.families import DesignVersion, ProcessFamily, families, process_of
from runner.catalogue.model import Catalogue, Process
from runner.foundation.problems import Problem, Severity
from runner.foundation.values import JsonObject
from runner.packages.finding import schema_folders
from runner.packages.schemas import PackageSchema, read_schema
from runner.reading.files import display_path

_NOTHING = "name a folder with `Schemas/NAME/descriptor.json`, and `metadata.json` beside it"


class Packages(Struct, frozen=True, kw_only=True):
    """What packages hold."""

    catalogue: Catalogue
    families: tuple[tuple[ProcessFamily, tuple[PackageSchema, ...]], ...]
    problems: tuple[Problem, ...]  # of unreadable files; warnings, unless nothing could be read
    odd: tuple[tuple[str, str], ...]  # what a design says and nobody can read, by process


def read_packages(folders: Sequence[Path]) -> Packages:
    problems: list[Problem] = []
    names = tuple(map(display_path, folders))
    schemas = {schema.version: schema for schema in _latest(_schemas(folders, problems), problems)}
    found = families(schemas)
    processes = {code: _process(family, schemas) for code, family in found.items()}
    if not found and all(folder.is_dir() for folder in folders):
        message = f"no process is found in {', '.join(names)}"
        problems.append(Problem(code="E191", message=message, hint=_NOTHING))
    odd = [(code, sentence) for code, family in found.items() for sentence in schemas[family.acting].odd]
    return Packages(
        catalogue=Catalogue(name=f"the catalogue of {', '.join(names)}", processes=processes, packages=names),
        families=tuple((family, tuple(schemas[version] for version in family.versions)) for family in found.values()),
        problems=tuple(problems),
        odd=tuple(odd),
    )


def _schemas(folders: Sequence[Path], problems: list[Problem]) -> Iterator[PackageSchema]:
    missing = [folder for folder in folders if not folder.is_dir()]
    for folder in missing:
        what = "it is no folder" if folder.exists() else "there is no such folder"
        problems.append(Problem(code="E100", message=f"packages cannot be read: {what}", file=display_path(folder)))
    for found in schema_folders([folder for folder in folders if folder not in missing]):
        schema = _unread(found) if isinstance(found, OSError) else read_schema(found)
        if isinstance(schema, Problem):
            problems.append(schema)
        elif schema is not None:
            problems.extend(schema.problems)
            yield schema


def _unread(error: OSError) -> Problem:
    message = f"this folder of a package cannot be read: {error.strerror or error}"
    file = display_path(Path(error.filename)) if isinstance(error.filename, str) else None
    return Problem(code="E191", message=message, file=file, severity=Severity.WARNING)


def _latest(schemas: Iterable[PackageSchema], problems: list[Problem]) -> Iterator[PackageSchema]:
    """Each design once: of two copies the newest, as a site keeps it."""
    by_uid: dict[str, PackageSchema] = {}
    for schema in schemas:
        key = schema.version.uid or f"{schema.version.code} in {schema.file}"
        other = by_uid.get(key)
        if other is None:
            by_uid[key] = schema
            continue
        kept, left = (schema, other) if schema.changed > other.changed else (other, schema)
        by_uid[key] = kept
        message = (
            f"`{left.version.code}` is here twice: the copy that was changed last is read, {display_path(kept.file)}"
        )
        hint = "name the packages of one version only"
        file = display_path(left.file)
        problems.append(Problem(code="E196", message=message, hint=hint, file=file, severity=Severity.WARNING))
    yield from by_uid.values()


def _process(family: ProcessFamily, schemas: Mapping[DesignVersion, PackageSchema]) -> Process:
    schema = schemas[family.acting]
    is_whole = schema.parameters is not None and schema.elements is not None
    process = process_of(
        family,
        parameters=schema.parameters,
        elements=schema.elements,
        unread=None if is_whole else "its metadata.json does not hold it in full",
    )
    by_code = {version.code: schemas[version].parameters for version in family.versions}
    return replace(process, members=tuple(replace(each, parameters=by_code[each.code]) for each in process.members))


def with_callers(packages: Packages, folders: Collection[Path], *, gone: Sequence[JsonObject]) -> frozenset[str]:
    """The codes of the processes in `folders`, and of those that refer to them, or to a design that is gone.

    How a design names what it calls differs [?], so its text is searched for ids; each reference counts as a call.
    """
    ids: dict[str, set[str]] = {}
    designs: dict[str, str] = {}
    found: set[str] = set()
    for family, schemas in packages.families:
        code = family.root.code
        ids[code] = {schema.version.uid.lower() for schema in schemas if schema.version.uid}
        designs[code] = "".join(_lower_text(schema.file) for schema in schemas)
        if any(Path(os.path.realpath(schema.file.parent)) in folders for schema in schemas):
            found.add(code)
    waiting = [ids[code] for code in found] + [{str(each.get("UId")).lower()} for each in gone]
    while waiting:
        wanted = waiting.pop()
        callers = {
            code for code, design in designs.items() if code not in found and any(uid in design for uid in wanted)
        }
        found |= callers
        waiting += [ids[code] for code in callers]
    return frozenset(found | {str(each.get("Name")) for each in gone})


def _lower_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return ""
