"""Which keys our schemas know at which place, and what is wrong with the keys of a record."""

import json
from functools import cache

from msgspec import Struct, field

from runner.foundation.suggestions import likely_typo
from runner.foundation.values import Json, JsonObject, ValuePath, items, record, sure_text
from runner.json_schema import schemas
from runner.json_schema.violations import Violation


class Structure(Struct, frozen=True):
    """A schema of ours, to be asked about the records that it describes."""

    root: JsonObject

    @property
    def actions(self) -> frozenset[str]:
        """The exclusive keys of a step; none in a schema without steps."""
        choice = record(record(record(self.root.get("$defs")).get("one_action")).get("then"))
        return frozenset(
            sure_text(key) for each in items(choice.get("oneOf")) for key in items(record(each)["required"])
        )

    def at(self, path: ValuePath) -> JsonObject:
        """The schema of the value at `path`, empty where the language does not look into it."""
        schema = self._resolved(self.root)
        for part in path:
            if isinstance(part, int):
                schema = self._resolved(schema.get("items"))
            elif part in properties(schema):
                schema = self.property(schema, part)
            else:
                schema = self._resolved(schema.get("additionalProperties"))
        return schema

    def property(self, schema: JsonObject, key: str) -> JsonObject:
        """The schema of the value of `key`; keywords beside a `$ref` come first."""
        return self._resolved(properties(schema).get(key))

    def below(self, path: ValuePath) -> dict[str, list[str]]:
        """The keys known a level below the record at `path`, each with the keys under which it is known."""
        schema = self.at(path)
        found: dict[str, list[str]] = {}
        for name in properties(schema):
            inner = self.property(schema, name)
            for key in properties(inner) | properties(self._resolved(inner.get("items"))):
                found.setdefault(key, []).append(name)
        return found

    def above(self, key: str, path: ValuePath, *, typo: bool = False) -> str | None:
        """A hint where above the record at `path` `key` is known; `typo`: or a key that it is a typo of."""
        for length in reversed(range(len(path))):
            known = properties(self.at(path[:length]))
            if name := key if key in known else typo and likely_typo(key, known):
                if length == 0:
                    return f"`{name}` belongs to the {self.root.get('title')} itself"
                return f"`{name}` belongs beside `{path[length]}`, not in it"
        return None

    def beside(self, key: str, path: ValuePath) -> str | None:
        """The record beside that at `path` that has `key`."""
        beside = properties(self.at(path[:-1])) if path else {}
        names = (name for name in beside if name != path[-1] and key in properties(self._resolved(beside[name])))
        return next(names, None)

    def named_records(self, path: ValuePath, value: JsonObject) -> str | None:
        """The key of the record at `path` that holds records such as `value` under names that people choose."""
        schema = self.at(path)
        for key in properties(schema) if value else ():
            named = self._resolved(self.property(schema, key).get("additionalProperties"))
            if value.keys() <= properties(named).keys():
                return key
        return None

    def item(self, path: ValuePath) -> JsonObject:
        """The schema of an item, where a list may stand in place of the record at `path`."""
        return self._resolved(self.at(path).get("items"))

    def _resolved(self, schema: Json) -> JsonObject:
        found = record(schema)
        reference = found.get("$ref")
        if not isinstance(reference, str):
            return found
        name = reference.rpartition("/")[2]
        return {**self._resolved(record(self.root.get("$defs")).get(name)), **found}


@cache
def shipped(name: str) -> Structure:
    """The structure of the schema called `name`, as `job`."""
    return Structure(json.loads(schemas.shipped_text(name)))


def properties(schema: JsonObject) -> JsonObject:
    return record(schema.get("properties"))


class RecordKeys(Struct, frozen=True, kw_only=True):
    """All violations about the keys of a record, `written`, at `path`."""

    path: ValuePath
    written: JsonObject
    structure: Structure
    unknown: list[Violation] = field(default_factory=list)
    missing: list[Violation] = field(default_factory=list)
    choices: list[Violation] = field(default_factory=list)

    @property
    def schema(self) -> JsonObject:
        """The schema that knows no more keys than its own; empty where all are known."""
        return record(self.unknown[0].schema) if self.unknown else {}

    @property
    def title(self) -> str:
        title = self.schema.get("title")
        return title if isinstance(title, str) else str(self.path[-1]) if self.path else ""

    @property
    def known(self) -> JsonObject:
        return properties(self.schema)

    @property
    def alternatives(self) -> list[list[str]]:
        return [alternatives(choice) for choice in self.choices]

    @property
    def wanted(self) -> set[Json]:
        """The missing keys, and groups of keys of which a key is missing."""
        open_choices = [names for names in self.alternatives if not self.written.keys() & set(names)]
        return {violation.expected for violation in self.missing} | {name for names in open_choices for name in names}


def alternatives(choice: Violation) -> list[str]:
    """The exclusive keys: `oneOf` in our schemas only ever counts keys."""
    branches = choice.expected if isinstance(choice.expected, list) else []
    return [str(key) for branch in branches for key in items(record(branch).get("required"))]
