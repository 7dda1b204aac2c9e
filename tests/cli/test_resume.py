"""Runs that broke off or are in doubt, resumed and settled, seen by what a real site was asked for."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from captured import Capture
from journals import EVENTS, PLAN, reopened
from sites import SIGNED_IN, Answer, Executes, Site, site, targets, xml

from runner.cli.main import ended
from runner.foundation.values import JsonObject, record
from runner.json_schema.schemas import shipped
from runner.project.ci_run import user_and_host
from runner.runs.files.locks import FileLock, hold
from runner.runs.files.store import FileRunStore
from runner.runs.store import Claim, Holder
from runner.sandbox.server import served
from runner.secrets.redact import Secrets

pytestmark = pytest.mark.slow

RUNNER = str(Path(sys.executable).with_name("runner"))
JOB = """runner: 1
name: billing
target: here
inputs: {token: {type: string, secret: true}, who: {type: string, default: Ann}}
defaults: {verify: none}
steps:
  - id: open
    execute: {process: UsrOpen, parameters: {Token: "{{ inputs.token }}", Who: "{{ inputs.who }}"}, result: Out}
    outputs: {number: result}
  - id: charge
    execute: {process: UsrCharge, parameters: {Number: "{{ steps.open.outputs.number }}"}}
  - id: mail
    execute: {process: UsrMail}
finally:
  - id: shut
    execute: {process: UsrShut}
