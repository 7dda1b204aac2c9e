"""What is wrong with a name that leads to a step, `steps.ID…`: has it ended by then, and does it give that?

Of the keys inside values only those are judged that are outputs of an included job, or belong to a list of turns.
"""

from collections.abc import Collection
from typing import Literal

from runner.expressions.parse import Name
from runner.foundation import hints
from runner.foundation.problems import Finding
from runner.foundation.sentences import listed
from runner.foundation.suggestions import did_you_mean, folded
from runner.foundation.values import ValuePath, record
from runner.job import defaults
from runner.job.actions.action import PROCESS_NAMES
from runner.job.outline import Declared, Outline, RawStep
from runner.lint.places import NEVER, STEP_KEYS, NameScope
from runner.lint.uses import result_of
from runner.runs.status import Status

_TURN_KEYS = ("result", "outputs", *STEP_KEYS)
_ALL_KEYS = (*_TURN_KEYS, "turns")
_ALL_TURNS_KEYS = tuple(key for key in _ALL_KEYS if key != "process_id")
_ABOVE = "use a step that is above this place"


class WrongName(Finding, frozen=True, kw_only=True):
    """A name that leads nowhere."""

    code: str = "E126"
    part: str  # the piece that is wrong
    if_asked: Literal["the same", "a warning", "nothing"] = "the same"  # what is left before `default`
    is_like_no_other: bool = False  # no name is near


def unknown(message: str, hint: str | None, part: str | int) -> WrongName:
    return WrongName(message=message, hint=hint, part=str(part))


def later(message: str, hint: str | None, part: str) -> WrongName:
    return WrongName(code="E127", message=message, hint=hint, part=part)


def not_given(message: str, hint: str | None, part: str | int) -> WrongName:
    return WrongName(code="E128", message=message, hint=hint, part=str(part))


def any_of(names: Collection[str], *, what: str, otherwise: str) -> str:
    """A hint: write any of `names`, which are `what`; or `otherwise`, without names."""
    return f"use {what}: {listed(sorted(names))}" if names else otherwise


def in_steps(name: Name, scope: NameScope) -> WrongName | None:
    path = name.path
    if scope.rank == NEVER:
        hint = "write it where it is used, or give the step `outputs`"
        return unknown("`vars` cannot use steps: they are evaluated before the first step", hint, "steps")
    if len(path) == 1:
        message = "`steps` can be used by the id of one step only, not as a whole or by a computed name"
        return WrongName(code="E125", message=message, hint="write `steps.ID` with the id itself", part="steps")
    declared = scope.job.by_id.get(path[1]) if isinstance(path[1], str) else None
    if declared is None:
        is_known = any(step.path[:1] == ("steps",) for step in scope.job.steps)  # else these are reported
        return _unknown_step(path[1], scope) if is_known else None
    if not _has_ended(declared.step, scope):
        return _not_ended(path, declared, scope)
    if declared.step is not scope.undone:
        return _wrong_in_ended(name, declared, scope.job, is_list=declared.is_loop)
    if declared.is_loop and path[2:3] == ("turns",):
        message = f"in its `undo`, `steps.{path[1]}` is only the turn that is undone"
        return not_given(message, f"write `steps.{path[1]}.result` for what it gave", "turns")
    return _wrong_in_ended(name, declared, scope.job, is_list=False)


def in_own(name: Name, scope: NameScope) -> WrongName | None:
    """What is wrong with a name without a root: `result`, or in an `undo` what its step had."""
    root, step = str(name.path[0]), scope.own_result
    if root == "outputs" and scope.undone is not None:
        given = record(scope.undone.fields.get("outputs"))
        return _no_output("the step that is undone", name.path, 1, given, prefix="outputs.")
    if step is None or root not in ("result", "process_id", "process_status"):
        return None
    wrong = _always_null("the step that is undone" if step is scope.undone else "the step", step, root)
    return wrong or (_wrong_in_included(name.path, 1, step, scope.job) if root == "result" else None)


def _has_ended(step: RawStep, scope: NameScope) -> bool:
    if step.undo is None:
        return step.rank < scope.rank
    return scope.step is not None and step.undo == scope.step.undo and step.turn < scope.step.turn


