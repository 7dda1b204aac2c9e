"""Conditions that are known before the job runs: an `if` that is no boolean, an expectation that checks nothing."""

from functools import lru_cache

from runner.expressions import parse
from runner.expressions.conditions import always_true, inside_quotes, too_easily_true
from runner.expressions.infer import expression_type
from runner.expressions.parse import Expression
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.values import Json, ValuePath, compact, items, kind_of, record
from runner.lint.places import OF_AN_ATTEMPT, NameScope
from runner.lint.schemas import is_schema
from runner.lint.texts import JobLint
from runner.reading.document import SAME_COLUMN

_AFTER_A_STOP = frozenset({"failure", "always"})  # an `if` with any of these is asked after a step that ended the run
_CONDITION = lazy_pattern(r"[=!<>]=|[<>]|\b(?:is|in)\b")
_DASH = lazy_pattern(r"\s-\s")
_ANNOTATIONS = frozenset(
    {"title", "description", "examples", "default", "deprecated", "$comment", "$schema", "$id", "$defs"}
)
_ENDED = lazy_pattern(r"\bsteps\.(\w+)\.status\s*==\s*[\"'](failed|error|unknown)[\"']")
_NO_SUCCESS = lazy_pattern(r"\bnot\s+success\(\)")
_COMPARE = "compare with what the step gives, as in `result | length > 0`"
_COMPARE_STEP = "compare with what the step gives; write a name without quotes"
_COMPARE_INPUT = "compare with what an input or a step gives; write a name without quotes"


def check_condition(written: Json, path: ValuePath, *, scope: NameScope, lint: JobLint) -> None:
    parsed = lint.expression(written, path, scope)
    if parsed is not None and parsed.is_constant:
        _constant(parsed, path, lint)
    elif parsed is not None and (parsed.constants or parsed.compares_itself):
        what = "constants" if parsed.constants else "something with itself"
        message = f"`{parsed.constants or parsed.text}` compares {what}"
        lint.report("E177", message, path, hint=_COMPARE_INPUT, warning=True)
    elif parsed is not None and path[0] == "steps" and scope.undone is None and not parsed.functions & _AFTER_A_STOP:
        if _NO_SUCCESS.search(parsed.text):
            message = "`not success()` is never true here: after a failure an `if` needs `failure()` or `always()`"
            hint = "write `failure()`; after a step with `on_failure: continue` ask for its `status`"
            lint.report("E177", message, path, hint=hint, warning=True)
        for found in _ENDED.finditer(parsed.text):
            _report_stop(found[1], found[2], path, lint)


def _report_stop(name: str, status: str, path: ValuePath, lint: JobLint) -> None:
    """A status that ends the run, so that this `if` is not asked."""
    declared = lint.outline.by_id.get(name)
    fields = {} if declared is None or declared.step.path[0] != "steps" else declared.step.fields
    if fields and fields.get("on_failure", lint.defaults.get("on_failure", "stop")) == "stop":
        message = f"`steps.{name}.status` is never `{status}` here: the run ends where that step does not pass"
        hint = f"write `on_failure: continue` in the step `{name}`, or put this step under `finally`"
        lint.report("E177", message, path, hint=hint, warning=True)


def _constant(parsed: Expression, path: ValuePath, lint: JobLint) -> None:
    from runner.expressions.evaluate import EvaluationError, Scope, evaluate  # noqa: PLC0415  1 ms, for a constant

    try:
        value = evaluate(parsed, Scope(names={}))
    except EvaluationError as error:
        lint.report("E107", f"`if` can never be evaluated: {error.message}", path, hint=error.hint)
        return
    if not isinstance(value, bool):
        message = f"`if` must be true or false, and `{parsed.text}` is {kind_of(value)}"
        lint.report("E107", message, path, hint=_without_quotes(parsed, value))
    elif parsed.constants and not expression_type(parsed, {})[1]:  # else types show what is wrong
        message = f"`{parsed.text}` is {compact(value)} whatever happens"
        lint.report("E177", message, path, hint=_COMPARE_INPUT, warning=True)


