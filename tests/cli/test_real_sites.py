"""`runner run` against a site over a real socket: what goes wrong there, and what a person reads of it."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
from captured import Capture
from sites import NOTHING, REFUSED, Answer, Site, library, site, targets, xml

from runner.cli.main import VERBS, ended, load
from runner.foundation.values import JsonObject

pytestmark = pytest.mark.slow

RUNNER = Path(sys.executable).with_name("runner")
READ = """runner: 1
name: reading
target: here
defaults: {retry: {max_attempts: 1, on: [not_sent]}}
steps:
  - id: read
    execute: {process: UsrRead, result: Out}
    effect: read
"""
ONCE = READ.replace("    effect: read\n", "")


def run(place: Site, job: str, *options: str) -> int:
    Path("targets.yaml").write_text(targets(place.url))
    Path("a.job.yaml").write_text(job)
    return ended(["run", "a.job.yaml", "--report-json", "report.json", *options])


def first_step_reported() -> JsonObject:
    report = json.loads(Path("report.json").read_text())
    step: JsonObject = report["runs"][0]["steps"][0]
    return step


def execute_gives(answer: Answer) -> Callable[[str, str], Answer]:
    return lambda _method, path: answer if "/Execute" in path else NOTHING


def test_a_site_without_a_process_log_passes_with_a_warning(capsys: Capture) -> None:
    with site(execute_gives(xml([{"Id": "1"}]))) as here:
        assert run(here, READ) == 0
    assert "not verified" in capsys.readouterr().out
    assert first_step_reported()["verified"] is None


def test_both_runtimes_are_called_at_their_own_prefix() -> None:
    with site(execute_gives(xml(1))) as here:
        assert run(here, READ) == 0
        assert here.executes() == [
            "GET /0/ServiceModel/ProcessEngineService.svc/UsrRead/Execute?ResultParameterName=Out"
        ]
        here.asked.clear()
        Path("targets.yaml").write_text(targets(here.url).replace("    auth", "    runtime: net\n    auth"))
        assert ended(["run", "a.job.yaml"]) == 0
        assert here.executes() == ["GET /ServiceModel/ProcessEngineService.svc/UsrRead/Execute?ResultParameterName=Out"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=502, body="<html><title>Bad Gateway</title></html>", kind="text/html"), "502"),
        (Answer(status=504), "504"),
        (Answer(body="<html><title>Maintenance</title></html>", kind="text/html"), "Maintenance"),
        (Answer(body='<string xmlns="x">[{"Id":</string>', kind="application/xml"), "no sense"),
        (Answer(body='<string xmlns="x">1</str', kind="application/xml"), "no sense"),
        (Answer(body='<string xmlns="x">1</string>', kind="application/xml", cut=True), "broke"),
        (Answer(silent=True), "broke"),
    ],
    ids=["502", "504", "html", "half JSON", "half XML", "cut off", "closed"],
)
def test_no_usable_answer_is_exit_3_for_a_read_and_4_for_a_once_call(
    answer: Answer, says: str, capsys: Capture
) -> None:
    with site(execute_gives(answer)) as here:
        assert run(here, READ) == 3
        assert says in capsys.readouterr().out
        assert run(here, ONCE) == 4
        assert len(here.executes()) == 2
    assert "may or may not" in capsys.readouterr().out


def test_nobody_listening_is_exit_3_and_the_sentence_names_the_place(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        pass
    assert run(here, ONCE) == 3
    out = capsys.readouterr().out
    assert here.url.removeprefix("http://") in out
    assert "E301" in out


@contextlib.contextmanager
def deaf_site(*, accepts: bool) -> Iterator[str]:
    """The URL of a site that never answers, or never accepts a connection, since all places in its queue are taken."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=50 if accepts else 0) as deaf,
        contextlib.ExitStack() as waiting,
    ):
        for _ in range(0 if accepts else 4):
            line = waiting.enter_context(socket.socket())
            line.settimeout(0)
            line.connect_ex(deaf.getsockname())
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="Windows refuses where others keep waiting")
@pytest.mark.parametrize("where", ["step", "target"])
@pytest.mark.parametrize(("accepts", "code"), [(False, "E301"), (True, "E305")])
def test_one_timeout_bounds_all_tries_of_an_attempt_and_the_sign_in(*, accepts: bool, code: str, where: str) -> None:
    """Three tries, which is what a call that never left gets, would take three times as long, and the pauses."""
    with deaf_site(accepts=accepts) as url:
        Path("targets.yaml").write_text(targets(url) + ("    timeout: 600ms\n" if where == "target" else ""))
        job = ONCE.replace("defaults: {retry: {max_attempts: 1, on: [not_sent]}}\n", "")
        Path("a.job.yaml").write_text(job + ("    timeout: 600ms\n" if where == "step" else ""))
        assert ended(["run", "a.job.yaml", "--report-json", "report.json"]) == 3
    step = first_step_reported()
    error = step["error"]
    assert isinstance(error, dict)
    assert (step["status"], step["attempts"], error["code"]) == ("error", 1, code)
    assert "within 600 ms" in str(error["message"])


