from collections.abc import Callable, Sequence

import msgspec
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from reported import command, command_from

from runner.foundation.problems import ExitCode, Problem
from runner.reports.formats import FORMATS
from runner.reports.markdown import LONGEST, inline, report
from runner.reports.reported import ReportValues
from runner.reports.safe import moment
from runner.runs.events import (
    AnyEvent,
    Asked,
    CallAnswered,
    CallSent,
    Check,
    Line,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    StepFinished,
    StepStarted,
    TargetName,
    Trouble,
)
from runner.runs.evidence import Difference, VerdictBy, VerdictSource
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def test_a_summary_says_how_it_ended_and_what_to_do(story: list[AnyEvent], chain: Chain) -> None:
    text = report(command_from(chain(story)), version="1.2.3")
    assert text.startswith("<!-- creatio-runner -->\n### `contact-smoke@sandbox: unknown`\n\nexit 4: ")
    assert "Steps: 1 passed, 1 failed, 1 error, 1 skipped, 1 unknown" in text
    assert "Evidence: 1 not verified" in text
    assert "runner reconcile 0194d2a0" in text
    assert text.index("**unknown** `cleanup`") < text.index("**error** `sign`") < text.index("**failed** `read`")
    assert "(`specs/contact-smoke.job.yaml:7`, 1.2 s, 5 attempts)\n\n```diff\n E201: an expectation" in text
    assert "sha256:" in text


def test_the_first_line_is_the_mark_of_the_format() -> None:
    (markdown,) = [report for report in FORMATS if report.name == "md"]
    written = markdown.write(command())
    assert isinstance(written, str)
    assert markdown.mark.match(written.encode())
    assert not markdown.mark.match(b"# Notes\n")


@pytest.mark.parametrize(("values", "line"), [("all", "add: the process is still running"), ("none", "add: a warning")])
def test_warnings_of_what_passed_and_what_undo_has_only_started_are_in_the_summary(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain, *, values: str, line: str
) -> None:
    ending = StepFinished(key="add", t=1, status=Status.PASSED, seconds=1, attempts=1, verified=True, running=True)
    undoing = msgspec.structs.replace(row("undo/add"), section=Section.UNDO)
    events: list[AnyEvent] = [
        *(start(), StepStarted(row=row("add"), t=0)),
        msgspec.structs.replace(ending, warnings=("the process is still running",)),
        *(StepStarted(row=undoing, t=1), msgspec.structs.replace(ending, key="undo/add")),
        RunFinished(t=1, status=RunStatus.FAILED, exit_code=1, undo="incomplete"),
    ]
    text = report(msgspec.structs.replace(command_from(chain(events)), values=ReportValues(values)))
    lines = f"undo: incomplete: undo/add started, not known to be done\n{line}"
    assert f"#### What is worth a look\n\n`contact-smoke@sandbox`\n\n```\n{lines}\n```" in text
    assert "Evidence: 2 started, as the process log shows, and perhaps not done" in text


