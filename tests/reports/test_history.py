from runner.reports.history import LEGEND, grouped, text
from runner.runs.history import PastFailure, PastRun, PastStep

PASSED = PastStep(passed=1, flaky=0, red=0, skipped=0, milliseconds=(20,), failure=None)
FLAKY = PastStep(passed=1, flaky=1, red=0, skipped=0, milliseconds=(1500,), failure=None)
FAILED = PastStep(
    passed=0, flaky=0, red=1, skipped=0, milliseconds=(), failure=PastFailure(code="E201", text="result == 1\x1b[31m")
)
SKIPPED = PastStep(passed=0, flaky=0, red=0, skipped=1, milliseconds=(), failure=None)


def past(number: int, status: str = "passed", *, job: str = "smoke", digest: str = "d", **steps: PastStep) -> PastRun:
    return PastRun(
        run=f"{number:04d}",
        at=f"2026-01-{number:02d}T09:00:00.000Z",
        job=job,
        case=None,
        target="here",
        digest=digest,
        commit="c",
        status=status,
        ms=100,
        steps=steps,
    )


def test_each_step_is_a_line_with_the_newest_run_on_the_right() -> None:
    runs = [
        past(1, read=PASSED, write=PASSED),
        past(2, read=FLAKY, write=SKIPPED),
        past(3, "failed", read=FAILED),
        past(4, read=PASSED, write=PASSED),
    ]
    assert text(grouped(runs, newest=20)) == (
        "smoke@here, 4 runs, 2026-01-01 to 2026-01-04: 3 passed, P50 100 ms; "
        "the same job and inputs gave different results once\n"
        "  STEP   PASSED  FLAKY  P50    P95    LAST  LAST FAILURE\n"
        "  read   3 of 4  1      20 ms  1.5 s  ✓↻✗✓  2026-01-03 E201 result == 1\\u001b[31m\n"
        "  write  2 of 2  0      20 ms  20 ms  ✓-·✓\n"
        f"\n{LEGEND}\n"
    )


def test_only_the_newest_runs_of_each_name_count() -> None:
    runs = [past(1, "failed", read=FAILED), past(2, read=PASSED), past(3, read=PASSED), past(1, job="a", read=PASSED)]
    first, second = grouped(runs, newest=2)
    assert [run.run for run in first.runs] == ["0001"]
    assert [run.run for run in second.runs] == ["0002", "0003"]
    assert second.contradictions == 0


def test_other_inputs_or_another_commit_are_no_contradiction() -> None:
    (history,) = grouped([past(1), past(2, "failed", digest="other"), past(3, "failed")], newest=3)
    assert history.contradictions == 1
    (history,) = grouped([past(1), past(2, "failed", digest="other")], newest=3)
    assert history.contradictions == 0
