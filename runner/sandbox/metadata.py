"""`$metadata`: the entities and their columns (`service/README.md`, OData).

Some clients read it by regular expressions: the prefix is `edmx`, `Schema` has none, `Name` is the first attribute [C].
A lookup leads to an entity in the sandbox, too.
"""

from collections.abc import Iterable, Iterator, Mapping

from runner.sandbox.entity_set import Edm, EntitySet

_NAMESPACE = "Terrasoft.Configuration.OData"
_LOOKUPS = {"SysProcess": "SysProcessLog"}  # lookups that are not called as their entity is


def document(entity_sets: Iterable[EntitySet]) -> str:
    """Names of entities and columns are plain words, so nothing in them needs an escape."""
    known = {entity_set.name: entity_set for entity_set in entity_sets}
    return "".join(_lines(known))


def _lines(known: Mapping[str, EntitySet]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    yield f'<Schema Namespace="{_NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    for entity_set in known.values():
        yield from _entity_type(entity_set, known)
    yield '<EntityContainer Name="Container">'
    for name in known:
        yield f'<EntitySet Name="{name}" EntityType="{_NAMESPACE}.{name}"/>'
    yield "</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"


def _entity_type(entity_set: EntitySet, known: Mapping[str, EntitySet]) -> Iterator[str]:
    yield f'<EntityType Name="{entity_set.name}"><Key><PropertyRef Name="Id"/></Key>'
    for column in entity_set.columns:
        kind = entity_set.type_of(column) or Edm.STRING
        may_be_null = ' Nullable="false"' if column == "Id" else ""
        yield f'<Property Name="{column}" Type="{kind}"{may_be_null}/>'
    for column in entity_set.columns:
        lookup = column.removesuffix("Id")
        entity = _LOOKUPS.get(lookup, lookup)
        if lookup not in {"", column} and entity in known:
            yield f'<NavigationProperty Name="{lookup}" Type="{_NAMESPACE}.{entity}"/>'
    yield "</EntityType>"
