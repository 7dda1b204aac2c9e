"""What is wrong with a name that leads to a step, `steps.ID…`, or to the result of the step itself.

Whether the step has ended by then, and whether it gives what is asked of it. Keys inside the values that it gives are
not judged, but for two kinds: those of an included job are its outputs, and a step with `for_each` gives lists.
"""

from runner.expressions.parse import Name
from runner.foundation.raw import record
from runner.foundation.sentences import begun
from runner.foundation.values import Path
from runner.job.outline import Declared, Outline, RawStep
from runner.lint.name_mistakes import Mistake, all_of, later, nearest, not_given, unknown
from runner.lint.never_given import always_null, not_of_all_turns
from runner.lint.scopes import NEVER, Scope
from runner.lint.status_names import asked_status
from runner.lint.uses import kept_as

KEYS_OF_A_STEP = ("status", "result", "outputs", "process_id", "attempts", "seconds", "turns")
KEYS_OF_ALL_TURNS = tuple(key for key in KEYS_OF_A_STEP if key != "process_id")
KEYS_OF_A_TURN = tuple(key for key in KEYS_OF_A_STEP if key != "turns")
_ABOVE = "only steps that stand above can be used"


def in_steps(name: Name, scope: Scope, known: Outline) -> Mistake | None:
    path = name.path
    if scope.rank == NEVER:
        hint = "write it where it is used, or give the step `outputs`"
        return unknown("`vars` know no steps: they are worked out before the first one", hint, part="steps")
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
    is_undone = declared.step is scope.undone
    wrong = _turns_of_undone(path, declared) if is_undone else None
    return wrong or _given(name, declared, known, is_list=declared.is_loop and not is_undone)


def in_own(name: Name, scope: Scope, known: Outline) -> Mistake | None:
    """What is wrong with a name that stands alone: `result`, or in an `undo` what its step had."""
    root, step = name.path[0], scope.own_result
    if root in ("process_id", "process_status") and step is not None:
        return always_null(_whose(step, scope), step, str(root))
    if root == "result" and step is not None:
        return always_null(_whose(step, scope), step, root) or _in_included(name, 1, step, known)
    if root == "outputs" and scope.undone is not None:
        return _in_own_outputs(name.path, scope.undone)
    return None


def _whose(step: RawStep, scope: Scope) -> str:
    return "the step that is undone" if step is scope.undone else "the step"


def _has_ended(step: RawStep, scope: Scope) -> bool:
    if step.undo is None:
        return step.rank < scope.rank
    return scope.step is not None and step.undo == scope.step.undo and step.turn < scope.step.turn


def _unknown_step(word: str | int, scope: Scope, known: Outline) -> Mistake:
    if isinstance(word, int):
        message = "a step is referred to by its id, not by its number"
        return unknown(message, "give the step an `id` and write `steps.ID`", part="steps")
    ended = [name for name, declared in known.by_id.items() if _has_ended(declared.step, scope)]
    near = nearest(word, ended, prefix="steps.") or nearest(word, known.by_id, prefix="steps.")
    return unknown(f"unknown step `{word}`", near or all_of("steps with an id", known.by_id), part=word)


def _not_ended(word: str, declared: Declared, scope: Scope) -> Mistake:
    if declared.step is scope.step:
        if scope.own_result is scope.step:
            return later(word, f"`steps.{word}` is this step itself", "here its result is called `result`")
        return later(word, f"`steps.{word}` is this step itself, which has not run yet", _ABOVE)
    if declared.step.undo is not None and (scope.step is None or scope.step.undo != declared.step.undo):
        return unknown(f"step `{word}` is known inside its own `undo` only", None, part=word)
    return later(word, f"step `{word}` comes later", _ABOVE)


def _given(name: Name, declared: Declared, known: Outline, *, is_list: bool) -> Mistake | None:
    """What is asked of a step that has ended. `is_list`: of one that was carried out several times."""
    path, word = name.path, name.path[1]
    if len(path) == 2:  # noqa: PLR2004  `steps.ID` alone
        return _computed(word) if name.dynamic else None
    key = path[2]
    if key not in KEYS_OF_A_STEP:
        keys = KEYS_OF_ALL_TURNS if is_list else KEYS_OF_A_STEP
        return not_given(f"a step has no `{key}`", nearest(key, keys) or _of_outputs(word, declared, key, keys), key)
    if key == "turns" and not declared.is_loop:
        return not_given(f"step `{word}` has no turns: it has no `for_each`", None, "turns")
    if key == "turns":
        return _key_of_list(path, 3) or _of_a_turn(name, declared, known)
    if key == "result":
        wrong = _key_of_list(path, 3) if is_list else None
        return wrong or _in_result(name, 4 if is_list else 3, declared.step, known)
    if key == "outputs":
        return _in_outputs(path, 3, declared, known) or (_key_of_list(path, 4) if is_list else None)
    if is_list:
        return not_of_all_turns(word, str(key), declared.step)
    return always_null(f"step `{word}`", declared.step, str(key))


