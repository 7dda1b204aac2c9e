import io
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace
from transcripts import closing, transcript

from runner.reports.console import RunPage, is_live, plain
from runner.reports.sentences import Detail
from runner.reports.transcript import Transcript, news
from runner.runs.events import (
    AnyEvent,
    Check,
    Line,
    LogUnreadable,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    SignedIn,
    StepFinished,
    StepSkipped,
    StepStarted,
    Trouble,
    Waited,
    WaitsFor,
)
from runner.runs.result import RunResult, fold
from runner.runs.status import Status

Chain = Callable[[Sequence[AnyEvent]], list[Line]]


def _passed() -> RunFinished:
    return RunFinished(t=1, status=RunStatus.PASSED, exit_code=0)


@pytest.fixture
def one_row(chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]) -> Callable[..., RunResult]:
    """A run of one row that ended as given."""

    def folded(*, status: Status = Status.PASSED, help_text: str | None = None, **ending: object) -> RunResult:
        fields = {"key": "add", "t": 0.1, "status": status, "seconds": 0.1, "attempts": 1} | ending
        finished = StepFinished(**fields)  # type: ignore[arg-type]  # fields by name, for brevity
        began = StepStarted(row=row("add", name="Add", help_text=help_text), t=0.0)
        run_status = RunStatus(status) if status is not Status.SKIPPED else RunStatus.PASSED
        return fold(chain([start(), began, finished, RunFinished(t=0.1, status=run_status, exit_code=0)]))

    return folded


def test_an_account_reads_as_a_story(story: list[AnyEvent], chain: Chain) -> None:
    lines = chain(story)
    assert transcript(fold(lines), Detail(place=".runner/runs/0194")) == (
        "run contact-smoke@sandbox, http://127.0.0.1:8080 (sandbox)\n"
        "  id 0194d2a0-0000-7000-8000-000000000001, specs/contact-smoke.job.yaml\n"
        "  ✓ add  Add a contact  (21 ms)\n"
        "      warning: not verified: the process log cannot be read\n"
        "  ✗ read  Read it back  (failed, 5 attempts, 1.2 s)\n"
        "      E201: an expectation is not met\n"
        "      hint: look at the list\n"
        "      not met: `result | length > 0` is false\n"
        "      process: 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11\n"
        "      help: The user needs a right.\n"
        "  - onboard  Onboard  (skipped: the run was stopped)\n"
        "  finally:\n"
        "  ! sign  Sign off  (error, 50 ms)\n"
        "      E305: no answer in 1.0 s\n"
        "  ? cleanup  Delete it  (unknown, 100 ms)\n"
        "      E401: it may or may not have happened: cut off\n"
        "unknown: contact-smoke@sandbox: 1 passed (1 not verified), 1 failed, 1 error, 1 skipped, 1 unknown in 1.5 s\n"
        "  in doubt: cleanup may or may not have happened\n"
        "  finally: incomplete: sign, cleanup did not pass\n"
        "  help: Ask the integration team.\n"
        "  warning: 1 step is not verified: `add`\n"
        '  outputs.contact: "c-1"\n'
        f"  events: .runner/runs/0194, sha256:{lines[-1].sha256}\n"
        "  exit 4: an outcome is unknown: the process log or a person must settle it\n"
        "  what next:\n"
        "    runner reconcile 0194d2a0-0000-7000-8000-000000000001\n"
        "      asks the process log again, and sends nothing else\n"
        "    runner resume 0194d2a0-0000-7000-8000-000000000001 --step cleanup --as passed\n"
        "      if you have checked that it passed; `--as failed` if it failed or never began\n"
    )


def test_a_row_is_printed_when_it_ends(story: list[AnyEvent], chain: Chain) -> None:
    out = io.StringIO()
    page = RunPage(plain(out), Detail())
    for line in chain(story)[:4]:
        page.event(line)
    assert "add" not in out.getvalue()
    page.event(chain(story)[4])
    assert "✓ add" in out.getvalue()


def test_quiet_prints_what_did_not_pass_and_the_summary(story: list[AnyEvent], chain: Chain) -> None:
    output = transcript(fold(chain(story)), Detail(quiet=True))
    assert "✗ read" in output
    assert "exit 4" in output
    for absent in ("✓ add", "onboard", "outputs.contact"):
        assert absent not in output


