"""Names of rows: what undoes an included job and what undoes its steps may get the same name, which must not be.

`undo/outer/add` undoes the step `add` within `outer`, and is also the step `add` in the `undo` of `outer`.
"""

from collections.abc import Iterator

from runner.foundation.values import ValuePath
from runner.job.outline import Outline, RawStep
from runner.lint.texts import JobLint


def check_row_names(lint: JobLint) -> None:
    """Report steps in an `undo` whose rows share a name; doubled ids are reported elsewhere."""
    known = lint.outline
    undoing = [step for step in known.steps if "undo" in step.fields or step.fields.get("id") == "undo"]
    has_ids_twice = sum(isinstance(step.fields.get("id"), str) for step in known.steps) > len(known.by_id)
    if has_ids_twice or not any(step.path in known.included for step in undoing):
        return
    first: dict[str, ValuePath] = {}
    reported: set[ValuePath] = set()
    for name, path in (*_rows(known), *((f"undo/{name}", path) for name, path in _undoing_rows(known))):
        other = first.setdefault(name, path)
        if other != path and path not in reported:
            reported.add(path)
            line = lint.document.line_of(other)
            message = f"two rows of a run would be called `{name}`: here and by the step in line {line}"
            hint = "give a step in this `undo` an `id` that no other step has; write a single action as a list for it"
            lint.report("E111", message, path, at_key=True, hint=hint)


def _rows(known: Outline) -> Iterator[tuple[str, ValuePath]]:
    """The rows of a job's steps and of included jobs, each with the path of its step in this file."""
    for step in known.steps:
        if step.undo is None:
            yield from _within(step_name(step), step, known)


def _undoing_rows(known: Outline) -> Iterator[tuple[str, ValuePath]]:
    """The rows that undo them, without the `undo/` before their names."""
    undone = ""
    for step in known.steps:
        if step.path[0] == "finally":
            return  # all undoing is over by then
        if step.undo is None:
            undone = step_name(step)
            other = known.included.get(step.path)
            yield from ((f"{undone}/{name}", step.path) for name, _ in (_undoing_rows(other) if other else ()))
        else:
            is_alone = step.path == step.undo
            yield from _within(undone if is_alone else f"{undone}/{step_name(step)}", step, known)


def _within(name: str, step: RawStep, known: Outline) -> Iterator[tuple[str, ValuePath]]:
    """The row of a step, and those of the job that it includes."""
    yield name, step.path
    other = known.included.get(step.path)
    yield from ((f"{name}/{inner}", step.path) for inner, _ in (_rows(other) if other else ()))


def step_name(step: RawStep) -> str:
    """The name of a step: its id, or its number among the steps or within its `undo`."""
    name = step.fields.get("id")
    return name if isinstance(name, str) else str((step.rank if step.undo is None else step.turn) + 1)
