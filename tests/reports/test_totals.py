"""The end of a command that carried out several runs."""

from collections.abc import Callable, Sequence

import pytest
from transcripts import closing, transcript

from runner.reports.sentences import Detail
from runner.runs.events import (
    AnyEvent,
    Line,
    LogUnreadable,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
    StepStarted,
    TargetName,
    Trouble,
)
from runner.runs.evidence import Unverified
from runner.runs.result import RunResult, fold
from runner.runs.status import Status

QUIET = Detail(quiet=True, several=True, ids=False, place=".runner/runs/0194")
LOUD = Detail(several=True, ids=False)
UNVERIFIED = "not verified: a gateway may have repeated the call"
Made = Callable[..., RunResult]


@pytest.fixture
def made(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Callable[[Sequence[AnyEvent]], list[Line]]
) -> Made:
    """A run with a single row."""

    def one_run(
        job: str,
        target: str,
        *,
        status: str = "passed",
        warnings: tuple[str, ...] = (),
        log: str = "",
        unverified: Unverified | None = None,
    ) -> RunResult:
        place = TargetName(name=target, url="http://127.0.0.1", sandbox=True)
        ended = StepFinished(
            key="add",
            t=1.0,
            status=Status(status),
            seconds=1.0,
            attempts=1,
            warnings=warnings,
            unverified=unverified,
        )
        events: list[AnyEvent] = [start(job=job, target=place), StepStarted(row=row("add"), t=0.0), ended]
        if log:
            events.append(LogUnreadable(error=Trouble(code="E205", message=log, hint="grant the right")))
        code = 0 if status == "passed" else 1
        return fold(chain([*events, RunFinished(t=1.0, status=RunStatus(status), exit_code=code)]))

    return one_run


def test_with_little_printed_a_matrix_is_a_table(made: Made) -> None:
    runs = [made(job, target) for job in ("order", "refund") for target in ("test", "staging")]
    runs[3] = made("refund", "staging", status="failed")
    assert closing(runs, QUIET).splitlines() == [
        "  JOB     test        staging",
        "✓ order   passed 1 s  passed 1 s",
        "✗ refund  passed 1 s  failed 1 s",
        "4 runs: 3 passed, 1 failed",
        "  exit 1: an expectation or a process failed",
    ]
    assert [transcript(run, QUIET) for run in runs[:3]] == ["", "", ""]
    assert "failed: refund@staging" in transcript(runs[3], QUIET)
    assert "exit 1" not in transcript(runs[3], QUIET)
    assert "exit 1" in transcript(runs[3], LOUD)


def test_a_line_of_the_table_begins_with_the_mark_of_its_worst_run_and_not_with_a_text_from_outside(made: Made) -> None:
    statuses = ("passed", "failed", "unknown", "error")
    runs = [made("::error::x", "here", status=status) for status in statuses]
    assert closing(runs, QUIET).splitlines()[1].startswith("? ::error::x  passed 1 s, failed 1 s, unknown 1 s, ")
    assert closing(runs[:1], QUIET, encoding="ascii").splitlines()[1].startswith("ok      ::error::x")


def test_a_job_that_a_target_did_not_get_has_a_dash_and_many_targets_a_line_a_run(made: Made) -> None:
    few = closing([made("a", "x"), made("b", "y")], QUIET).splitlines()
    assert few[:3] == ["  JOB  x           y", "✓ a    passed 1 s  -", "✓ b    -           passed 1 s"]
    many = closing([made("a", f"t{number}") for number in range(7)], QUIET).splitlines()
    assert many[1] == "✓ a@t0  passed 1 s"
    assert len(many) == 10


def test_the_same_warning_comes_once_with_its_count(made: Made) -> None:
    runs = [made("order", f"t{number}", warnings=(UNVERIFIED,)) for number in range(3)]
    for options in (QUIET, LOUD):
        whole = "".join(transcript(run, options) for run in runs) + closing(runs, options)
        assert whole.count("not verified") == 1
        assert f"warning, 3 times, first in order@t0, add: {UNVERIFIED}\n" in whole
    single = closing(runs[:1], QUIET)
    assert f"warning in order@t0, add: {UNVERIFIED}\n" in single


def test_warnings_that_differ_in_the_runs_that_they_name_come_once(made: Made) -> None:
    def rival(number: int) -> str:
        run = f"01a234e2-39ea-7000-8000-00000000000{number}"
        return f"not verified: another run ({run}, step `b[{number}]`, at 9:0{number}) may have started it; see {run}"

    runs = [made("order", f"t{number}", warnings=(rival(number),)) for number in range(3)]
    whole = closing(runs, QUIET)
    assert f"warning, 3 times with other runs, first in order@t0, add: {rival(0)}\n" in whole
    assert whole.count("may have started it") == 1


def test_an_unreadable_log_is_one_warning_with_its_hint(made: Made) -> None:
    runs = [made("order", f"t{number}", log="no right") for number in range(3)]
    whole = "".join(transcript(run, LOUD) for run in runs) + closing(runs, LOUD)
    assert (
        "warning, 3 times, first in order@t0: the process log cannot be read: no right\n  | hint: grant the right\n"
        in whole
    )
    assert whole.count("no right") == 1


@pytest.mark.parametrize("why", [Unverified.NOT_SHOWN, Unverified.UNREADABLE])
def test_how_many_steps_passed_and_were_not_verified_is_in_the_line_that_sums_them_up(
    made: Made, why: Unverified
) -> None:
    unverified = made("order", "test", unverified=why)
    assert "\npassed: order@test: 1 passed (1 not verified) in " in transcript(unverified, Detail())
    assert "3 runs: 3 passed; 2 steps were not verified" in closing([unverified, made("a", "b"), unverified], QUIET)
    for verified in (Unverified.OFF, Unverified.NOTHING, None):
        assert "not verified" not in transcript(made("order", "test", unverified=verified), Detail())


def test_a_row_that_did_not_pass_keeps_its_warning(made: Made) -> None:
    failed = made("order", "here", status="failed", warnings=(UNVERIFIED,))
    assert f"      warning: {UNVERIFIED}\n" in transcript(failed, QUIET)
    assert UNVERIFIED not in closing([failed], QUIET)


def test_ids_and_hashes_are_printed_only_where_they_are_asked_for_or_needed(made: Made) -> None:
    passed, failed = made("order", "here"), made("order", "here", status="failed")
    short = Detail(place=".runner/runs/0194", ids=False)
    for run in (passed, failed):
        assert "sha256" not in transcript(run, short)
        assert run.id not in transcript(run, short)
        assert f"  events: .runner/runs/0194, {run.events}\n" in transcript(run, Detail(place=".runner/runs/0194"))
    assert "events: " not in transcript(passed, short)
    assert "  events: .runner/runs/0194\n" in transcript(failed, short)
