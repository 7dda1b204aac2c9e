"""What may not be sent, by the guards of its target, and questions that nobody could answer. Pure.

Any refusal refuses the command. A step with an `if` counts, since it may be carried out.
"""

from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from runner.foundation.problems import Problem
from runner.foundation.suggestions import did_you_mean
from runner.job.actions import Confirm, Execute, IncludedJob, Pause, Run, Signal
from runner.job.model import Job, Step
from runner.planning.plan import PlannedStep, planned_steps, steps_within, undo_of
from runner.runs.events import Section
from runner.targets.model import Allow, Target

_ASK = "ask who runs the target to name %s under `allow: {%s: […]}` in the targets file"


class Placed(Struct, frozen=True, kw_only=True):
    """A step with its `key` as in reports, and the `job` that holds it, which another may include."""

    key: str
    step: Step
    job: Job


def steps_of(job: Job) -> Iterator[Placed]:
    """Every step of a job that may be carried out, in `undo`, in `finally` and in included jobs, too."""
    first_final = len(job.steps) + 1
    yield from _placed(planned_steps(job.steps, Section.STEPS, first=1), job)
    yield from _placed(planned_steps(job.final_steps, Section.FINALLY, first=first_final), job)


def _placed(steps: Iterable[PlannedStep], job: Job) -> Iterator[Placed]:
    for planned in steps:
        action = planned.step.action
        yield Placed(key=planned.key, step=planned.step, job=job)
        if isinstance(action, IncludedJob):
            yield from _placed(steps_within(planned, action.job), action.job)
        yield from _placed(undo_of(planned), job)


def asks(job: Job) -> bool:
    return any(isinstance(placed.step.action, Confirm) for placed in steps_of(job))


def unconfirmed(targets: Iterable[Target], *, confirmed: Collection[str]) -> tuple[Target, ...]:
    """The protected targets, each once, that `confirmed` does not name."""
    return tuple(dict.fromkeys(target for target in targets if target.protected and target.name not in confirmed))


def protected(target: Target) -> Problem:
    hint = f"if you want this, repeat the command with `--confirm {target.name}`"
    return Problem(code="E160", message=f"target `{target.name}` is protected", hint=hint)


def not_allowed(pairs: Iterable[tuple[Job, Target]]) -> tuple[Problem, ...]:
    """A problem for each step of a job that the target of its run does not `allow`."""
    found = (
        problem
        for job, target in pairs
        for placed in steps_of(job)
        for problem in _refused(_with_place(job, placed), placed, target)
    )
    return tuple(dict.fromkeys(found))


def refused_steps(job: Job, target: Target) -> Iterator[tuple[Placed, Problem]]:
    """The steps of a job that the target does not `allow`, each with why; the message does not say where it is."""
    return ((placed, problem) for placed in steps_of(job) for problem in _refused(_name(job, placed), placed, target))


def unanswerable(jobs: Iterable[Job], *, over: Collection[str] = ()) -> tuple[Problem, ...]:
    """A problem for each step that asks a person, when there is none. Steps with a key of `over` ask no more."""
    hint = "say yes to every question of a job with `--yes`"
    found = (
        Problem(code="E162", message=f"{_with_place(job, placed)} asks a person, and there is no terminal", hint=hint)
        for job in jobs
        for placed in steps_of(job)
        if isinstance(placed.step.action, Confirm) and placed.key not in over
    )
    return tuple(dict.fromkeys(found))


def _refused(name: str, placed: Placed, target: Target) -> Iterator[Problem]:
    """What a step, called `name`, would do that is not allowed, each with what is."""
    action, allow = placed.step.action, target.allow or Allow()

    def problem(what: str, allowed: Iterable[str], kind: str, hint: str) -> Problem:
        listed = ", ".join(f"`{each}`" for each in allowed)
        only = f"{listed} only" if listed else f"no {kind} at all"
        message = f"{name} {what}; target `{target.name}` allows {only}"
        near = did_you_mean(what.split("`")[1], filter(str.isidentifier, allowed))
        hint = f"{f'{near} else ' if near else ''}{hint}; or leave the job out, with `-k` or `--tags`"
        return Problem(code="E161", message=message, hint=hint)

    process = action.starts if isinstance(action, Signal) else None
    process = action.process if isinstance(action, Execute | Run) else process
    if process is not None and allow.processes is not None and not _fits(process, allow.processes):
        yield problem(f"starts `{process}`", allow.processes, "process", _ASK % (f"`{process}`", "processes"))
    if isinstance(action, Signal) and not _fits(action.entity, allow.entities or ()):
        what = f"changes records of `{action.entity}`"
        yield problem(what, allow.entities or (), "change of records", _ASK % (f"`{action.entity}`", "entities"))
    sends = not isinstance(action, IncludedJob | Confirm | Pause)  # steps of an included job are checked by themselves
    if sends and allow.effects is not None and placed.step.effect not in allow.effects:
        effect = f"`{placed.step.effect}`"
        yield problem(f"has the effect {effect}", allow.effects, "effect", _ASK % (effect, "effects"))


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _name(job: Job, placed: Placed) -> str:
    return f"job `{job.name}`, step `{placed.key}`"


def _with_place(job: Job, placed: Placed) -> str:
    return f"{_name(job, placed)} ({placed.job.file}:{placed.step.line})"