def test_a_refused_sign_in_is_exit_3_and_is_not_tried_again(capsys: Capture) -> None:
    with site(execute_gives(xml(1)), sign_in=REFUSED) as here:
        job = ONCE + "  - id: again\n    execute: {process: UsrRead}\n    if: always()\n"
        assert run(here, job) == 3
        assert len(here.asked) == 1
    assert "Wrong name or password" in capsys.readouterr().out


def without_rows(path: str) -> Answer:
    """A site whose process log can be read, and shows nothing."""
    if "/VwProcessLib" in path:
        return library("UsrRead")
    return Answer(body='{"value": []}') if "/SysProcessLog" in path else NOTHING


def test_a_lost_session_is_mended_once_and_the_call_sent_again() -> None:
    answers = [Answer(status=302, headers=(("Location", "/Login/NuiLogin.aspx"),)), xml("found")]
    with site(lambda _method, path: answers.pop(0) if "/Execute" in path else without_rows(path)) as here:
        assert run(here, ONCE) == 0
        assert len([line for line in here.asked if "AuthService" in line]) == 2
        assert len(here.executes()) == 2


def test_a_login_page_in_place_of_every_answer_is_exit_3_and_never_a_result(capsys: Capture) -> None:
    page = Answer(body='<html><form action="/Login/NuiLogin.aspx"></form></html>', kind="text/html")
    with site(lambda _method, path: page if "/Execute" in path else without_rows(path)) as here:
        assert run(here, ONCE) == 3
    assert "E304" in capsys.readouterr().out


def test_a_refusal_is_exit_1_with_the_services_own_words(capsys: Capture) -> None:
    fault = '<Fault><Reason><Text>Process "UsrRead" was not found</Text></Reason></Fault>'
    with site(execute_gives(Answer(status=500, body=fault, kind="application/xml"))) as here:
        assert run(here, ONCE) == 1
    assert "was not found" in capsys.readouterr().out


def test_control_characters_of_the_service_never_reach_the_terminal(capsys: Capture) -> None:
    nasty = "\x1b[31mred\x07 \u202egnirts"
    job = READ + "    expect: [result == 1]\n    outputs: {x: result}\noutputs: {x: '1'}\n"
    with site(execute_gives(xml(nasty))) as here:
        assert run(here, job) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "gnirts" in out


