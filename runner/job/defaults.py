"""What holds where a step says nothing: by its action and by `defaults`. Works on raw, also faulty, fields."""

from runner.foundation.values import Json, JsonObject, record
from runner.job.actions import ACTIONS, ActionType
from runner.job.model import StepEffect

_EFFECTS: dict[Json, StepEffect] = {effect.value: effect for effect in StepEffect}


def action(fields: JsonObject) -> str | None:
    """The key of the step's action, if any."""
    for key in ACTIONS:
        if key in fields:
            return key
    return None


def action_type(fields: JsonObject) -> ActionType | None:
    return ACTIONS.get(action(fields) or "")


def effect(fields: JsonObject) -> StepEffect | None:
    """What the step may do to the site: as it is written, else by its action. None for an included job."""
    if "effect" in fields:
        written = fields["effect"]
        return _EFFECTS.get(written) if isinstance(written, str) else None
    known = action_type(fields)
    return None if known is None else known.effect(fields[known.key])


def is_repeatable(fields: JsonObject) -> bool:
    """Whether the step is made of attempts, so that it has a `retry`."""
    known = action_type(fields)
    return known is not None and known.has_attempts


def retry(fields: JsonObject, defaults: JsonObject) -> JsonObject:
    """The `retry` of a step, key by key: its own, else that of `defaults`."""
    if not is_repeatable(fields):
        return {}
    return {**record(defaults.get("retry")), **record(fields.get("retry"))}


def setting(key: str, fields: JsonObject, defaults: JsonObject) -> Json:
    """`verify`, `on_failure`, or another key of a step that `defaults` may hold, None where neither has it."""
    return fields[key] if key in fields else defaults.get(key)


def timeout(fields: JsonObject, defaults: JsonObject) -> Json:
    """How long an attempt of the step may take, None where nothing sets it."""
    known = action_type(fields)
    return fields.get("timeout") if known is not None and known.own_time else setting("timeout", fields, defaults)
