"""What the guards of a target let through, and what they say of the rest."""

from pathlib import Path

import pytest

from runner.cli import guards
from runner.job.model import (
    Action,
    Confirm,
    Element,
    Elements,
    Execute,
    IncludedJob,
    Job,
    Pause,
    Query,
    Run,
    Step,
    StepEffect,
    Wait,
)
from runner.targets.model import Allow, SandboxTarget, SiteTarget

GUID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


def step(action: Action, *, effect: str = "once", line: int = 7, key: str | None = "a") -> Step:
    return Step(id=key, condition="success()", effect=StepEffect(effect), action=action, line=line)


def job(*steps: Step, final: tuple[Step, ...] = (), name: str = "smoke") -> Job:
    return Job(name=name, file=f"{name}.job.yaml", steps=steps, final_steps=final)


def site(*, processes: tuple[str, ...] | None = None, effects: tuple[str, ...] | None = None) -> SiteTarget:
    return SiteTarget(name="live", url="https://example.com", allow=Allow(processes=processes, effects=effects))


def told(one: Job, target: SiteTarget) -> list[str]:
    return [problem.message for problem in guards.not_allowed([(one, target)])]


def test_a_target_that_allows_nothing_in_particular_allows_all() -> None:
    one = job(step(Execute(process="UsrDrop")))
    assert told(one, SiteTarget(name="live", url="https://example.com")) == []
    assert told(one, site()) == []


def test_a_process_that_is_not_allowed_is_told_with_its_job_step_line_and_what_is_allowed() -> None:
    one = job(step(Execute(process="UsrDropSmoke")), step(Execute(process="UsrDrop"), key="drop", line=12))
    (sentence,) = told(one, site(processes=("Usr*Smoke", "UsrRead?")))
    assert sentence.startswith("job `smoke`, step `drop` (smoke.job.yaml:12) starts `UsrDrop`; ")
    assert sentence.endswith("target `live` allows `Usr*Smoke`, `UsrRead?` only")


def test_names_of_processes_are_compared_in_their_own_case() -> None:
    assert told(job(step(Run(process="usrsmoke"))), site(processes=("Usr*",)))
    assert not told(job(step(Run(process="UsrSmoke"))), site(processes=("Usr*",)))


def test_an_empty_list_allows_nothing() -> None:
    one = job(step(Execute(process="UsrRead"), effect="read"))
    assert told(one, site(processes=(), effects=())) == [
        "job `smoke`, step `a` (smoke.job.yaml:7) starts `UsrRead`; target `live` allows no process at all",
        "job `smoke`, step `a` (smoke.job.yaml:7) has the effect `read`; target `live` allows no effect at all",
    ]


@pytest.mark.parametrize(
    "action",
    [
        Execute(process="P"),
        Run(process="P"),
        Element(uid=GUID),
        Elements(items=(Element(uid=GUID),)),
        Query(entity="Contact"),
        Wait(process_id=GUID),
    ],
    ids=lambda action: type(action).__name__,
)
def test_whatever_sends_must_have_an_effect_that_is_allowed(action: Action) -> None:
    assert told(job(step(action, effect="idempotent")), site(effects=("read",)))
    assert not told(job(step(action, effect="idempotent")), site(effects=("read", "idempotent")))


@pytest.mark.parametrize("action", [Confirm(text="Sure?"), Pause(seconds=1)], ids=lambda action: type(action).__name__)
def test_what_sends_nothing_is_allowed_everywhere(action: Action) -> None:
    assert not told(job(step(action, effect="read")), site(processes=(), effects=()))


def test_steps_under_finally_and_in_included_jobs_count_under_their_own_keys() -> None:
    innermost = job(step(Execute(process="UsrDrop"), key=None, line=3), name="innermost")
    inner = job(step(IncludedJob(job=innermost), key="deep"), name="inner")
    one = job(
        step(Execute(process="UsrRead")),
        step(IncludedJob(job=inner), key="outer"),
        final=(step(Run(process="UsrDrop"), key=None, line=30),),
    )
    assert told(one, site(processes=("UsrRead",))) == [
        "job `smoke`, step `outer/deep/1` (innermost.job.yaml:3) starts `UsrDrop`; target `live` allows `UsrRead` only",
        "job `smoke`, step `3` (smoke.job.yaml:30) starts `UsrDrop`; target `live` allows `UsrRead` only",
    ]


def test_a_job_with_many_cases_is_told_once() -> None:
    one = job(step(Execute(process="UsrDrop")))
    assert len(guards.not_allowed([(one, site(processes=()))] * 3)) == 1


def test_a_sandbox_has_no_guards() -> None:
    sandbox = SandboxTarget(name="sandbox", folder=Path("sandbox"))
    assert guards.not_allowed([(job(step(Execute(process="UsrDrop"))), sandbox)]) == ()
    assert guards.unconfirmed([sandbox], confirmed=()) == ()


def test_a_protected_target_is_open_until_its_own_name_is_said() -> None:
    live = SiteTarget(name="live", url="https://example.com", protected=True)
    test = SiteTarget(name="test", url="https://test.example.com")
    assert guards.unconfirmed([live, test, live], confirmed=()) == (live,)
    assert guards.unconfirmed([live, test], confirmed={"test"}) == (live,)
    assert guards.unconfirmed([live, test], confirmed={"live"}) == ()
    assert "--confirm live" in (guards.protected(live).hint or "")


def test_every_question_of_a_job_is_told_also_one_of_an_included_job() -> None:
    inner = job(step(Confirm(text="Really?"), key="ask", line=5), name="inner")
    one = job(step(Confirm(text="Sure?"), key="sure"), step(IncludedJob(job=inner), key="outer"))
    assert [problem.message for problem in guards.unanswerable([one, one])] == [
        "job `smoke`, step `sure` (smoke.job.yaml:7) asks a person, and there is no terminal",
        "job `smoke`, step `outer/ask` (inner.job.yaml:5) asks a person, and there is no terminal",
    ]
