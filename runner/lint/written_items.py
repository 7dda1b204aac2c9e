"""Items of a written `for_each` that lack a key which the step asks for, as other items have it."""

from collections.abc import Iterator, Mapping
from itertools import islice

from runner.expressions.infer import template_type
from runner.expressions.parse import readable, template, texts_in
from runner.expressions.typed import A_NUMBER, Type, type_of
from runner.foundation.problems import Finding
from runner.foundation.suggestions import suggest
from runner.foundation.values import JsonObject, ValuePath, items
from runner.job.outline import Outline, RawStep
from runner.lint.places import action_values
from runner.reading.document import Document

_MOST_ITEMS = 200  # so many are checked: more of them have been written by a program


def lacking_items(step: RawStep, job: Outline, *, names: Mapping[str, Type], document: Document) -> Iterator[Finding]:
    """A finding for each item and key, at the item: before its turn, turns of others would have begun."""
    listed = [*islice(_written(step, job), _MOST_ITEMS)]
    keys = {key for _, item in listed for key in item}
    asked = [(found.path, text) for found in action_values(step) for _, text in texts_in(found.value) if listed]
    for path, item in listed:
        own = {**names, "item": type_of(item), "index": A_NUMBER}
        for key, at in _asked_in_vain(asked, own, keys - item.keys()).items():
            message = f"this item has no `{key}`, which line {document.line_of(at)} asks for"
            near = suggest(key, item)
            hint = f"it has `{near}`: write the same name in both places" if near else None
            hint = hint or f'give it one, or ask for `item.{key} | default("…")`'
            yield Finding(code="E173", message=message, hint=hint, path=path)


def _written(step: RawStep, job: Outline) -> Iterator[tuple[ValuePath, JsonObject]]:
    """The records of the list, in the step or in a var, each with its path."""
    written, path = step.fields.get("for_each"), (*step.path, "for_each")
    root, _, name = written.strip().partition(".") if isinstance(written, str) else ("", "", "")
    if root == "vars" and name in job.vars:
        written, path = job.vars[name], ("vars", name)
    for index, item in enumerate(items(written)):
        if isinstance(item, dict):
            yield (*path, index), item


def _asked_in_vain(
    asked: list[tuple[ValuePath, str]], names: Mapping[str, Type], lacking: set[str]
) -> dict[str, ValuePath]:
    """The keys of `lacking` without which a text cannot be evaluated, and the path of the first such text."""
    found: dict[str, ValuePath] = {}
    for path, text in asked if lacking else ():
        parsed = readable(template, text)
        for wrong in template_type(parsed, names)[1] if parsed is not None else ():
            key = (wrong.part or "").removeprefix("item.")
            if wrong.code == "E173" and key in lacking:
                found.setdefault(key, path)
    return found
