"""An expectation held against what a step gave, and the sentence that says why it is not met.

The sentence shows the expression and the values in it, each whole or not at all: half a secret would not be
recognised, and so not hidden, by who writes the sentence down. What cannot be evaluated is not met either: a missing
key in an answer is news about the answer.
"""

from collections.abc import Iterable

from runner.events import Check, Trouble
from runner.job.model import Expectation, Expected, SchemaExpectation
from runner.json_schema.schemas import from_job
from runner.template.errors import EvaluationError, TemplateProblem
from runner.template.evaluate import boolean, render
from runner.template.explain import values_seen
from runner.template.operations import counted
from runner.template.parse import expression, template
from runner.template.scope import Scope
from runner.template.source import dotted
from runner.values import Json, compact

_LONGEST = 120
_SHORTEST = 20
_MOST_VALUES = 6
_MOST_VIOLATIONS = 3


def check(expected: Expected, scope: Scope, *, secret: bool = False) -> tuple[Check, Trouble | None]:
    """Hold `expected` against `scope`, in which `result` is what the step gave; `secret`: no value is shown.

    Where it is not met: E201, or E202 where it could not be evaluated at all.
    """
    match expected:
        case Expectation():
            return _check_expression(expected, scope, secret=secret)
        case SchemaExpectation():
            return _check_schema(expected, scope, secret=secret)


def shown(value: Json) -> str:
    """`value` in a sentence: JSON, of long lists and records the first parts that fit, of long texts the length."""
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"a text of {counted(len(value), 'character')}"
    written = _json(value, _LONGEST)
    if isinstance(value, (list, dict)) and written[-2:-1] == "…":
        return f"{written} ({counted(len(value), 'item' if isinstance(value, list) else 'key')})"
    return written


def _check_expression(expected: Expectation, scope: Scope, *, secret: bool) -> tuple[Check, Trouble | None]:
    that = expected.that.strip()
    try:
        parsed = expression(expected.that)
        met = boolean(parsed, scope)
    except TemplateProblem as problem:
        return _not_met(that, f"`{that}` cannot be evaluated: {problem.message}", hint=problem.hint, code="E202")
    except EvaluationError as error:
        told = error.message.startswith(f"`{that}` ")
        why = error.message if told else f"`{that}` cannot be evaluated: {error.message}"
        return _not_met(that, _and(why, _values(that, scope, secret=secret), ";"), hint=error.hint, code="E202")
    if met:
        return Check(that=that, passed=True), None
    why = _message(expected.message, scope, secret=secret) or f"`{that}` is false"
    return _not_met(that, _and(why, _values(that, scope, secret=secret)), hint=None, code="E201")


def _check_schema(expected: SchemaExpectation, scope: Scope, *, secret: bool) -> tuple[Check, Trouble | None]:
    that = f"result fits {shown(expected.schema)}"
    violations = from_job(expected.schema).violations(scope.names.get("result"))
    if not violations:
        return Check(that=that, passed=True), None
    why = _message(expected.message, scope, secret=secret) or "`result` does not fit its schema"
    places = [
        f"`{dotted(('result', *found.path))}` "
        + (f"does not fit `{found.keyword}`" if secret else f"({found.message})")
        for found in violations[:_MOST_VIOLATIONS]
    ]
    more = len(violations) - _MOST_VIOLATIONS
    return _not_met(that, _and(why, [*places, f"and {more:,} more"] if more > 0 else places), hint=None, code="E201")


def _not_met(that: str, message: str, *, hint: str | None, code: str) -> tuple[Check, Trouble]:
    return Check(that=that, passed=False, message=message), Trouble(code=code, message=message, hint=hint)


def _message(written: str | None, scope: Scope, *, secret: bool) -> str | None:
    """The author's own sentence. One that cannot be rendered must not hide the failure that it speaks of."""
    if written is None:
        return None
    try:
        parsed = template(written)
        rendered = None if secret and not parsed.is_plain else render(parsed, scope)
    except (EvaluationError, TemplateProblem):
        return written.strip()
    if rendered is None:
        return None
    return rendered.strip() if isinstance(rendered, str) else compact(rendered)


def _values(that: str, scope: Scope, *, secret: bool) -> list[str]:
    if secret:
        return []
    seen = values_seen(expression(that), scope)
    return [f"`{source}` is {shown(value)}" for source, value in seen[:_MOST_VALUES]]


def _and(sentence: str, values: Iterable[str], sign: str = ":") -> str:
    listed = ", ".join(values)
    return f"{sentence.rstrip('.')}{sign} {listed}" if listed else sentence


def _json(value: Json, room: int) -> str:
    """JSON of about `room` characters; scalars are whole, and `…` stands for the parts that have no room."""
    match value:
        case str() if len(value) > max(room, _SHORTEST):
            return f"⟨{counted(len(value), 'character')}⟩"
        case list():
            return f"[{_some((('', item) for item in value), room - 1)}]"
        case dict():
            return f"{{{_some(((compact(key) + ':', item) for key, item in value.items()), room - 1)}}}"
        case _:
            return compact(value)


def _some(parts: Iterable[tuple[str, Json]], room: int) -> str:
    shown_parts: list[str] = []
    for key, item in parts:
        if room <= 0:
            shown_parts.append("…")
            break
        shown_parts.append(key + _json(item, room))
        room -= len(shown_parts[-1]) + 1
    return ",".join(shown_parts)
