"""The plan of a run as it lies in the run's folder, so that the run can be gone on with: written, and read back.

It holds no secret. Where a secret stood in it, in a file of the job or in an input, there is a hole, which `filled`
fills with secrets that are given anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from runner.foundation.fingerprints import Fingerprints, fingerprints
from runner.foundation.problems import Problem
from runner.foundation.raw import record, text
from runner.foundation.values import Json, JsonObject, canonical, well_formed
from runner.planning import plan_file
from runner.planning.plan import Plan, kept
from runner.planning.plan_file import StoredPlan
from runner.runs.run_folders import PLAN
from runner.secrets.redact import Secrets

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSnapshot:
    """`attempt` and `settle` are seconds, as `Plan` has them."""

    plan: StoredPlan
    fingerprints: Fingerprints
    attempt: float
    settle: float
    alone: bool


def written(plan: Plan, *, key: str) -> str:
    """The text that keeps this plan; `key` is a random one of the run, in hexadecimal digits.

    To be called before the first call is made: secrets that the run makes later are none that are given anew.
    """
    prints = fingerprints(plan.secrets.plain, key=key)
    whole: JsonObject = {
        **_without_secrets(kept(plan), plan.secrets),
        "seconds": {"attempt": plan.timeout, "settle": plan.settle},
        "alone": plan.alone,
        "fingerprints": {"key": prints.key, "of": {**prints.of}},
    }
    return well_formed(canonical(whole)) + "\n"


def read(folder: Path) -> PlanSnapshot | Problem:
    """What `written` wrote into a run's folder, or why the run cannot be gone on with."""
    path = folder / PLAN
    try:
        whole = record(json.loads(path.read_bytes()))
    except OSError as error:
        return _unusable(path, f"it cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError):
        return _unusable(path, "it is no JSON, or only a part of it")
    if whole.get("format") != FORMAT:
        return _unusable(path, f"its format is not {FORMAT}: another version of the program wrote it")
    plan, prints = plan_file.of_record(whole), _fingerprints(record(whole.get("fingerprints")))
    seconds = record(whole.get("seconds"))
    match seconds.get("attempt"), seconds.get("settle"), whole.get("alone"):
        case (int() | float() as attempt, int() | float() as settle, bool(alone)) if plan and prints:
            return PlanSnapshot(plan=plan, fingerprints=prints, attempt=attempt, settle=settle, alone=alone)
    return _unusable(path, "parts of it are missing")


def filled(run: PlanSnapshot, secrets: Secrets) -> PlanSnapshot:
    """The run with the secrets in their places again. Raises `LookupError` for one that is not known."""
    plan = run.plan
    sources = {_text(secrets.fill(name)): _text(secrets.fill(content)) for name, content in plan.sources.items()}
    inputs = record(secrets.fill(plan.inputs))
    return replace(run, plan=replace(plan, file=_text(secrets.fill(plan.file)), sources=sources, inputs=inputs))


def _without_secrets(plan: JsonObject, secrets: Secrets) -> JsonObject:
    """Values are cut, and the keys of what a job's author named; never the keys of our own."""
    return {name: _cut(name, value, secrets) for name, value in plan.items()}


def _cut(name: str, value: Json, secrets: Secrets) -> Json:
    if name in {"format", "digest"}:
        return value
    if isinstance(value, dict) and name not in {"sources", "inputs"}:
        return {part: secrets.cut(inner) for part, inner in value.items()}
    return secrets.cut(value)


def _fingerprints(fields: JsonObject) -> Fingerprints | None:
    key, of = text(fields, "key"), record(fields.get("of"))
    return None if key is None or not _is_hexadecimal(key) else Fingerprints(key=key, of=_texts(of))


def _is_hexadecimal(key: str) -> bool:
    try:
        return bool(bytes.fromhex(key))
    except ValueError:
        return False


def _texts(fields: JsonObject) -> Mapping[str, str]:
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _text(value: Json) -> str:
    assert isinstance(value, str), value
    return value


def _unusable(path: Path, why: str) -> Problem:
    hint = left_to_do(path.parent)
    return Problem(code="E156", message=f"the run's plan cannot be used: {why}", hint=hint, file=str(path))


def left_to_do(folder: Path) -> str:
    """What a person can do about a run whose plan is not there to be gone on with."""
    return (
        f"nothing was sent; no command can go on with this run: `runner show {folder.name}` tells what it did, the "
        "site's process log how that ended; then delete the folder"
    )