def _turns_of_undone(path: Path, declared: Declared) -> Mistake | None:
    if path[2:3] != ("turns",) or not declared.is_loop:
        return None
    hint = f"write `steps.{path[1]}.result` for what it gave"
    return not_given(f"in its `undo`, `steps.{path[1]}` is the one turn that is undone", hint, "turns")


def _computed(word: str | int) -> Mistake:
    return Mistake(
        code="E125",
        message=f"what is used of step `{word}` must be written, it cannot be computed",
        hint=f"write `steps.{word}.KEY`",
        part=str(word),
    )


def _of_a_turn(name: Name, declared: Declared, known: Outline) -> Mistake | None:
    """`steps.ID.turns[0].KEY`, where a turn is named at all."""
    match name.path[4:]:
        case (key, *_) if key not in KEYS_OF_A_TURN:
            return not_given(f"a turn has no `{key}`", nearest(key, KEYS_OF_A_TURN), key)
        case ("result", *_):
            return _in_result(name, 5, declared.step, known)
        case ("outputs", *_):
            return _in_outputs(name.path, 5, declared, known)
        case (str() as key, *_):
            return always_null(f"step `{name.path[1]}`", declared.step, key)
        case _:
            return None


def _in_result(name: Name, at: int, step: RawStep, known: Outline) -> Mistake | None:
    """`at` is the place in the path where keys of the result begin."""
    return always_null(f"step `{name.path[1]}`", step, "result") or _in_included(name, at, step, known)


def _in_included(name: Name, at: int, step: RawStep, known: Outline) -> Mistake | None:
    """What an included job does not give."""
    other, keys = known.included.get(step.path), name.path[at : at + 1]
    if other is None or not keys or keys[0] in other.outputs:
        return None
    file = record(step.fields.get("job")).get("file")
    hint = nearest(keys[0], other.outputs) or all_of("its outputs", other.outputs)
    return not_given(f"`{file}` gives no output `{keys[0]}`", hint, keys[0])


def _in_outputs(path: Path, at: int, declared: Declared, known: Outline) -> Mistake | None:
    if len(path) <= at or path[at] in declared.outputs:
        return None
    other = known.included.get(declared.step.path)
    if other is not None and path[at] in other.outputs:
        hint: str | None = f"write `steps.{path[1]}.result.{path[at]}`"
    else:
        hint = nearest(path[at], declared.outputs) or _outputs_hint(str(path[1]), path[at], declared)
    return not_given(f"step `{path[1]}` gives no output `{path[at]}`", hint, path[at])


def _in_own_outputs(path: Path, undone: RawStep) -> Mistake | None:
    """`outputs.NAME` in an `undo`."""
    given = record(undone.fields.get("outputs"))
    if len(path) == 1 or path[1] in given:
        return None
    hint = nearest(path[1], given, prefix="outputs.") or all_of("its outputs", given)
    return not_given(f"the step that is undone gives no output `{path[1]}`", hint, path[1])


def _key_of_list(path: Path, at: int) -> Mistake | None:
    """A key where a step with `for_each` has a list, an item a turn."""
    if len(path) <= at or isinstance(path[at], int):
        return None
    whole, key = ".".join(str(part) for part in path[:at]), path[at]
    hint = f'write `{whole}[0].{key}` for one turn, `{whole} | map(attribute="{key}")` for all'
    return not_given(f"`{whole}` is a list, an item a turn: it has no `{key}`", hint, key)


def _of_outputs(word: str | int, declared: Declared, key: str | int, keys: tuple[str, ...]) -> str:
    if (status := asked_status(key)) is not None:
        return f'write `steps.{word}.status == "{status}"`'
    if key in declared.outputs:
        return f"did you mean `outputs.{key}`?"
    return f"keys of a step: {begun(keys)}"


def _outputs_hint(word: str, key: str | int, declared: Declared) -> str:
    if "job" in declared.step.fields:
        return f"what an included job gives is `steps.{word}.result.NAME`"
    if (kept := kept_as(declared.step, str(key))) is not None:
        return f"write `steps.{word}.{kept}`"
    return all_of(f"outputs of `{word}`", declared.outputs)
