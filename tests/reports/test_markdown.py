from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reported import command, command_from

from runner.foundation.problems import ExitCode, Problem
from runner.reports.formats import FORMATS
from runner.reports.markdown import LONGEST, inline, report
from runner.runs.events import (
    AnyEvent,
    Line,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    Status,
    StepFinished,
    StepStarted,
    Trouble,
)

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def test_a_summary_says_how_it_ended_and_what_to_do(story: list[AnyEvent], chain: Chain) -> None:
    text = report(command_from(chain(story)), version="1.2.3")
    assert text.startswith("<!-- creatio-runner -->\n### `contact-smoke@sandbox: unknown`\n\nexit 4: ")
    assert "Steps: 1 passed, 1 failed, 1 error, 1 unknown, 1 skipped" in text
    assert "Evidence: 1 not verified" in text
    assert "runner reconcile 0194d2a0" in text
    assert text.index("**unknown** `cleanup`") < text.index("**error** `sign`") < text.index("**failed** `read`")
    assert "(`specs/contact-smoke.job.yaml:7`, 1.2 s, 5 attempts)\n\n```diff\n E201: an expectation" in text
    assert "sha256:" in text


def test_the_first_line_is_the_mark_of_the_format() -> None:
    (markdown,) = [one for one in FORMATS if one.name == "md"]
    assert markdown.mark.match(markdown.write(command()).encode())
    assert not markdown.mark.match(b"# Notes\n")


def test_why_no_run_began_is_in_the_summary() -> None:
    problem = Problem(code="E162", message="nobody can answer", hint="add `--yes`")
    text = report(command(problems=[problem], exit_code=ExitCode.REFUSED))
    assert "### `no run started`\n\nexit 6: refused by a guard" in text
    assert "```\nerror[E162]: nobody can answer\n   = hint: add `--yes`\n```" in text or "error[E162]" in text


def test_rows_that_failed_alike_are_one_card_and_a_large_summary_is_bounded(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    events: list[AnyEvent] = [start()]
    for number in range(300):
        key = f"step{chr(97 + number % 25)}[{number}]"
        error = Trouble(code="E201", message=f"row {number}: {'x' * 5_000}")
        events.append(StepStarted(row=row(key), t=0))
        events.append(StepFinished(key=key, t=0, status=Status.FAILED, seconds=0, attempts=1, error=error))
    text = report(command_from(chain([*events, RunFinished(t=1, status=RunStatus.FAILED, exit_code=1)])))
    assert len(text) <= LONGEST
    assert text.count("12 rows failed alike") == 20
    assert "5 more kinds of failure are in the HTML report" in text


def test_a_text_with_backticks_stays_code() -> None:
    assert inline("a `b` ``c``") == "``` a `b` ``c`` ```"
    assert inline("@everyone #1") == "`@everyone #1`"


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_journal_makes_a_summary_without_markup_from_outside(
    data: st.DataObject, journals: st.SearchStrategy[list[AnyEvent]], chain: Chain
) -> None:
    events = data.draw(journals)
    text = report(command_from(chain(events[: data.draw(st.integers(1, len(events)))])))
    assert len(text) <= LONGEST
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
