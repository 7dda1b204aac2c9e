"""What may be wrong with a name: a record, and the sentences that all kinds of names share."""

from collections.abc import Collection
from typing import Literal

from runner.foundation.problems import Finding
from runner.foundation.raw import record
from runner.foundation.sentences import begun
from runner.foundation.suggestions import suggest
from runner.job import defaults
from runner.job.actions.action import PROCESS_NAMES
from runner.job.outline import RawStep


class WrongName(Finding, frozen=True, kw_only=True):
    """`part` is the piece of the name that is wrong.

    `if_asked`: what is left of it in a text that asks whether there is a value, as `default` does.
    `is_like_no_other`: no name is near to it.
    """

    code: str = "E126"
    part: str
    if_asked: Literal["the same", "a warning", "nothing"] = "the same"
    is_like_no_other: bool = False


def unknown(message: str, hint: str | None, part: str | int) -> WrongName:
    return WrongName(message=message, hint=hint, part=str(part))


def later(message: str, hint: str | None, part: str) -> WrongName:
    return WrongName(code="E127", message=message, hint=hint, part=part)


def not_given(message: str, hint: str | None, part: str | int) -> WrongName:
    return WrongName(code="E128", message=message, hint=hint, part=str(part))


def nearest(word: str | int, among: Collection[str], *, prefix: str = "") -> str | None:
    near = suggest(str(word), among)
    return near and f"did you mean `{prefix}{near}`?"


def all_of(kind: str, names: Collection[str]) -> str:
    return f"{kind}: {begun(sorted(names)) if names else 'none'}"


def always_null(whose: str, step: RawStep, key: str) -> WrongName | None:
    """What is wrong with a `key` that the action of `step` never gives."""
    action = defaults.action_type(step.fields)
    is_known = key == "process_id" and "of" in record(step.fields.get("element"))
    execute = step.fields.get("execute")
    reason = hint = ""
    if action is not None and key in action.never_gives and not is_known:
        reason = f"{'an' if action.key[0] in 'aeiou' else 'a'} `{action.key}` gives none"
        hint = "ask an `execute`, `run` or `wait` step for it"
        if key == "result":
            hint = "leave it out: a `pause` only waits"
    elif key == "result" and isinstance(execute, dict) and "result" not in execute:
        reason = "its `execute` asks for none"
        hint = "name the parameter that holds it: `execute: {process: …, result: CODE}`"
    elif key in PROCESS_NAMES and execute is not None and step.fields.get("verify") == "none":
        reason, hint = "with `verify: none` the process log is not read", "leave out `verify: none`"
    if not reason:
        return None
    message = f"the `{key}` of {whose} is always null: {reason}"
    return WrongName(code="E128", message=message, hint=hint, part=key, if_asked="a warning")


def not_of_all_turns(name: str | int, key: str, step: RawStep) -> WrongName | None:
    """What each turn of a step with `for_each` has, asked of all of them together."""
    if key != "process_id":
        return None
    turns = f"steps.{name}.turns"
    hint = f'write `{turns}[0].{key}` for one turn, `{turns} | map(attribute="{key}")` for all'
    message = f"step `{name}` has no `{key}` of its own: each of its turns has its own"
    return always_null(f"step `{name}`", step, key) or not_given(message, hint, key)