def test_a_complete_undo_and_the_word_of_a_person_are_in_the_summary(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    by = VerdictBy(how=VerdictSource.OPTION, user="ada", ci_user=None)
    events: list[AnyEvent] = [
        *(start(), StepStarted(row=row("add"), t=0)),
        Asked(key="add", t=1, value={"as": "failed", "key": "add"}, by=by),
        StepFinished(key="add", t=1, status=Status.FAILED, seconds=1, attempts=1),
        RunFinished(t=1, status=RunStatus.FAILED, exit_code=1, undo="complete"),
    ]
    text = report(command_from(chain(events)))
    assert "\n verdict: failed, by ada, with `--as`, " in text
    assert "```\nundo: complete\n```" in text


def test_a_failure_that_does_not_count_is_named(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    events: list[AnyEvent] = [
        *(start(), StepStarted(row=row("add"), t=0)),
        StepFinished(key="add", t=1, status=Status.FAILED, seconds=1, attempts=1),
        RunFinished(t=1, status=RunStatus.PASSED, exit_code=0),
    ]
    assert "```\ndid not pass, and does not count: add\n```" in report(command_from(chain(events)))


def test_a_summary_names_the_step_the_help_of_the_job_the_outputs_and_where_and_when_it_ran(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    begun = msgspec.structs.replace(start(), help="Ask the release manager.")
    back = msgspec.structs.replace(row("back"), name="Put it back", section=Section.FINALLY)
    events: list[AnyEvent] = [
        *(
            begun,
            StepStarted(row=back, t=0),
            CallSent(t=0, key="back", effect="once", call={"kind": "run", "process": "UsrPay"}),
            StepFinished(key="back", t=1, status=Status.FAILED, seconds=1, attempts=1, process_id="p-1"),
        ),
        RunFinished(t=1, status=RunStatus.FAILED, exit_code=1, undo="none", outputs={"updated": 200}),
    ]
    text = report(command_from(chain(events)))
    assert "**failed** `back` `Put it back`, a step of `finally`, in `contact-smoke@sandbox` (" in text
    assert "\n sent: UsrPay at 2026-01-31 09:00:00 UTC\n process: p-1\n help of the job: Ask the release" in text
    assert "#### Outputs\n\n`contact-smoke@sandbox`\n\n```\nupdated: 200\n```" in text
    assert f"  {moment(begun.started_at)}  contact-smoke@sandbox  {begun.target.url}\n" in text
    hidden = msgspec.structs.replace(command_from(chain(events)), values=ReportValues("none"))
    assert "Outputs" not in report(hidden)


def test_what_carries_a_failed_run_out_once_more_and_what_that_starts_again_is_in_the_summary(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    events: list[AnyEvent] = [
        *(start(), StepStarted(row=row("add"), t=0)),
        *(CallSent(t=0, key="add", effect="once", call={"process": "UsrAdd"}), CallAnswered(key="add", t=0.5, value=8)),
        StepFinished(key="add", t=1, status=Status.FAILED, seconds=1, attempts=1),
        RunFinished(t=1, status=RunStatus.FAILED, exit_code=1, undo="none"),
    ]
    failed = command_from(chain(events))
    again = "#### To carry it out once more\n\n```sh\n# carries it out once more as it was, with its inputs; careful, "
    assert f"{again}it starts again what must happen only once: add\nrunner rerun 0194d2a0" in report(failed)
    trouble = Trouble(code="E202", message="not met")
    of_the_file = StepFinished(key="add", t=1, status=Status.FAILED, seconds=1, attempts=1, error=trouble)
    either = report(command_from(chain([*events[:-2], of_the_file, events[-1]])))
    assert "\n```\n\nor\n\n```sh\n# carries it out once more as it was" in either
    assert "once more" not in report(
        command_from(chain([*events[:-1], RunFinished(t=1, status=RunStatus.PASSED, exit_code=0)]))
    )
    assert "once more" not in report(msgspec.structs.replace(failed, values=ReportValues("none")))


def test_commands_of_two_runs_beside_one_in_doubt_are_no_alternatives(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    def ended(status: Status, run_status: RunStatus) -> list[Line]:
        sent = CallSent(t=0, key="add", effect="once", call={"process": "UsrAdd"})
        finished = StepFinished(key="add", t=1, status=status, seconds=1, attempts=1)
        end = RunFinished(t=1, status=run_status, exit_code=1, undo="none")
        return chain([start(), StepStarted(row=row("add"), t=0), sent, finished, end])

    failed = ended(Status.FAILED, RunStatus.FAILED)
    text = report(command_from(failed, failed, ended(Status.UNKNOWN, RunStatus.UNKNOWN)))
    again = text.partition("#### To carry it out once more\n")[2]
    assert again.count("runner rerun ") == 2
    assert "\n```\n\nand\n\n```sh\n" in again
    assert "\nor\n" not in again
    assert "more run" not in again
    many = report(command_from(*[failed] * 8, ended(Status.UNKNOWN, RunStatus.UNKNOWN)))
    assert many.partition("#### To carry it out once more\n")[2].count("runner rerun ") == 5
    assert "# lists 3 more runs that did not pass\nrunner runs" in many


def test_what_the_run_itself_failed_by_is_in_the_summary(start: Callable[..., RunStarted], chain: Chain) -> None:
    error = Trouble(code="E207", message="output `o`: it cannot be divided by 0")
    finished = RunFinished(t=1, status=RunStatus.FAILED, exit_code=1, undo="none", error=error)
    text = report(command_from(chain([start(), finished])))
    assert "#### What did not pass\n\n**failed** `contact-smoke@sandbox`\n\n```\nE207: output `o`: it" in text


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
    assert "5 more kinds of failure: see the HTML report" in text


def test_a_text_with_backticks_stays_code() -> None:
    assert inline("a `b` ``c``") == "``` a `b` ``c`` ```"
    assert inline("@everyone #1") == "`@everyone #1`"


HOSTILE = (
    "a|b\\\\|c `d` ``e`` <img src=x onerror=alert(1)> @octocat #1 [x](javascript:alert(1)) ![y](http://z/) **f** "
    "~~g~~ http://h.example</details>\n# heading\n```\n- item\n<!-- --> | - |\n\n<b>i</b>"
)


def parsed(markdown: str) -> list[Token]:
    """Blocks and what is within them, one after the other."""
    blocks = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def test_hostile_texts_are_code_and_make_no_markup(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    def summary(text: str) -> list[Token]:
        check = Check(
            that=text,
            passed=False,
            message=text,
            differences=(Difference(source=text, sign="==", expected=text, actual={text: text}),),
        )
        error = Trouble(code="E203", message=text, hint=text)
        steps = msgspec.structs.replace(row("a"), key=text, name=text, help=text)
        runs = [
            chain(
                [
                    start(
                        run=f"{number} {text}",
                        job=text,
                        file=text,
                        case=text,
                        commit=text,
                        target=TargetName(name=f"{number} {text}", url=text, sandbox=False),
                    ),
                    StepStarted(row=steps, t=0),
                    StepFinished(
                        key=text,
                        t=1,
                        status=Status.UNKNOWN,
                        seconds=1,
                        attempts=1,
                        process_id=text,
                        checks=(check,),
                        warnings=(text,),
                        error=error,
                    ),
                    RunFinished(t=1, status=RunStatus.UNKNOWN, exit_code=4, error=error),
                ]
            )
            for number in (1, 2)
        ]
        problem = Problem(code="E104", message=text, hint=text, file=text)
        return parsed(report(msgspec.structs.replace(command_from(*runs), problems=[problem])))

    hostile, harmless = summary(HOSTILE), summary("harmless")
    assert [token.type for token in hostile] == [token.type for token in harmless]
    code = {"code_inline", "fence"}
    plain = " ".join(token.content for token in hostile if token.type not in code and token.type != "inline")
    assert not [word for word in ("octocat", "#1", "alert", "heading", "javascript", "h.example") if word in plain]
    assert [token.content for token in hostile if token.type == "html_block"] == [
        token.content for token in harmless if token.type == "html_block"
    ]
    assert sum("octocat" in token.content for token in hostile if token.type in code) > 10
