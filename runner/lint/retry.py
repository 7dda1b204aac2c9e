"""Retries against effects: a call that must not happen twice is repeated only where it never left."""

from collections.abc import Iterator
from dataclasses import dataclass

from runner.foundation.raw import items, record
from runner.foundation.values import Json, JsonObject
from runner.job import defaults
from runner.job.model import RetryOn, StepEffect
from runner.job.outline import RawStep
from runner.lint.texts import Texts

_KNOWN = {on.value for on in RetryOn}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    code: str
    message: str
    hint: str


_TWICE = _Refusal(
    code="E112",
    message="a retry on `{on}` could start twice what must not happen twice",
    hint="if it may be repeated, say so with `effect: idempotent` or `effect: read`",
)
_RESTARTED = _Refusal(
    code="E107",
    message="a chain of elements is never started again, so it has no retry on `{on}`",
    hint="leave it out: each element is tried again on its own",
)


def check_retry(step: RawStep, texts: Texts) -> None:
    """Check the `retry` that `step` writes itself."""
    for index, on in _written(record(step.fields.get("retry")).get("on")):
        refusal = _refusal(step.fields, on)
        if refusal is not None:
            path = (*step.path, "retry", "on", index)
            texts.report(refusal.code, refusal.message.format(on=on), path, hint=refusal.hint)


def check_preset(preset: JsonObject, texts: Texts) -> None:
    """Check `defaults.retry` at each step that it applies to; the mistake stands in `defaults`."""
    for index, on in _written(record(preset.get("retry")).get("on")):
        for refusal in (_TWICE, _RESTARTED):
            steps = [step for step in texts.known.steps if _takes(step) and _refusal(step.fields, on) is refusal]
            if steps:
                message = f"{refusal.message.format(on=on)}: {_named([_called(step, texts) for step in steps])}"
                hint = "give the step a `retry` with its own `on`, or write its `effect`"
                texts.report(refusal.code, message, ("defaults", "retry", "on", index), hint=hint)


def _refusal(fields: JsonObject, on: str) -> _Refusal | None:
    if not defaults.is_repeatable(fields) or on == RetryOn.NOT_SENT:
        return None
    if defaults.effect(fields) is StepEffect.ONCE:
        return _TWICE
    is_chain = defaults.action(fields) == "elements"
    return _RESTARTED if is_chain and on == RetryOn.EXPECTATION else None


def _takes(step: RawStep) -> bool:
    """Whether `step` takes its `retry.on` from `defaults`."""
    return "on" not in record(step.fields.get("retry"))


def _written(on: Json) -> Iterator[tuple[int, str]]:
    return ((index, item) for index, item in enumerate(items(on)) if isinstance(item, str) and item in _KNOWN)


def _called(step: RawStep, texts: Texts) -> str:
    if "id" in step.fields:
        return f"`{step.fields['id']}`"
    if step.undo is None:
        return f"number {step.rank + 1}"
    undone = next(other for other in texts.known.steps if other.rank == step.rank)
    key = f"undo/{undone.fields.get('id', step.rank + 1)}"
    return f"`{key}`" if step.path == step.undo else f"`{key}/{step.turn + 1}`"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ("steps " if len(names) > 1 else "step ") + ", ".join(names[:_MOST_NAMED]) + more


_MOST_NAMED = 3