def test_a_quiet_run_that_passed_says_so_in_two_lines(one_row: Callable[..., RunResult]) -> None:
    first, second = transcript(one_row(), Detail(quiet=True)).splitlines()
    assert first == "passed: contact-smoke@sandbox: 1 passed in 100 ms"
    assert second.startswith("  events: sha256:")


def test_a_quiet_run_that_passed_shows_the_warnings_of_its_rows(one_row: Callable[..., RunResult]) -> None:
    warned = one_row(warnings=("not verified: started 2 times for one call: 1, 2",))
    output = transcript(warned, Detail(quiet=True)).splitlines()
    assert output[1] == "  add: warning: not verified: started 2 times for one call: 1, 2"


def test_verbose_shows_what_a_call_waits_for_and_how_long() -> None:
    waits = Waited(key="a", t=0.0, what=WaitsFor.RATE)
    output = [news(event).text for event in (waits, Waited(key="a", t=0.0, what=WaitsFor.TURN, seconds=12.0))]
    assert output == ["waits: a, for the `rate` of the target", "waited: a, 12 s, which does not count as its time"]


def test_verbose_says_when_a_call_signed_in_and_prints_no_empty_line(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    out = io.StringIO()
    console = RunPage(plain(out), Detail(verbose=True))
    begun = StepStarted(row=row("a"), t=0)
    for line in chain([start(), begun, SignedIn(key="a", t=0.2, seconds=0.2, kind="password"), _ended("a"), _passed()]):
        console.event(line)
    assert "    signed in: a, by password, 200 ms\n" in out.getvalue()
    assert "" not in [line.strip() for line in out.getvalue().splitlines()]


def test_verbose_shows_calls_attempts_and_values(story: list[AnyEvent], chain: Chain) -> None:
    out = io.StringIO()
    page = RunPage(plain(out), Detail(verbose=True))
    for line in chain(story):
        page.event(line)
    for output in (
        "begun: add",
        'sent: add, once, {"process":"UsrAdd","parameters":{"Token":"***"}}',
        "answered: read, []",
        "unanswered: sign, E305: no answer in 1.0 s",
        "met: result != null",
        'outputs.token: "***"',
        "closing: stopped",
    ):
        assert f"  {output}\n" in out.getvalue()
    heading, begun = out.getvalue().index("  finally:\n"), out.getvalue().index("    begun: sign\n")
    assert heading < begun
    assert out.getvalue().count("  finally:\n") == 1


def test_what_a_run_that_passed_did_not_do_is_reported(
    one_row: Callable[..., RunResult], chain: Chain, start: Callable[..., RunStarted]
) -> None:
    nothing = fold(chain([start(), _passed()]))
    assert "  warning: no step was carried out\n" in transcript(nothing, Detail())
    failed = one_row(status=Status.FAILED, error=Trouble(code="E203", message="no"))
    ignored = replace(failed, status=RunStatus.PASSED)
    assert "  warning: did not pass, and does not count: add\n" in transcript(ignored, Detail())
    assert "warning" not in transcript(failed, Detail())
    assert "warning" not in transcript(one_row(), Detail())


def test_a_secret_is_printed_as_stars(one_row: Callable[..., RunResult]) -> None:
    result = one_row(status=Status.FAILED, error=Trouble(code="E203", message="no \ue000[inputs.token] here"))
    assert "E203: no *** here\n" in transcript(result, Detail())


def test_a_failed_check_is_not_reported_twice(one_row: Callable[..., RunResult]) -> None:
    check = Check(that="x", passed=False, message="`x` is false")
    error = Trouble(code="E201", message="`x` is false")
    output = transcript(one_row(status=Status.FAILED, checks=(check,), error=error), Detail())
    assert output.count("`x` is false") == 1


def test_a_check_without_a_message_is_reported_by_its_expression(one_row: Callable[..., RunResult]) -> None:
    result = one_row(status=Status.FAILED, checks=(Check(that="x > 1", passed=False),))
    assert "not met: `x > 1`\n" in transcript(result, Detail())


def test_help_is_for_what_did_not_pass(chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]) -> None:
    began = StepStarted(row=row("add", help_text="Help of the step"), t=0.0)
    ended = StepFinished(key="add", t=0.1, status=Status.PASSED, seconds=0.1, attempts=1)
    output = transcript(fold(chain([start(help="Help of the job"), began, ended, _passed()])), Detail(verbose=True))
    assert "Help" not in output


