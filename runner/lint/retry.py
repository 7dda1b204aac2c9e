"""Retries against effects: a call that must not happen twice is repeated only if it never left."""

from collections.abc import Iterator
from typing import Final

from runner.foundation.problems import Finding
from runner.foundation.sentences import listed
from runner.foundation.values import Json, JsonObject, items, record
from runner.job import defaults
from runner.job.model import RetryOn, StepEffect
from runner.job.outline import RawStep
from runner.lint.actions import check_pauses
from runner.lint.row_names import step_name
from runner.lint.texts import JobLint

_REASONS = {on.value for on in RetryOn}
_TWICE: Final = Finding(
    code="E112",
    message="a retry on `{on}` could start twice what must not happen twice",
    hint="if it may be repeated, write `effect: idempotent` or `effect: read`",
)
_RESTARTED: Final = Finding(
    message="a chain of elements is never started again, so it has no retry on `{on}`",
    hint="leave it out: each element is tried again on its own",
)


def check_retry(step: RawStep, lint: JobLint) -> None:
    """Report what `retry` never covers, and what must not be tried again."""
    retry = record(step.fields.get("retry"))
    is_once = not defaults.is_repeatable(step.fields) or defaults.effect(step.fields) is StepEffect.ONCE
    if (
        retry
        and step.fields.get("expect")
        and "on" not in {**record(lint.defaults.get("retry")), **retry}
        and not is_once
    ):
        message = "without `on`, a step whose `expect` is not met is not tried again"
        hint = "write `on: [not_sent, expectation]`, or `on: [not_sent]` if it shall not be"
        lint.report("E107", message, (*step.path, "retry"), at_key=True, hint=hint, warning=True)
    check_pauses(retry, (*step.path, "retry"), lint, otherwise=record(lint.defaults.get("retry")).get("max", "30s"))
    for index, on in _written(retry.get("on")):
        refusal = _refusal(step.fields, on)
        if refusal is not None:
            path = (*step.path, "retry", "on", index)
            lint.report(refusal.code, refusal.message.format(on=on), path, hint=refusal.hint)


def check_preset(lint: JobLint) -> None:
    """`defaults.retry` at each step that it applies to; the problem is in `defaults`."""
    check_pauses(record(lint.defaults.get("retry")), ("defaults", "retry"), lint, otherwise="30s")
    takers = [step for step in lint.outline.steps if "on" not in record(step.fields.get("retry"))]
    for index, on in _written(record(lint.defaults.get("retry")).get("on")):
        for refusal in (_TWICE, _RESTARTED):
            steps = [_called(step) for step in takers if _refusal(step.fields, on) is refusal]
            if steps:
                which = f"{'steps' if len(steps) > 1 else 'step'} {listed(steps)}"
                message = f"{refusal.message.format(on=on)}: {which}"
                hint = "give the step a `retry` with its own `on`, or write its `effect`"
                lint.report(refusal.code, message, ("defaults", "retry", "on", index), hint=hint)


def _refusal(fields: JsonObject, on: str) -> Finding | None:
    if not defaults.is_repeatable(fields) or on == RetryOn.NOT_SENT:
        return None
    if defaults.effect(fields) is StepEffect.ONCE:
        return _TWICE
    is_chain = defaults.action(fields) == "elements"
    return _RESTARTED if is_chain and on == RetryOn.EXPECTATION else None


def _written(on: Json) -> Iterator[tuple[int, str]]:
    return ((index, item) for index, item in enumerate(items(on)) if isinstance(item, str) and item in _REASONS)


def _called(step: RawStep) -> str:
    """The key of the step in a run."""
    if step.undone is None:
        return step_name(step)
    key = f"undo/{step_name(step.undone)}"
    return key if step.path == step.undo else f"{key}/{step_name(step)}"
