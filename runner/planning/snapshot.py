"""The plan that is stored with a run to resume it. Secrets are holes, which `filled` fills with those given anew."""

import json
from contextlib import suppress
from functools import partial

from msgspec import Struct, ValidationError, convert, field, to_builtins
from msgspec.structs import replace

from runner.foundation.fingerprints import Fingerprints, fingerprints
from runner.foundation.problems import Problem
from runner.foundation.values import Json, JsonObject, canonical, record, sure_text, well_formed
from runner.planning import plan_file
from runner.planning.plan import Plan, stored
from runner.planning.plan_file import StoredPlan
from runner.runs.refused_starts import RefusedStart, refused_starts
from runner.runs.store import Part, RunStore, StoreError
from runner.runs.stored_runs import StoredRun
from runner.secrets.redact import Secrets
from runner.targets.model import Times

FORMAT = 1


class PlanSnapshot(Struct, frozen=True, kw_only=True):
    plan: StoredPlan
    fingerprints: Fingerprints
    times: Times = field(name="seconds")
    alone: bool


def snapshot_text(plan: Plan, *, key: str) -> str:
    """The text that stores this plan; `key` is random, in hexadecimal digits. To be called before the first call."""
    prints = fingerprints(plan.secrets.plain, key=key)
    whole: JsonObject = {
        **stored(plan),
        "seconds": to_builtins(plan.times),
        "alone": plan.alone,
        "fingerprints": to_builtins(prints),
    }
    text = canonical(whole)
    if plan.secrets.appears_in(text):  # in most plans none does, and to look at each part takes longer than all else
        text = canonical(whole | {name: _cut(name, value, plan.secrets) for name, value in stored(plan).items()})
    return well_formed(text) + "\n"


def read(store: RunStore, run: str) -> PlanSnapshot | Problem:
    """What `snapshot_text` wrote and the run's store has, or why the run cannot be resumed."""
    unusable = partial(_unusable, run, store.place(run, Part.PLAN))
    try:
        whole = record(json.loads(store.get(run, Part.PLAN)))
    except StoreError as error:
        return unusable(f"it cannot be read: {error}")
    except (ValueError, RecursionError):
        return unusable("it is no JSON, or only a part of it")
    if whole.get("format") != FORMAT:
        return unusable(f"its format is not {FORMAT}: another version of the program wrote it")
    with suppress(ValidationError):
        if (plan := plan_file.from_record(whole)) is not None:
            return convert({**whole, "plan": plan}, PlanSnapshot)
    return unusable("parts of it are missing")


def refused_in(run: StoredRun) -> tuple[RefusedStart, ...]:
    """Starts that were refused in the run, or before in those that it carried out once more."""
    found = read(run.store, run.id)
    before = () if isinstance(found, Problem) else found.plan.refused
    return tuple(refused_starts(run.id, run.lines, before=before))


def filled(run: PlanSnapshot, secrets: Secrets) -> PlanSnapshot:
    """The run with the secrets in their places again. Raises `LookupError` for a secret that is not known."""
    plan = run.plan
    sources = {
        sure_text(secrets.fill(name)): sure_text(secrets.fill(content)) for name, content in plan.sources.items()
    }
    inputs = record(secrets.fill(plan.inputs))
    return replace(run, plan=replace(plan, file=sure_text(secrets.fill(plan.file)), sources=sources, inputs=inputs))


def _cut(name: str, value: Json, secrets: Secrets) -> Json:
    """A value without secrets, also in keys that a job's author named."""
    if name in {"format", "digest"}:
        return value
    if isinstance(value, dict) and name not in {"sources", "inputs"}:
        return {part: secrets.cut(inner) for part, inner in value.items()}
    return secrets.cut(value)


def _unusable(run: str, file: str, why: str) -> Problem:
    return Problem(code="E156", message=f"the run's plan cannot be used: {why}", hint=left_to_do(run), file=file)


def left_to_do(run: str) -> str:
    """What a person can do about a run whose plan is lost."""
    return (
        f"nothing was sent; no command can resume this run: `runner show {run}` shows what it did, the site's process "
        "log how that ended; then delete the folder"
    )
