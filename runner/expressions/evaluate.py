"""Expressions and templates evaluated in a scope: the face of this room to the rest of the program."""

from runner.expressions.errors import EvaluationError
from runner.expressions.operations import LARGEST_TEXT, Room, Value, as_text, bounded, joined, present, small
from runner.expressions.parse import Expression, Template, template
from runner.expressions.scope import Scope, part_of
from runner.expressions.walk import walk
from runner.foundation.values import Json, kind_of

__all__ = ["EvaluationError", "Room", "Scope", "boolean", "evaluate", "render", "render_value"]


def evaluate(expression: Expression, scope: Scope) -> Json:
    """The value of `expression`, at most 1 MiB of JSON. Raises `EvaluationError`."""
    value = present(_value(expression, scope))
    if isinstance(value, str):
        return bounded(value)
    return small(value) if isinstance(value, (list, dict)) else value


def boolean(expression: Expression, scope: Scope) -> bool:
    """The value of a condition. Raises `EvaluationError`, also where it is no boolean."""
    value = present(_value(expression, scope))
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        hint = f'compare the text: `{expression.text} == "{value}"`'
    else:
        hint = "compare it with something, as in `… == …` or `… | length > 0`"
    raise EvaluationError(f"`{expression.text}` gives {kind_of(value)}, not a boolean", hint=hint)


def render(parsed: Template, scope: Scope) -> Json:
    """The value of `parsed`: that of its expression where it is nothing else, else a text. Raises `EvaluationError`."""
    parts = parsed.parts
    if len(parts) == 1:
        only = parts[0]
        return only if isinstance(only, str) else evaluate(only, scope)
    return joined(part if isinstance(part, str) else _in_text(part, scope) for part in parts)


def render_value(value: Json, scope: Scope) -> Json:
    """`value` with every text inside it rendered; keys are none. Raises `EvaluationError`."""
    if isinstance(value, str):
        return render(template(value), scope) if "{{" in value else value
    made = _rendered(value, scope, Room("the parts of this value", most=LARGEST_TEXT))
    return small(made) if isinstance(made, (list, dict)) and made is not value else made


def _value(expression: Expression, scope: Scope) -> Value:
    if expression.path is not None:
        return part_of(scope, expression.path)
    assert expression.tree is not None
    return walk(expression.tree, scope)


def _in_text(part: Expression, scope: Scope) -> str:
    value = evaluate(part, scope)
    if value is None:
        hint = f'write `{{{{ {part.text} | default("") }}}}` for nothing in its place'
        raise EvaluationError(f"`{part.text}` is null, which cannot be a part of a text", hint=hint)
    return as_text(value)


def _rendered(value: Json, scope: Scope, room: Room) -> Json:
    """The same object where there is nothing to render."""
    match value:
        case str() if "{{" in value:
            text = render(template(value), scope)
            room.take(text)
            return text
        case list():
            made = [_rendered(item, scope, room) for item in value]
            return made if any(new is not old for new, old in zip(made, value, strict=True)) else value
        case dict():
            record = {key: _rendered(item, scope, room) for key, item in value.items()}
            return record if any(record[key] is not value[key] for key in record) else value
        case _:
            return value
