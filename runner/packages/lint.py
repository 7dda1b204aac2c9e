"""What in packages will trouble a caller: a warning each, with its place in the design."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.differences import parameter_in_words
from runner.catalogue.families import DesignVersion, ProcessFamily
from runner.catalogue.model import ProcessElement
from runner.foundation.problems import Problem, Severity
from runner.foundation.sentences import joined_by_or
from runner.packages.files import BrokenError, text_of
from runner.packages.reading import Packages
from runner.packages.schemas import PackageSchema
from runner.reading.files import display_path
from runner.reading.source import Source

_START_KINDS: Final = {
    "StartSignalEvent": "a signal",
    "StartTimerEvent": "a timer",
    "StartMessageEvent": "a message",
}
_NO_CALL: Final = "no call can start it"


def lint(packages: Packages) -> tuple[Problem, ...]:
    """Everything in the order of the processes."""
    linter = _Linter()
    return tuple(problem for family, schemas in packages.families for problem in linter.family(family, schemas))


class _Linter(Struct, kw_only=True):
    """Finds what troubles a caller. Texts of designs are read again, for places."""

    _sources: dict[Path, Source] = field(default_factory=dict)

    def family(self, family: ProcessFamily, schemas: Sequence[PackageSchema]) -> Iterator[Problem]:
        acting = next(schema for schema in schemas if schema.version == family.acting)
        yield from self._together(family, schemas)
        yield from self._starts(acting)
        for schema in schemas:
            yield from self._stuck(schema)
            yield from self._not_run(schema, family)
            if schema is not acting:
                yield from self._other_types(schema, acting)

    def _together(self, family: ProcessFamily, schemas: Sequence[PackageSchema]) -> Iterator[Problem]:
        active = [schema for schema in schemas if schema.version.active is True]
        for schema in active[1:]:
            message = f"{_subject(schema.version)} is active, and so is {_called(active[0].version)}"
            yield self._warning("E196", message, schema, hint="make one version active: a call runs that version")
        parent = family.acting.parent
        if parent is not None and all(schema.version.uid != parent for schema in schemas):
            message = f"{_called(family.acting)}: the root that it is a version of is in none of these packages"
            hint = "name the package of the root, too: callers use the root's code"
            acting = next(schema for schema in schemas if schema.version == family.acting)
            yield self._warning("E196", message, acting, hint=hint)
        for schema in schemas:
            if schema.version.code == family.root.code and schema.version.uid != family.root.uid:
                message = f"two processes have the code `{family.root.code}`"
                hint = "give one of them another code: a call names a process by its code alone"
                yield self._warning("E196", message, schema, hint=hint)

    def _starts(self, schema: PackageSchema) -> Iterator[Problem]:
        if schema.version.has_start is not False:
            return
        kinds = [_START_KINDS.get(kind, f"a {kind}") for kind in dict.fromkeys(schema.starts)]
        why = f"it starts with {joined_by_or(kinds)}" if kinds else "it has no start event"
        first = next((element for element in schema.elements or () if element.kind in schema.starts), None)
        message = f"`{schema.version.code}`: {_NO_CALL}: {why}"
        hint = "add a plain start event if it is to be called"
        yield self._warning("E193", message, schema, hint=hint, at=None if first is None else _with_id(first.uid))

    def _stuck(self, schema: PackageSchema) -> Iterator[Problem]:
        elements = {element.uid: element for element in schema.elements or ()}
        for uid in schema.stuck:
            element = _element(elements.get(uid), uid)
            message = (
                f"`{schema.version.code}`: every flow that leaves {element} has a condition, and none is the default"
            )
            hint = "make one of the flows the default: where no condition holds, the instance stays in Running for ever"
            yield self._warning("E192", message, schema, hint=hint, at=_with_id(uid))

    def _not_run(self, schema: PackageSchema, family: ProcessFamily) -> Iterator[Problem]:
        version = schema.version
        what = "is disabled" if version.enabled is False else "is not active" if version.active is False else None
        if what is None:
            return
        acts = family.acting != version and family.acting.active is not False and family.acting.enabled is not False
        does = f"a call of `{family.root.code}` runs {_called(family.acting)}" if acts else _NO_CALL
        yield self._warning("E194", f"{_subject(version)} {what}: {does}", schema)

    def _other_types(self, schema: PackageSchema, acting: PackageSchema) -> Iterator[Problem]:
        for code, here in (schema.parameters or {}).items():
            there = (acting.parameters or {}).get(code)
            if there is None or parameter_in_words(here) == parameter_in_words(there):
                continue
            other = f"{parameter_in_words(there)} in {_called(acting.version)}"
            message = f"`{schema.version.code}`: parameter `{code}` is {parameter_in_words(here)}, and {other}"
            hint = "give the new parameter a code of its own: a switch of the version breaks callers"
            name = re.compile(rf'"(?:A2|Name)"\s*:\s*"{re.escape(code)}"')
            yield self._warning("E195", message, schema, hint=hint, at=name)

    def _warning(
        self,
        code: str,
        message: str,
        schema: PackageSchema,
        *,
        hint: str | None = None,
        at: re.Pattern[str] | None = None,
    ) -> Problem:
        source = self._source(schema.file)
        found = at.search(source.text) if at is not None else None
        if found is None:
            return Problem(code=code, message=message, hint=hint, file=source.file, severity=Severity.WARNING)
        problem = source.problem(code, message, at=found.span(), hint=hint)
        return replace(problem, severity=Severity.WARNING)

    def _source(self, file: Path) -> Source:
        if file not in self._sources:
            try:
                text = text_of(file)
            except BrokenError:  # reported where it was read
                text = ""
            self._sources = {file: Source(display_path(file), text)}  # a single text: designs are large
        return self._sources[file]


def _with_id(uid: str) -> re.Pattern[str]:
    return re.compile(rf'"[Uu][Ii]d"\s*:\s*"{re.escape(uid)}"', re.IGNORECASE)


def _called(version: DesignVersion) -> str:
    """`UsrAdd_v1`, version 2."""
    return f"`{version.code}`" if version.number is None else f"`{version.code}`, version {version.number}"


def _subject(version: DesignVersion) -> str:
    return f"{_called(version)}{'' if version.number is None else ','}"


def _element(element: ProcessElement | None, uid: str) -> str:
    """An element by its caption, with its name if that differs."""
    if element is None:
        return f"the element `{uid}`"
    return f"`{element.caption}` ({element.name})" if element.caption else f"`{element.name}`"
