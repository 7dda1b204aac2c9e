"""A catalogue file → `Catalogue`: checked as a whole, its processes made into records when they are asked for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from runner.catalogue import rules
from runner.catalogue.model import Catalogue, Direction, Element, Kind, Parameter, Process, Pulled
from runner.documents.document import Document
from runner.documents.load import read
from runner.language.schema import check
from runner.problems import Problem
from runner.raw import one_of, record, text
from runner.values import Json, JsonObject

ENDING = ".catalog.yaml"


def read_catalogue(path: Path, *, name: str) -> Catalogue | tuple[Problem, ...]:
    """The catalogue in the file at `path`, called `name` in messages, or all its mistakes."""
    document = read_document(path, name=name)
    return document if isinstance(document, tuple) else catalogue_in(document)


def read_document(path: Path, *, name: str) -> Document | tuple[Problem, ...]:
    """The document of a catalogue without mistakes, or all its mistakes."""
    document = read(path, name=name)
    if isinstance(document, tuple):
        return document
    return check(document, "catalog") or rules.check(document) or document


def catalogue_in(document: Document) -> Catalogue:
    """The catalogue of a document without mistakes."""
    whole = record(document.data)
    pulled = record(whole.get("pulled"))
    return Catalogue(
        name=f"the catalogue {document.file}",
        processes=_Processes(record(whole.get("processes"))),
        site=text(whole, "site") or "",
        pulled=Pulled(at=text(pulled, "at") or "", by=text(pulled, "by") or ""),
        hint=_hint(document.file),
    )


def _hint(file: str) -> str:
    target = Path(file).name.removesuffix(ENDING)
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


def _why_not(written: JsonObject) -> str:
    told = text(written, "why_not")
    return "the catalogue says so, and not why" if told is None else told


def _process(code: str, written: JsonObject) -> Process:
    parameters, elements = written.get("parameters"), written.get("elements")
    version = written.get("version")
    return Process(
        code=code,
        caption=text(written, "caption") or "",
        version=version if isinstance(version, int) else None,
        why_not=_why_not(written) if written.get("runnable") is False else None,
        parameters=_parameters(parameters) if isinstance(parameters, dict) else None,
        elements=_elements(elements) if isinstance(elements, dict) else None,
        unread=text(written, "unread"),
    )


def _parameters(written: JsonObject) -> dict[str, Parameter]:
    return {code: _parameter(record(fields)) for code, fields in written.items()}


def _parameter(fields: JsonObject) -> Parameter:
    return Parameter(
        kind=_kind(fields.get("type")),
        direction=one_of(Direction, fields.get("direction"), Direction.UNKNOWN),
        items={name: _kind(kind) for name, kind in record(fields.get("items")).items()},
        lookup=text(fields, "lookup"),
    )


def _kind(value: Json) -> Kind:
    return one_of(Kind, value, Kind.UNKNOWN)


def _elements(written: JsonObject) -> tuple[Element, ...]:
    return tuple(
        Element(uid=uid.lower(), name=text(record(fields), "name") or "", kind=text(record(fields), "type") or "")
        for uid, fields in written.items()
    )
