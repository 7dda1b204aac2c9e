"""What may not be sent, by the guards of its target, and questions that nobody would be there to answer.

Pure: jobs and targets in, refusals out. It is looked at before anything is sent, and one refusal refuses the command.
Whether an `if` lets a step through at all is known only later, so a step that may be carried out counts.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from runner.foundation.problems import Problem
from runner.job.actions import Confirm, Execute, IncludedJob, Pause, Run, Signal
from runner.job.model import Action, Job, Step
from runner.planning.plan import PlannedStep, planned_steps, steps_within, undo_of
from runner.runs.events import Section
from runner.targets.model import Allow, Target

Pair: TypeAlias = tuple[Job, Target]
"""A job, and the target that it is to run against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
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
    """Whether a step of the job asks a person."""
    return any(isinstance(placed.step.action, Confirm) for placed in steps_of(job))


def unconfirmed(targets: Iterable[Target], *, confirmed: Collection[str]) -> tuple[Target, ...]:
    """The protected targets, each once, that `confirmed` does not name."""
    return tuple(dict.fromkeys(target for target in targets if target.protected and target.name not in confirmed))


def protected(target: Target) -> Problem:
    hint = f"if you mean it, repeat the command with `--confirm {target.name}`"
    return Problem(code="E160", message=f"target `{target.name}` is protected", hint=hint)


def not_allowed(pairs: Iterable[Pair]) -> tuple[Problem, ...]:
    """A sentence for each step that its target's `allow` does not name."""
    found = [problem for job, target in pairs for problem in _of(job, target)]
    return tuple(dict.fromkeys(found))


def unanswerable(jobs: Iterable[Job]) -> tuple[Problem, ...]:
    """A sentence for each step that asks a person, when there is none."""
    hint = "`--yes` says yes to every question of a job"
    found = [
        Problem(code="E162", message=f"{_called(job, placed)} asks a person, and there is no terminal", hint=hint)
        for job in jobs
        for placed in steps_of(job)
        if isinstance(placed.step.action, Confirm)
    ]
    return tuple(dict.fromkeys(found))


def _of(job: Job, target: Target) -> Iterator[Problem]:
    for placed in steps_of(job):
        for what, allowed in _refused(placed.step, target.allow or Allow()):
            message = f"{_called(job, placed)} {what}; target `{target.name}` allows {allowed}"
            hint = _ENTITIES if isinstance(placed.step.action, Signal) and "changes" in what else None
            yield Problem(code="E161", message=message, hint=hint)


def _refused(step: Step, allow: Allow) -> Iterator[tuple[str, str]]:
    """What a step would do that is not allowed, and what is."""
    process, patterns = _process(step.action), allow.processes
    if process is not None and patterns is not None and not any(fnmatchcase(process, one) for one in patterns):
        yield f"starts `{process}`", _only(patterns, of="process")
    if isinstance(step.action, Signal):
        entity, entities = step.action.entity, allow.entities or ()
        if not any(fnmatchcase(entity, one) for one in entities):
            yield f"changes records of `{entity}`", _only(entities, of="change of records")
    if _sends(step.action) and allow.effects is not None and step.effect not in allow.effects:
        yield f"has the effect `{step.effect}`", _only(allow.effects, of="effect")


def _process(action: Action) -> str | None:
    if isinstance(action, Signal):
        return action.starts
    return action.process if isinstance(action, Execute | Run) else None


def _sends(action: Action) -> bool:
    """The steps of an included job are looked at one by one; asking and pausing sends nothing."""
    return not isinstance(action, IncludedJob | Confirm | Pause)


_ENTITIES = "who runs the target names the entity under `allow: {entities: […]}` in the targets file"


def _only(names: Iterable[str], *, of: str) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"{listed} only" if listed else f"no {of} at all"


def _called(job: Job, placed: Placed) -> str:
    return f"job `{job.name}`, step `{placed.key}` ({placed.job.file}:{placed.step.line})"
