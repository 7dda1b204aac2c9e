"""The entities and columns that a `query` names, compared with those of a sandbox; no catalogue has those of a site."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import islice
from typing import TypeAlias

from msgspec.structs import replace

from runner.catalogue.model import Catalogue, Entity
from runner.foundation.problems import Finding
from runner.foundation.sentences import listed
from runner.foundation.suggestions import did_you_mean, near_or_listed, suggest
from runner.foundation.values import Json, JsonObject, ValuePath, record, text
from runner.job.actions.query import columns
from runner.job.outline import RawStep
from runner.lint.actions import listed_texts, own_column
from runner.lint.filters import parts_of, with_holes
from runner.odata.filter import Column, Node, Operation, columns_of, nodes_in, not_evaluated, readable
from runner.odata.functions import Edm
from runner.odata.lexer import COMPARISONS, CONSTANTS, HOLE
from runner.odata.mistakes import TEXT_HINT, first_mistake, lookup_by_path
from runner.odata.names import is_entity, order_of
from runner.odata.type_mistakes import type_mistakes
from runner.odata.types import of_every_site

_CheckColumns: TypeAlias = Callable[[JsonObject, ValuePath, Entity, str], Iterator[Finding]]


def check_entities(step: RawStep, catalogue: Catalogue) -> Iterator[Finding]:
    yield from _check_entity(record(step.fields.get("query")), (*step.path, "query"), catalogue, _query_columns)
    for change, written in record(step.fields.get("signal")).items():
        yield from _check_entity(record(written), (*step.path, "signal", change), catalogue, _changed_columns)


def _check_entity(
    fields: JsonObject, path: ValuePath, catalogue: Catalogue, check_columns: _CheckColumns
) -> Iterator[Finding]:
    """What is wrong with the entity's name, or with the columns, as far as they are known."""
    name, known = text(fields, "entity"), catalogue.entities
    if name is None or not is_entity(name) or known is None:
        return
    if name not in known:
        message, hint = f"{catalogue.name} has no entity `{name}`", near_or_listed(name, known)
        if catalogue.doubles is not None and not suggest(name, sorted(known)):
            hint = f"write a first record of it into `{catalogue.doubles}/records.yaml`: `{name}: [{{Name: x}}]`"
        yield Finding(code="E147", message=message, path=(*path, "entity"), hint=hint)
    elif (entity := known[name]) is not None:
        yield from check_columns(fields, path, entity, name)


def _changed_columns(fields: JsonObject, path: ValuePath, entity: Entity, called: str) -> Iterator[Finding]:
    """Columns of the record that a `signal` changes."""
    for column in record(fields.get("values")):
        if column not in entity.columns:
            yield replace(_no_column(column, entity.columns, (*path, "values", column), called=called), at_key=True)


def _query_columns(fields: JsonObject, path: ValuePath, entity: Entity, called: str) -> Iterator[Finding]:
    """For each text the first column in it that is not there."""
    asked = [(at, column, entity.columns) for at, column in _listed_columns(fields.get("select"), (*path, "select"))]
    ordered = _listed_columns(fields.get("orderby"), (*path, "orderby"))
    asked += [(at, order[0], entity.paths) for at, column in ordered if (order := order_of(column)) is not None]
    reported: set[ValuePath] = set()
    for at, column, known in asked:
        if column not in known and column != "*" and at not in reported:
            reported.add(at)
            is_path = known is entity.columns and f"{column.partition('/')[0]}Id" in known
            yield _no_column(column, known, at, called=called, hint=own_column(column) if is_path else None)
    yield from islice(_filter_mistakes(fields, (*path, "filter"), entity, called), 1)


def _filter_mistakes(fields: JsonObject, path: ValuePath, entity: Entity, called: str) -> Iterator[Finding]:
    whole = with_holes(parts_of(text(fields, "filter") or ""))
    tree = readable(whole)
    if tree is None:
        return
    yield from _filter_columns(tree, path, entity, called)
    if first_mistake(whole) is None:  # else it is reported elsewhere
        yield from (replace(found, path=path) for found in type_mistakes(tree, partial(_column_type, entity)))
        for column in columns_of(tree):
            if column in entity.lookups and entity.column_type(column) == Edm.GUID:
                yield from (replace(found, path=path, warning=False) for found in lookup_by_path(column))
        if HOLE not in whole and (why := not_evaluated(tree, whole)) is not None:
            yield Finding(message=f"the sandbox refuses this filter: {why}", path=path, warning=True)


def _column_type(entity: Entity, column: str) -> Edm | None:
    kind = entity.column_type(column)
    return of_every_site(column) if kind is None else Edm(kind)


def _filter_columns(tree: Node, path: ValuePath, entity: Entity, called: str) -> Iterator[Finding]:
    values = [
        part.operands[-1]
        for part in nodes_in(tree)
        if isinstance(part, Operation) and part.operands and part.name.casefold() in COMPARISONS
    ]
    for column in columns_of(tree):
        if column not in entity.paths and column.casefold() not in CONSTANTS:
            is_text = Column(path=column) in values and not suggest(column, sorted(entity.paths))
            known = entity.paths - entity.lookups
            hint = TEXT_HINT if is_text else _path_hint(column, known)
            yield _no_column(column, known, path, called=called, hint=hint)


def _path_hint(column: str, known: Collection[str]) -> str | None:
    """A lookup is filtered by a path over it."""
    path = next((path for path in (f"{column}/Name", f"{column}/Id") if path in known), None)
    return f"write `{path}`" if path else None


def _no_column(
    column: str, known: Collection[str], path: ValuePath, *, called: str, hint: str | None = None
) -> Finding:
    message = f"`{called}` has no column `{column}`"
    own_first = sorted(known, key=lambda each: (each.startswith(("Created", "Modified")), each))
    hint = hint or did_you_mean(column, own_first) or f"it has {listed(own_first)}"
    return Finding(code="E147", message=message, path=path, hint=hint)


def _listed_columns(written: Json, path: ValuePath) -> Iterator[tuple[ValuePath, str]]:
    for at, value in listed_texts(written, path):
        yield from ((at, column) for column in columns(value) if column)
