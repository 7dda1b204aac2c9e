"""A document as it was meant: a key that stands for one of ours counts as it in what is checked next, and a name that
cannot be one as the nearest that can.

So that one mistake is told once, and not again wherever something refers to what stands behind the key. The nodes of
the document stay where they are; only some of their names are others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from runner.foundation.values import Json, JsonObject, Path
from runner.language.wording import Mistake
from runner.reading.document import Document

_REFERRED_TO = frozenset(
    {
        *("inputs", "vars", "cases", "steps", "finally", "outputs", "id", "for_each", "effect"),
        *("execute", "run", "query", "process", "parameters", "result", "results"),
    }
)
"""Keys whose absence is seen elsewhere."""


def as_meant(document: Document, told: Iterable[Mistake]) -> Document:
    """The document with its misspelt keys mended, and with a list where one text stands behind `results`."""
    known = tuple(told)
    mending = _Mending(
        names={one.path: one.meant for one in known if one.meant in _REFERRED_TO or (one.at_key and _is_name(one))},
        ids={one.path: str(one.meant) for one in known if one.path[-1:] == ("id",) and _is_name(one)},
        listed=frozenset(one.path for one in known if one.code == "E106" and one.path[-1:] == ("results",)),
    )
    if not (mending.names or mending.ids or mending.listed):
        return document
    data = mending.value(document.data, (), ())
    return replace(document, data=data, originals=mending.originals)


def _is_name(one: Mistake) -> bool:
    return one.code == "E107" and one.meant is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mending:
    """`originals` are the keys as they are written, by the paths that lead to what was mended."""

    names: Mapping[Path, str | None]
    ids: Mapping[Path, str]
    listed: frozenset[Path]
    originals: dict[Path, str] = field(default_factory=dict)

    def value(self, value: Json, path: Path, now: Path) -> Json:
        """`path` leads to the value as it is written, `now` as it is meant."""
        match value:
            case str() if path in self.listed:
                return [value]
            case str() if path in self.ids:
                return self.ids[path]
            case dict():
                return self._record(value, path, now)
            case list():
                return [self.value(item, (*path, index), (*now, index)) for index, item in enumerate(value)]
        return value

    def _record(self, record: JsonObject, path: Path, now: Path) -> JsonObject:
        found: JsonObject = {}
        for key, value in record.items():
            meant = self.names.get((*path, key)) or key
            name = key if meant in record or meant in found else meant
            if name != key:
                self.originals[(*now, name)] = key
            found[name] = self.value(value, (*path, key), (*now, name))
        return found
