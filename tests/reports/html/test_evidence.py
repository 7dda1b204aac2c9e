"""What the HTML page shows of the evidence: what the job says of a row, where a run came from, why it waits, and
whether it is safe to run it again.
"""

import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from reported import command_from

from runner.foundation.problems import ExitCode, Problem
from runner.reports.html import overview
from runner.reports.html.page import report
from runner.reports.reported import ReportedCommand, ReportedRun, ReportValues, alone
from runner.reports.spans import Sureness
from runner.runs import StoreName
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    StepFinished,
    StepSkipped,
    StepStarted,
    TargetName,
    Trouble,
    UndoFinished,
    UndoStarted,
    Waited,
    WaitsFor,
)
from runner.runs.evidence import ApplyOrigin, CiRun, LockHolder, Unverified, VerdictBy, VerdictSource
from runner.runs.result import fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Story = list[AnyEvent]
MakeRow = Callable[..., Row]
Start = Callable[..., RunStarted]


class _Texts(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.is_seen = True
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_seen = tag not in ("script", "style")
        self.links += [link or "" for name, link in attrs if name == "href" and tag == "a"]

    def handle_data(self, data: str) -> None:
        if self.is_seen:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.fixture
def page_of(chain: Chain) -> Callable[[Story], _Texts]:
    return lambda events: _Texts(report(command_from(chain(events)), version="0.1.0"))


def _ended(key: str, status: Status = Status.PASSED, **more: object) -> StepFinished:
    error = None if status is Status.PASSED else Trouble(code="E203", message="it failed")
    fields: dict[str, object] = {"key": key, "t": 1, "status": status, "seconds": 1, "attempts": 1, "error": error}
    return StepFinished(**(fields | more))  # type: ignore[arg-type]  # fields by name, for brevity


def _finished(status: RunStatus = RunStatus.FAILED) -> RunFinished:
    return RunFinished(t=1, status=status, exit_code=0 if status is RunStatus.PASSED else 1)


def _started_once(key: str, row: MakeRow) -> Story:
    return [
        StepStarted(row=row(key), t=0),
        CallSent(t=0, key=key, effect="once", call={"kind": "execute", "process": "A"}),
        CallAnswered(key=key, t=0.5, value=None),
    ]


def test_a_skipped_row_shows_the_condition_that_is_false(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    wrap = msgspec.structs.replace(row("wrap"), condition="inputs.gift")
    page = page_of([start(), StepSkipped(row=wrap, reason="condition"), _finished(RunStatus.PASSED)])
    assert "its if is false: inputs.gift" in page.text


def test_a_row_says_at_which_of_how_many_attempts_it_ended(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    read = msgspec.structs.replace(row("read"), max_attempts=4)
    ending = _ended("read", Status.FAILED, attempts=3)
    page = page_of([start(), StepStarted(row=read, t=0), ending, _finished()])
    assert page.text.count("attempt 3 of 4") == 2  # on its card and on its row


def test_an_ignored_failure_comes_last_and_does_not_count(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    letter = msgspec.structs.replace(row("letter"), on_failure="ignore")
    page = page_of(
        [
            start(),
            *(StepStarted(row=letter, t=0), _ended("letter", Status.FAILED)),
            *(StepStarted(row=row("letter/part"), t=0), _ended("letter/part", Status.FAILED)),
            *(StepStarted(row=row("read"), t=0), _ended("read", Status.FAILED)),
            _finished(),
        ]
    )
    cards = page.text[page.text.index("What did not pass") : page.text.index("The run")]
    assert cards.index("failed read") < cards.index("failed letter/part")
    assert cards.count("does not count") == 1
    assert cards.count("safe to run again?") == 1


def test_rows_of_a_run_that_broke_off_and_never_began_are_counted(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    begun = start(rows=5)
    assert "4 of 5 planned steps never began" in page_of([begun, StepStarted(row=row("add"), t=0)]).text
    whole: Story = [begun, StepStarted(row=row("add"), t=0), _ended("add"), _finished(RunStatus.PASSED)]
    assert "never began" not in page_of(whole).text
    assert "never began" not in page_of([start(rows=None), StepStarted(row=row("add"), t=0)]).text


def test_a_run_says_what_it_is_for_and_where_it_came_from(start: Start, page_of: Callable[[Story], _Texts]) -> None:
    ci = CiRun(url="https://ci.example.com/job/7?a=1", ref="main")
    begun = start(description="Orders are charged.", tags=("smoke", "sales"), dirty=True, ci=ci)
    page = page_of([begun, _finished()])
    for words in ("Orders are charged.", "smoke", "sales", "with changes that are not committed", "CI job of main"):
        assert words in page.text
    assert "https://ci.example.com/job/7?a=1" in page.links


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a b", 'https://a"onclick=b', "data:text/html,x", None])
def test_what_is_no_address_of_the_web_is_no_link(
    start: Start, page_of: Callable[[Story], _Texts], url: str | None
) -> None:
    page = page_of([start(ci=CiRun(url=url, ref="main")), _finished()])
    assert "CI of main" in page.text
    assert not [link for link in page.links if not link.startswith("#")]


def test_a_wait_for_a_lock_names_the_run_that_had_it(start: Start, page_of: Callable[[Story], _Texts]) -> None:
    holder = LockHolder(job="nightly@here", run="0194d2a0")
    waited = Waited(key="", t=0, what=WaitsFor.LOCK, seconds=2.5, name="billing", held_by=holder)
    page = page_of([start(), waited, _finished(RunStatus.PASSED)])
    assert "waited 2.5 s for the lock billing, which nightly@here had; that is no time of the run" in page.text


def test_who_gave_an_answer_is_in_the_opened_row(start: Start, row: MakeRow, chain: Chain) -> None:
    by = VerdictBy(how=VerdictSource.OPTION, user="ada", ci_user="octocat")
    asked = Asked(key="add", t=0.5, value={"as": "passed"}, by=by)
    events: Story = [start(), StepStarted(row=row("add"), t=0), asked, _ended("add"), _finished(RunStatus.PASSED)]
    text = report(command_from(chain(events)), version="0.1.0")
    assert "by ada (octocat in CI), with `--as`" in text


@pytest.mark.parametrize("what", [WaitsFor.TURN, WaitsFor.RATE])
def test_a_wait_that_is_no_time_of_the_run_is_drawn_and_named(
    start: Start, row: MakeRow, chain: Chain, what: WaitsFor
) -> None:
    words = {WaitsFor.TURN: "for its turn", WaitsFor.RATE: "for the rate of the target"}[what]
    waits = (Waited(key="add", t=0, what=what), Waited(key="add", t=0, what=what, seconds=2.5))
    events: Story = [start(), StepStarted(row=row("add"), t=0), *waits, _ended("add"), _finished(RunStatus.PASSED)]
    text = report(command_from(chain(events)), version="0.1.0")
    assert f"waited 2.5 s {words}" in text
    assert text.count('<path class="held"') == 2  # in the legend and in the row


def test_it_is_safe_to_run_again_where_nothing_was_started(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    sent = CallSent(t=0, key="add", effect="once", call={"kind": "execute", "process": "A"})
    for kind in ("not_sent", "refused"):
        failed = AttemptFailed(key="add", t=0.1, kind=kind, error=Trouble(code="E205", message="no"))
        ending = _ended("add", Status.FAILED)
        page = page_of([start(), StepStarted(row=row("add"), t=0), sent, failed, ending, _finished()])
        assert "safe to run again? yes: a new run repeats nothing that must happen only once" in page.text
        assert "runner rerun 0194d2a0-0000-7000-8000-000000000001" in page.text


@pytest.mark.parametrize(("code", "repeats"), [("E205", False), ("E203", True), ("E213", True)])
def test_what_a_gateway_refused_and_the_log_shows_all_the_same_is_started_again(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts], *, code: str, repeats: bool
) -> None:
    sent = CallSent(t=0, key="add", effect="once", call={"kind": "execute", "process": "A"})
    failed = AttemptFailed(key="add", t=0.1, kind="refused", error=Trouble(code="E205", message="no"), unproved=True)
    ending = _ended("add", Status.FAILED, error=Trouble(code=code, message="no"))
    page = page_of([start(), StepStarted(row=row("add"), t=0), sent, failed, ending, _finished()])
    assert ("starts again what must happen only once: add" in page.text) is repeats


@pytest.mark.parametrize(
    ("status", "log", "repeats"), [(500, "refused", True), (500, "", True), (500, "read", False), (403, "", False)]
)
def test_a_fault_after_which_no_log_was_read_may_have_begun_its_process(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts], *, status: int, log: str, repeats: bool
) -> None:
    no = Trouble(code="E205", message="no")
    sent = CallSent(t=0, key="add", effect="once", call={"kind": "execute", "process": "A"})
    failed = AttemptFailed(key="add", t=0.1, kind="refused", error=no, unproved=True, status=status)
    reading = CallSent(t=0.2, key="add", effect="read", call={"kind": "read_rows", "process": "A"})
    answer = CallAnswered(key="add", t=0.3, value=[])
    unread = AttemptFailed(key="add", t=0.3, kind="refused", error=no, status=400)
    looks: dict[str, Story] = {"": [], "read": [reading, answer], "refused": [reading, unread]}
    ending = _ended("add", Status.FAILED, error=no)
    page = page_of([start(), StepStarted(row=row("add"), t=0), sent, failed, *looks[log], ending, _finished()])
    assert ("starts again what must happen only once: add" in page.text) is repeats


@pytest.mark.parametrize(
    ("store", "command"),
    [
        (StoreName(".runner/runs"), "runner rerun {run} -i token=@FILE"),
        (StoreName("my runs"), "runner rerun {run} --runs 'my runs' -i token=@FILE"),
        (
            StoreName("postgresql://db/fleet", is_fleet=True),
            "runner apply {file} -t {target} --retry failed --db postgresql://db/fleet",
        ),
    ],
)
def test_a_run_is_carried_out_again_with_its_inputs_and_secrets_are_to_be_given(
    start: Start, row: MakeRow, chain: Chain, *, store: StoreName, command: str
) -> None:
    ending = _ended("add", Status.FAILED, error=Trouble(code="E218", message="no"))
    begun = start(inputs={"customer": "Zed", "token": "***"})
    events: Story = [begun, StepStarted(row=row("add"), t=0), ending, _finished()]
    lines = chain(events)
    reported = alone(ReportedRun(result=fold(lines, store=store), lines=lines))
    text = _Texts(report(reported, version="0.1.0")).text
    assert command.format(run=begun.run, file=begun.file, target=begun.target.name) in text
    is_asked_for = "secrets are not stored: give it again in a file" in text
    assert is_asked_for is ("-i" in command), "workers have their own"
    assert "runner run " not in text


@pytest.mark.parametrize(("values", "given"), [("all", "who=Zed"), ("failing", "who=Zed"), ("none", "who=VALUE")])
def test_the_command_of_a_run_of_a_fleet_shows_inputs_where_the_report_shows_values(
    start: Start, row: MakeRow, chain: Chain, *, values: str, given: str
) -> None:
    applied = ApplyOrigin(ledger="postgresql://db/fleet", fleet="mine", for_key="r2", inputs={"who": "Zed"})
    begun = start(inputs={"who": "Zed"}, applied=applied)
    events: Story = [begun, StepStarted(row=row("add"), t=0), _ended("add", Status.FAILED), _finished()]
    reported = msgspec.structs.replace(command_from(chain(events)), values=ReportValues(values))
    text = _Texts(report(reported, version="0.1.0")).text
    rest = "--for r2 --retry failed --db postgresql://db/fleet --fleet mine"
    assert f"runner apply {begun.file} -t {begun.target.name} -i {given} {rest}" in text


def test_what_a_run_would_start_twice_is_named_and_what_was_undone_is_not(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    page = page_of(
        [
            start(),
            *(*_started_once("reserve", row), _ended("reserve")),
            *(*_started_once("charge", row), _ended("charge")),
            *(*_started_once("post", row), _ended("post", Status.FAILED)),
            UndoStarted(t=1),
            *(StepStarted(row=row("undo/reserve", section=Section.UNDO), t=1), _ended("undo/reserve")),
            UndoFinished(t=1, undo="complete"),
            _finished(),
        ]
    )
    careful = "careful: a new run starts again what must happen only once: charge (passed), post (failed)"
    assert f"{careful}; and what was undone: reserve" in page.text


def test_where_all_that_was_started_is_undone_a_new_run_is_said_to_start_it_again(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    undone: Story = [
        start(),
        *(*_started_once("reserve", row), _ended("reserve")),
        *(StepStarted(row=row("ask"), t=1), _ended("ask", Status.FAILED)),
        UndoStarted(t=1),
        *(StepStarted(row=row("undo/reserve", section=Section.UNDO), t=1), _ended("undo/reserve")),
        UndoFinished(t=1, undo="complete"),
        _finished(),
    ]
    assert (
        "repeats nothing that must happen only once; it starts again what was undone: reserve" in page_of(undone).text
    )


def test_a_run_that_a_signal_stopped_has_what_carries_it_out_once_more(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    page = page_of([start(), *_started_once("pay", row), _ended("pay"), _finished(RunStatus.CANCELLED)])
    assert "What did not pass" in page.text
    assert "careful: a new run starts again what must happen only once: pay (passed)" in page.text
    assert page.text.count("safe to run again?") == 1


def test_the_card_of_a_failure_has_the_help_of_the_job_and_what_was_sent_when(
    start: Start, row: MakeRow, chain: Chain
) -> None:
    call = {"kind": "execute", "process": "UsrPay", "parameters": {"Card": "c1"}}
    sent = CallSent(t=0, key="pay", effect="once", call=call)
    read = CallSent(t=0.6, key="pay", effect="read", call={"kind": "read_rows"})
    story: Story = [StepStarted(row=row("pay"), t=0), sent, CallAnswered(key="pay", t=0.5, value=None), read]
    events = chain([start(help="Ask Ada."), *story, _ended("pay", Status.FAILED), _finished()])
    page = _Texts(report(command_from(events), version="0.1.0")).text
    card = page[page.index("What did not pass") : page.index("The run")]
    assert 'sent: UsrPay at 2026-01-31 09:00:00 UTC, with {"Card":"c1"}' in card
    assert "help of the job: Ask Ada." in card
    command = msgspec.structs.replace(command_from(events), values=ReportValues.NONE)
    page = _Texts(report(command, version="0.1.0")).text
    assert "sent: UsrPay at 2026-01-31 09:00:00 UTC" in page
    assert "c1" not in page


def test_after_a_refused_sign_in_it_is_safe_to_run_again_only_when_that_is_mended(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    refused = Trouble(code="E303", message="the site refused the sign-in")
    here = start(target=TargetName(name="here", url="https://here.example.com", sandbox=False))
    failed = _ended("pay", Status.ERROR, error=refused)
    page = page_of([here, StepStarted(row=row("pay"), t=0), failed, _finished(RunStatus.ERROR)]).text
    assert "safe to run again? yes, when you have mended the sign-in: a new run repeats nothing" in page
    assert page.index("when you have mended the sign-in: runner run ") < page.index("or, as it was: runner rerun ")


def test_a_page_of_a_command_without_a_run_says_that_nothing_was_sent() -> None:
    problem = Problem(code="E131", message="no selected job knows an input `a`")
    page = report(ReportedCommand(runs=(), exit_code=ExitCode.INVALID, problems=(problem,)), version="0.1.0")
    text = _Texts(page).text
    assert "exit 2: a mistake in a file or on the command line; nothing was sent creatio-runner 0.1.0" in text
    assert "The run" not in text
    refused = ReportedCommand(runs=(), exit_code=ExitCode.REFUSED, problems=(problem,))
    assert "exit 6: refused by a guard: nothing was sent" in _Texts(report(refused, version="0.1.0")).text


def test_what_was_undone_by_a_process_that_had_not_ended_is_named_and_undo_is_not_called_complete(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    undoing = msgspec.structs.replace(row("undo/reserve"), section=Section.UNDO)
    page = page_of(
        [
            start(),
            *(*_started_once("reserve", row), _ended("reserve")),
            *(*_started_once("post", row), _ended("post", Status.FAILED)),
            UndoStarted(t=1),
            *(StepStarted(row=undoing, t=1), _ended("undo/reserve", verified=True, running=True)),
            UndoFinished(t=1, undo="incomplete"),
            RunFinished(t=1, status=RunStatus.FAILED, exit_code=1, undo="incomplete"),
        ]
    )
    assert "starts again what must happen only once: reserve (passed), post (failed)" in page.text
    assert "undo: undo/reserve started, not known to be done" in page.text
    assert "1 started, as the process log shows, and perhaps not done" in page.text
    assert "1 verified by the process log" not in page.text


def test_while_a_call_is_in_doubt_it_is_not_safe_to_run_again(
    start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]
) -> None:
    events: Story = [start(), *_started_once("post", row), _ended("post", Status.UNKNOWN), _finished(RunStatus.UNKNOWN)]
    page = page_of(events)
    assert "safe to run again? not yet: post may or may not have happened; what to do next" in page.text
    assert "runner run " not in page.text
    broken_off = page_of([start(), StepStarted(row=row("read"), t=0)])
    assert "not yet: the run has not come to its end; what to do next" in broken_off.text


def test_every_status_and_all_that_it_rests_on_is_explained() -> None:
    page = Path(overview.__file__).with_name("report.html.j2").read_text(encoding="utf-8")
    explained = {*re.findall("<dt>(.+?)</dt>", page)}
    assert {str(status) for status in Status} <= explained
    assert {Sureness.VERIFIED, Sureness.STARTED, Sureness.INFERRED, Sureness.UNVERIFIED} <= explained


@pytest.mark.parametrize(
    ("undo", "words"), [("complete", "was taken back"), ("incomplete", "not everything that had to be taken back")]
)
def test_what_became_of_undo_is_a_sentence(
    start: Start, page_of: Callable[[Story], _Texts], undo: str, words: str
) -> None:
    end = RunFinished(t=1, status=RunStatus.FAILED, exit_code=1, undo=undo)
    assert words in page_of([start(), UndoStarted(t=1), UndoFinished(t=1, undo=undo), end]).text


@pytest.mark.parametrize(
    ("unverified", "words"),
    [
        (Unverified.OFF, "not verified: verify: none"),
        (Unverified.UNREADABLE, "not verified: no log"),
        (Unverified.NOT_SHOWN, "not verified"),
    ],
)
def test_a_row_that_is_not_verified_says_why(
    start: Start, page_of: Callable[[Story], _Texts], unverified: Unverified, words: str
) -> None:
    row = Row(key="add", id="add", name="Add", kind="execute", section=Section.STEPS, index=None, line=7)
    ending = _ended("add", unverified=unverified)
    page = page_of([start(), StepStarted(row=row, t=0), ending, _finished(RunStatus.PASSED)])
    assert f"Add{words}1 s" in page.text


def test_a_verdict_of_a_person_names_them(start: Start, row: MakeRow, page_of: Callable[[Story], _Texts]) -> None:
    by = VerdictBy(how=VerdictSource.OPTION, user="root", ci_user="anna")
    asked = Asked(key="add", t=0.5, value={"as": "passed"}, by=by)
    page = page_of([start(), StepStarted(row=row("add"), t=0), asked, _ended("add"), _finished(RunStatus.PASSED)])
    assert "confirmed by anna" in page.text
