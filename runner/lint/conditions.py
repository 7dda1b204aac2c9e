"""What can be known of an `if` before a job runs: that its names exist, and what a constant in it means."""

from runner.expressions import evaluate
from runner.expressions.conditions import inside_quotes
from runner.expressions.evaluate import EvaluationError
from runner.expressions.infer import expression_type
from runner.expressions.parse import Expression
from runner.foundation.values import Json, Path, compact, is_number, kind_of
from runner.lint.scopes import Scope
from runner.lint.texts import Texts

_NOTHING = evaluate.Scope(names={})


def condition(written: Json, path: Path, *, scope: Scope, texts: Texts) -> None:
    """Read what stands behind `if`."""
    parsed = texts.expression(written, path, scope)
    if is_number(written):
        message = f"`if` must be true or false, and `{compact(written)}` is a number"
        texts.report("E107", message, path, hint="compare it with something, as in `… > 0`")
    elif parsed is not None and parsed.is_constant:
        _constant(parsed, path, texts)
    elif parsed is not None and (parsed.compares_constants or parsed.compares_itself):
        what = "constants" if parsed.compares_constants else "something with itself"
        part = parsed.constants or parsed.text
        hint = "compare with what an input or a step gives; a name stands without quotes"
        texts.report("E177", f"`{part}` compares {what}", path, hint=hint, warning=True)


def _constant(parsed: Expression, path: Path, texts: Texts) -> None:
    try:
        value = evaluate.evaluate(parsed, _NOTHING)
    except EvaluationError as error:
        texts.report("E107", f"`if` can never be worked out: {error.message}", path, hint=error.hint)
        return
    if not isinstance(value, bool):
        message = f"`if` must be true or false, and `{parsed.text}` is {kind_of(value)}"
        texts.report("E107", message, path, hint=_without_quotes(parsed, value))
    elif parsed.compares_constants and not expression_type(parsed, {})[1]:  # else what is wrong with it is told
        message = f"`{parsed.text}` is {compact(value)} whatever happens"
        hint = "compare with what an input or a step gives; a name stands without quotes"
        texts.report("E177", message, path, hint=hint, warning=True)


def _without_quotes(parsed: Expression, value: Json) -> str:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return f"write `{value.lower()}` without quotes"
    if (inner := inside_quotes(parsed)) is not None:
        return f"leave the inner quotes out: `{inner}`"
    return "compare it with something, as in `… == …`"