def test_no_secret_reaches_the_screen_the_reports_or_the_runs_folder(capsys: Capture) -> None:
    secret = "t0p&s3cret/ключ"
    job = (
        READ.replace("effect: read", "effect: read\n    expect: [result == 1]").replace(
            "Out}", 'Out, parameters: {Token: "{{ inputs.token }}", Half: "{{ inputs.token | b64encode }}"}}'
        )
        + "inputs: {token: {type: string, secret: true}}\n"
    )
    Path("secret.txt").write_text(secret + "\n")
    with site(execute_gives(xml(f"you sent {secret}"))) as here:
        options = ["-i", "token=@secret.txt", "--report-junit", "junit.xml", "--report-jsonl", "events.jsonl", "-v"]
        assert run(here, job, *options) == 1
        assert secret in here.executes()[0]
    Path("secret.txt").unlink()
    captured = capsys.readouterr()
    texts = [captured.out, captured.err]
    texts += [
        path.read_text(errors="replace") for path in Path().rglob("*") if path.is_file() and path.name != "targets.yaml"
    ]
    for text in texts:
        for spelled in (secret, "t0p&s3cret", "dDBwJnMzY3", "t0p%26s3cret", "t0p&amp;s3cret", "pa55-w0rd"):
            assert spelled not in text


def test_a_secret_on_the_command_line_is_refused_before_anything_is_sent(capsys: Capture) -> None:
    job = READ + "inputs: {token: {type: string, secret: true}}\n"
    with site(execute_gives(xml(1))) as here:
        assert run(here, job, "-i", "token=abcdefgh") == 2
        assert here.asked == []
    captured = capsys.readouterr()
    assert "abcdefgh" not in captured.err
    assert "E133" in captured.err


def test_one_invalid_file_and_nothing_is_sent() -> None:
    Path("b.job.yaml").write_text("runner: 1\nname: b\ntarget: here\nsteps: []\n")
    with site(execute_gives(xml(1))) as here:
        Path("targets.yaml").write_text(targets(here.url))
        Path("a.job.yaml").write_text(READ)
        assert ended(["run", "."]) == 2
        assert here.asked == []
    assert not Path(".runner").exists()


def test_a_runs_folder_that_cannot_be_written_is_exit_2_and_nothing_is_sent(capsys: Capture) -> None:
    Path("file").write_text("")
    with site(execute_gives(xml(1))) as here:
        assert run(here, READ, "--runs", "file/runs") == 2
        assert here.asked == []
    assert "E151" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_is_reported_before_anything_is_sent() -> None:
    Path("no").touch()
    with site(execute_gives(xml(1))) as here:
        assert run(here, READ, "--report-junit", "no/folder/junit.xml") == 2
        assert here.asked == []


def test_a_report_in_a_folder_that_is_read_only_is_reported_before_anything_is_sent(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "folder")  # root may write everywhere
    Path("folder").mkdir()
    with site(execute_gives(xml(1))) as here:
        assert run(here, READ, "--report-junit", "folder/junit.xml") == 2
        assert here.asked == []
        assert run(here, READ, "--report-junit", "junit.xml") == 0
    assert "the report folder/junit.xml cannot be written: it is read-only, or its folder is" in capsys.readouterr().err


