"""What is wrong with a name that an expression or template uses, and what was probably meant.

Names alone are judged. Keys inside the values behind them are not: those are known only when a job runs.
"""

from runner.expressions.parse import Name
from runner.foundation.near_misses import folded
from runner.foundation.sentences import begun
from runner.job.outline import Outline
from runner.lint.name_mistakes import KNOWN_HERE, Mistake, all_of, nearest, unknown
from runner.lint.scopes import NEVER, OF_A_TURN, OF_AN_ATTEMPT, Scope
from runner.lint.step_names import in_own, in_steps
from runner.lint.uses import results, starts

_KEYS_OF = {"run": ("id", "started_at"), "target": ("name", "url"), "case": ("name", "index")}
_EVERYWHERE = ("inputs", "vars", "steps", *_KEYS_OF)
_STARTED = "write `run.started_at`: a resumed run must compute the same"
_SECONDS = "write `seconds`, which is how long the attempt took, or `steps.ID.seconds` of an earlier step"
_FOREIGN = {
    "env": "the environment is read in targets only: declare an input",
    "secrets": "declare an input with `secret: true`, and write `inputs.NAME`",
    "github": "write `run.id` for what tells one run from another; other values come from `inputs`",
    "matrix": "write `inputs.NAME`: `cases` gives the inputs of each run",
    "needs": "write `steps.ID.outputs.NAME`",
    "params": "write `inputs.NAME`",
    "parameters": "write `inputs.NAME`",
    "hostvars": "write `vars.NAME` or `inputs.NAME`",
    "ansible_date_time": "write `run.started_at`",
    "loop": "write `item` and `index`, in a step with `for_each`",
    "each": "write `item` and `index`, in a step with `for_each`",
    "response": "write `result`, which is what the action gave",
    "body": "write `result`, which is what the action gave",
    "this": "write `result`, which is what the action gave",
    "pm": "write `result`, which is what the action gave",
    "status": "write `process_status`, or `steps.ID.status` of an earlier step",
    "empty": "write `… | length == 0`",
    **dict.fromkeys(("now", "utcnow", "today", "timestamp", "datetime", "DateTime", "Date", "Now"), _STARTED),
    **dict.fromkeys(("Guid", "guid", "newguid", "NewGuid"), 'write `uuid("label")`'),
    **dict.fromkeys(("response_time", "responseTime", "duration", "elapsed", "elapsed_time"), _SECONDS),
    "jsonData": "write `result`, which is what the action gave",
    "status_code": "write `process_status`, or compare `result`",
    "rc": "write `process_status`, or compare `result`",
    "yes": "write `true`",
    "on": "write `true`",
    "no": "write `false`",
    "off": "write `false`",
}
"""What is written here for names of other languages."""


def mistake(name: Name, scope: Scope, known: Outline) -> Mistake | None:
    """What is wrong with `name` at a place with `scope`, None where it may stand."""
    root = name.path[0]
    if root == "steps":
        return in_steps(name, scope, known)
    if root == "inputs":
        return _in_inputs(name, known)
    if root == "vars":
        return _in_vars(name, scope, known)
    if root in _KEYS_OF:
        return _in_record(name, str(root)) or (_in_no_case(name) if root == "case" and not known.has_cases else None)
    if root not in scope.bare:
        return _unknown_root(str(root), scope, known)
    return in_own(name, scope, known)


def is_unknown(root: str, scope: Scope) -> bool:
    """Whether nothing has this name at a place with `scope`."""
    return root not in _EVERYWHERE and root not in scope.bare


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
    hint = nearest(name.path[1], known.inputs, prefix="inputs.") or all_of("the job's inputs", known.inputs)
    return unknown(f"unknown input `{name.path[1]}`", hint, part=name.path[1])


