"""The HTML report as text: what it says, what it must never hold, and how large it may be."""

import json
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser

import pytest
from examples import some
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from large_runs import loop_of, turn
from msgspec.structs import replace
from reported import command, command_from

from runner.foundation.problems import ExitCode, Problem
from runner.foundation.values import Json
from runner.reports import markdown
from runner.reports.formats import HTML
from runner.reports.html.bars import shares
from runner.reports.html.page import report
from runner.reports.reported import ReportValues
from runner.reports.shell import FUNCTIONS, URL
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
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
from runner.runs.evidence import Difference, SentRequest, Unverified
from runner.runs.result import fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Story = list[AnyEvent]

BASE = 40_000
A_ROW = 800
"""Bytes of a page, and of one more row of it."""
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e'\"&`{{ 7 }}`<!--"


class ParsedPage(HTMLParser):
    """The tags of a page, its texts, and the blocks of JSON in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.blocks: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self._within = "json" if ("type", "application/json") in attrs else tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "json":
            self.blocks.append(data)
        elif self._within not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def drawn(*journals: Sequence[Line], values: ReportValues = ReportValues.ALL) -> str:
    return report(replace(command_from(*journals), values=values), version="0.1.0")


def read(*journals: Sequence[Line], values: ReportValues = ReportValues.ALL) -> str:
    return ParsedPage(drawn(*journals, values=values)).text


def one_row(row: Row, *events: AnyEvent, ending: StepFinished, start: RunStarted, status: RunStatus) -> Story:
    end = RunFinished(t=ending.t, status=status, exit_code=int(status is not RunStatus.PASSED))
    return [start, StepStarted(row=row, t=0), *events, ending, end]


def ended(status: Status = Status.PASSED, *, t: float = 1.0, **more: object) -> StepFinished:
    fields: dict[str, object] = {"key": "add", "t": t, "status": status, "seconds": t, "attempts": 1}
    return StepFinished(**(fields | more))  # type: ignore[arg-type]  # fields by name, for brevity


@pytest.fixture
def of_one_row(start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain) -> Callable[..., list[Line]]:
    """A journal with the row `add`."""

    def made(*events: AnyEvent, ending: StepFinished, status: RunStatus = RunStatus.PASSED) -> list[Line]:
        return chain(one_row(row("add"), *events, ending=ending, start=start(), status=status))

    return made


def test_the_page_says_how_the_run_ended_and_what_that_means(story: Story, chain: Chain) -> None:
    text = read(chain(story))
    assert "contact-smoke@sandbox: unknown" in text
    assert "exit 4 : an outcome is unknown: the process log or a person must settle it" in text
    assert "1 failed" in text
    assert "1 skipped" in text


def test_what_is_in_doubt_comes_with_the_commands_that_settle_it(story: Story, chain: Chain) -> None:
    text = read(chain(story))
    assert "What to do next" in text
    assert "in doubt: cleanup may or may not have happened." in text
    assert "runner reconcile 0194d2a0-0000-7000-8000-000000000001" in text


def test_a_row_that_failed_has_a_card_with_all_that_helps(story: Story, chain: Chain) -> None:
    text = read(chain(story))
    card = text[text.index("What did not pass") :]
    assert "failed read Read it back" in card
    assert "specs/contact-smoke.job.yaml:7" in card
    assert "E201 an expectation is not met" in card
    assert "not met: result | length > 0 result | length > 0 is false" in card
    assert "hint: look at the list" in card
    assert "process: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11" in card
    assert "help: The user needs a right." in card


def test_the_whole_job_is_not_proposed_again_while_a_call_is_in_doubt(story: Story, chain: Chain) -> None:
    assert "run the whole job again" not in read(chain(story))


def test_a_job_that_is_run_again_names_what_it_would_start_twice(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    lines = chain(
        [
            start(case="eu 1"),
            StepStarted(row=row("charge"), t=0),
            CallSent(t=0, key="charge", effect="once", call={"kind": "execute", "process": "UsrCharge"}),
            CallAnswered(key="charge", t=0.1, value=None),
            ended(key="charge", t=0.1),
            StepStarted(row=row("add"), t=0.1),
            ended(Status.FAILED, t=0.2, error=Trouble(code="E203", message="it failed")),
            RunFinished(t=0.2, status=RunStatus.FAILED, exit_code=1),
        ]
    )
    text = read(lines)
    assert "runner rerun 0194d2a0-0000-7000-8000-000000000001" in text
    assert "careful : a new run starts again what must happen only once: charge (passed)" in text


@pytest.mark.parametrize(
    ("verified", "words"),
    [(True, "verified by the process log"), ("inferred", "inferred from the process log"), (None, "not verified")],
)
def test_the_page_says_how_sure_a_passed_row_is(
    of_one_row: Callable[..., list[Line]], verified: Json, words: str
) -> None:
    assert f"How sure the passed steps are ( what the words mean ): 1 {words}" in read(
        of_one_row(ending=ended(verified=verified))
    )


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (ended(verified=True, running=True), "1 passed; some only started"),
        (ended(verified="inferred"), "1 passed; some inferred"),
        (ended(), "1 passed; not all verified"),
        (ended(verified=True), "1 passed"),
    ],
)
def test_a_run_that_passed_says_what_its_weakest_row_rests_on(
    of_one_row: Callable[..., list[Line]], ending: StepFinished, words: str
) -> None:
    assert words in read(of_one_row(ending=ending))


def test_a_verdict_of_a_person_is_named_as_such(of_one_row: Callable[..., list[Line]]) -> None:
    lines = of_one_row(Asked(key="add", t=0.5, value={"as": "passed"}), ending=ended())
    assert "1 confirmed by a person" in read(lines)


def test_a_row_that_needs_no_log_is_not_called_unverified(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    paused = Row(key="add", id="add", name="Wait", kind="pause", section=Section.STEPS, index=None, line=3)
    del row
    text = read(
        chain(one_row(paused, ending=ended(unverified=Unverified.NOTHING), start=start(), status=RunStatus.PASSED))
    )
    assert "1 need no log" in text
    assert "Everything passed" in text


def test_rows_that_failed_in_the_same_way_are_one_card(start: Callable[..., RunStarted], chain: Chain) -> None:
    events: Story = [start()]
    for at in range(30):
        key = f"each[{at}]"
        events += [
            StepStarted(row=turn(at), t=at),
            ended(
                Status.FAILED, key=key, t=at + 0.5, seconds=0.5, error=Trouble(code="E203", message=f"no contact {at}")
            ),
        ]
    text = read(chain([*events, RunFinished(t=31, status=RunStatus.FAILED, exit_code=1)]))
    assert text.count("no contact ") == 1
    assert "30 steps ended in the same way ; this is the first. All: each[0]" in text
    assert "and 10 more" in text
    assert "30 turns: 30 failed" in text
    assert "median 500 ms" in text


def test_several_runs_are_a_table_of_jobs_and_targets(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    def run(target: str, status: RunStatus) -> list[Line]:
        begun = start(target=TargetName(name=target, url="https://x", sandbox=False))
        return chain(one_row(row("add"), ending=ended(verified=True), start=begun, status=status))

    text = read(run("staging", RunStatus.PASSED), run("production", RunStatus.FAILED))
    assert "1 of 2 runs did not pass" in text
    assert "Jobs and targets job staging production contact-smoke" in text
    assert "2 runs: 1 passed, 1 failed" in text


def test_a_single_failed_step_among_thousands_is_seen_in_the_bar() -> None:
    parts = shares([(Status.PASSED, 1_999), (Status.FAILED, 1), (Status.SKIPPED, 1)])
    assert [status for status, _, _ in parts] == ["passed", "failed", "skipped"]
    assert all(width >= 7.5 for _, _, width in parts)
    ends = [round(x + width) for _, x, width in parts]
    assert ends == [round(x) for _, x, _ in parts[1:]] + [1000]


def test_the_time_of_runs_side_by_side_counts_once(start: Callable[..., RunStarted], chain: Chain) -> None:
    def run(began: str, seconds: float) -> list[Line]:
        ended = RunFinished(t=seconds, status=RunStatus.PASSED, exit_code=0)
        return chain([start(started_at=f"2026-01-31T{began}Z"), ended])

    together = [run("09:00:00.000", 60.0), run("09:00:10.000", 20.0), run("09:00:50.000", 70.0)]
    assert "· 2 min ·" in read(*together)
    assert "· 2 min 30 s ·" in read(*together, run("10:00:00.000", 30.0))


def test_runs_of_the_same_name_are_told_apart_by_when_they_began(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    def run(day: int) -> list[Line]:
        begun = start(started_at=f"2026-01-{day}T09:00:00.123Z")
        return chain(one_row(row("add"), ending=ended(Status.FAILED), start=begun, status=RunStatus.FAILED))

    text = read(run(30), run(31))
    assert (
        "All: contact-smoke@sandbox, 2026-01-30 09:00:00 add , contact-smoke@sandbox, 2026-01-31 09:00:00 add" in text
    )
    assert "2026-01-31 09:00:00` add" not in markdown.report(command_from(run(31)))
    assert "`contact-smoke@sandbox, 2026-01-31 09:00:00 add`" in markdown.report(command_from(run(30), run(31)))


def test_both_sides_of_a_failed_expectation_are_shown(of_one_row: Callable[..., list[Line]]) -> None:
    sides = Difference(source="result.State", sign="==", expected="Approved", actual="Aproved")
    nearest = Difference(source="result", sign="in", expected="A", actual="B", at=1, among=2)
    check = Check(that="result.State == 'Approved'", passed=False, message="no", differences=(sides, nearest))
    ending = ended(Status.FAILED, checks=(check,), error=Trouble(code="E201", message="no"))
    text = read(of_one_row(ending=ending, status=RunStatus.FAILED))
    assert "expected Ap p roved got Aproved at result.State" in text
    assert "nearest of 2, at [1]" in text


def test_a_request_that_was_recorded_is_what_the_script_shows_and_copies(
    of_one_row: Callable[..., list[Line]],
) -> None:
    request = SentRequest(method="GET", path="/0/Execute", query=(("Name", "\ue000[inputs.token]"),))
    sent = CallSent(key="add", effect="once", call={"kind": "execute", "process": "A"}, t=0.25, request=request)
    answered = CallAnswered(key="add", t=0.5, value=None, status=200, bytes=7)
    page = ParsedPage(drawn(of_one_row(sent, answered, ending=ended())))
    found = json.loads(page.blocks[0])
    row, texts = found["rows"]["add"], found["texts"]
    assert row["c"][0]["request"] == {
        "method": "GET",
        "path": texts.index("/0/Execute"),
        "query": [["Name", "\ue000[inputs.token]"]],
    }
    before = f'{FUNCTIONS[URL]}\nINPUTS_TOKEN_IN_URL=$(urlencode "${{INPUTS_TOKEN:?}}")\n'
    before += "# CAREFUL: this starts the process A again\n"
    head = ' \\\n  "$SITE"\'/0/Execute?'
    needs = '# set before: INPUTS_TOKEN\n: "${INPUTS_TOKEN:?}" || exit 1\n'
    assert row["c"][0]["curl"][:3] == [texts.index(needs), texts.index(before), texts.index(head)]
    assert row["c"][0]["curl"][3:] == ['Name=\'"${INPUTS_TOKEN_IN_URL:?}"']
    assert row["e"] == [["c", 250, 250, 0, "once", 1, [200, 7]]]


def test_a_request_that_was_left_out_is_not_copied(of_one_row: Callable[..., list[Line]]) -> None:
    request = SentRequest(method="POST", path="/0/Run", left_out=9000)
    sent = CallSent(key="add", effect="once", call={"kind": "run", "process": "A"}, t=0.25, request=request)
    page = drawn(of_one_row(sent, CallAnswered(key="add", t=0.5, value=None), ending=ended()))
    assert json.loads(ParsedPage(page).blocks[0])["rows"]["add"]["c"] == [
        {"kind": "run", "process": "A", "request": {"method": "POST", "path": "/0/Run", "left_out": 9000}}
    ]


def test_the_beginning_of_what_the_service_answered_is_shown(of_one_row: Callable[..., list[Line]]) -> None:
    error = Trouble(code="E205", message="it answered 500")
    failed = AttemptFailed(key="add", t=0.5, kind="refused", error=error, status=500, body="<p>Out of licences</p>")
    sent = CallSent(t=0, key="add", effect="once", call={"kind": "execute", "process": "UsrAdd"})
    lines = of_one_row(sent, failed, ending=ended(Status.FAILED, error=error), status=RunStatus.FAILED)
    assert "the service answered: <p>Out of licences</p>" in read(lines)


def test_no_secret_and_no_hole_is_read_on_the_page(story: Story, chain: Chain) -> None:
    page = ParsedPage(drawn(chain(story)))
    assert 'inputs.token "***"' in page.text
    assert "\ue000" not in page.text


def test_a_call_of_an_earlier_version_is_shown_as_it_was_recorded(story: Story, chain: Chain) -> None:
    block = json.loads(ParsedPage(drawn(chain(story))).blocks[0])
    assert block["rows"]["add"]["c"][0]["parameters"] == {"Token": "\ue000[inputs.token]"}
    assert block["rows"]["add"]["o"] == '{\n "token": "***"\n}'


def test_hostile_texts_make_no_markup(start: Callable[..., RunStarted], chain: Chain) -> None:
    def page(text: str) -> ParsedPage:
        row = Row(key=text, id="a", name=text, kind="execute", section=Section.STEPS, index=None, line=1, help=text)
        check = Check(that=text, passed=False, message=text)
        error = Trouble(code="E203", message=text, hint=text)
        failed = AttemptFailed(key=text, t=0.2, kind="refused", error=error, body=text)
        ending = ended(
            Status.FAILED, key=text, checks=(check,), warnings=(text,), result=text, outputs={text: text}, error=error
        )
        begun = start(job=text, file=text, case=text, commit=text, inputs={text: text}, help=text, started_at=text)
        sent = CallSent(
            t=0.0, key=text, effect="once", call={"kind": text, "process": text, "parameters": {text: text}}
        )
        return ParsedPage(drawn(chain(one_row(row, sent, failed, ending=ending, start=begun, status=RunStatus.FAILED))))

    hostile, harmless = page(HOSTILE), page("harmless")
    assert [tag for tag in hostile.tags if tag != "code"] == [tag for tag in harmless.tags if tag != "code"]
    assert hostile.attributes == harmless.attributes
    assert not {name for name in hostile.attributes if name.startswith("on") or name == "style"}
    assert len(json.loads(hostile.blocks[0])["rows"]) == 1


def test_the_page_asks_for_nothing_from_outside_and_lets_nothing_else_run(story: Story, chain: Chain) -> None:
    text = drawn(chain(story))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "unsafe" not in policy[1]
    for part in ("default-src 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"):
        assert part.replace("'", "&#39;") in policy[1]
    assert not re.search(r'\b(?:src|href)="(?!#|data:)', text)


def test_the_script_writes_texts_and_nothing_else(story: Story, chain: Chain) -> None:
    text = drawn(chain(story))
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "localStorage")
    assert not [word for word in (*forbidden, "XMLHttpRequest", "sessionStorage", ".style.") if word in text]


def test_another_page_of_html_is_never_written_over(story: Story, chain: Chain) -> None:
    assert HTML.mark.match(drawn(chain(story)).encode())
    assert not HTML.mark.match(b"<!doctype html>\n<html lang=en>")


@pytest.mark.parametrize("values", [ReportValues.NONE, ReportValues.FAILING])
def test_values_can_be_left_out(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain, values: ReportValues
) -> None:
    def journal(value: str, status: Status) -> list[Line]:
        sent = CallSent(
            t=0.0, key="add", effect="once", call={"kind": "execute", "process": "UsrAdd", "parameters": {"A": value}}
        )
        error = None if status is Status.PASSED else Trouble(code="E203", message=f"it said {value}", hint=value)
        check = Check(that="result == 1", passed=status is Status.PASSED, message=None if error is None else value)
        ending = ended(status, result=value, outputs={"a": value}, checks=(check,), warnings=(value,), error=error)
        log: Json = [{"id": "1", "status": "error", "error": value}]
        answers: Story = [
            CallAnswered(key="add", t=0.1, value=value),
            CallSent(t=0, key="add", effect="read", call={"kind": "read_rows"}),
            CallAnswered(key="add", t=0.2, value=log),
        ]
        ran = RunStatus.PASSED if error is None else RunStatus.FAILED
        return chain(one_row(row("add"), sent, *answers, ending=ending, start=start(inputs={"a": value}), status=ran))

    text = drawn(journal("PASSEDVALUE", Status.PASSED), journal("FAILEDVALUE", Status.FAILED), values=values)
    assert "PASSEDVALUE" not in text
    assert ("FAILEDVALUE" in text) == (values is ReportValues.FAILING)
    assert "result == 1" in text
    assert "E203" in text


def test_neither_a_command_nor_why_nothing_ran_shows_a_value_that_is_left_out(
    start: Callable[..., RunStarted], row: Callable[..., Row], chain: Chain
) -> None:
    ending = ended(Status.FAILED, error=Trouble(code="E203", message="no"))
    begun = start(given={"customer": "ANNA"}, inputs={"customer": "ANNA"})
    failed = chain(one_row(row("add"), ending=ending, start=begun, status=RunStatus.FAILED))
    assert "-i customer=ANNA" in drawn(failed)
    text = drawn(failed, values=ReportValues.NONE)
    assert "-i customer=VALUE" in text
    assert "ANNA" not in text
    wrong = Problem(
        code="E132", message="`ANNA` is not a whole number", hint="ANNA", excerpt="n: ANNA", file="a.job.yaml"
    )
    unbegun = replace(command(problems=[wrong], exit_code=ExitCode.INVALID), values=ReportValues.NONE)
    for written in (report(unbegun), markdown.report(unbegun)):
        assert "ANNA" not in written
        assert "E132" in written
        assert "a.job.yaml" in written


@pytest.mark.slow
@settings(max_examples=some(8), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_beginning_of_any_journal_is_drawn(
    data: st.DataObject, journals: st.SearchStrategy[Story], chain: Chain
) -> None:
    lines = chain(data.draw(journals))
    for end in range(len(lines) + 1):
        page = ParsedPage(drawn(lines[:end]))
        rows = {step.key for step in fold(lines[:end]).steps}
        assert page.tags.count("li") >= len(rows)
        json.loads(page.blocks[0])


@pytest.mark.slow
def test_a_page_keeps_its_budget_of_bytes(start: Callable[..., RunStarted], chain: Chain) -> None:
    rows = 1000
    assert len(drawn(chain([start()])).encode()) <= BASE
    assert len(drawn(chain([start(), *loop_of(rows)])).encode()) <= BASE + A_ROW * rows


def test_those_of_very_many_rows_that_did_not_pass_are_drawn_and_the_rest_is_counted(
    start: Callable[..., RunStarted], chain: Chain
) -> None:
    events: Story = [start()]
    for at in range(60):
        status = Status.FAILED if at == 55 else Status.PASSED
        events += [StepStarted(row=turn(at), t=0), ended(status, key=f"each[{at}]", t=0, seconds=0)]
    lines = chain([*events, RunFinished(t=1, status=RunStatus.FAILED, exit_code=1)])
    text = report(command_from(lines), most_rows=50)
    assert 'id="1.each[55]"' in text
    assert 'id="1.each[48]"' in text
    assert 'id="1.each[49]"' not in text
    assert "10 steps that passed are not drawn here" in text
