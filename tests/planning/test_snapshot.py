"""The plan in a run's folder: without secrets, and enough to go on with."""

import json
from pathlib import Path

import pytest
from journals import store_of
from msgspec.structs import replace
from stories import planned

from runner.foundation.fingerprints import differing
from runner.foundation.problems import Problem
from runner.foundation.values import JsonObject, record
from runner.planning.plan import ChosenCase, Plan
from runner.planning.snapshot import PlanSnapshot, filled, read, snapshot_text
from runner.secrets.redact import Secrets
from runner.targets.model import Times

KEY = "0f" * 32
STEPS = "  - id: a\n    execute: {process: UsrOrders, parameters: {token: '{{ inputs.token }}'}}\n"
INPUTS = "inputs:\n  token: {type: string, secret: true}\n  limit: {type: integer, default: 3}\n"


def made(token: str = "s3cret-token") -> Plan:
    return replace(
        planned(STEPS, rest=INPUTS, inputs={"token": token}), times=Times(timeout=7.5, settle=3.0), alone=False,
        case=ChosenCase(name="eu", index=2),
    )  # fmt: skip


def kept(folder: Path, plan: Plan) -> PlanSnapshot:
    (folder / "plan.json").write_text(snapshot_text(plan, key=KEY))
    run = read(store_of(folder), folder.name)
    assert isinstance(run, PlanSnapshot), run
    return run


def refused(folder: Path) -> Problem:
    problem = read(store_of(folder), folder.name)
    assert isinstance(problem, Problem)
    return problem


def test_a_plan_comes_back_from_the_runs_folder(tmp_path: Path) -> None:
    plan = made()
    run = kept(tmp_path, plan)
    assert (run.times, run.alone) == (plan.times, False)
    assert (run.plan.job, run.plan.file, run.plan.case) == ("story", "story.job.yaml", plan.case)
    assert (run.plan.target, run.plan.digest) == (plan.target, plan.digest)
    assert run.plan.sources == plan.sources
    assert run.plan.inputs == {"token": "***", "limit": 3}


def test_a_secret_given_anew_is_compared_with_the_one_of_before(tmp_path: Path) -> None:
    run = kept(tmp_path, made())
    assert run.fingerprints.key == KEY
    assert differing(run.fingerprints, {"inputs.token": "s3cret-token"}) == ()
    assert differing(run.fingerprints, {"inputs.token": "other"}) == ("inputs.token",)


@pytest.mark.parametrize(
    "token", ["s3cret-token", "UsrOrders", "story.job.yaml", "sources", "execute", "target", "***"]
)
def test_no_secret_is_in_it_and_what_it_stood_in_comes_back(tmp_path: Path, token: str) -> None:
    plan = made(token)
    run = kept(tmp_path, plan)
    ours = {"sources", "target"}
    if token not in {*ours, "***"}:
        assert token not in (tmp_path / "plan.json").read_text()
    again = filled(run, plan.secrets)
    assert again.plan.sources == plan.sources
    assert again.plan.file == "story.job.yaml"


def test_a_hole_that_nobody_fills_is_reported(tmp_path: Path) -> None:
    run = kept(tmp_path, made("UsrOrders"))
    with pytest.raises(LookupError, match=r"inputs\.token"):
        filled(run, Secrets())


def test_a_plan_cut_at_any_byte_is_refused_in_a_sentence(tmp_path: Path) -> None:
    whole = snapshot_text(made(), key=KEY).encode()
    for cut in range(0, len(whole) - 2, 7):
        (tmp_path / "plan.json").write_bytes(whole[:cut])
        problem = refused(tmp_path)
        assert (problem.code, problem.message) == (
            "E156", "the run's plan cannot be used: it is no JSON, or only a part of it",
        )  # fmt: skip


def test_a_plan_that_is_not_there_is_reported(tmp_path: Path) -> None:
    problem = refused(tmp_path)
    assert "No such file" in problem.message
    assert problem.file == str(tmp_path / "plan.json")


@pytest.mark.parametrize(
    "content", ["[]", "1", "{}", '{"format": 2}', "[" * 100_000, '{"kind": "creatio-runner plan"}']
)
def test_what_is_no_plan_of_a_run_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    assert refused(tmp_path).code == "E156"


def test_a_plan_that_an_earlier_version_kept_is_refused_since_it_gives_no_fingerprints(tmp_path: Path) -> None:
    whole: JsonObject = json.loads(snapshot_text(made(), key=KEY))
    for name in ("seconds", "alone", "fingerprints"):
        del whole[name]
    (tmp_path / "plan.json").write_text(json.dumps(whole))
    assert refused(tmp_path).message == "the run's plan cannot be used: parts of it are missing"


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, True])
@pytest.mark.parametrize(
    "name", ["format", "job", "file", "sources", "target", "digest", "seconds", "alone", "fingerprints"]
)
def test_a_plan_with_nonsense_in_any_place_is_refused_or_read(tmp_path: Path, name: str, value: object) -> None:
    whole = record(json.loads(snapshot_text(made(), key=KEY)))
    (tmp_path / "plan.json").write_text(json.dumps(whole | {name: value}))
    assert isinstance(read(store_of(tmp_path), tmp_path.name), PlanSnapshot | Problem)


@pytest.mark.parametrize("key", ["", "xyz", "0"])
def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    whole = record(json.loads(snapshot_text(made(), key=KEY)))
    (tmp_path / "plan.json").write_text(json.dumps(whole | {"fingerprints": {"key": key, "of": {}}}))
    assert refused(tmp_path).code == "E156"
