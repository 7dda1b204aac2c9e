"""A catalogue file → `Catalogue`: checked as a whole, its processes made into records when they are asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import convert

from runner.catalogue.model import (
    Catalogue,
    Direction,
    Kind,
    Parameter,
    Process,
    ProcessElement,
    ProcessVersion,
    Pulled,
)
from runner.foundation.problems import Problem
from runner.foundation.values import JsonObject, enum_member, flag, items, record, text, whole_number
from runner.language.schema import check
from runner.reading.document import Document
from runner.reading.load import read


def read_catalogue(path: Path, *, name: str) -> Catalogue | tuple[Problem, ...]:
    """The catalogue in the file at `path`, called `name` in messages, or all its mistakes."""
    document = read_document(path, name=name)
    return document if isinstance(document, tuple) else catalogue_in(document)


def read_document(path: Path, *, name: str) -> Document | tuple[Problem, ...]:
    """The document of a catalogue without mistakes, or all its mistakes."""
    document = read(path, name=name)
    if isinstance(document, tuple):
        return document
    return check(document, "catalog") or document


def catalogue_in(document: Document, *, target: str | None = None) -> Catalogue:
    """The catalogue of a document without mistakes, of `target` or the target in the file's name."""
    whole = record(document.data)
    pulled = record(whole.get("pulled"))
    packages = tuple(folder for folder in items(whole.get("packages")) if isinstance(folder, str))
    return Catalogue(
        name=f"the catalogue {document.file}",
        processes=_Processes(record(whole.get("processes"))),
        site=text(whole, "site") or "",
        pulled=Pulled(at=text(pulled, "at") or "", by=text(pulled, "by") or ""),
        hint=_hint(document.file, packages=packages, target=target),
        packages=packages,
    )


def _hint(file: str, *, packages: tuple[str, ...], target: str | None) -> str:
    if packages:
        return f"if the packages have changed: `runner catalog build {' '.join(packages)} -o {file}`"
    if target is None:  # the command names the file: it may have any name, and be of any target
        return f"if the site has changed: `runner catalog pull -t NAME --out {file}`"
    return f"if the site has changed: `runner catalog pull -t {target}`"


class _Processes(Mapping[str, Process]):
    """Processes by their codes, each made the first time somebody asks for it."""

    def __init__(self, written: JsonObject) -> None:
        self._written = written
        self._made: dict[str, Process] = {}

    def __getitem__(self, code: str) -> Process:
        if code not in self._made:
            self._made[code] = _process(code, record(self._written[code]))
        return self._made[code]

    def __contains__(self, code: object) -> bool:
        return code in self._written

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


def _process(code: str, written: JsonObject) -> Process:
    parameters, elements = written.get("parameters"), written.get("elements")
    why_not = text({"why_not": "the catalogue does not say why", **written}, "why_not")
    return Process(
        code=code,
        caption=text(written, "caption") or "",
        version=whole_number(written, "version"),
        traced=flag(written, "traced"),
        members=tuple(
            convert({**record(fields), "code": own}, ProcessVersion)
            for own, fields in record(written.get("members")).items()
        ),
        why_not=why_not if written.get("runnable") is False else None,
        parameters={name: _parameter(record(fields)) for name, fields in parameters.items()}
        if isinstance(parameters, dict)
        else None,
        elements=tuple(
            convert({"name": "", "type": "", **record(fields), "uid": uid.lower()}, ProcessElement)
            for uid, fields in elements.items()
        )
        if isinstance(elements, dict)
        else None,
        unread=text(written, "unread"),
    )


def _parameter(fields: JsonObject) -> Parameter:
    return Parameter(
        kind=Kind.named(fields.get("type")),
        direction=enum_member(Direction, fields.get("direction"), Direction.UNKNOWN),
        items={name: Kind.named(kind) for name, kind in record(fields.get("items")).items()},
        lookup=text(fields, "lookup"),
        caption=text(fields, "caption") or "",
    )
