"""What is wrong with a name that an expression or template uses, and what was probably meant.

Names alone are judged. Keys inside the values behind them are not: those are known only when a job runs.
"""

from collections.abc import Collection
from dataclasses import dataclass

from runner.job.outline import Declared, Outline, Written
from runner.job.rules.scopes import NEVER, OF_A_TURN, OF_AN_ATTEMPT, Scope
from runner.template.parse import Name
from runner.words import suggest

OF_A_STEP = ("status", "result", "outputs", "process_id", "attempts", "seconds", "turns")
_KEYS_OF = {"run": ("id", "started_at"), "target": ("name", "url"), "case": ("name", "index")}
_EVERYWHERE = ("inputs", "vars", "steps", *_KEYS_OF)
_ABOVE = "only steps that stand above can be used"
_MOST_LISTED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What is wrong with a name; `part` is the piece of it that is wrong, as it is written."""

    code: str
    message: str
    hint: str | None = None
    part: str
    warning: bool = False


def mistake(name: Name, scope: Scope, known: Outline) -> Mistake | None:
    """What is wrong with `name` at a place with `scope`, None where it may stand."""
    root = name.path[0]
    if root == "steps":
        return _in_steps(name, scope, known)
    if root == "inputs":
        return _in_inputs(name, known)
    if root == "vars":
        return _in_vars(name, scope, known)
    if root in _KEYS_OF:
        return _in_record(name, str(root))
    if root not in scope.bare:
        return _unknown_root(str(root), scope, known)
    own = scope.step if root == "result" and scope.step and scope.step.undo is None else None
    return _always_null("the step", own) if own else None


def function_mistake(function: str) -> Mistake:
    """What to say of `success`, `failure` or `always` outside an `if`."""
    return Mistake(
        code="E124",
        message=f"`{function}()` is known in `if` only",
        hint='write `steps.ID.status == "passed"` to ask for one step' if function != "always" else None,
        part=function,
    )


def _in_inputs(name: Name, known: Outline) -> Mistake | None:
    if len(name.path) == 1 or name.path[1] in known.inputs:
        return None
    hint = _nearest(name.path[1], known.inputs, prefix="inputs.") or _all_of("the job's inputs", known.inputs)
    return _unknown(f"unknown input `{name.path[1]}`", hint, part=name.path[1])


def _in_vars(name: Name, scope: Scope, known: Outline) -> Mistake | None:
    if len(name.path) == 1:
        return None
    word = name.path[1]
    if word not in known.vars:
        hint = _nearest(word, known.vars, prefix="vars.") or _all_of("the job's vars", known.vars)
        return _unknown(f"unknown var `{word}`", hint, part=word)
    if scope.vars is None or word in scope.vars:
        return None
    return _unknown(f"var `{word}` is not worked out yet", "vars are worked out in order: move it up", part=word)


def _in_record(name: Name, root: str) -> Mistake | None:
    keys = _KEYS_OF[root]
    if len(name.path) == 1 or name.path[1] in keys:
        return None
    hint = _nearest(name.path[1], keys, prefix=f"{root}.") or f"keys of `{root}`: {_listed(keys)}"
    return _unknown(f"`{root}` has no `{name.path[1]}`", hint, part=name.path[1])


def _in_steps(name: Name, scope: Scope, known: Outline) -> Mistake | None:
    path = name.path
    if scope.rank == NEVER:
        hint = "write it where it is used, or give the step `outputs`"
        return _unknown("`vars` know no steps: they are worked out before the first one", hint, part="steps")
    if len(path) == 1:
        return Mistake(
            code="E125",
            message="`steps` can be used by the id of one step only, not as a whole or by a computed name",
            hint="write `steps.ID`, the id as it stands",
            part="steps",
        )
    declared = known.by_id.get(path[1]) if isinstance(path[1], str) else None
    if declared is None:
        return _unknown_step(path[1], scope, known)
    if not _has_ended(declared.step, scope):
        return _not_ended(str(path[1]), declared, scope)
    return _given(name, declared)


def _has_ended(step: Written, scope: Scope) -> bool:
    if step.undo is None:
        return step.rank < scope.rank
    return scope.step is not None and step.undo == scope.step.undo and step.turn < scope.step.turn


def _unknown_step(word: str | int, scope: Scope, known: Outline) -> Mistake:
    if isinstance(word, int):
        message = "a step is referred to by its id, not by its number"
        return _unknown(message, "give the step an `id` and write `steps.ID`", part="steps")
    ended = [name for name, declared in known.by_id.items() if _has_ended(declared.step, scope)]
    near = _nearest(word, ended, prefix="steps.") or _nearest(word, known.by_id, prefix="steps.")
    return _unknown(f"unknown step `{word}`", near or _all_of("steps with an id", known.by_id), part=word)


def _not_ended(word: str, declared: Declared, scope: Scope) -> Mistake:
    if declared.step is scope.step:
        if scope.bare >= OF_AN_ATTEMPT:
            return _later(word, f"`steps.{word}` is this step itself", "here its result is called `result`")
        return _later(word, f"`steps.{word}` is this step itself, which has not run yet", _ABOVE)
    if declared.step.undo is not None and (scope.step is None or scope.step.undo != declared.step.undo):
        return _unknown(f"step `{word}` is known inside its own `undo` only", None, part=word)
    return _later(word, f"step `{word}` comes later", _ABOVE)


def _given(name: Name, declared: Declared) -> Mistake | None:
    """What is asked of a step that has ended."""
    path, word = name.path, name.path[1]
    if len(path) == 2:  # noqa: PLR2004  `steps.ID` alone
        return _computed(word) if name.dynamic else None
    key = path[2]
    if key not in OF_A_STEP:
        return _not_given(f"a step has no `{key}`", _nearest(key, OF_A_STEP) or _of_outputs(declared, key), key)
    if key == "result":
        return _always_null(f"step `{word}`", declared.step)
    if key == "turns" and not declared.is_loop:
        return _not_given(f"step `{word}` has no turns: it has no `for_each`", None, "turns")
    if key != "outputs" or len(path) == 3 or path[3] in declared.outputs:  # noqa: PLR2004  `steps.ID.outputs` alone
        return None
    hint = _nearest(path[3], declared.outputs) or _outputs_hint(str(word), declared)
    return _not_given(f"step `{word}` gives no output `{path[3]}`", hint, path[3])


def _always_null(whose: str, step: Written) -> Mistake | None:
    """A warning about the `result` of an `execute` that asks for none."""
    execute = step.fields.get("execute")
    if not isinstance(execute, dict) or "result" in execute:
        return None
    message = f"the `result` of {whose} is always null: its `execute` asks for none"
    hint = "name the parameter that holds it: `execute: {process: …, result: CODE}`"
    return Mistake(code="E128", message=message, hint=hint, part="result", warning=True)


def _of_outputs(declared: Declared, key: str | int) -> str:
    if key in declared.outputs:
        return f"did you mean `outputs.{key}`?"
    return f"keys of a step: {_listed(OF_A_STEP)}"


def _outputs_hint(word: str, declared: Declared) -> str:
    if "job" in declared.step.fields:
        return f"what an included job gives is `steps.{word}.result.NAME`"
    return _all_of(f"outputs of `{word}`", declared.outputs)


def _unknown_root(word: str, scope: Scope, known: Outline) -> Mistake:
    return _unknown(f"unknown name `{word}`", _root_hint(word, scope, known), part=word)


def _root_hint(word: str, scope: Scope, known: Outline) -> str | None:
    for place, names in (("inputs", known.inputs), ("vars", known.vars), ("steps", known.by_id)):
        if word in names:
            return f"did you mean `{place}.{word}`?"
    if word == "outputs":
        return "write `steps.ID.outputs.NAME`"
    if word in OF_AN_ATTEMPT:
        return f"`{word}` is known in `expect` and `outputs` of its own step; elsewhere write `steps.ID.{_kept(word)}`"
    if word in OF_A_TURN:
        return f"`{word}` is known in a step with `for_each`, but not in its `if`"
    if word == "env":
        return "the environment is read in targets only: declare an input"
    return _nearest(word, (*_EVERYWHERE, *scope.bare)) or f"known here: {_listed(_known_here(scope))}"


def _known_here(scope: Scope) -> list[str]:
    roots = [root for root in _EVERYWHERE if root != "steps" or scope.rank != NEVER]
    return [*roots, *sorted(scope.bare)]


def _kept(word: str) -> str:
    """What of an attempt stays known afterwards, under which name."""
    return "status" if word == "process_status" else word


def _unknown(message: str, hint: str | None, *, part: str | int) -> Mistake:
    return Mistake(code="E126", message=message, hint=hint, part=str(part))


def _later(part: str, message: str, hint: str | None) -> Mistake:
    return Mistake(code="E127", message=message, hint=hint, part=part)


def _not_given(message: str, hint: str | None, part: str | int) -> Mistake:
    return Mistake(code="E128", message=message, hint=hint, part=str(part))


def _computed(word: str | int) -> Mistake:
    return Mistake(
        code="E125",
        message=f"what is used of step `{word}` must be written, it cannot be computed",
        hint=f"write `steps.{word}.KEY`",
        part=str(word),
    )


def _nearest(word: str | int, among: Collection[str], *, prefix: str = "") -> str | None:
    near = suggest(str(word), among)
    return near and f"did you mean `{prefix}{near}`?"


def _all_of(kind: str, names: Collection[str]) -> str:
    return f"{kind}: {_listed(sorted(names)) if names else 'none'}"


def _listed(words: Collection[str]) -> str:
    shown = [f"`{word}`" for word in words]
    return ", ".join(shown) if len(shown) <= _MOST_LISTED else ", ".join(shown[:_MOST_LISTED]) + ", …"
