"""Whether a command may begin: what is refused at once, what a person is asked, and how often."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.execution.permission import Permission
from runner.execution.permission import check_permission as check
from runner.execution.run_spec import RunSpec
from runner.foundation.problems import RefusedError
from runner.job.actions import Confirm, Execute
from runner.job.model import Action, Case, Job, Step, StepEffect
from runner.runs.evidence import Confirmation
from runner.targets.model import Allow, SandboxTarget, SiteTarget, Target

LIVE = SiteTarget(name="live", url="https://example.com", protected=True)
BOX = SandboxTarget(name="box", folder=Path("box"))
DROP = Execute(process="UsrDrop")
SURE = Confirm(text="Sure?")


def run(action: Action = DROP, target: Target = LIVE, *, job: str = "smoke", case: str | None = None) -> RunSpec:
    step = Step(id="a", condition="success()", effect=StepEffect.READ, action=action, line=3)
    return RunSpec(
        job=Job(name=job, file="f", steps=(step,)),
        sources={},
        target=target,
        inputs={},
        case=Case(name=case, inputs={}) if case else None,
    )


def person(asked: list[str], *, says: bool) -> Callable[[str], bool]:
    def ask(question: str) -> bool:
        asked.append(question)
        return says

    return ask


def refusals(*runs: RunSpec, permission: Permission) -> list[str]:
    with pytest.raises(RefusedError) as refused:
        check(runs, permission)
    return [problem.code for problem in refused.value.problems]


def test_a_protected_target_is_refused_where_nobody_can_be_asked() -> None:
    assert refusals(run(), run(job="other"), permission=Permission()) == ["E160"]
    assert refusals(run(), permission=Permission(yes=True)) == ["E160"]
    assert refusals(run(), permission=Permission(confirmed=frozenset({"lives"}))) == ["E160"]


def test_a_protected_target_that_was_confirmed_is_open_and_nobody_is_asked() -> None:
    asked: list[str] = []
    check([run()], Permission(confirmed=frozenset({"live"})))
    check([run()], Permission(confirmed=frozenset({"live"}), ask=person(asked, says=False)))
    assert asked == []


def test_how_a_protected_target_was_confirmed_is_known() -> None:
    given = Permission(confirmed=frozenset({"live"}), ask=person([], says=True))
    there = SiteTarget(name="there", url="https://there.example.com", protected=True)
    assert [given.of(target) for target in (LIVE, there, BOX)] == [Confirmation.OPTION, Confirmation.QUESTION, None]


def test_a_person_is_asked_once_for_each_protected_target_and_shown_what_would_run() -> None:
    asked: list[str] = []
    there = SiteTarget(name="there", url="https://there.example.com", protected=True)
    runs = [run(case="one"), run(case="two"), run(job="other"), run(target=there), run(target=BOX)]
    check(runs, Permission(ask=person(asked, says=True)))
    assert asked == [
        "target `live` (https://example.com) is protected. Carry out smoke[one], smoke[two], other?",
        "target `there` (https://there.example.com) is protected. Carry out smoke?",
    ]


def test_a_question_stays_short_however_many_runs_there_are() -> None:
    asked: list[str] = []
    check([run(case=str(number)) for number in range(40)], Permission(ask=person(asked, says=True)))
    assert asked[0].endswith("Carry out smoke[0], smoke[1], smoke[2], smoke[3], smoke[4] and 35 more?")


def test_a_no_refuses_the_whole_command() -> None:
    assert refusals(run(target=BOX), run(), permission=Permission(ask=person([], says=False))) == ["E160"]


def test_a_question_of_a_job_needs_a_person_or_a_yes() -> None:
    assert refusals(run(SURE, BOX), permission=Permission()) == ["E162"]
    check([run(SURE, BOX)], Permission(yes=True))
    check([run(SURE, BOX)], Permission(ask=person([], says=False)))


def test_all_refusals_are_reported_at_once_and_nobody_is_asked_in_vain() -> None:
    closed = SiteTarget(name="live", url="https://example.com", protected=True, allow=Allow(processes=("UsrRead",)))
    assert refusals(run(DROP, closed), run(SURE, closed), permission=Permission()) == ["E161", "E162", "E160"]
    asked: list[str] = []
    assert refusals(run(DROP, closed), permission=Permission(ask=person(asked, says=True))) == ["E161"]
    assert asked == []
