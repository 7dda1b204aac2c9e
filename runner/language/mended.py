"""A document with the right keys and names in place of mistyped ones, so that each mistake is reported once."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.problems import Finding
from runner.foundation.values import Json, JsonObject, Path
from runner.reading.document import Document

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

    names: dict[Path, str] = field(default_factory=dict)
    values: dict[Path, str | None] = field(default_factory=dict)  # None makes a list of a text
    originals: dict[Path, str] = field(default_factory=dict)  # the written keys

    def value(self, value: Json, path: Path, now: Path) -> Json:
        """`path` leads to the value as it is written, `now` as it is mended."""
        match value:
            case str() if path in self.values:
                return self.values[path] or [value]
            case dict():
                return self._record(value, path, now)
            case list():
                return [self.value(item, (*path, index), (*now, index)) for index, item in enumerate(value)]
        return value

    def _record(self, record: Mapping[str, Json], path: Path, now: Path) -> JsonObject:
        found: JsonObject = {}
        for key, value in record.items():
            ours = self.names.get((*path, key), key)
            name = key if ours in record or ours in found else ours
            if name != key:
                self.originals[(*now, name)] = key
            found[name] = self.value(value, (*path, key), (*now, name))
        return found
