"""What stands where a step says nothing: the effect of its action, and the `defaults` of the job.

Works on the raw fields of a step, also on faulty ones: the rules and what is built must agree on it.
"""

from runner.foundation.raw import record
from runner.foundation.values import Json, JsonObject
from runner.job.model import StepEffect
from runner.job.outline import ACTIONS

_EFFECTS: dict[Json, StepEffect] = {effect.value: effect for effect in StepEffect}
_OF_ACTION = {
    "execute": StepEffect.ONCE,
    "run": StepEffect.ONCE,
    "wait": StepEffect.READ,
    "cancel": StepEffect.IDEMPOTENT,
    "failures": StepEffect.READ,
    "query": StepEffect.READ,
    "confirm": StepEffect.READ,
    "pause": StepEffect.READ,
}
_REPEATABLE = ("execute", "element", "elements", "run", "wait", "cancel", "signal", "query")
"""Actions that are made of attempts; the others know no `retry`."""

_OF_ITS_OWN_TIME = ("wait", "failures", "job", "confirm", "pause")
"""Actions that take their time: only a `timeout` that the step itself writes counts for them."""

_VERIFIED = ("execute", "run", "cancel", "signal")
"""Actions whose outcome is looked up in the process log."""


def action(fields: JsonObject) -> str | None:
    """The key of the step's action, None where there is none."""
    return next((key for key in ACTIONS if key in fields), None)


def effect(fields: JsonObject) -> StepEffect | None:
    """What the step may do to the site: as it is written, else by its action. None for an included job."""
    if "effect" in fields:
        written = fields["effect"]
        return _EFFECTS.get(written) if isinstance(written, str) else None
    key = action(fields)
    if key == "signal":
        return StepEffect.ONCE if "update" in record(fields[key]) else StepEffect.IDEMPOTENT
    if key in ("element", "elements"):
        with_values = any("parameters" in record(item) for item in elements(fields[key]))
        return StepEffect.ONCE if with_values else StepEffect.IDEMPOTENT
    return _OF_ACTION.get(key or "")


def elements(value: Json) -> list[Json]:
    """The elements of an `element` or `elements`: ids or names, or records of these and parameters."""
    if isinstance(value, dict) and isinstance(value.get("chain"), list):
        value = value["chain"]
    return value if isinstance(value, list) else [value]


def is_repeatable(fields: JsonObject) -> bool:
    """Whether the step is made of attempts, so that it has a `retry`."""
    return action(fields) in _REPEATABLE


def is_verified(fields: JsonObject) -> bool:
    """Whether the outcome is looked up: in the process log, or of named elements in their own rows."""
    key = action(fields)
    if key in ("element", "elements"):
        written = fields[key]
        return any("of" in record(one) for one in (written if isinstance(written, list) else [written]))
    return key in _VERIFIED


def retry(fields: JsonObject, defaults: JsonObject) -> JsonObject:
    """The `retry` of a step, key by key: its own, else that of `defaults`."""
    if not is_repeatable(fields):
        return {}
    return {**record(defaults.get("retry")), **record(fields.get("retry"))}


def setting(key: str, fields: JsonObject, defaults: JsonObject) -> Json:
    """`verify`, `on_failure`, or another key of a step that `defaults` may hold, None where nothing is said."""
    return fields[key] if key in fields else defaults.get(key)


def timeout(fields: JsonObject, defaults: JsonObject) -> Json:
    """How long an attempt of the step may take, None where nothing is said."""
    return fields.get("timeout") if action(fields) in _OF_ITS_OWN_TIME else setting("timeout", fields, defaults)
