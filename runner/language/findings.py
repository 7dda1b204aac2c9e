"""What is wrong with a document that does not fit its schema, from violations to sentences; and the document mended."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem, in_order
from runner.foundation.values import Json, JsonObject, ValuePath, value_at
from runner.json_schema import schemas
from runner.json_schema.violations import Violation
from runner.language import keys, values
from runner.language.structure import RecordKeys, Structure, shipped
from runner.reading.document import CUT_OFF, SAME_COLUMN, Document
from runner.reading.odd_characters import begins_with_odd_space

_TAG = lazy_pattern(r":\s+!")
_COMMENT = lazy_pattern(r":?\s+#[^\s#].*")
"""What a `#` makes a comment of, and is hardly a comment: nothing parts it from the `#`."""
_COMMENTED_OUT = lazy_pattern(r"\s*#\s*(?:-\s|\w+:).*")


def misfits(violations: Iterable[Violation], document: Document, name: str) -> tuple[tuple[Problem, ...], Document]:
    """The problems in the order of the file, and the document with misspelt names mended."""
    found = _findings(violations, document, structure=shipped(name))
    return _problems(found, document), mended(document, found)


def check_cases(document: Document) -> tuple[Problem, ...]:
    """What does not fit of a file of cases, the list that `cases` may be; that it is empty is reported elsewhere."""
    violations = schemas.from_job(_cases()).violations(document.data)
    return _problems(_findings(violations, document, structure=Structure(_cases())), document) if violations else ()


@cache
def _cases() -> JsonObject:
    job = shipped("job").root
    return {"title": "file of cases", "$defs": job["$defs"], "type": "array", "items": {"$ref": "#/$defs/case"}}


def _findings(violations: Iterable[Violation], document: Document, *, structure: Structure) -> list[Finding]:
    """The findings, of each place once: a wrong value counts before a wrong name."""
    names_first = sorted(violations, key=lambda violation: violation.keyword != "propertyNames")
    found = {(finding.path, finding.at_key): finding for finding in _each(names_first, document.data, structure)}
    return [finding for finding in found.values() if not _is_reported(finding, document)]


def _each(violations: Iterable[Violation], data: Json, structure: Structure) -> Iterator[Finding]:
    """A finding for each mistake: the violations about the keys of a record belong together."""
    records: dict[ValuePath, RecordKeys] = {}
    others = []

    def at(path: ValuePath) -> RecordKeys:
        if path not in records:
            written = value_at(path, data)
            fields = written if isinstance(written, dict) else {}
            records[path] = RecordKeys(path=path, written=fields, structure=structure)
        return records[path]

    for violation in violations:
        match violation.keyword:
            case "additionalProperties":
                at(violation.path[:-1]).unknown.append(violation)
            case "required":
                at(violation.path).missing.append(violation)
            case "oneOf":
                at(violation.path).choices.append(violation)
            case _:
                others.append(violation)
    for path, record in records.items():
        if path and (around := records.get(path[:-1])) is not None:  # what is beside it belongs in it
            beside = {violation.path[-1] for violation in around.unknown}
            record.missing[:] = [violation for violation in record.missing if violation.expected not in beside]
        yield from keys.findings(record)
    yield from _value_findings(others, {path for record in records.values() for path in keys.emptied(record)})


def _value_findings(violations: Collection[Violation], emptied: Collection[ValuePath]) -> Iterator[Finding]:
    """Findings about single values; of keys that are not allowed in a record for the same reason, the first."""
    refused = set()
    in_doubt = {violation.path[:-1] for violation in violations if violation.keyword in ("enum", "const")}
    for violation in violations:
        if violation.keyword == "not" and violation.path[:-1] in in_doubt:
            continue  # whether it is allowed there depends on the word that is wrong
        finding = values.finding(violation)
        reason = (finding.path[:-1], finding.hint)
        if finding.path not in emptied and not (violation.keyword == "not" and reason in refused):
            yield finding
        if violation.keyword == "not":
            refused.add(reason)


def _is_reported(finding: Finding, document: Document) -> bool:
    """Whether it is reported elsewhere: a tag, an expression that YAML has cut, lines that begin with an odd space."""
    if finding.code != "E108" or not finding.at_key:
        return False
    if _TAG.search(document.source.line(document.line_of(finding.path))):
        return True
    if finding.path[-2:-1] == ("outputs",) and document.is_cut_off(finding.path):
        return True
    return begins_with_odd_space(document.source.line(document.line_of(finding.path) + 1))


def _problems(findings: Iterable[Finding], document: Document) -> tuple[Problem, ...]:
    """What an alias repeats is reported once: where its anchor is."""
    found: dict[object, Problem] = {}
    for problem in (_problem(finding, document) for finding in findings):
        found.setdefault((problem.message, problem.span), problem)
    return in_order(found.values())


def _problem(finding: Finding, document: Document) -> Problem:
    path, hint = finding.path, finding.hint
    if finding.code == "E106":
        odd = document.odd_space(path)
        if odd is not None:
            return replace(odd, path=path)
        hint = hint if path[:1] == ("cases",) else document.quote_hint(path) or hint
    if document.joined_items(path) and not finding.at_key:
        hint = SAME_COLUMN
    if finding.code == "E108" and _COMMENT.fullmatch(document.rest_after(path)):
        hint = "put the text in quotes: to YAML a `#` begins a comment"
    if finding.code == "E108" and _COMMENTED_OUT.fullmatch(document.source.line(document.line_of(path) + 1)):
        hint = "remove the `#` before what belongs to it: below this key are only comments"
    if finding.code in ("E104", "E108") and finding.at_key and document.is_cut_off(path):
        hint = CUT_OFF
    return document.found(replace(finding, hint=hint))


_REFERRED_TO = frozenset(
    {
        *("inputs", "vars", "cases", "steps", "finally", "outputs", "id", "for_each", "effect"),
        *("execute", "run", "query", "process", "parameters", "result", "results", "retry", "on"),
    }
)
"""Keys whose absence is seen elsewhere."""


def mended(document: Document, findings: Iterable[Finding]) -> Document:
    """The document with its misspelt keys and ids mended, and with a list where `results` is a single text."""
    mending = _Mending()
    for finding in findings:
        ours, is_name = finding.instead, finding.code == "E107"
        if ours is not None and (ours in _REFERRED_TO or (finding.at_key and is_name)):
            mending.names[finding.path] = ours
        if ours is not None and is_name and finding.path[-1:] == ("id",):
            mending.values[finding.path] = ours
        if finding.code == "E106" and finding.path[-1:] == ("results",):
            mending.values[finding.path] = None
    if not (mending.names or mending.values):
        return document
    return replace(document, data=mending.value(document.data, (), ()), originals=mending.originals)


class _Mending(Struct, frozen=True, kw_only=True):
    """What is mended, by the path as it is written."""

    names: dict[ValuePath, str] = field(default_factory=dict)
    values: dict[ValuePath, str | None] = field(default_factory=dict)  # None makes a list of a text
    originals: dict[ValuePath, str] = field(default_factory=dict)  # the written keys

    def value(self, value: Json, path: ValuePath, now: ValuePath) -> Json:
        """`path` leads to the value as it is written, `now` as it is mended."""
        match value:
            case str() if path in self.values:
                return self.values[path] or [value]
            case dict():
                return self._record(value, path, now)
            case list():
                return [self.value(item, (*path, index), (*now, index)) for index, item in enumerate(value)]
        return value

    def _record(self, record: Mapping[str, Json], path: ValuePath, now: ValuePath) -> JsonObject:
        found: JsonObject = {}
        for key, value in record.items():
            ours = self.names.get((*path, key), key)
            name = key if ours in record or ours in found else ours
            if name != key:
                self.originals[(*now, name)] = key
            found[name] = self.value(value, (*path, key), (*now, name))
        return found
