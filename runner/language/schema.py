"""A document against the schema of its language: every violation becomes a problem at the key or value itself.

What a schema cannot say is the business of `runner.lint.job`.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache

from runner.foundation.problems import Problem, in_order
from runner.foundation.values import Json, JsonObject, Path, value_at
from runner.json_schema import schemas
from runner.json_schema.violations import Violation
from runner.language import keys
from runner.language.as_meant import as_meant
from runner.language.belongs import Language
from runner.language.keys import Keys
from runner.language.kinds import other_kind
from runner.language.wording import Mistake, mistake
from runner.reading import blanks
from runner.reading.document import CUT_OFF, IN_ONE_COLUMN, Document

_COMMENT = re.compile(r":?\s+#[^\s#].*")
"""What a `#` makes a comment of, and is hardly one: nothing parts it from the `#`."""


def check(document: Document, name: str) -> tuple[Problem, ...]:
    """What does not fit the schema called `name`, `job`, `targets` or `process`, in the order of the file."""
    return read(document, name)[0]


def read(document: Document, name: str) -> tuple[tuple[Problem, ...], Document]:
    """What does not fit, and the document as it was meant, for those who check it further."""
    found = schemas.shipped(name).violations(document.data)
    if not found:
        return (), document
    other = other_kind(document, name)
    if other is not None:
        return (other,), document
    told = _mistakes_told(found, document, language=_language(name))
    return _problems(told, document), as_meant(document, told)


def check_cases(document: Document) -> tuple[Problem, ...]:
    """What does not fit of a file of cases, the list that `cases` may be; an empty one is told where it is named."""
    found = schemas.from_job(_cases()).violations(document.data)
    return _problems(_mistakes_told(found, document, language=Language(_cases())), document) if found else ()


@cache
def _language(name: str) -> Language:
    return Language(json.loads(schemas.shipped_text(name)))


@cache
def _cases() -> JsonObject:
    job = _language("job").root
    return {"title": "file of cases", "$defs": job["$defs"], "type": "array", "items": {"$ref": "#/$defs/case"}}


def _mistakes_told(found: Iterable[Violation], document: Document, *, language: Language) -> list[Mistake]:
    names_first = sorted(found, key=lambda violation: violation.keyword != "propertyNames")
    told = {(said.path, said.at_key): said for said in _mistakes(names_first, document.data, language=language)}
    return [said for said in told.values() if not _is_told(said, document)]


def _problems(told: Iterable[Mistake], document: Document) -> tuple[Problem, ...]:
    return in_order(_problem(said, document) for said in told)


def _mistakes(found: Iterable[Violation], data: Json, *, language: Language) -> Iterator[Mistake]:
    """One for each mistake: the violations about the keys of one record are looked at together."""
    records: dict[Path, Keys] = {}
    values = []
    for violation in found:
        match violation.keyword:
            case "additionalProperties":
                _keys(records, violation.path[:-1], data).unknown.append(violation)
            case "required":
                _keys(records, violation.path, data).missing.append(violation)
            case "oneOf":
                _keys(records, violation.path, data).choices.append(violation)
            case _:
                values.append(violation)
    for record in records.values():
        yield from keys.mistakes(record, language)
    emptied = {path for record in records.values() for path in keys.emptied(record, language)}
    yield from _of_values(values, emptied)


def _of_values(found: Collection[Violation], emptied: Collection[Path]) -> Iterator[Mistake]:
    """Mistakes in single values; of keys that may not stand in one record for one reason, the first."""
    refused = set()
    in_doubt = {violation.path[:-1] for violation in found if violation.keyword in ("enum", "const")}
    for violation in found:
        if violation.keyword == "not" and violation.path[:-1] in in_doubt:
            continue  # whether it may stand there is for the word that is wrong to say
        said = mistake(violation)
        reason = (said.path[:-1], said.hint)
        if said.path not in emptied and not (violation.keyword == "not" and reason in refused):
            yield said
        if violation.keyword == "not":
            refused.add(reason)


def _keys(records: dict[Path, Keys], path: Path, data: Json) -> Keys:
    if path not in records:
        written = value_at(path, data)
        records[path] = Keys(path=path, written=written if isinstance(written, dict) else {})
    return records[path]


def _is_told(said: Mistake, document: Document) -> bool:
    """Whether it is told elsewhere: an expression that YAML has cut, or lines that begin with no blank to YAML."""
    if said.code != "E108" or not said.at_key:
        return False
    if said.path[-2:-1] == ("outputs",) and document.is_cut_off(said.path):
        return True
    return blanks.begins_with_one(document.source.line(document.line_of(said.path) + 1))


def _problem(said: Mistake, document: Document) -> Problem:
    odd = document.odd_blank(said.path) if said.code == "E106" else None
    if odd is not None:
        return replace(odd, path=said.path)
    eaten = document.quote_hint(said.path) if said.code == "E106" else None
    if document.joined_items(said.path) and not said.at_key:
        eaten = IN_ONE_COLUMN
    if said.code == "E108" and _COMMENT.fullmatch(document.rest_behind(said.path)):
        eaten = "put the text in quotes: to YAML a `#` begins a comment"
    if said.code in ("E104", "E108") and said.at_key and document.is_cut_off(said.path):
        eaten = CUT_OFF
    return document.problem(said.code, said.message, path=said.path, at_key=said.at_key, hint=eaten or said.hint)