def _without_quotes(parsed: Expression, value: Json) -> str:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return f"write `{value.lower()}` without quotes"
    inner = inside_quotes(parsed)
    return "compare it with something, as in `… == …`" if inner is None else f"leave the inner quotes out: `{inner}`"


def check_expectations(written: Json, path: ValuePath, *, scope: NameScope, lint: JobLint) -> None:
    """Report on the items of an `expect`."""
    for index, item in enumerate(items(written)):
        at = (*path, index)
        if isinstance(item, dict):
            _that(item.get("that"), (*at, "that"), scope=scope, lint=lint)
            lint.value(item.get("message"), (*at, "message"), scope)
            if "schema" in item:
                lint.plain(item["schema"], (*at, "schema"))
                if is_schema(item["schema"], (*at, "schema"), lint) and _fits_all(item["schema"]):
                    hint = "write what is expected, as in `schema: {type: array, minItems: 1}`"
                    lint.report("E117", "this schema fits every value", (*at, "schema"), hint=hint, warning=True)
        else:
            _that(item, at, scope=scope, lint=lint)


def _that(that: Json, path: ValuePath, *, scope: NameScope, lint: JobLint) -> None:
    if isinstance(that, bool | int | float):
        lint.report("E117", f"`{compact(that)}` checks nothing of the step", path, hint=_COMPARE)
        return
    if isinstance(that, str) and _are_two(that) and lint.document.joined_items(path):
        message = "two expectations in one: the second is indented further than the first"
        lint.report("E120", message, path, hint=SAME_COLUMN)
        return
    before = len(lint.problems)
    parsed = lint.expression(that, path, scope)
    if parsed is None:
        return
    if (flaw := _flaw(str(that))) is not None:
        lint.add(flaw, path)
    elif len(lint.problems) == before and _is_of_another_step(parsed, scope):
        lint.report("E117", f"`{parsed.text}` checks nothing of this step", path, hint=_COMPARE, warning=True)


@lru_cache(maxsize=256)  # many steps expect the same
def _flaw(that: str) -> Finding | None:
    """Why a readable expression checks nothing in any step."""
    parsed, hint, message = parse.expression(that), _COMPARE, ""
    if parsed.constants:
        message, hint = f"`{parsed.constants}` compares constants", _COMPARE_STEP
    elif parsed.is_constant:
        if (inner := inside_quotes(parsed)) is not None:
            hint = f"leave the inner quotes out: `{inner}`"
        return Finding(code="E117", message=f"`{parsed.text}` checks nothing of the step", hint=hint)
    elif parsed.compares_itself:
        message = f"`{parsed.text}` compares something with itself"
    elif parsed.tree is not None and always_true(parsed.tree, given=OF_AN_ATTEMPT):
        message = f"`{parsed.text}` is met whatever the step gives"
    elif parsed.tree is not None and (found := too_easily_true(parsed.tree)) is not None:
        message, hint = found
    return Finding(code="E117", message=message, hint=hint, warning=True) if message else None


def _is_of_another_step(parsed: Expression, scope: NameScope) -> bool:
    """Whether only what earlier steps gave is checked, beside a result that this step asks for."""
    roots = {name.path[0] for name in parsed.names}
    if "steps" not in roots or not roots.isdisjoint((*OF_AN_ATTEMPT, "item")):
        return False
    fields = {} if scope.own_result is None else scope.own_result.fields
    return "query" in fields or "result" in record(fields.get("execute")) or "results" in record(fields.get("run"))


@lru_cache(maxsize=256)
def _are_two(that: str) -> bool:
    """Whether what is on either side of a dash could be an expectation."""
    parts = _DASH.split(that)
    return len(parts) > 1 and all(map(_CONDITION.search, parts))


def _fits_all(schema: Json) -> bool:
    """Whether nothing in `schema` says what a value must be."""
    if isinstance(schema, dict):
        return all(key in _ANNOTATIONS or key.startswith("x-") for key in schema)
    return schema is True
