"""Where a key belongs that stands in the wrong record: told by the schema of the language, which knows every place."""

from dataclasses import dataclass

from runner.foundation.raw import record
from runner.foundation.values import Json, JsonObject, Path


@dataclass(frozen=True, slots=True)
class Language:
    """One of our schemas, to be asked about the records that it describes."""

    root: JsonObject

    def property(self, schema: JsonObject, key: str) -> JsonObject:
        """The schema of what stands behind `key`; what is written beside a `$ref` counts before what it leads to."""
        return self._resolved(record(schema.get("properties")).get(key))

    def below(self, path: Path) -> dict[str, list[str]]:
        """The keys that are known one floor below the record at `path`, each with the keys behind which it is."""
        schema = self.at(path)
        found: dict[str, list[str]] = {}
        for name in _keys(schema):
            behind = self.property(schema, name)
            for key in _keys(behind) | _keys(self._resolved(behind.get("items"))):
                found.setdefault(key, []).append(name)
        return found

    def of_names(self, path: Path, value: JsonObject) -> str | None:
        """The key of the record at `path` that holds records such as `value` under names that people choose."""
        schema = self.at(path)
        for key in _keys(schema) if value else ():
            named = self._resolved(self.property(schema, key).get("additionalProperties"))
            if value.keys() <= _keys(named).keys():
                return key
        return None

    def above(self, key: str, path: Path) -> str | None:
        """Where above the record at `path` `key` is known, in a hint."""
        for length in reversed(range(len(path))):
            if key in _keys(self.at(path[:length])):
                if length == 0:
                    return f"`{key}` belongs to the {self.root.get('title')} itself"
                return f"`{key}` belongs beside `{path[length]}`, not in it"
        return None

    def in_list(self, path: Path) -> tuple[str, JsonObject]:
        """What an item is called, and its keys, where a list may stand in place of the record at `path`."""
        item = self._resolved(self.at(path).get("items"))
        return str(item.get("title")), _keys(item)

    def beside(self, key: str, path: Path) -> str | None:
        """The record beside that at `path` in which `key` is known."""
        beside = _keys(self.at(path[:-1])) if path else {}
        return next((name for name in beside if name != path[-1] and key in _keys(self._resolved(beside[name]))), None)

    def at(self, path: Path) -> JsonObject:
        """The schema of what stands at `path`, empty where the language does not look into it."""
        schema = self._resolved(self.root)
        for part in path:
            if isinstance(part, int):
                schema = self._resolved(schema.get("items"))
            elif part in _keys(schema):
                schema = self.property(schema, part)
            else:
                schema = self._resolved(schema.get("additionalProperties"))
        return schema

    def _resolved(self, schema: Json) -> JsonObject:
        found = record(schema)
        reference = found.get("$ref")
        if not isinstance(reference, str):
            return found
        name = reference.rpartition("/")[2]
        return {**self._resolved(record(self.root.get("$defs")).get(name)), **found}


def _keys(schema: JsonObject) -> JsonObject:
    return record(schema.get("properties"))