def _in_vars(name: Name, scope: Scope, known: Outline) -> Mistake | None:
    if len(name.path) == 1:
        return None
    word = name.path[1]
    if word not in known.vars:
        hint = nearest(word, known.vars, prefix="vars.") or all_of("the job's vars", known.vars)
        return unknown(f"unknown var `{word}`", hint, part=word)
    if scope.vars is None or word in scope.vars:
        return None
    return unknown(f"var `{word}` is not worked out yet", "vars are worked out in order: move it up", part=word)


def _in_record(name: Name, root: str) -> Mistake | None:
    keys = _KEYS_OF[root]
    if len(name.path) == 1 or name.path[1] in keys:
        return None
    hint = nearest(name.path[1], keys, prefix=f"{root}.") or f"keys of `{root}`: {begun(keys)}"
    return unknown(f"`{root}` has no `{name.path[1]}`", hint, part=name.path[1])


def _in_no_case(name: Name) -> Mistake | None:
    """A warning: whether a job has a case may be asked elsewhere, as in the `if` of the step."""
    if len(name.path) == 1:
        return None
    key = f"case.{name.path[1]}"
    hint = f'without `cases`, write `{key} | default("…")`'
    message = f"`{key}` has no value: the job has no `cases`"
    return Mistake(code="E126", message=message, hint=hint, part="case", warning=True, unless_asked=True)


def _unknown_root(word: str, scope: Scope, known: Outline) -> Mistake:
    return unknown(f"unknown name `{word}`", _root_hint(word, scope, known), part=word)


def declared_as(word: str, scope: Scope, known: Outline) -> str | None:
    """The whole name of an input, a var or an output of an earlier step that is called `word`."""
    for place, names in (("inputs", known.inputs), ("vars", known.vars)):
        if word in names:
            return f"{place}.{word}"
    for step, declared in known.by_id.items():
        if word in declared.outputs and declared.step.rank < scope.rank and declared.step.undo is None:
            return f"steps.{step}.outputs.{word}"
    return None


def _root_hint(word: str, scope: Scope, known: Outline) -> str | None:
    name = declared_as(word, scope, known) or (f"steps.{word}" if word in known.by_id else None)
    if name is not None:
        return f"did you mean `{name}`?"
    if word == "outputs":
        return "write `steps.ID.outputs.NAME`"
    if word in OF_AN_ATTEMPT:
        return f"`{word}` is known in `expect` and `outputs` of its own step; elsewhere write `steps.ID.{_kept(word)}`"
    if word in OF_A_TURN:
        return f"`{word}` is known in a step with `for_each`, but not in its `if`"
    if given := _given(word, scope, known):
        return f"write `{given}`, which holds what the process gave as `{word}`"
    return _FOREIGN.get(word) or _near(word, scope)


def _near(word: str, scope: Scope) -> str | None:
    joined = next(
        (f"{root}.{key}" for root, keys in _KEYS_OF.items() for key in keys if folded(root + key) == folded(word)), None
    )
    if joined:
        return f"did you mean `{joined}`?"
    return nearest(word, (*_EVERYWHERE, *scope.bare)) or f"{KNOWN_HERE}{begun(_known_here(scope))}"


def _given(word: str, scope: Scope, known: Outline) -> str | None:
    """Where the value of a process's parameter `word` is kept that a step has asked for, its own step's first."""
    kept = [("result", scope.own_result)] if scope.own_result is not None else []
    for name, one in known.by_id.items():
        if one.step.rank < scope.rank and one.step.undo is None and not one.is_loop:
            kept.append((f"steps.{name}.result", one.step))
    for result, step in kept:
        for path, _, start in starts(step):
            if word in [code for _, code in results(start, path)]:
                return result if path[-1] == "execute" else f"{result}.{word}"
    return None


def _known_here(scope: Scope) -> list[str]:
    roots = [root for root in _EVERYWHERE if root != "steps" or scope.rank != NEVER]
    return [*roots, *sorted(scope.bare)]


def _kept(word: str) -> str:
    """What of an attempt stays known afterwards, under which name."""
    return "status" if word == "process_status" else word
