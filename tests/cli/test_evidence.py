"""What a JSON report and the events hold as evidence, of real runs against a sandbox that fails in several ways."""

import getpass
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxes import ServedSandbox, serve_sandbox
from strict_schema import flaws

from runner.cli.main import ended
from runner.foundation.values import Json, JsonObject
from runner.json_schema.schemas import shipped
from runner.project.ci_run import user_and_host

pytestmark = pytest.mark.slow

DOUBLE = """runner: 1
process: UsrA
parameters: {X: {type: integer, direction: in}, Out: {type: integer, direction: out}}
activities:
  - fail: no such order
    if: parameters.X == 13
  - set: {Out: 7}
"""
HEAD = "runner: 1\nname: a\ntarget: here\nsteps:\n"
STEP = "  - id: a\n    execute: {process: UsrA, parameters: {X: 1}, result: Out}\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedSandbox]:
    for name in list(os.environ):
        if name.startswith(("CREATIO_", "GITHUB_", "GITLAB_", "CI_")) or name == "CI":
            monkeypatch.delenv(name)
    folder = tmp_path / "doubles"
    folder.mkdir()
    (folder / "UsrA.process.yaml").write_text(DOUBLE)
    with serve_sandbox(folder) as served:
        Path("targets.yaml").write_text(served.targets())
        yield served


def reported(steps: str, *arguments: str, exits: int = 0, rest: str = "") -> JsonObject:
    """The only run of the JSON report of a run of these steps, which fits its schema and has no key beside it."""
    Path("a.job.yaml").write_text(HEAD + steps + rest)
    assert ended(["run", "a.job.yaml", "--report-json", "report.json", *arguments]) == exits
    return only_run()


def only_run() -> JsonObject:
    whole = json.loads(Path("report.json").read_text())
    assert flaws("report", whole) == []
    (run,) = whole["runs"]
    assert isinstance(run, dict)
    return run


def step_of(run: JsonObject, place: int = 0) -> JsonObject:
    steps = run["steps"]
    assert isinstance(steps, list)
    step = steps[place]
    assert isinstance(step, dict)
    return step


def records(value: Json) -> list[JsonObject]:
    assert isinstance(value, list)
    return [one for one in value if isinstance(one, dict)]


def attempts_of(step: JsonObject) -> list[JsonObject]:
    return records(step["each_attempt"])


def call_of(attempt: JsonObject) -> JsonObject:
    call = attempt["call"]
    assert isinstance(call, dict)
    return call


def test_a_call_that_was_answered_is_in_the_report_with_request_time_and_size(site: ServedSandbox) -> None:
    run = reported(STEP)
    step = step_of(run)
    (attempt,) = attempts_of(step)
    call = call_of(attempt)
    assert call["request"] == {
        "method": "GET",
        "path": "/0/ServiceModel/ProcessEngineService.svc/UsrA/Execute",
        "query": [["ResultParameterName", "Out"], ["X", "1"]],
        "left_out": 0,
    }
    assert (call["ended"], call["status"], call["process"], call["parameters"]) == ("answered", 200, "UsrA", {"X": 1})
    assert isinstance(call["bytes"], int)
    assert isinstance(call["seconds"], float)
    assert [sign_in["kind"] for sign_in in records(call["sign_ins"])] == ["password"]
    assert (step["verified"], step["unverified"], step["effect"]) == (True, None, "once")
    assert run["access"] == {"auth": "password", "identity_url": None, "headers": []}
    assert site.starts()


@pytest.mark.parametrize(
    ("fault", "ends", "exits"),
    [
        ("status_500", ("refused", 500), 1),
        ("gateway_504", ("unanswered", 504), 0),
        ("drop_after", ("unanswered", None), 0),
        ("unauthorized", ("turned_away", 401), 0),
        ("success_but_error", ("answered", 200), 1),
        ("html", ("unanswered", 200), 0),
    ],
)
def test_a_report_of_each_kind_of_failure_fits_its_schema(
    site: ServedSandbox, fault: str, ends: tuple[str, int | None], exits: int
) -> None:
    site.set_fault(fault, "UsrA")
    call = call_of(attempts_of(step_of(reported(STEP.replace(", result: Out", ""), exits=exits)))[0])
    assert (call["ended"], call["status"]) == ends