def test_a_tab_from_outside_moves_no_cursor(one_row: Callable[..., RunResult]) -> None:
    assert "warning: a    b\n" in transcript(one_row(warnings=("a\tb",)), Detail())


def test_many_rows_in_doubt_are_counted(
    chain: Chain, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    events: list[AnyEvent] = [start()]
    for number in range(7):
        ended = StepFinished(key=f"s{number}", t=0.1, status=Status.UNKNOWN, seconds=0.1, attempts=1)
        events += [StepStarted(row=row(f"s{number}"), t=0.0), ended]
    output = transcript(fold(chain(events)), Detail())
    assert "  in doubt: s0, s1, s2, s3, s4 and 2 more may or may not have happened\n" in output


def test_quiet_says_which_run_a_bad_row_is_of_and_says_it_once(story: list[AnyEvent], chain: Chain) -> None:
    output = transcript(fold(chain(story)), Detail(quiet=True))
    assert output.startswith("run contact-smoke@sandbox, ")
    assert output.count("run contact-smoke@sandbox, ") == 1


def test_help_of_several_lines_stays_set_in(one_row: Callable[..., RunResult]) -> None:
    result = one_row(status=Status.FAILED, help_text="First this.\n::error::then that\n")
    assert "      help: First this.\n        | ::error::then that\n" in transcript(result, Detail())


def test_a_stack_trace_is_cut_on_the_console(one_row: Callable[..., RunResult]) -> None:
    trace = "\n".join(f"at {n}" for n in range(100))
    output = transcript(one_row(status=Status.FAILED, error=Trouble(code="E203", message=trace)), Detail())
    assert "... 70 more lines, whole in the reports\n" in output
    assert "at 99" not in output


@pytest.mark.parametrize("command", ["##vso[task.complete]", "##[add-mask]x", "##teamcity[x]"])
def test_a_command_to_a_ci_is_broken_wherever_it_is(one_row: Callable[..., RunResult], command: str) -> None:
    result = one_row(status=Status.FAILED, error=Trouble(code="E203", message=f"it said {command}"))
    output = transcript(result, Detail())
    assert command not in output
    assert command.replace("##", "#\\u0023") in output


def test_flaky_and_inferred_passes_are_marked(one_row: Callable[..., RunResult]) -> None:
    output = transcript(one_row(flaky=True, verified="inferred", attempts=2), Detail())
    assert "✓ add  Add  (2 attempts, flaky, settled from the process log, 100 ms)\n" in output


def test_a_run_that_broke_off_gives_its_open_row_and_ends_with_a_summary(story: list[AnyEvent], chain: Chain) -> None:
    out = io.StringIO()
    page = RunPage(plain(out), Detail())
    for line in chain(story)[:3]:
        page.event(line)
    page.close()
    assert "? add  Add a contact  (unknown, " in out.getvalue()
    assert "it broke off with a call in doubt\n" in out.getvalue()
    assert "exit 4: an outcome is unknown: the process log or a person must settle it\n" in out.getvalue()


def test_closing_an_ended_run_adds_nothing(story: list[AnyEvent], chain: Chain) -> None:
    out = io.StringIO()
    page = RunPage(plain(out), Detail())
    for line in chain(story):
        page.event(line)
    before = out.getvalue()
    page.close()
    assert out.getvalue() == before


def test_an_unreadable_process_log_is_a_warning_of_the_run(start: Callable[..., RunStarted], chain: Chain) -> None:
    events: list[AnyEvent] = [
        start(),
        LogUnreadable(error=Trouble(code="E205", message="403", hint="ask for the right")),
        _passed(),
    ]
    assert "  warning: the process log cannot be read: 403\n  hint: ask for the right\n" in transcript(
        fold(chain(events)), Detail()
    )


def test_a_run_of_which_every_step_was_skipped_says_so(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    output = transcript(fold(chain([start(), StepSkipped(row=row("a"), reason="nothing"), _passed()])), Detail())
    assert "skipped: `for_each` gave no item" in output
    assert "  warning: no step was carried out\n" in output


def test_a_turn_that_was_left_out_says_for_which_item_and_why(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    turn = StepSkipped(row=replace(row("a[3]"), index=3), reason="stopped", by="a[2]", item={"Name": "Ann"})
    output = transcript(fold(chain([start(), turn, _passed()])), Detail())
    assert '(skipped: `a[2]` stopped its step; item: {"Name":"Ann"})' in output


@pytest.mark.parametrize(
    ("turns", "more"), [(5, None), (6, "a[6]"), (300, "a[6] to a[300]  (295 more, skipped likewise)")]
)
def test_the_first_turns_that_were_left_out_have_a_line_each_and_the_rest_one(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row], *, turns: int, more: str | None
) -> None:
    skipped = [
        StepSkipped(row=replace(row(f"a[{index}]"), index=index), reason="stopped", by="a[0]", item=index)
        for index in range(1, turns + 1)
    ]
    after = StepSkipped(row=row("b"), reason="stopped", by="a")
    lines = chain([start(), *skipped, after, _passed()])
    printed = Transcript(Detail())
    shown = "".join(f"{sentence.text}\n" for line in lines for sentence in printed.event(line))
    assert shown.count("stopped its step") == (6 if turns == 6 else 5)
    assert (more or "a[5]") in shown.partition("b  ")[0]
    assert (more or "a[5]") in transcript(fold(lines), Detail())
    assert transcript(fold(lines), Detail(verbose=True)).count("stopped its step") == turns


def test_a_run_whose_jobs_held_nothing_to_do_says_so_also_where_it_cleaned_up(
    start: Callable[..., RunStarted], chain: Chain, row: Callable[..., Row]
) -> None:
    job = replace(row("a"), kind="job")
    clean = row("clean", section=Section.FINALLY)
    events: list[AnyEvent] = [
        *(start(), StepStarted(row=job, t=0), StepSkipped(row=row("a/b"), reason="nothing")),
        *(_ended("a"), StepStarted(row=clean, t=0), _ended("clean"), _passed()),
    ]
    assert "  warning: no step was carried out\n" in transcript(fold(chain(events)), Detail())
    events[2:3] = [StepStarted(row=row("a/b"), t=0), _ended("a/b")]
    assert "warning" not in transcript(fold(chain(events)), Detail())


def test_a_terminal_without_signs_gets_words(story: list[AnyEvent], chain: Chain) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    page = RunPage(plain(out), Detail())
    for line in chain(story):
        page.event(line)
    output = raw.getvalue().decode("ascii")
    for mark in ("  ok      add", "  FAIL    read", "  skip    onboard", "  ERROR   sign", "  UNKNOWN cleanup"):
        assert mark in output


def test_what_an_encoding_lacks_is_escaped(one_row: Callable[..., RunResult]) -> None:
    result = one_row(warnings=("Привет",))
    assert "Привет" in transcript(result, Detail(), encoding="cp1251")
    assert "\\u041f\\u0440" in transcript(result, Detail(), encoding="cp1252")


def test_the_last_words_of_several_runs_name_those_that_did_not_pass(
    start: Callable[..., RunStarted], chain: Chain
) -> None:
    passed = fold(chain([start(job="a"), _passed()]))
    failed = fold(chain([start(job="b"), RunFinished(t=1, status=RunStatus.FAILED, exit_code=1)]))
    assert closing([passed, failed]) == (
        "warning in a@sandbox: no step was carried out\n"
        "2 runs: 1 passed, 1 failed\n  failed: b@sandbox\n  exit 1: an expectation or a process failed\n"
    )


def test_the_last_words_of_no_run_are_not_good_news() -> None:
    assert closing([]) == "0 runs: nothing ran\n  exit 5: nothing was selected, so nothing ran\n"


@pytest.mark.parametrize(
    ("is_terminal", "environ", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"CI": "true"}, False),
    ],
)
def test_only_a_terminal_is_drawn_live(*, is_terminal: bool, environ: dict[str, str], expected: bool) -> None:
    class Out(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    assert is_live(Out(), environ) is expected


def _ended(key: str) -> StepFinished:
    return StepFinished(key=key, t=0, status=Status.PASSED, seconds=0, attempts=1)
