"""What a step never gives, by its action: whoever asks for it would get null, or nothing at all, when the job runs."""

from typing import Final

from runner.foundation.raw import record
from runner.job import defaults
from runner.job.actions.action import PROCESS_NAMES
from runner.job.outline import RawStep
from runner.lint.name_mistakes import Mistake, not_given

_FOLLOWED: Final = "ask an `execute`, `run` or `wait` step for it"


def always_null(whose: str, step: RawStep, key: str) -> Mistake | None:
    """What is wrong with the `key` of a step that has ended."""
    action = defaults.action_type(step.fields)
    is_known = key == "process_id" and "of" in record(step.fields.get("element"))
    if action is not None and key in action.never_gives and not is_known:
        article = "an" if action.key[0] in "aeiou" else "a"
        hint = "leave it out: a `pause` only waits" if key == "result" else _FOLLOWED
        return _null(key, f"the `{key}` of {whose} is always null: {article} `{action.key}` gives none", hint)
    execute = step.fields.get("execute")
    if key == "result" and isinstance(execute, dict) and "result" not in execute:
        hint = "name the parameter that holds it: `execute: {process: …, result: CODE}`"
        return _null(key, f"the `result` of {whose} is always null: its `execute` asks for none", hint)
    if key in PROCESS_NAMES and "execute" in step.fields and step.fields.get("verify") == "none":
        message = f"the `{key}` of {whose} is always null: with `verify: none` the process log is not read"
        return _null(key, message, "leave out `verify: none`")
    return None


def not_of_all_turns(name: str | int, key: str, step: RawStep) -> Mistake | None:
    """What only the turns of a step with `for_each` have, asked of all of them together."""
    if key != "process_id":
        return None
    turn = always_null(f"step `{name}`", step, key)
    if turn is not None:
        return turn
    turns = f"steps.{name}.turns"
    hint = f'write `{turns}[0].{key}` for one turn, `{turns} | map(attribute="{key}")` for all'
    return not_given(f"step `{name}` has no `{key}` of its own: each of its turns has one", hint, key)


def _null(key: str, message: str, hint: str) -> Mistake:
    return Mistake(code="E128", message=message, hint=hint, part=key, asked_is_enough=True)