def _unknown_step(word: str | int, scope: NameScope) -> WrongName:
    if isinstance(word, int):
        message = "a step is referred to by its id, not by its number"
        return unknown(message, "give the step an `id` and write `steps.ID`", "steps")
    ended = [name for name, each in scope.job.by_id.items() if name.isidentifier() and _has_ended(each.step, scope)]
    near = did_you_mean(word, ended, prefix="steps.") or did_you_mean(word, scope.job.by_id, prefix="steps.")
    unnamed = any("id" not in step.fields and _has_ended(step, scope) for step in scope.job.steps)
    as_named = f"write `id: {word}` in the step above that gives it"
    listed = any_of(() if unnamed else ended, what="a step above", otherwise=as_named)
    return unknown(f"unknown step `{word}`", near or listed, word)


def _not_ended(path: ValuePath, declared: Declared, scope: NameScope) -> WrongName:
    word = str(path[1])
    if declared.step is scope.step:
        if scope.own_result is scope.step:
            hint = "write `result` for its own result"
            if path[2:3] == ("status",):
                hint = "leave it out: what is written here counts only after the call has passed"
            return later(f"`steps.{word}` is this step itself", hint, word)
        return later(f"`steps.{word}` is this step itself, which has not run yet", _ABOVE, word)
    if declared.step.undo is not None and (scope.step is None or scope.step.undo != declared.step.undo):
        return unknown(f"step `{word}` is known inside its own `undo` only", None, word)
    return later(f"step `{word}` comes later", _ABOVE, word)


def _wrong_in_ended(name: Name, declared: Declared, job: Outline, *, is_list: bool) -> WrongName | None:
    """What is asked of a step that has ended. `is_list`: of several turns together."""
    path, word = name.path, name.path[1]
    if len(path) == 2:  # noqa: PLR2004  `steps.ID` alone
        message = f"what is used of step `{word}` must be written, it cannot be computed"
        hint = f"write `steps.{word}.KEY`"
        return WrongName(code="E125", message=message, hint=hint, part=str(word)) if name.dynamic else None
    match str(path[2]):
        case "turns" if not declared.is_loop:
            return not_given(f"step `{word}` has no turns: it has no `for_each`", None, "turns")
        case "turns":
            return _key_of_list(path, 3) or _wrong_in_turn(path, declared, job)
        case "result" if is_list:
            return _key_of_list(path, 3) or _wrong_in_result(path, 4, declared.step, job)
        case "result":
            return _wrong_in_result(path, 3, declared.step, job)
        case "outputs":
            return _wrong_in_outputs(path, 3, declared, job) or (_key_of_list(path, 4) if is_list else None)
        case key if key not in _ALL_KEYS:
            keys = _ALL_TURNS_KEYS if is_list else _ALL_KEYS
            is_code = key[:1].isupper() and folded(key) not in map(folded, keys)
            near = None if key in declared.outputs or is_code else did_you_mean(key, keys)
            hint = near or _key_hint(word, declared, key, keys)
            return not_given(f"a step has no `{key}`", hint, key)
        case key if is_list:
            return _not_of_all_turns(word, key, declared.step)
        case key:
            return _always_null(f"step `{word}`", declared.step, key)


def _wrong_in_turn(path: ValuePath, declared: Declared, job: Outline) -> WrongName | None:
    """`steps.ID.turns[0].KEY`, where a turn is named at all."""
    match path[4:]:
        case (key, *_) if key not in _TURN_KEYS:
            return not_given(f"a turn has no `{key}`", did_you_mean(str(key), _TURN_KEYS), key)
        case ("result", *_):
            return _wrong_in_result(path, 5, declared.step, job)
        case ("outputs", *_):
            return _wrong_in_outputs(path, 5, declared, job)
        case (str() as key, *_):
            return _always_null(f"step `{path[1]}`", declared.step, key)
        case _:
            return None


def _wrong_in_result(path: ValuePath, at: int, step: RawStep, job: Outline) -> WrongName | None:
    """Keys of the result begin `at` this place of the path."""
    return _always_null(f"step `{path[1]}`", step, "result") or _wrong_in_included(path, at, step, job)


def _wrong_in_included(path: ValuePath, at: int, step: RawStep, job: Outline) -> WrongName | None:
    if (other := job.included.get(step.path)) is None:
        return None
    whose = f"`{record(step.fields.get('job')).get('file')}`"
    return _no_output(whose, path, at, other.outputs, value="steps.ID.result")


