"""What a run will do: a job, its inputs and its target, with a stable key for every step. It never changes.

It holds secrets, so only its form `stored` is written.
"""

from collections.abc import Mapping
from sys import intern

from msgspec import Struct, field, to_builtins
from msgspec.structs import replace

from runner.catalogue import model as catalogue
from runner.foundation.values import Json, JsonObject, canonical_text, digest
from runner.job.actions import Elements, IncludedJob
from runner.job.model import Job, Step, Undo
from runner.runs.events import Section, TargetName
from runner.runs.refused_starts import RefusedStart
from runner.secrets.redact import Secrets
from runner.targets.model import Times


class PlannedStep(Struct, frozen=True, kw_only=True, gc=False):
    """`key` is the step's id, or its number through `steps` and `finally`, counted from 1."""

    key: str
    section: Section
    step: Step

    @property
    def kind(self) -> str:
        return self.step.action.kind

    @property
    def name(self) -> str:
        return self.step.name or intern(self.step.action.title)  # many steps do the same


class ChosenCase(Struct, frozen=True, kw_only=True):
    """The case that a run is for; `index` counts from 0."""

    name: str
    index: int


class Plan(Struct, frozen=True, kw_only=True):
    """What a run will do."""

    job: Job
    case: ChosenCase | None = None
    target: TargetName
    inputs: Mapping[str, Json]  # with secrets in clear
    secrets: Secrets  # names them all
    steps: tuple[PlannedStep, ...]
    final_steps: tuple[PlannedStep, ...]
    sources: Mapping[str, str]  # the texts of its files, by name
    digest: str  # of file, public inputs, and target, without a sandbox's port
    times: Times = Times()
    alone: bool = True  # no other run here starts processes on the target
    elements: tuple[catalogue.ProcessElement, ...] = ()  # of known designs, by which names lead to instances
    versions: Mapping[str, str] = field(default_factory=dict)  # active, against whose parameters the job was checked
    unchecked: bool = False  # nothing said what its processes take
    refused: tuple[RefusedStart, ...] = ()  # starts of the runs that it repeats


def plan(
    job: Job,
    *,
    sources: Mapping[str, str],
    inputs: Mapping[str, Json],
    target: TargetName,
    secrets: Secrets,
    case: ChosenCase | None = None,
) -> Plan:
    """Bring a job together with the values it runs with; registers its secret inputs with `secrets`."""
    for declared in job.inputs:
        if declared.secret and declared.name in inputs:
            secrets.add(f"inputs.{declared.name}", canonical_text(inputs[declared.name]))
    first_final = len(job.steps) + 1
    made = Plan(
        job=job,
        case=case,
        target=target,
        inputs=inputs,
        secrets=secrets,
        steps=planned_steps(job.steps, Section.STEPS, first=1),
        final_steps=planned_steps(job.final_steps, Section.FINALLY, first=first_final),
        sources=sources,
        digest="",
    )
    return replace(made, digest=_digest(made))


def open_inputs(job: Job, inputs: Mapping[str, Json]) -> JsonObject:
    """The inputs as they may be shown: a secret is `***`."""
    secret = {declared.name for declared in job.inputs if declared.secret}
    return {name: "***" if name in secret else value for name, value in inputs.items()}


def stored(plan: Plan) -> JsonObject:
    """The plan as it goes to disk: everything but the secrets."""
    return {
        "format": 1,
        "job": plan.job.name,
        "file": plan.job.file,
        "sources": {**plan.sources},
        "case": to_builtins(plan.case),
        "target": to_builtins(plan.target),
        "inputs": open_inputs(plan.job, plan.inputs),
        "digest": plan.digest,
        **({"elements": to_builtins(plan.elements)} if plan.elements else {}),
        **({"versions": {**plan.versions}} if plan.versions else {}),
        **({"unchecked": True} if plan.unchecked else {}),
        **({"refused": to_builtins(plan.refused)} if plan.refused else {}),
    }


def planned_steps(steps: tuple[Step, ...], section: Section, *, first: int) -> tuple[PlannedStep, ...]:
    return tuple(
        PlannedStep(key=step.id or str(number), section=section, step=step)
        for number, step in enumerate(steps, start=first)
    )


def steps_within(planned: PlannedStep, job: Job) -> tuple[PlannedStep, ...]:
    """The steps of the job that `planned` includes, as they are known before a run: with the keys of the run's rows."""
    final = Section.FINALLY if planned.section is Section.STEPS else planned.section
    inner = planned_steps(job.steps, planned.section, first=1)
    inner += planned_steps(job.final_steps, final, first=len(job.steps) + 1)
    return tuple(replace(step, key=f"{planned.key}/{step.key}") for step in inner)


def undo_of(planned: PlannedStep) -> tuple[PlannedStep, ...]:
    """What undoes a step, or each of its turns. Under `finally` nothing does: all undoing is over by then."""
    undo = planned.step.undo
    return () if undo is None or planned.section is not Section.STEPS else undo_steps(undo, key=planned.key)


def undo_steps(undo: Undo, *, key: str) -> tuple[PlannedStep, ...]:
    """The steps that undo the row of `key`, in order: `undo/KEY`, or of a list `undo/KEY/ID`, or with a number."""
    if undo.alone:
        return tuple(PlannedStep(key=f"undo/{key}", section=Section.UNDO, step=step) for step in undo.steps)
    return tuple(
        replace(step, key=f"undo/{key}/{step.key}") for step in planned_steps(undo.steps, Section.UNDO, first=1)
    )


def planned_rows(job: Job) -> int | None:
    """How many rows the job will have, undo left out; None where a `for_each` decides."""
    number = len(job.steps) + len(job.final_steps)
    for step in (*job.steps, *job.final_steps):
        match step.action:
            case IncludedJob(job=included):
                parts = planned_rows(included)
            case Elements(items=chain):
                parts = len(chain)
            case _:
                parts = 0
        if step.for_each is not None or parts is None:
            return None
        number += parts
    return number


def source_digest(plan: Plan) -> str:
    """A hash of the texts of the job's files alone."""
    return f"sha256:{digest({**plan.sources})}"


def _digest(plan: Plan) -> str:
    target = plan.target
    url = None if target.sandbox else target.url
    whole: Json = {
        "sources": {**plan.sources},
        "inputs": open_inputs(plan.job, plan.inputs),
        "case": plan.case.name if plan.case else None,
        "target": {"name": target.name, "url": url, "sandbox": target.sandbox},
    }
    return f"sha256:{digest(whole)}"