"""
SECRET = "s3cret-t0ken"


@pytest.fixture(autouse=True)
def _its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", SECRET)


@pytest.fixture
def place() -> Executes:
    return Executes()


@pytest.fixture
def here(place: Executes) -> Iterator[Site]:
    with site(place) as served:
        Path("targets.yaml").write_text(targets(served.url))
        Path("a.job.yaml").write_text(JOB)
        yield served


LOST = Answer(silent=True)
"""What an answer looks like that never came."""


def folder() -> Path:
    (only,) = Path(".runner/runs").iterdir()
    return only


def events() -> list[JsonObject]:
    return [json.loads(line) for line in (folder() / EVENTS).read_text().splitlines()]


def cut_before(kind: str, key: str | None = None) -> None:
    """Let the run have broken off before its first event of this kind."""
    lines = (folder() / EVENTS).read_text().splitlines(keepends=True)
    found = next(
        number
        for number, line in enumerate(lines)
        if json.loads(line)["type"] == kind and (key is None or json.loads(line).get("key") == key)
    )
    (folder() / EVENTS).write_text("".join(lines[:found]))
    for report in ("report.json", "junit.xml"):
        (folder() / report).unlink(missing_ok=True)
    forget_rows()


def forget_rows() -> None:
    """The files of rows know more than these events: who was killed had not sent it."""
    for rows in (*Path(".runner").glob(".rows.sqlite*"), *Path(os.environ["XDG_STATE_HOME"]).rglob("rows-*.sqlite*")):
        rows.unlink()


def statuses(report: str = "report.json") -> dict[str, str]:
    (run,) = json.loads(Path(report).read_text())["runs"]
    return {step["key"]: step["status"] for step in run["steps"]}


def in_doubt(place: Executes) -> None:
    """A run that ended with `charge` in doubt."""
    place.given["UsrCharge"] = LOST
    assert ended(["run", "a.job.yaml"]) == 4
    place.given.clear()
    place.asked.clear()


def held(place: Executes) -> None:
    """A run that was held where `charge` is in doubt."""
    place.given["UsrCharge"] = LOST
    assert ended(["run", "a.job.yaml", "--hold"]) == 4
    place.given.clear()
    place.asked.clear()


def broken(place: Executes) -> None:
    """A run that broke off after `charge` was answered."""
    assert ended(["run", "a.job.yaml"]) == 0
    cut_before("step.finished", "charge")
    place.asked.clear()


def test_a_run_goes_on_where_it_broke_off_and_nothing_that_was_answered_is_sent_again(
    here: Site, place: Executes, capsys: Capture
) -> None:
    broken(place)
    assert ended(["show", "last"]) == 0
    assert f"    runner resume {folder().name}\n" in capsys.readouterr().out
    assert ended(["resume", "last", "--report-json", "report.json"]) == 0
    assert place.asked == ["UsrMail", "UsrShut"]
    assert statuses() == {"open": "passed", "charge": "passed", "mail": "passed", "shut": "passed"}
    out = capsys.readouterr().out
    assert out.startswith("resumed billing@here, ")
    assert "✓ open" not in out
    assert "✓ charge" in out
    assert here.url in out
    assert [event["type"] for event in events()].count("run.resumed") == 1


@pytest.mark.usefixtures("here")
def test_who_resumed_a_run_and_in_which_ci_job_is_in_its_events_and_transcript(
    place: Executes, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    broken(place)
    page = "https://ci.example.com/jobs/7"
    for name, value in (("GITHUB_ACTOR", "octocat"), ("CI_JOB_URL", page), ("CI_COMMIT_REF_NAME", "main")):
        monkeypatch.setenv(name, value)
    assert ended(["resume", "last"]) == 0
    (mark,) = (event for event in events() if event["type"] == "run.resumed")
    assert mark["resumed_by"] == {"user": user_and_host(), "ci_user": "octocat"}
    assert mark["ci"] == {"url": page, "ref": "main"}
    assert shipped("event").violations(mark) == ()
    capsys.readouterr()
    assert ended(["show", "last"]) == 0
    assert f"  resumed by {user_and_host()} (octocat in CI)" in capsys.readouterr().out


def test_every_report_of_a_resumed_run_is_drawn_again_from_its_events_and_its_chain_holds(
    here: Site, place: Executes
) -> None:
    broken(place)
    assert ended(["resume", "last", "--report-json", "1.json", "--report-junit", "1.xml"]) == 0
    assert ended(["report", "last", "--report-json", "2.json", "--report-junit", "2.xml"]) == 0
    assert Path("1.json").read_text() == Path("2.json").read_text() == (folder() / "report.json").read_text()
    assert Path("1.xml").read_text() == Path("2.xml").read_text()
    assert ended(["show", "last"]) == 0
    assert here.asked


def test_a_run_that_has_ended_sends_nothing_and_ends_with_its_own_code(
    here: Site, place: Executes, capsys: Capture
) -> None:
    place.given["UsrMail"] = Answer(status=500, body="<Fault><Reason>no</Reason></Fault>")
    assert ended(["run", "a.job.yaml"]) == 1
    asked = len(here.asked)
    for verb in ("resume", "reconcile"):
        assert ended([verb, "last", "--report-json", "again.json"]) == 1
        assert statuses("again.json")["mail"] == "failed"
    assert len(here.asked) == asked
    err = capsys.readouterr().err
    assert "nothing is left to do of billing@here" in err
    assert "nothing is in doubt of billing@here" in err


def test_an_unknown_outcome_is_followed_by_commands_that_do_what_they_say(
    here: Site, place: Executes, capsys: Capture
) -> None:
    in_doubt(place)
    (command,) = re.findall(r"^    runner (resume .*)$", capsys.readouterr().out, re.MULTILINE)
    assert command == f"resume {folder().name} --step charge --as passed"
    assert ended([*command.split(), "--report-json", "report.json"]) == 1
    assert place.asked == []
    assert statuses()["charge"] == "passed"
    assert here.asked


@pytest.mark.parametrize(
    ("said", "code", "asked"),
    [
        (["--as", "passed"], 0, ["UsrMail", "UsrShut"]),
        (["--as", "failed"], 1, ["UsrShut"]),
        (["--as", "retry"], 0, ["UsrCharge", "UsrMail", "UsrShut"]),
    ],
)
def test_a_held_run_goes_on_as_a_person_says(
    here: Site, place: Executes, said: list[str], *, code: int, asked: list[str]
) -> None:
    held(place)
    assert ended(["resume", "last", "--step", "charge", *said]) == code
    assert place.asked == asked
    assert here.asked


def test_a_run_whose_events_are_an_older_copy_of_what_it_has_done_since_is_not_resumed(
    here: Site, place: Executes, capsys: Capture
) -> None:
    held(place)
    shutil.copytree(".runner", "backup")
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 0
    shutil.rmtree(".runner")
    shutil.move("backup", ".runner")
    place.asked.clear()
    capsys.readouterr()
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 2
    assert (place.asked, bool(here.asked)) == ([], True)
    assert "its events are an older copy: later it has sent `mail`, which is not in them" in capsys.readouterr().err


def test_a_held_run_waits_and_says_so(here: Site, place: Executes, capsys: Capture) -> None:
    held(place)
    out = capsys.readouterr().out
    assert "  it waits here until the call in doubt is settled\n" in out
    assert "`--as retry` if it never began" in out
    assert "UsrShut" not in place.asked
    assert ended(["runs"]) == 0
    assert f"\n  runner resume {folder().name} --step charge --as passed --hold\n" in capsys.readouterr().out
    assert here.asked


def test_a_held_run_is_held_again_where_nobody_has_settled_it(here: Site, place: Executes) -> None:
    held(place)
    assert ended(["resume", "last", "--hold"]) == 4
    assert place.asked == []
    assert ended(["resume", "last"]) == 4
    assert place.asked == ["UsrShut"]
    assert here.asked


def test_reconcile_sends_nothing_but_readings_and_the_code_stays_4(here: Site, place: Executes) -> None:
    in_doubt(place)
    before = len(here.asked)
    assert ended(["reconcile", "last", "--report-json", "report.json"]) == 4
    assert place.asked == []
    assert statuses()["charge"] == "unknown"
    assert all("/Execute" not in line for line in here.asked[before:])


@pytest.mark.parametrize(
    ("said", "code", "says"),
    [
        (["--step", "chrage", "--as", "passed"], "E158", "did you mean `charge`? in doubt: `charge`"),
        (["--step", "open", "--as", "passed"], "E158", "no step `open` of"),
        (["--step", "charge"], "E150", "a verdict needs both `--step` and `--as`"),
        (["--as", "passed"], "E150", "a verdict needs both"),
        (["--result", "1"], "E150", "a verdict needs both"),
        (["--step", "charge", "--as", "retry"], "E158", "`retry` comes too late"),
        (["--step", "charge", "--as", "failed", "--result", "1"], "E158", "does not go with `--as failed`"),
        (["--step", "charge", "--as", "passed", "--result", "yes"], "E158", "`--result` is no JSON"),
        (["--step", "charge", "--as", "passed", "--result", "@no.json"], "E158", "the file `no.json` of `--result`"),
        (["--step", "charge", "--as", "passed", "--result", "NaN"], "E158", "`--result` cannot be kept"),
        (["--step", "charge", "--as", "passed", "--result", r'"\ud83d"'], "E158", "`--result` cannot be kept"),
        (["--step", "charge", "--as", "maybe"], "E150", "'maybe' is not one of"),
    ],
)
def test_a_verdict_that_cannot_be_given_is_reported_before_anything_is_done(
    here: Site, place: Executes, capsys: Capture, *, said: list[str], code: str, says: str
) -> None:
    in_doubt(place)
    before, asked = (folder() / EVENTS).read_bytes(), len(here.asked)
    assert ended(["resume", "last", *said]) == 2
    err = capsys.readouterr().err
    assert f"error[{code}]" in err
    assert says in err
    assert ((folder() / EVENTS).read_bytes(), len(here.asked)) == (before, asked)


@pytest.mark.usefixtures("here")
def test_a_verdict_on_a_step_of_which_a_part_is_in_doubt_is_answered_with_the_part(
    place: Executes, capsys: Capture
) -> None:
    Path("b.job.yaml").write_text(JOB.replace("target: here\n", ""))
    step = "  - {id: all, job: {file: b.job.yaml, inputs: {token: '{{ inputs.token }}'}}}\n"
    inputs = "inputs: {token: {type: string, secret: true}}"
    Path("a.job.yaml").write_text(f"runner: 1\nname: whole\ntarget: here\n{inputs}\nsteps:\n{step}")
    in_doubt(place)
    assert ended(["resume", "last", "--step", "all", "--as", "passed"]) == 2
    written = capsys.readouterr().err
    assert "is in doubt itself: a part of it is\n" in written
    assert "name what is in doubt: `all/charge`" in written


@pytest.mark.parametrize(
    ("outputs", "number", "lacking"),
    [
        ("result[0].Number", "{{ steps.open.outputs.number }}", "result[0].Number"),
        ("1", "{{ steps.open.result[0].Number }}", "steps.open.result[0].Number"),
    ],
)
def test_a_result_that_does_not_hold_what_the_job_takes_out_of_it_is_refused(
    here: Site, place: Executes, capsys: Capture, *, outputs: str, number: str, lacking: str
) -> None:
    job = JOB.replace("{number: result}", f"{{number: '{outputs}'}}").replace("{{ steps.open.outputs.number }}", number)
    Path("a.job.yaml").write_text(job)
    place.given["UsrOpen"] = LOST
    assert ended(["run", "a.job.yaml", "--hold"]) == 4
    place.given.clear()
    place.asked.clear()
    for result in ("42", '"[{}]"', "[]", '{"Number": 42}', "[null]", '[{"number": 42}]'):
        assert ended(["resume", "last", "--step", "open", "--as", "passed", "--result", result]) == 2
        assert f"error[E158]: the job uses `{lacking}`, which is not in that `--result`" in capsys.readouterr().err
    assert place.asked == []
    assert ended(["resume", "last", "--step", "open", "--as", "passed", "--result", '[{"Number": 42}]']) == 0
    assert [line for line in here.executes() if "UsrCharge/Execute?Number=42" in line]


def test_a_verdict_on_a_run_without_doubt_says_so(here: Site, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 2
    assert "hint: nothing of this run is in doubt; `runner runs`" in capsys.readouterr().err
    assert here.asked


def test_a_passed_that_leaves_a_needed_result_open_is_refused_and_one_with_a_result_goes_on(
    here: Site, place: Executes, capsys: Capture
) -> None:
    place.given["UsrOpen"] = LOST
    assert ended(["run", "a.job.yaml", "--hold"]) == 4
    place.given.clear()
    place.asked.clear()
    assert ended(["resume", "last", "--step", "open", "--as", "passed"]) == 2
    assert "the job needs what `open` gave, and a verdict alone does not give it" in capsys.readouterr().err
    assert place.asked == []
    Path("result.json").write_bytes(b"\xef\xbb\xbf42\r\n")
    assert ended(["resume", "last", "--step", "open", "--as", "passed", "--result", "@result.json"]) == 0
    assert [line for line in here.executes() if "UsrCharge/Execute?Number=42" in line]
    assert place.asked == ["UsrCharge", "UsrMail", "UsrShut"]


def test_job_files_that_have_changed_are_reported_and_the_run_goes_on_with_what_it_began_with(
    here: Site, place: Executes, capsys: Capture
) -> None:
    broken(place)
    Path("a.job.yaml").write_text(JOB.replace("UsrMail", "UsrOther"))
    assert ended(["resume", "last"]) == 0
    sentence = "changed since the run began: a.job.yaml; the run goes on with what it began with\n"
    assert sentence in capsys.readouterr().err
    assert place.asked == ["UsrMail", "UsrShut"]
    assert here.asked


@pytest.mark.parametrize("command", [["show", "last"], ["runs"], ["reconcile", "last"]])
def test_the_commands_that_settle_a_held_run_hold_it_again(
    here: Site, place: Executes, capsys: Capture, command: list[str]
) -> None:
    held(place)
    capsys.readouterr()
    place.given["UsrCharge"] = LOST
    assert ended(command) == (4 if command[0] == "reconcile" else 0)
    out = capsys.readouterr().out
    assert f"runner resume {folder().name} --step charge --as passed --hold\n" in out
    assert f"runner resume {folder().name} --hold\n" not in out  # no log could settle it
    assert here.asked


def test_a_job_file_that_is_gone_is_reported_and_one_that_is_as_it_was_is_not(
    here: Site, place: Executes, capsys: Capture
) -> None:
    held(place)
    capsys.readouterr()
    assert ended(["resume", "last", "--hold"]) == 4
    assert "changed since" not in capsys.readouterr().err
    Path("a.job.yaml").unlink()
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 0
    assert "changed since the run began: a.job.yaml (not found from here); the run" in capsys.readouterr().err
    assert here.asked


@pytest.mark.parametrize("verb", ["resume", "reconcile"])
def test_events_in_another_format_are_refused_with_that_as_the_reason(
    here: Site, place: Executes, capsys: Capture, verb: str
) -> None:
    held(place)
    file = folder() / EVENTS
    file.write_text(file.read_text().replace('{"v":2', '{"v":3'))
    asked = len(here.asked)
    assert ended([verb, "last"]) == 2
    err = capsys.readouterr().err
    assert f"error[E155]: the format of {file} is not 2: another version of the program wrote it" in err
    assert "use that version to show and to resume the run" in err
    assert ended(["runs"]) == 0
    assert "another version of the program wrote its events" in capsys.readouterr().out
    assert len(here.asked) == asked


@pytest.mark.parametrize("verb", ["resume", "reconcile"])
def test_events_that_were_changed_are_not_resumed(here: Site, place: Executes, capsys: Capture, verb: str) -> None:
    held(place)
    file = folder() / EVENTS
    file.write_text(file.read_text().replace('"billing"', '"filling"', 1))
    asked = len(here.asked)
    assert ended([verb, "last"]) == 2
    err = capsys.readouterr().err
    assert (
        f"error[E155]: line 2 of {file} does not match: it, or the line before it, was changed after it was written"
        in err
    )
    assert "nobody can say any more what this run did" in err
    assert len(here.asked) == asked


def test_a_run_that_broke_off_before_it_began_is_reported(here: Site, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    cut_before("run.started")
    Path(".runner/history.jsonl").unlink()  # it knows runs that have ended
    assert ended(["resume", "last"]) == 2
    assert "broke off before it began: nothing was sent" in capsys.readouterr().err
    assert here.asked


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("engine", "hint"), [("9.", "pip install creatio-runner==9."), ("", "the build of this version")]
)
def test_a_run_of_another_version_is_not_resumed(place: Executes, capsys: Capture, engine: str, hint: str) -> None:
    held(place)
    rewrite_events('"engine":"', f'"engine":"{engine}')
    rewrite_events('"replay":', '"replay":9')
    assert ended(["resume", "last"]) == 2
    err = capsys.readouterr().err
    words = r"version \S+ \(replay version 9\d+\) began this run, and version \S+ \(.*\) would carry it out otherwise"
    assert re.search(rf"E156\]: {words}", err)
    assert hint in err


@pytest.mark.usefixtures("here")
def test_a_run_of_another_version_that_carries_it_out_alike_goes_on(place: Executes) -> None:
    broken(place)
    rewrite_events('"engine":"', '"engine":"9.')
    assert ended(["resume", "last"]) == 0
    assert "UsrCharge" not in place.asked


def test_a_run_that_another_build_of_this_version_has_begun_is_refused_in_words(
    here: Site, place: Executes, capsys: Capture
) -> None:
    broken(place)
    rewrite_events('"kind":"execute","process":"Usr', '"kind":"execute","process":"Other')
    asked = len(here.asked)
    assert ended(["resume", "last"]) == 2
    err = capsys.readouterr().err
    assert re.search(
        r"error\[E156\]: the run cannot go on: line \d+ is not the call of `\w+` that this plan leads to; ", err
    )
    assert "the program that wrote its events carried it out in another way" in err
    assert "nothing was sent; resume it with the program that began it; or `runner show` says" in err
    assert len(here.asked) == asked


def rewrite_events(old: str, new: str) -> None:
    """Change the events, with a chain that holds again."""
    prev, lines = "0" * 64, []
    for written in (folder() / EVENTS).read_text().splitlines():
        line = re.sub(r'"prev":"\w+"', f'"prev":"{prev}"', written.replace(old, new))
        prev = hashlib.sha256(line.encode()).hexdigest()
        lines.append(line)
    (folder() / EVENTS).write_text("".join(f"{line}\n" for line in lines))
    (folder() / "report.json").unlink(missing_ok=True)


def test_a_secret_input_that_differs_stops_it(
    here: Site, place: Executes, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    broken(place)
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "an0ther-one")
    assert ended(["resume", "last"]) == 2
    err = capsys.readouterr().err
    assert "error[E157]: secret `inputs.token` is not what the run began with" in err
    assert "`-i token=@FILE` or in $CREATIO_RUNNER_INPUT_TOKEN; nothing was sent" in err
    assert "an0ther-one" not in err
    assert place.asked == []
    Path("token").write_text(SECRET)
    assert ended(["resume", "last", "-i", "token=@token"]) == 0
    assert here.asked


def test_a_secret_that_is_missing_and_an_input_that_is_fixed_are_reported(
    here: Site, place: Executes, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    broken(place)
    assert ended(["resume", "last", "-i", "who=Bob"]) == 2
    assert "input `who` is fixed by the run, with another value: only secrets are given anew" in capsys.readouterr().err
    monkeypatch.delenv("CREATIO_RUNNER_INPUT_TOKEN")
    assert ended(["resume", "last"]) == 2
    assert "E130" in capsys.readouterr().err
    assert place.asked == []
    assert here.asked


def test_a_credential_may_be_a_new_one_unless_an_answer_holds_the_one_of_before(
    here: Site, place: Executes, capsys: Capture
) -> None:
    place.given["UsrOpen"] = xml("you are pa55-w0rd")
    broken(place)
    sentence = Path("targets.yaml").read_text()
    Path("targets.yaml").write_text(sentence.replace("pa55-w0rd", "n3w-passw0rd"))
    assert ended(["resume", "last"]) == 2
    assert "error[E157]: secret `target." in capsys.readouterr().err
    assert place.asked == []
    Path("targets.yaml").write_text(sentence)
    assert ended(["resume", "last"]) == 0
    assert here.asked


@pytest.mark.parametrize("quoted", ["pa55-w0rd", "BPMLOADER=web-node-1"], ids=["password", "cookie"])
def test_a_run_goes_on_without_a_secret_that_only_the_words_of_a_failure_held(
    here: Site, place: Executes, quoted: str
) -> None:
    """As those of a page that quotes the request with its cookies, which end with the session."""
    here.sign_in = replace(SIGNED_IN, headers=(*SIGNED_IN.headers[1:], ("Set-Cookie", "BPMLOADER=web-node-1; path=/")))
    Path("a.job.yaml").write_text(JOB.replace("  - id: mail\n", "    on_failure: continue\n  - id: mail\n"))
    place.given["UsrCharge"] = Answer(status=403, body=json.dumps({"Message": f"not with {quoted}"}))
    assert ended(["run", "a.job.yaml"]) == 1
    cut_before("step.finished", "mail")
    place.asked.clear()
    Path("targets.yaml").write_text(Path("targets.yaml").read_text().replace("pa55-w0rd", "n3w-passw0rd"))
    assert ended(["resume", "last"]) == 1
    assert place.asked == ["UsrShut"]
    assert quoted not in (folder() / EVENTS).read_text()


def test_a_new_password_that_no_answer_needs_is_fine(here: Site, place: Executes) -> None:
    broken(place)
    Path("targets.yaml").write_text(Path("targets.yaml").read_text().replace("pa55-w0rd", "n3w-passw0rd"))
    assert ended(["resume", "last"]) == 0
    assert place.asked == ["UsrMail", "UsrShut"]
    assert here.asked


def test_another_place_under_the_same_name_is_not_gone_to(here: Site, place: Executes, capsys: Capture) -> None:
    broken(place)
    Path("targets.yaml").write_text(targets("https://elsewhere.example.com"))
    assert ended(["resume", "last"]) == 2
    assert f"target `here` was {here.url} when the run began, and is another place now" in capsys.readouterr().err
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  here: {sandbox: doubles}\n")
    Path("doubles").mkdir()
    assert ended(["resume", "last"]) == 2
    assert "is another place now" in capsys.readouterr().err
    assert place.asked == []


@pytest.mark.parametrize("content", [None, "", "{", '{"format": 1}'])
def test_a_plan_that_is_lost_or_torn_is_reported(
    here: Site, place: Executes, capsys: Capture, content: str | None
) -> None:
    broken(place)
    (folder() / PLAN).unlink()
    if content is not None:
        (folder() / PLAN).write_text(content)
    assert ended(["resume", "last"]) == 2
    assert "error[E156]: the run's plan cannot be used" in capsys.readouterr().err
    assert place.asked == []
    assert here.asked


def test_a_plan_that_was_changed_is_not_resumed(here: Site, place: Executes, capsys: Capture) -> None:
    broken(place)
    (folder() / PLAN).write_text((folder() / PLAN).read_text().replace("UsrMail", "UsrOther"))
    assert ended(["resume", "last"]) == 2
    assert "the run's plan does not fit its digest" in capsys.readouterr().err
    assert place.asked == []
    assert here.asked


def test_guards_and_questions_are_asked_anew_for_a_resume_and_not_for_a_reconcile(here: Site, place: Executes) -> None:
    in_doubt(place)
    Path("targets.yaml").write_text(targets(here.url) + "    protected: true\n")
    assert ended(["resume", "last"]) == 6
    assert ended(["reconcile", "last"]) == 4
    assert ended(["resume", "last", "--confirm", "here"]) == 4
    assert place.asked == []


def test_a_secret_step_lets_no_resume_past_it(here: Site, place: Executes, capsys: Capture) -> None:
    Path("a.job.yaml").write_text(
        JOB.replace("    outputs: {number: result}\n", "    outputs: {number: result}\n    secret: true\n")
    )
    broken(place)
    asked = len(here.asked)
    assert ended(["resume", "last"]) == 2
    err = capsys.readouterr().err
    assert "error[E156]: the run cannot go on: step `open` is marked `secret`" in err
    assert "nothing was sent" in err
    assert len(here.asked) == asked


SECRET_STEP = JOB.replace("    outputs: {number: result}\n", "    outputs: {number: result}\n    secret: true\n")


def test_a_run_that_cannot_be_resumed_names_a_command_that_works(here: Site, place: Executes, capsys: Capture) -> None:
    Path("a.job.yaml").write_text(SECRET_STEP)
    broken(place)
    capsys.readouterr()
    command = "runner run a.job.yaml -t here -i who=Ann"
    why = "this run cannot be resumed: what `open` gave was secret, and is not stored"
    for words in (["show", "last"], ["runs"]):
        assert ended(words) in (0, 3, 4)
        printed = capsys.readouterr().out
        assert f"  {command}\n" in printed
        assert why in printed
        assert "runner resume" not in printed
        assert "runner reconcile" not in printed
    assert ended(["rerun", "last"]) != 0
    refusal = capsys.readouterr().err
    assert f"`{command}` begins another run of the job, which starts all of its steps again" in refusal
    assert "settle it first" not in refusal
    assert ended(command.split()[1:]) == 0
    assert here.asked


def test_where_nothing_may_need_a_secret_answer_a_resume_comes_first(
    here: Site, place: Executes, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(SECRET_STEP.replace("    secret: true", "    secret: true\n    effect: idempotent"))
    broken(place)
    capsys.readouterr()
    ended(["show", "last"])
    printed = capsys.readouterr().out
    assert printed.index("runner resume ") < printed.index("runner run a.job.yaml -t here")
    assert "`resume` may be refused: what `open` gave was secret, and is not stored" in printed
    assert here.asked


@contextmanager
def written_elsewhere() -> Iterator[None]:
    """Another process writes the run's events."""
    code = (
        "import sys, time; from pathlib import Path; from runner.runs.files.store import FileRunStore; "
        "log = FileRunStore(Path(sys.argv[1]).parent).reopen(Path(sys.argv[1]).name); "
        "print('held', flush=True); time.sleep(30)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(folder())], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        yield
    finally:
        other.kill()
        other.wait()
        assert other.stdout is not None
        other.stdout.close()


def test_a_run_that_is_still_running_is_left_alone_and_said_to_be(here: Site, place: Executes, capsys: Capture) -> None:
    broken(place)
    with written_elsewhere():
        assert ended(["resume", "last"]) == 6
        assert f"run {folder().name} is under way: another process is writing its events" in capsys.readouterr().err
        assert ended(["show", "last"]) == 0
        assert "still going on: billing@here, now at charge\n" in capsys.readouterr().out
        assert ended(["runs"]) == 0
        assert capsys.readouterr().out.splitlines()[1].startswith("running  ")
        assert ended(["report", "last", "--report-md", "-"]) == 2
        assert "is under way\n   = hint: wait until it has ended; `runner show" in capsys.readouterr().err
    assert ended(["resume", "last"]) == 0
    assert here.asked


class AsSoonAsItIsRead(StringIO):
    """A standard input: as soon as it is read, `happens` begins."""

    def __init__(self, text: str, happens: Callable[[], object]) -> None:
        super().__init__(text)
        self._happens = happens

    def read(self, size: int | None = -1, /) -> str:
        self._happens()
        return super().read(size)


def test_the_later_of_two_commands_that_resume_a_run_at_once_is_refused(
    here: Site, place: Executes, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The later has read the run while nobody wrote it; the other is quicker, while this one reads its secret."""
    place.given["UsrCharge"] = LOST
    assert ended(["run", "a.job.yaml"]) == 4
    asked = len(here.asked)
    for verb in ("resume", "reconcile"):
        with ExitStack() as until_the_end:
            other = partial(until_the_end.enter_context, written_elsewhere())
            monkeypatch.setattr("sys.stdin", AsSoonAsItIsRead(SECRET, other))
            assert ended([verb, "last", "-i", "token=@-"]) == 6
        err = capsys.readouterr().err
        assert f"error[E156]: run {folder().name} is under way: another process is writing its events\n" in err
        assert "nothing was sent" in err
        assert "fault" not in err
    assert len(here.asked) == asked


def test_a_run_is_resumed_by_the_beginning_of_its_id_from_the_folder_that_is_named(here: Site, place: Executes) -> None:
    place.given["UsrCharge"] = LOST
    assert ended(["run", "a.job.yaml", "--hold", "--runs", "kept"]) == 4
    (run,) = (path for path in Path("kept").iterdir() if path.is_dir())
    place.asked.clear()
    assert ended(["resume", run.name[:12], "--runs", "kept", "--step", "charge", "--as", "passed"]) == 0
    assert place.asked == ["UsrMail", "UsrShut"]
    assert here.asked


def test_a_sandbox_of_the_runners_own_is_a_place_to_go_on_at_whatever_port_it_has() -> None:
    assert ended(["init", "."]) == 0
    assert ended(["run", "hello.job.yaml"]) == 0
    cut_before("run.closing")
    assert ended(["resume", "last"]) == 0


def test_a_job_file_that_holds_a_secret_itself_is_resumed(here: Site, place: Executes) -> None:
    Path("a.job.yaml").write_text(JOB.replace("UsrMail}", f"UsrMail, parameters: {{Known: {SECRET}}}}}"))
    broken(place)
    assert SECRET not in (folder() / PLAN).read_text()
    assert ended(["resume", "last"]) == 0
    assert [line for line in here.executes() if line.endswith(f"UsrMail/Execute?Known={SECRET}")]
    assert place.asked == ["UsrMail", "UsrShut"]


def test_a_resume_waits_for_the_lock_of_its_job_and_a_reconcile_needs_none(
    here: Site, place: Executes, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(JOB + "concurrency: billing\n")
    held(place)
    claim = Claim(name="billing", site=here.url)
    holder = Holder(pid=1, run="", job="nightly@here", since="2026-01-31T09:00:00.000Z", command="runner run nightly")
    lock = hold(claim, holder, folder=Path("state/creatio-runner/locks").absolute(), wait=lambda _seconds: False)
    assert isinstance(lock, FileLock)
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 6
    err = capsys.readouterr().err
    assert f"lock `billing` of {here.url} is held by `nightly@here` (process 1) since 2026-01-31 09:00:00 UTC" in err
    assert ended(["reconcile", "last"]) == 4
    assert place.asked == []
    lock.release()
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 0
    assert place.asked == ["UsrMail", "UsrShut"]


def test_a_catalogue_that_has_changed_since_stops_no_run_that_has_begun(stand_in: str, tmp_path: Path) -> None:
    shutil.copytree(DOUBLES, tmp_path / "doubles")
    Path("targets.yaml").write_text("runner: 1\ntargets:\n  here: {sandbox: doubles}\n")
    assert ended(["run", "a.job.yaml"]) == 0
    cut_before("run.closing")
    (tmp_path / "doubles" / "UsrAddNewExternalContact.process.yaml").unlink()
    assert ended(["validate", "a.job.yaml"]) == 2
    assert ended(["resume", "last"]) == 0
    assert stand_in


def test_a_run_that_is_under_way_is_not_pruned_though_it_has_ended_before(here: Site, place: Executes) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    folder().rename(folder().with_name("0190" + folder().name[4:]))  # as if it had begun in 2024
    journal = reopened(folder(), Secrets(), now=str)
    assert ended(["runs", "--prune", "30d"]) == 0
    assert folder().is_dir()
    journal.close()
    assert ended(["runs", "--prune", "30d"]) == 0
    assert list(Path(".runner/runs").iterdir()) == []
    assert (here.asked, place.asked) != ([], [])


DOUBLES = Path(__file__).parents[2] / "specs" / "sandbox"
AGAINST_A_LOG = """runner: 1
name: adding
target: here
steps:
  - id: add
    execute: {process: UsrAddNewExternalContact, parameters: {ContactName: Ann, ContactPhone: "1"}}
"""


@pytest.fixture
def stand_in() -> Iterator[str]:
    """A site with a process log, which goes on between commands."""
    with served(DOUBLES) as url:
        sentence = targets(url).replace("integration", "Supervisor").replace("pa55-w0rd", "Supervisor")
        Path("targets.yaml").write_text(sentence + "    settle: 1s\n")
        Path("a.job.yaml").write_text(AGAINST_A_LOG)
        yield url


def cut_behind_the_start() -> None:
    """Let the run have broken off between a call that must not happen twice and its answer."""
    lines = (folder() / EVENTS).read_text().splitlines(keepends=True)
    sent = next(number for number, line in enumerate(lines) if json.loads(line).get("effect") == "once")
    (folder() / EVENTS).write_text("".join(lines[: sent + 1]))
    (folder() / "report.json").unlink()
    forget_rows()


@pytest.mark.parametrize("verb", ["resume", "reconcile"])
def test_a_call_that_left_before_the_break_is_settled_by_the_process_log(
    stand_in: str, capsys: Capture, verb: str
) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    cut_behind_the_start()
    assert ended([verb, "last", "--report-json", "report.json"]) == 0
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    (step,) = run["steps"]
    assert (step["status"], step["verified"]) == ("passed", "inferred")
    assert "settled from the process log" in capsys.readouterr().out
    assert stand_in


def has_begun_once() -> bool:
    query = "query: {entity: Contact, filter: \"Name eq 'Ann'\"}\n    expect: [result | length == 1]\n"
    Path("count.job.yaml").write_text(f"runner: 1\nname: count\ntarget: here\nsteps:\n  - id: all\n    {query}")
    return ended(["run", "count.job.yaml", "--runs", "others"]) == 0


def stored_start_of_add(url: str, *, cut_before: str) -> None:
    """Let the run have broken off before this call of `add`, whose start had been stored."""
    lines = (folder() / EVENTS).read_text().splitlines(keepends=True)
    kinds = [record(json.loads(line).get("call")).get("kind") for line in lines]
    (folder() / EVENTS).write_text("".join(lines[: kinds.index(cut_before)]))
    (folder() / "report.json").unlink()
    forget_rows()
    rows = FileRunStore(Path(".runner/runs")).owned_rows(folder().name, site=url, settle=1.0)
    rows.begin("add", "UsrAddNewExternalContact", seconds=100.0)


def test_a_call_is_in_doubt_whose_start_was_stored_last_before_the_break(stand_in: str, capsys: Capture) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    stored_start_of_add(stand_in, cut_before="execute")
    assert ended(["resume", "last", "--report-json", "report.json"]) == 0
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    (step,) = run["steps"]
    assert (step["status"], step["verified"]) == ("passed", "inferred")
    assert "the run broke off before the call was answered" in capsys.readouterr().out
    cut_before("step.finished")
    assert ended(["resume", "last"]) == 0
    assert has_begun_once()


def test_a_call_is_in_doubt_whose_start_is_stored_though_the_readings_before_it_are_lost(
    stand_in: str, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    stored_start_of_add(stand_in, cut_before="read_rows")
    assert ended(["resume", "last"]) == 4
    assert "in doubt: add may or may not have happened" in capsys.readouterr().out
    assert ended(["resume", "last", "--step", "add", "--as", "passed"]) == 0
    assert has_begun_once()


def test_a_verdict_that_the_process_log_has_made_needless_is_said_not_to_have_been_used(
    stand_in: str, capsys: Capture
) -> None:
    assert ended(["run", "a.job.yaml"]) == 0
    cut_behind_the_start()
    assert ended(["resume", "last", "--step", "add", "--as", "failed"]) == 0
    assert "the verdict on `add` was not used: it is passed\n" in capsys.readouterr().err
    assert stand_in


def test_what_is_reconciled_before_the_turning_point_is_resumed_by_resume(stand_in: str, capsys: Capture) -> None:
    Path("a.job.yaml").write_text(AGAINST_A_LOG + "  - id: all\n    execute: {process: UsrGetAllContacts}\n")
    assert ended(["run", "a.job.yaml"]) == 0
    cut_behind_the_start()
    assert ended(["reconcile", "last"]) == 3
    assert f"    runner resume {folder().name}\n" in capsys.readouterr().out
    assert ended(["resume", "last"]) == 0
    assert stand_in


def test_a_password_that_is_refused_leaves_the_run_as_it_was(here: Site, place: Executes, capsys: Capture) -> None:
    broken(place)
    events = next(Path(".runner/runs").glob(f"*/{EVENTS}"))
    before = events.read_bytes()
    place.asked.clear()
    let_in, here.sign_in = here.sign_in, Answer(status=401)
    assert ended(["resume", "last"]) in (3, 4)
    assert "the run is as it was: resume it again" in capsys.readouterr().err
    assert (events.read_bytes(), place.asked) == (before, [])
    here.sign_in = let_in
    assert ended(["resume", "last"]) == 0


def test_a_run_that_has_ended_is_settled_without_a_yes_to_its_questions(here: Site, place: Executes) -> None:
    Path("a.job.yaml").write_text(JOB.replace("steps:\n", "steps:\n  - confirm: Sure?\n"))
    place.given["UsrCharge"] = LOST
    assert ended(["run", "a.job.yaml", "--yes"]) == 4
    assert ended(["resume", "last", "--step", "charge", "--as", "passed"]) == 1
    assert place.asked.count("UsrCharge") == 1
    assert here.executes()


def test_a_run_that_broke_off_at_a_question_is_left_as_it_is_where_nobody_can_answer_it(
    here: Site, capsys: Capture
) -> None:
    Path("a.job.yaml").write_text(JOB + "  - confirm: Sure?\n")
    assert ended(["run", "a.job.yaml", "--yes"]) == 0
    events = folder() / "events.jsonl"
    lines = events.read_text().splitlines(keepends=True)
    begun = next(number for number, line in enumerate(lines) if '"kind":"confirm"' in line)
    events.write_text("".join(lines[: begun + 1]))
    (folder() / "report.json").unlink()
    capsys.readouterr()
    assert ended(["resume", "last"]) == 6
    assert "E162" in capsys.readouterr().err
    assert events.read_text() == "".join(lines[: begun + 1])
    assert ended(["show", "last"]) == 0
    shown = capsys.readouterr().out
    assert "E312: the question is not answered yet\n" in shown
    assert "it waits for the answer to a question; what comes after it is not done yet\n" in shown
    assert "asks the question again, and goes on; calls that were answered are not sent again" in shown
    assert "broke off" not in shown
    assert ended(["runs"]) == 0
    assert "waits for an answer at " in capsys.readouterr().out
    assert ended(["resume", "last", "--yes"]) == 0
    assert here.executes()


@pytest.mark.parametrize("more", ["", "  - confirm: And now?\n"])
def test_a_question_that_was_answered_needs_no_second_yes_and_printed_commands_have_that_of_the_first(
    here: Site, place: Executes, capsys: Capture, more: str
) -> None:
    Path("a.job.yaml").write_text(JOB.replace("steps:\n", "steps:\n  - confirm: Sure?\n") + more)
    place.given["UsrCharge"] = LOST
    assert ended(["run", "a.job.yaml", "--yes", "--hold"]) == 4
    run = folder().name
    assert f"    runner resume {run} --yes --step charge --as passed --hold\n" in capsys.readouterr().out
    place.given.clear()
    settled = ["resume", run, "--step", "charge", "--as", "passed"]
    if more:
        assert ended(settled) == 6
        assert capsys.readouterr().err.count("E162") == 1, "the first question was answered"
        assert ended([*settled, "--yes"]) == 0
    else:
        assert ended(settled) == 0
    assert len(here.executes()) == 4
