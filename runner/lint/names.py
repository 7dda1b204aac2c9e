"""What is wrong with a name in an expression, and which name is near. Types know the keys of values."""

from runner.expressions.parse import Name
from runner.foundation.hints import words
from runner.foundation.sentences import listed
from runner.foundation.suggestions import did_you_mean, folded
from runner.lint.places import JOB_NAMES, NEVER, OF_A_TURN, OF_AN_ATTEMPT, NameScope
from runner.lint.step_names import WrongName, any_of, in_own, in_steps, unknown
from runner.lint.uses import result_of

_KEYS = {name: [*(known.fields or {})] for name, known in JOB_NAMES.items()}
_EVERYWHERE = ("inputs", "vars", "steps", *_KEYS)


def wrong_name(name: Name, scope: NameScope) -> WrongName | None:
    """What is wrong with a name at a place with this `scope`; None where nothing is, or nothing is known."""
    root, key = str(name.path[0]), name.path[1] if len(name.path) > 1 else None
    if root == "steps":
        return in_steps(name, scope)
    if root in _EVERYWHERE:
        return None if key is None else _in_record(root, key, scope)
    if root not in scope.bare:
        return _unknown_root(root, scope)
    return in_own(name, scope)


def is_unknown(root: str, scope: NameScope) -> bool:
    return root not in _EVERYWHERE and root not in scope.bare


def wrong_function(function: str) -> WrongName:
    """`success`, `failure` or `always` outside an `if`."""
    hint = 'write `steps.ID.status == "passed"` to ask for one step' if function != "always" else None
    return WrongName(code="E124", message=f"`{function}()` is known in `if` only", hint=hint, part=function)


def _in_record(root: str, key: str | int, scope: NameScope) -> WrongName | None:
    if root in _KEYS:
        keys = _KEYS[root]
        if key not in keys:
            otherwise = f"keys of `{root}`: {listed(keys)}"
            if root == "case" and key not in ("id", "title", "number"):
                otherwise = f"write `inputs.{'NAME' if key == 'inputs' else key}`: a case gives the inputs of its run"
            hint = did_you_mean(str(key), keys, prefix=f"{root}.") or otherwise
            return unknown(f"`{root}` has no `{key}`", hint, key)
        if root == "case" and not scope.job.has_cases:
            message = f"`case.{key}` has no value: the job has no `cases`"
            hint = f'without `cases`, write `case.{key} | default("…")`'
            return WrongName(message=message, hint=hint, part="case", warning=True, if_asked="nothing")
        return None
    declared = scope.job.inputs if root == "inputs" else scope.job.vars
    if key not in declared:
        example = f"{{{key}: {'{type: string}' if root == 'inputs' else '…'}}}"
        otherwise = f"declare it, as in `{root}: {example}`: the job has no {root}"
        near = did_you_mean(str(key), declared, prefix=f"{root}.")
        hint = near or any_of(declared, what=f"what the job has under `{root}`", otherwise=otherwise)
        return unknown(f"unknown {root.removesuffix('s')} `{key}`", hint, key)
    if root == "vars" and scope.vars is not None and key not in scope.vars:
        return unknown(f"var `{key}` has no value yet", "move it up: vars are evaluated in order", key)
    return None


def declared_as(word: str, scope: NameScope) -> str | None:
    """The whole name of an input, a var or an output of an earlier step that is called `word`."""
    for place, names in (("inputs", scope.job.inputs), ("vars", scope.job.vars)):
        if word in names:
            return f"{place}.{word}"
    for step, declared in scope.job.by_id.items():
        if word in declared.outputs and declared.step.rank < scope.rank and declared.step.undo is None:
            return f"steps.{step}.outputs.{word}"
    return None


def _unknown_root(word: str, scope: NameScope) -> WrongName:
    hint = _root_hint(word, scope)
    known = [*sorted(scope.bare), *(root for root in _EVERYWHERE if root != "steps" or scope.rank != NEVER)]
    return WrongName(
        message=f"unknown name `{word}`",
        hint=hint or f"known here: {listed(known)}; a value of your own is an input or a var, as `inputs.{word}`",
        part=word,
        is_like_no_other=hint is None,
    )


def _root_hint(word: str, scope: NameScope) -> str | None:
    name = declared_as(word, scope) or (f"steps.{word}" if word in scope.job.by_id else None)
    if name is not None:
        return f"did you mean `{name}`?"
    if word in OF_AN_ATTEMPT:
        key = "status" if word == "process_status" else word
        return f"`{word}` is known in `expect` and `outputs` of its own step; elsewhere write `steps.ID.{key}`"
    if word in OF_A_TURN:
        if scope.step is not None and "for_each" in scope.step.fields:
            ways = '`| selectattr("Active")` of records, or `| reject("eq", 2)`'
            return f"`for_each` and `if` come before `{word}`: choose the items in the list, as in {ways}"
        return "write it in the step with `for_each` itself, and not in its `if`"
    if value := _result_of_parameter(word, scope):
        return f"write `{value}`, which holds what the process gave as `{word}`"
    return words("names", "names", room="lint").get(word) or _near(word, scope)


def _near(word: str, scope: NameScope) -> str | None:
    for root, keys in _KEYS.items():
        for key in keys:
            if folded(root + key) == folded(word):
                return f"did you mean `{root}.{key}`?"
    return did_you_mean(word, (*_EVERYWHERE, *scope.bare))


def _result_of_parameter(code: str, scope: NameScope) -> str | None:
    """The name of the value that a process gave for a parameter, in the own step first."""
    given = [("result", scope.own_result)] if scope.own_result is not None else []
    for name, declared in scope.job.by_id.items():
        if declared.step.rank < scope.rank and declared.step.undo is None and not declared.is_loop:
            given.append((f"steps.{name}.result", declared.step))
    found = (f"{result}{key.removeprefix('result')}" for result, step in given if (key := result_of(step, code)))
    return next(found, None)
