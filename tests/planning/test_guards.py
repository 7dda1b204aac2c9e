"""What the guards of a target let through, and what they say of the rest."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.job.actions import (
    Cancel,
    Change,
    Confirm,
    Element,
    Elements,
    Execute,
    IncludedJob,
    Pause,
    Query,
    Run,
    Signal,
    Wait,
)
from runner.job.model import Action, Job, Step, StepEffect, Undo
from runner.planning import guards
from runner.targets.model import Allow, SandboxTarget, SiteTarget

GUID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


def step(action: Action, *, effect: str = "once", line: int = 7, key: str | None = "a") -> Step:
    return Step(id=key, condition="success()", effect=StepEffect(effect), action=action, line=line)


def job(*steps: Step, final: tuple[Step, ...] = (), name: str = "smoke") -> Job:
    return Job(name=name, file=f"{name}.job.yaml", steps=steps, final_steps=final)


def site(*, processes: tuple[str, ...] | None = None, effects: tuple[str, ...] | None = None) -> SiteTarget:
    return SiteTarget(name="live", url="https://example.com", allow=Allow(processes=processes, effects=effects))


def reported(one: Job, target: SiteTarget) -> list[str]:
    return [problem.message for problem in guards.not_allowed([(one, target)])]


def test_a_target_that_allows_nothing_in_particular_allows_all() -> None:
    one = job(step(Execute(process="UsrDrop")))
    assert reported(one, SiteTarget(name="live", url="https://example.com")) == []
    assert reported(one, site()) == []


def test_a_process_that_is_not_allowed_is_reported_with_its_job_step_line_and_what_is_allowed() -> None:
    one = job(step(Execute(process="UsrDropSmoke")), step(Execute(process="UsrDrop"), key="drop", line=12))
    (sentence,) = reported(one, site(processes=("Usr*Smoke", "UsrRead?")))
    assert sentence.startswith("job `smoke`, step `drop` (smoke.job.yaml:12) starts `UsrDrop`; ")
    assert sentence.endswith("target `live` allows `Usr*Smoke`, `UsrRead?` only")


def test_names_of_processes_are_compared_in_their_own_case() -> None:
    assert reported(job(step(Run(process="usrsmoke"))), site(processes=("Usr*",)))
    assert not reported(job(step(Run(process="UsrSmoke"))), site(processes=("Usr*",)))


def test_what_is_not_allowed_says_where_it_would_be_named() -> None:
    one = job(step(Execute(process="UsrRead"), effect="read"))
    found = guards.not_allowed([(one, site(processes=("UsrA",), effects=()))])
    assert [problem.hint for problem in found] == [
        f"ask who runs the target to name {what} in the targets file; or leave the job out, with `-k` or `--tags`"
        for what in ("`UsrRead` under `allow: {processes: […]}`", "`read` under `allow: {effects: […]}`")
    ]


def test_an_empty_list_allows_nothing() -> None:
    one = job(step(Execute(process="UsrRead"), effect="read"))
    assert reported(one, site(processes=(), effects=())) == [
        "job `smoke`, step `a` (smoke.job.yaml:7) starts `UsrRead`; target `live` allows no process at all",
        "job `smoke`, step `a` (smoke.job.yaml:7) has the effect `read`; target `live` allows no effect at all",
    ]


@pytest.mark.parametrize(
    "action",
    [
        Execute(process="P"),
        Run(process="P"),
        Element(which=GUID),
        Elements(items=(Element(which=GUID),)),
        Query(entity="Contact"),
        Wait(process_id=GUID),
        Cancel(process_id=GUID),
    ],
    ids=lambda action: type(action).__name__,
)
def test_whatever_sends_must_have_an_effect_that_is_allowed(action: Action) -> None:
    assert reported(job(step(action, effect="idempotent")), site(effects=("read",)))
    assert not reported(job(step(action, effect="idempotent")), site(effects=("read", "idempotent")))


@pytest.mark.parametrize("action", [Confirm(text="Sure?"), Pause(seconds=1)], ids=lambda action: type(action).__name__)
def test_what_sends_nothing_is_allowed_everywhere(action: Action) -> None:
    assert not reported(job(step(action, effect="read")), site(processes=(), effects=()))


def test_steps_under_finally_and_in_included_jobs_count_under_their_own_keys() -> None:
    innermost = job(step(Execute(process="UsrDrop"), key=None, line=3), name="innermost")
    inner = job(step(IncludedJob(job=innermost), key="deep"), name="inner")
    one = job(
        step(Execute(process="UsrRead")),
        step(IncludedJob(job=inner), key="outer"),
        final=(step(Run(process="UsrDrop"), key=None, line=30),),
    )
    assert reported(one, site(processes=("UsrRead",))) == [
        "job `smoke`, step `outer/deep/1` (innermost.job.yaml:3) starts `UsrDrop`; target `live` allows `UsrRead` only",
        "job `smoke`, step `3` (smoke.job.yaml:30) starts `UsrDrop`; target `live` allows `UsrRead` only",
    ]


def undone(one: Step, *undo: Step, alone: bool = False) -> Step:
    return replace(one, undo=Undo(steps=undo, alone=alone))


def test_steps_that_undo_others_count_under_the_keys_of_their_rows() -> None:
    inner = job(undone(step(Pause(seconds=1), key=None), step(Execute(process="UsrBack")), alone=True), name="inner")
    one = job(
        undone(step(Pause(seconds=1)), step(Run(process="UsrUndo"), key=None), step(Run(process="UsrDo"), key="b")),
        step(IncludedJob(job=inner), key="outer"),
    )
    assert [sentence.partition(" starts ")[0] for sentence in reported(one, site(processes=()))] == [
        "job `smoke`, step `undo/a/1` (smoke.job.yaml:7)",
        "job `smoke`, step `undo/a/b` (smoke.job.yaml:7)",
        "job `smoke`, step `undo/outer/1` (inner.job.yaml:7)",
    ]


def test_a_job_in_an_undo_counts_but_what_would_undo_it_in_turn_does_not() -> None:
    inner = job(undone(step(Run(process="UsrDo"), key="do"), step(Run(process="UsrUndo"))), name="inner")
    one = job(undone(step(Pause(seconds=1)), step(IncludedJob(job=inner)), alone=True))
    assert [sentence.partition(" starts ")[0] for sentence in reported(one, site(processes=()))] == [
        "job `smoke`, step `undo/a/do` (inner.job.yaml:7)",
    ]


def test_an_undo_under_finally_does_not_count_since_it_is_never_carried_out() -> None:
    last = undone(step(Pause(seconds=1), key="last"), step(Run(process="UsrUndo")))
    tidy = job(step(Pause(seconds=1)), final=(last,), name="tidy")

    assert not reported(job(step(Pause(seconds=1)), final=(last,)), site(processes=()))
    assert not reported(job(step(IncludedJob(job=tidy))), site(processes=()))


def test_a_question_in_an_undo_is_reported() -> None:
    one = job(undone(step(Pause(seconds=1)), step(Confirm(text="Back?"), key="ask", line=9)))

    assert guards.asks(one)
    assert [problem.message for problem in guards.unanswerable([one])] == [
        "job `smoke`, step `undo/a/ask` (smoke.job.yaml:9) asks a person, and there is no terminal",
    ]


def test_a_job_with_many_cases_is_reported_once() -> None:
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


def test_every_question_of_a_job_is_reported_also_one_of_an_included_job() -> None:
    inner = job(step(Confirm(text="Really?"), key="ask", line=5), name="inner")
    one = job(step(Confirm(text="Sure?"), key="sure"), step(IncludedJob(job=inner), key="outer"))
    assert [problem.message for problem in guards.unanswerable([one, one])] == [
        "job `smoke`, step `sure` (smoke.job.yaml:7) asks a person, and there is no terminal",
        "job `smoke`, step `outer/ask` (inner.job.yaml:5) asks a person, and there is no terminal",
    ]


LEAD = Signal(change=Change.INSERT, entity="Lead", values={"Name": "A"}, starts="UsrQualify")


@pytest.mark.parametrize("target", [site(), SiteTarget(name="live", url="https://example.com")])
def test_no_record_is_changed_where_the_target_names_no_entity(target: SiteTarget) -> None:
    (problem,) = guards.not_allowed([(job(step(LEAD, effect="idempotent")), target)])
    assert problem.code == "E161"
    assert problem.message == (
        "job `smoke`, step `a` (smoke.job.yaml:7) changes records of `Lead`; "
        "target `live` allows no change of records at all"
    )
    assert "`allow: {entities: […]}`" in (problem.hint or "")


@pytest.mark.parametrize(("entities", "refused"), [(("Lead",), 0), (("Le*",), 0), (("lead", "Order"), 1), ((), 1)])
def test_entities_are_allowed_by_name_or_pattern(entities: tuple[str, ...], refused: int) -> None:
    target = SiteTarget(name="live", url="https://example.com", allow=Allow(entities=entities))
    assert len(reported(job(step(LEAD, effect="idempotent")), target)) == refused


def test_the_process_that_a_record_starts_must_be_allowed_as_any_other() -> None:
    allow = Allow(entities=("Lead",), processes=("UsrRead",), effects=("read",))
    target = SiteTarget(name="live", url="https://example.com", allow=allow)
    said = reported(job(step(LEAD, effect="idempotent")), target)
    assert [sentence.partition(") ")[2].partition(";")[0] for sentence in said] == [
        "starts `UsrQualify`",
        "has the effect `idempotent`",
    ]


def test_a_change_in_an_undo_counts_as_well() -> None:
    one = undone(step(Execute(process="UsrRead")), step(LEAD, effect="idempotent"), alone=True)
    assert len(reported(job(one), site())) == 1