def test_a_call_that_was_turned_away_and_of_which_the_log_shows_no_start_is_no_start_that_a_rerun_repeats(
    site: ServedSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    site.set_fault("unauthorized", "UsrA", times=9)
    step = step_of(reported(STEP, exits=3))
    assert {str(call_of(attempt)["ended"]) for attempt in attempts_of(step)} == {"turned_away"}
    assert site.starts() == []
    out = capsys.readouterr().out
    assert "carries it out once more as it was, with its inputs; nothing starts twice that must happen only once" in out


def test_the_words_of_a_refusal_are_in_the_attempt_that_got_it(site: ServedSandbox) -> None:
    site.set_fault("status_500", "UsrA", times=1)
    retry = "    effect: idempotent\n    retry: {on: [refused], max_attempts: 3, initial: 1ms}\n"
    first, second = attempts_of(step_of(reported(STEP + retry)))
    assert "The sandbox was asked to answer with a fault" in str(call_of(first)["words"])
    assert isinstance(first["error"], dict)
    assert (call_of(second)["ended"], second["error"], call_of(second)["words"]) == ("answered", None, None)


def test_a_call_that_never_left_has_no_status(site: ServedSandbox) -> None:
    Path("targets.yaml").write_text(site.targets().replace(site.url, "http://127.0.0.1:9"))
    call = call_of(attempts_of(step_of(reported(STEP, exits=3)))[0])
    assert (call["ended"], call["status"], call["bytes"], call["words"]) == ("not_sent", None, None, None)


def test_an_expectation_that_is_not_met_has_both_its_sides(site: ServedSandbox) -> None:
    run = reported(STEP + "    expect: [result == 8]\n", exits=1)
    (check,) = records(step_of(run)["checks"])
    (difference,) = records(check["differences"])
    assert (difference["expected"], difference["actual"]) == (8, 7)
    assert site.starts()


@pytest.mark.parametrize(
    ("step", "unverified"),
    [
        ("  - id: a\n    pause: 1ms\n", "nothing"),
        ("  - id: a\n    query: {entity: SysProcessLog}\n", "nothing"),
        (STEP + "    verify: none\n", "off"),
        (STEP + "    if: 1 == 2\n", None),
    ],
)
def test_a_row_says_why_nothing_proves_how_it_ended(site: ServedSandbox, step: str, unverified: str | None) -> None:
    found = step_of(reported(step))
    assert (found["verified"], found["unverified"]) == (None, unverified)
    assert site.url


CONFIRM = "  - id: sure\n    confirm: Shall we?\n"


def test_who_says_yes_to_a_question_is_in_the_report(
    site: ServedSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    run = reported(CONFIRM, "--yes")
    judged = step_of(run)["judged"]
    assert isinstance(judged, dict)
    assert judged["verdict"] == "yes"
    assert judged["by"] == {"how": "yes", "user": getpass.getuser(), "ci_user": "octocat"}
    capsys.readouterr()
    assert ended(["show", "last", "-v"]) == 0
    assert f"answer: yes, by {getpass.getuser()} (octocat in CI), with `--yes`, 20" in capsys.readouterr().out
    assert site.url


def test_who_began_a_run_and_that_its_target_was_confirmed_is_in_events_lists_and_reports(
    site: ServedSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("targets.yaml").write_text(site.targets() + "    protected: true\n")
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    by = {"user": user_and_host(), "ci_user": "octocat", "confirmed": "option"}
    assert reported(STEP, "--confirm", "here", "--report-html", "page.html")["begun_by"] == by
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    started = json.loads(events.read_text().splitlines()[0])
    assert started["begun_by"] == by
    assert flaws_of_event(started) == []
    sentence = f"begun by {user_and_host()} (octocat in CI), confirmed with `--confirm here`"
    assert (
        f"<dt>begun by</dt><dd><code>{sentence.removeprefix('begun by ')}</code></dd>" in Path("page.html").read_text()
    )
    assert sentence not in capsys.readouterr().out
    assert ended(["show", "last"]) == 0
    assert sentence in capsys.readouterr().out
    assert ended(["runs", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert flaws("runs", listed) == []
    assert listed["runs"][0]["begun_by"] == by


def test_a_run_at_a_target_that_is_not_protected_was_not_confirmed(
    site: ServedSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    by = {"user": user_and_host(), "ci_user": None, "confirmed": None}
    assert reported(STEP, "--confirm", "here")["begun_by"] == by
    assert site.starts()
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    first, *rest = map(json.loads, events.read_text().splitlines())
    capsys.readouterr()
    assert ended(["show", "last"]) == 0
    assert f"  begun by {user_and_host()}\n" in capsys.readouterr().out
    del first["begun_by"]
    events.write_text("".join(f"{json.dumps(event)}\n" for event in (first, *rest)))
    assert ended(["show", "last"]) == 1  # its chain does not hold
    assert "begun by" not in capsys.readouterr().out


def test_who_gave_a_verdict_is_in_events_report_and_transcript(
    site: ServedSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITLAB_USER_LOGIN", "ada-l")
    site.set_fault("drop_before", "UsrA")
    reported(STEP, "--hold", exits=4)
    verdict = ["--step", "a", "--as", "failed", "--report-json", "report.json"]
    assert ended(["resume", "last", *verdict]) == 1
    judged = step_of(only_run())["judged"]
    assert isinstance(judged, dict)
    assert (judged["verdict"], judged["by"]) == (
        "failed",
        {"how": "option", "user": getpass.getuser(), "ci_user": "ada-l"},
    )
    assert f"verdict: failed, by {getpass.getuser()} (ada-l in CI), with `--as`, 20" in capsys.readouterr().out
    assert ended(["show", "last"]) == 0
    assert "verdict: failed, by " in capsys.readouterr().out
    events = [json.loads(line) for line in next(Path(".runner/runs").glob("*/events.jsonl")).read_text().splitlines()]
    assert [event["by"]["how"] for event in events if "by" in event] == ["option"]
    assert not [flaw for event in events for flaw in flaws_of_event(event)]


def flaws_of_event(event: JsonObject) -> list[str]:
    return [violation.message for violation in shipped("event").violations(event)]


def test_a_schema_that_does_not_know_a_key_finds_it() -> None:
    empty: Json = {
        "format": 1,
        "tool": {"name": "creatio-runner", "version": "1", "more": 1},
        "status": "empty",
        "exit_code": 5,
        "started_at": "",
        "seconds": 0,
        "counts": dict.fromkeys(("passed", "failed", "error", "skipped", "unknown"), 0),
        "runs": [],
    }
    assert len(flaws("report", empty)) == 1
