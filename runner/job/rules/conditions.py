"""What can be known of an `if` before a job runs: that its names exist, and that a constant is true or false."""

from runner.job.rules.scopes import Scope
from runner.job.rules.texts import Texts
from runner.template import evaluate
from runner.template.evaluate import EvaluationError
from runner.template.parse import Expression
from runner.values import Json, Path, compact, kind_of

_NOTHING = evaluate.Scope(names={})


def condition(written: Json, path: Path, *, scope: Scope, texts: Texts) -> None:
    """Read what stands behind `if`."""
    parsed = texts.expression(written, path, scope)
    if isinstance(written, int | float) and not isinstance(written, bool):
        message = f"`if` must be true or false, and `{compact(written)}` is a number"
        texts.report("E107", message, path, hint="compare it with something, as in `… > 0`")
    elif parsed is not None and parsed.is_constant:
        _constant(parsed, path, texts)


def _constant(parsed: Expression, path: Path, texts: Texts) -> None:
    try:
        value = evaluate.evaluate(parsed, _NOTHING)
    except EvaluationError as error:
        texts.report("E107", f"`if` can never be worked out: {error.message}", path, hint=error.hint)
        return
    if not isinstance(value, bool):
        message = f"`if` must be true or false, and `{parsed.text}` is {kind_of(value)}"
        texts.report("E107", message, path, hint=_without_quotes(value))


def _without_quotes(value: Json) -> str:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return f"write `{value.lower()}` without quotes"
    return "compare it with something, as in `… == …`"