def test_a_missing_variable_of_the_target_is_exit_2_and_names_it(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        Path("targets.yaml").write_text(targets(here.url).replace("pa55-w0rd", '"{{ env.NOT_SET }}"'))
        Path("a.job.yaml").write_text(READ)
        assert ended(["run", "a.job.yaml"]) == 2
        assert here.asked == []
    assert "NOT_SET" in capsys.readouterr().err


def test_the_reports_are_drawn_again_from_the_events_alone() -> None:
    with site(execute_gives(xml(1))) as here:
        assert run(here, READ, "--report-junit", "junit.xml", "--report-jsonl", "events.jsonl") == 0
    again = ["--report-json", "r2.json", "--report-junit", "j2.xml", "--report-jsonl", "e2.jsonl"]
    assert ended(["report", "last", *again]) == 0
    for first, second in (("report.json", "r2.json"), ("junit.xml", "j2.xml"), ("events.jsonl", "e2.jsonl")):
        assert Path(first).read_text() == Path(second).read_text()
    assert ET.fromstring(Path("junit.xml").read_text()).tag == "testsuites"


def test_a_report_on_stdout_is_alone_there(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        Path("targets.yaml").write_text(targets(here.url))
        Path("a.job.yaml").write_text(READ)
        assert ended(["run", "a.job.yaml", "--report-json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["status"] == "passed"
    assert "passed: reading" in captured.err


def test_show_says_that_a_line_was_changed(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        run(here, READ)
    assert ended(["show", "last"]) == 0
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    events.write_text(re.sub('"reading"', '"other"', events.read_text(), count=1))
    assert ended(["show", "last"]) == 1
    assert "line 2" in capsys.readouterr().out


def test_a_change_of_the_last_line_shows_by_the_runs_own_report(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        run(here, READ + "outputs: {x: '1'}\n")
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    events.write_text(events.read_text().replace('"outputs":{"x":1}', '"outputs":{"x":2}'))
    assert ended(["show", "last"]) == 1
    assert ended(["report", "last", "--report-json", "again.json"]) == 1
    assert "does not match" in capsys.readouterr().err


def test_runs_are_listed_and_found_by_the_beginning_of_their_id(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        run(here, READ)
        run(here, READ)
    ids = sorted(folder.name for folder in Path(".runner/runs").iterdir())
    capsys.readouterr()
    assert ended(["runs"]) == 0
    listed = capsys.readouterr().out
    assert listed.index(ids[1]) < listed.index(ids[0])
    assert ended(["show", ids[0]]) == 0
    assert ended(["show", "nope"]) == 2
    assert ended(["show", ids[0][:1]]) == 2


def test_every_option_has_a_twin_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with site(execute_gives(xml(1))) as here:
        Path("t.yaml").write_text(targets(here.url))
        Path("a.job.yaml").write_text(READ)
        monkeypatch.setenv("CREATIO_RUNNER_TARGETS", "t.yaml")
        monkeypatch.setenv("CREATIO_RUNNER_RUNS", "kept")
        monkeypatch.setenv("CREATIO_RUNNER_REPORT_JSON", "env.json")
        assert ended(["run", "a.job.yaml"]) == 0
    assert Path("kept").is_dir()
    assert Path("kept/.gitignore").read_text().endswith("*\n")
    assert Path("env.json").exists()


@pytest.mark.slow
def test_a_reader_that_goes_away_does_not_end_a_run() -> None:
    job = ONCE + "  - id: b\n    execute: {process: UsrB}\nfinally:\n  - id: f\n    execute: {process: UsrF}\n"
    with site(execute_gives(xml(1))) as here:
        Path("targets.yaml").write_text(targets(here.url))
        Path("a.job.yaml").write_text(job)
        reading, writing = os.pipe()
        os.close(reading)
        command = [str(RUNNER), "run", "a.job.yaml"]
        ended_with = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=300)
        os.close(writing)
        assert len(here.executes()) == 3
    assert (ended_with.returncode, b"stdout" in ended_with.stderr) == (0, False)


@pytest.mark.slow
def test_a_command_without_any_output_still_reports_the_truth_by_its_code() -> None:
    with site(execute_gives(Answer(status=500, body="<Fault><Reason>no</Reason></Fault>"))) as here:
        Path("targets.yaml").write_text(targets(here.url))
        Path("a.job.yaml").write_text(ONCE)
        closed = subprocess.run(f"{RUNNER} run a.job.yaml >&- 2>&-", shell=True, check=False, timeout=300)
    assert closed.returncode == 1


@pytest.mark.parametrize("arguments", [["run", ""], ["run", "a.job.yaml", "-t", ""], []])
def test_an_empty_word_is_a_mistake_and_never_means_something(arguments: list[str], capsys: Capture) -> None:
    assert ended(arguments) == 2
    assert capsys.readouterr().err


def test_a_page_that_only_points_to_the_sign_in_is_no_sign_that_nothing_happened() -> None:
    page = Answer(body='<html><h1>Timeout</h1><a href="/Login/NuiLogin.aspx">sign in</a></html>', kind="text/html")
    with site(execute_gives(page)) as here:
        assert run(here, ONCE.replace("defaults: {retry: {max_attempts: 1, on: [not_sent]}}\n", "")) == 4
        assert len(here.executes()) == 1


def test_an_error_behind_a_200_is_no_result() -> None:
    with site(execute_gives(Answer(body='{"Message":"An error has occurred.","StackTrace":null}'))) as here:
        assert run(here, ONCE) == 1


@pytest.mark.parametrize(("jobs", "side_by_side"), [("1", False), ("3", True)])
def test_runs_go_side_by_side_only_where_that_is_asked_for(jobs: str, *, side_by_side: bool) -> None:
    lock, here_now, most = threading.Lock(), [0], [0]
    all_are_here = threading.Barrier(3)

    def counting(_method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        with lock:
            here_now[0] += 1
            most[0] = max(most[0], here_now[0])
        if side_by_side:
            all_are_here.wait(300)
        with lock:
            here_now[0] -= 1
        return xml(1)

    with site(counting) as here:
        cases = "cases: [{name: a, inputs: {}}, {name: b, inputs: {}}, {name: c, inputs: {}}]\n"
        assert run(here, READ + cases, "-j", jobs) == 0
    assert most[0] == (3 if side_by_side else 1)


def test_a_schema_is_printed_as_it_ships(capsys: Capture) -> None:
    for name in ("job", "targets", "process", "report", "event"):
        assert ended(["schema", name]) == 0
        shipped = Path(__file__).parents[2] / "schema" / f"{name}.schema.json"
        assert json.loads(capsys.readouterr().out) == json.loads(shipped.read_text())


def test_runs_are_listed_from_the_folder_that_is_named(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        run(here, READ, "--runs", "elsewhere")
    capsys.readouterr()
    assert ended(["runs"]) == 0
    assert "reading" not in capsys.readouterr().out
    assert ended(["runs", "--runs", "elsewhere"]) == 0
    assert "reading" in capsys.readouterr().out


def test_every_option_but_a_few_names_its_variable() -> None:
    typed_only = {"yes", "confirm", "again", "even_though", "adopt", "retry", "failed", "prune"}
    without = {"step", "verdict", "result", "given", "help", "version"} | typed_only
    missing = [
        f"{verb} {option.name}"
        for verb in VERBS
        for option in load(verb).params
        if isinstance(option, click.Option) and option.name not in without
        if not str(option.envvar).startswith("CREATIO_RUNNER_")
    ]
    assert missing == []


def test_a_fault_of_ours_is_exit_70_with_a_log_file(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERBS, "broken", ("runner.no_such_module:command", "Nothing."))
    assert ended(["broken"]) == 70
    said = capsys.readouterr().err
    assert "E700" in said
    (log,) = re.findall(r"details of the fault are in (\S+)", said)
    assert "no_such_module" in Path(log).read_text()
    Path(log).unlink()


def test_old_runs_are_deleted_but_for_those_that_nobody_has_settled(capsys: Capture) -> None:
    with site(execute_gives(xml(1))) as here:
        run(here, READ)
        run(here, READ)
    with site(execute_gives(Answer(status=504))) as here:
        run(here, ONCE)
    folders = sorted(Path(".runner/runs").iterdir())
    for folder in (folders[0], folders[2]):
        folder.rename(folder.with_name("0190" + folder.name[4:]))  # as if they had begun in 2024
    assert ended(["runs", "--prune", "30d"]) == 0
    left = sorted(folder.name for folder in Path(".runner/runs").iterdir())
    assert left == ["0190" + folders[2].name[4:], folders[1].name]
    assert "1 run deleted" in capsys.readouterr().err
    assert ended(["runs", "--prune", "soon"]) == 2
