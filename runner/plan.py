"""What one run will do: a job, its inputs and its target brought together, with a stable key for every step.

A plan is made before anything is sent and never changes. It knows the secrets, so it is never written as it is:
`kept` is the form that goes to disk.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from runner.events import Section, TargetName
from runner.job.model import Element, Elements, Execute, Job, Step
from runner.secrets.redact import Secrets
from runner.values import Json, JsonObject, canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """`key` is the step's id, or its number through `steps` and `finally`, counted from 1."""

    key: str
    section: Section
    step: Step

    @property
    def kind(self) -> str:
        return kind_of(self.step)

    @property
    def name(self) -> str:
        return self.step.name or in_words(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`inputs` hold secrets in clear; `secrets` names them all. `source` is the text of the job file.

    `digest` is the same for the same file, inputs that are not secret, and target; a sandbox's port is no part of it.
    """

    job: Job
    case: str | None = None
    target: TargetName
    inputs: Mapping[str, Json]
    secrets: Secrets
    steps: tuple[PlannedStep, ...]
    final_steps: tuple[PlannedStep, ...]
    source: str
    digest: str


def plan(job: Job, *, source: str, inputs: Mapping[str, Json], target: TargetName, secrets: Secrets) -> Plan:
    """Bring a job together with the values it runs with; registers its secret inputs with `secrets`."""
    for declared in job.inputs:
        if declared.secret and declared.name in inputs:
            secrets.add(f"inputs.{declared.name}", _as_text(inputs[declared.name]))
    first_final = len(job.steps) + 1
    return Plan(
        job=job,
        target=target,
        inputs=inputs,
        secrets=secrets,
        steps=_planned(job.steps, Section.STEPS, first=1),
        final_steps=_planned(job.final_steps, Section.FINALLY, first=first_final),
        source=source,
        digest=_digest(job, source=source, inputs=inputs, target=target),
    )


def open_inputs(job: Job, inputs: Mapping[str, Json]) -> JsonObject:
    """The inputs as they may be shown: a secret one is `***`."""
    secret = {declared.name for declared in job.inputs if declared.secret}
    return {name: "***" if name in secret else value for name, value in inputs.items()}


def kept(plan: Plan) -> JsonObject:
    """The plan as it lies in the run's folder: everything but the secrets."""
    return {
        "format": 1,
        "job": plan.job.name,
        "file": plan.job.file,
        "source": plan.source,
        "case": plan.case,
        "target": {"name": plan.target.name, "url": plan.target.url, "sandbox": plan.target.sandbox},
        "inputs": open_inputs(plan.job, plan.inputs),
        "digest": plan.digest,
    }


def kind_of(step: Step) -> str:
    match step.action:
        case Execute():
            return "execute"
        case Element():
            return "element"
        case Elements():
            return "elements"


def in_words(step: Step) -> str:
    """The name of a step that has none of its own."""
    match step.action:
        case Execute(process=process):
            return f"Execute {process}"
        case Element(uid=uid):
            return f"Execute element {uid}"
        case Elements(items=items):
            return f"Execute a chain of {len(items)} elements"


def _planned(steps: tuple[Step, ...], section: Section, *, first: int) -> tuple[PlannedStep, ...]:
    return tuple(
        PlannedStep(key=step.id or str(number), section=section, step=step)
        for number, step in enumerate(steps, start=first)
    )


def _digest(job: Job, *, source: str, inputs: Mapping[str, Json], target: TargetName) -> str:
    url = None if target.sandbox else target.url
    whole: Json = {
        "source": source,
        "inputs": open_inputs(job, inputs),
        "target": {"name": target.name, "url": url, "sandbox": target.sandbox},
    }
    return "sha256:" + hashlib.sha256(canonical(whole).encode()).hexdigest()


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value)