def _wrong_in_outputs(path: ValuePath, at: int, declared: Declared, job: Outline) -> WrongName | None:
    if len(path) <= at or path[at] in declared.outputs:
        return None
    word, key = path[1], str(path[at])
    other = job.included.get(declared.step.path)
    if other is not None and key in other.outputs:
        hint: str | None = f"write `steps.{word}.result.{key}`"
    elif near := did_you_mean(key, declared.outputs):
        hint = near
    elif "job" in declared.step.fields:
        hint = f"what an included job gives is `steps.{word}.result.NAME`"
    else:
        asked = record(declared.step.fields.get("execute")).get("result")
        result = result_of(declared.step, key) or ("result" if asked and not declared.outputs else None)
        hint = result and f"write `steps.{word}.{result}`"
        if asked not in (None, key) and key[:1].isupper():  # as codes of parameters begin
            results = f"`run` in place of `execute`, and `results: [{asked}, {key}]`"
            hint = f"write {results}, then `steps.{word}.result.{key}`: `execute` gives one value"
    return _no_output(f"step `{word}`", path, at, declared.outputs, hint=hint)


def _no_output(
    whose: str,
    path: ValuePath,
    at: int,
    given: Collection[str],
    *,
    prefix: str = "",
    hint: str | None = None,
    value: str = "result",
) -> WrongName | None:
    if len(path) <= at or path[at] in given:
        return None
    otherwise = f"write it under `outputs` of {whose}, as in `outputs: {{{path[at]}: {value}}}`"
    hint = hint or did_you_mean(str(path[at]), given, prefix=prefix)
    hint = hint or any_of(given, what="what it gives", otherwise=otherwise)
    return not_given(f"{whose} gives no output `{path[at]}`", hint, path[at])


def _key_of_list(path: ValuePath, at: int) -> WrongName | None:
    """A key where a step with `for_each` has a list, an item for each turn."""
    if len(path) <= at or isinstance(path[at], int):
        return None
    whole, key = ".".join(str(part) for part in path[:at]), path[at]
    hint = f'write `{whole}[0].{key}` for one turn, `{whole} | map(attribute="{key}")` for all'
    return not_given(f"`{whole}` is a list, an item a turn: it has no `{key}`", hint, key)


def _key_hint(word: str | int, declared: Declared, key: str, keys: tuple[str, ...]) -> str:
    asked = key.casefold().removeprefix("is_")
    if key in declared.outputs:
        return f"did you mean `outputs.{key}`?"
    if keys is _ALL_KEYS and (result := result_of(declared.step, key)):
        return f"write `steps.{word}.{result}`"
    if asked in ("error", "message", "reason"):
        return f"`steps.{word}.status` is `failed`, `error` or `passed`; the reason is in the reports only"
    if status := asked if asked in [*Status] else hints.words("expressions", "step_status").get(asked):
        return f'write `steps.{word}.status == "{status}"`'
    if key[:1].isupper() or key.isdigit():  # as codes of parameters and columns begin
        return f"write `steps.{word}.result{f'[{key}]' if key.isdigit() else f'.{key}'}`, which is of what it gave"
    return f"keys of a step: {listed(keys)}"


def _always_null(whose: str, step: RawStep, key: str) -> WrongName | None:
    action = defaults.action_type(step.fields)
    is_known = key == "process_id" and "of" in record(step.fields.get("element"))
    execute, signal = step.fields.get("execute"), step.fields.get("signal")
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
    elif key in PROCESS_NAMES and isinstance(signal, dict) and "starts" not in signal:
        reason, hint = "its `signal` names no process", "name the process that the change starts: `starts: CODE`"
    if not reason:
        return None
    message = f"the `{key}` of {whose} is always null: {reason}"
    return WrongName(code="E128", message=message, hint=hint, part=key, if_asked="a warning")


def _not_of_all_turns(name: str | int, key: str, step: RawStep) -> WrongName | None:
    """The mistake of a key that each turn has, asked of all turns together."""
    if key != "process_id":
        return None
    turns = f"steps.{name}.turns"
    hint = f'write `{turns}[0].{key}` for one turn, `{turns} | map(attribute="{key}")` for all'
    message = f"step `{name}` has no `{key}` of its own: each of its turns has its own"
    return _always_null(f"step `{name}`", step, key) or not_given(message, hint, key)
