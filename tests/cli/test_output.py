"""Streams that are closed, full, broken or not read, before real processes: no write of ours decides about a run."""

import fcntl
import json
import os
import pty
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from running import RUNNER, TIME, ForkedCommand, start
from sites import NOTHING, Answer, site, targets, xml

from runner.cli.main import ended
from runner.terminal import output

pytestmark = pytest.mark.slow

HEAD = "runner: 1\nname: a\ntarget: here\ndefaults: {verify: none}\nsteps:\n"
CHARGE = "  - id: charge\n    execute: {process: UsrCharge}\n"
NAP = "  - id: nap\n    pause: 10m\n"
NEXT = "  - id: next\n    execute: {process: UsrNext}\n"
FINALLY = "finally:\n  - id: tidy\n    execute: {process: UsrTidy}\n"
REPORT = ("--report-json", "report.json")
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """The processes that were started at the site `here`, which answers at once."""
    started: list[str] = []

    def answer(_method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        started.append(path.split("/")[4])
        return xml(1)

    with site(answer) as here:
        Path("targets.yaml").write_text(targets(here.url))
        yield started


def write(steps: str) -> None:
    Path("a.job.yaml").write_text(HEAD + steps)
    if not Path("targets.yaml").exists():
        Path("targets.yaml").write_text(targets("http://127.0.0.1:9"))


@contextmanager
def begun(*command: str, out: int, err: int, into: int | None = None) -> Iterator[ForkedCommand]:
    process = start(*command, stdin=into, stdout=out, stderr=err)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.close()


@contextmanager
def broken_pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def full_disk() -> Iterator[int]:
    number = os.open("/dev/full", os.O_WRONLY)
    yield number
    os.close(number)


@contextmanager
def unread_pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose reader does not read: both ends. No more than a page goes into it, and that is in it already."""
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"-" * size)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def all_of(pipe: int) -> str:
    """What is in a pipe until its writers have gone."""
    with os.fdopen(os.dup(pipe), "rb") as file:
        return file.read().decode()


def wait_for(what_is_to_be: Callable[[], bool]) -> None:
    ends = time.monotonic() + TIME
    while not what_is_to_be():
        assert time.monotonic() < ends
        time.sleep(0.02)


def until_started(key: str) -> None:
    """Wait until the journal says so of a row."""
    wait_for(lambda: f'"key":"{key}"' in "".join(map(Path.read_text, Path(".runner/runs").glob("*/events.jsonl"))))


def rows() -> dict[str, str]:
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    return {step["key"]: step["status"] for step in run["steps"]}


CLEANED_UP = {"charge": "passed", "nap": "error", "next": "skipped", "tidy": "passed"}


@pytest.mark.parametrize("stream", [broken_pipe, full_disk])
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_leads_to_finally_and_reports_where_nothing_can_be_written(
    stream: Callable[[], AbstractContextManager[int]], number: int, code: int, *, asked: list[str]
) -> None:
    write(CHARGE + NAP + NEXT + FINALLY)
    with stream() as out, begun("run", "a.job.yaml", *REPORT, out=out, err=out) as process:
        until_started("nap")
        process.send_signal(number)
        assert process.wait(TIME) == code
    assert asked == ["UsrCharge", "UsrTidy"]
    assert rows() == CLEANED_UP


def test_a_terminal_that_is_closed_is_a_hang_up_that_leads_to_finally_and_reports(asked: list[str]) -> None:
    write(CHARGE + NAP + NEXT + FINALLY)
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm-256color"}
    command = ("run", "a.job.yaml", *REPORT)
    process = start(*command, stdin=slave, stdout=slave, stderr=slave, env=environment, has_terminal=True)
    os.close(slave)
    try:
        until_started("nap")
        os.close(master)
        assert process.wait(TIME) == 129
    finally:
        process.kill()
        process.wait()
    assert asked == ["UsrCharge", "UsrTidy"]
    assert rows() == CLEANED_UP


@pytest.mark.parametrize("stream", [broken_pipe, full_disk])
def test_a_run_whose_account_cannot_be_written_passes(
    stream: Callable[[], AbstractContextManager[int]], asked: list[str]
) -> None:
    write(CHARGE + FINALLY)
    with stream() as out, begun("run", "a.job.yaml", *REPORT, out=out, err=out) as process:
        assert process.wait(TIME) == 0
    assert asked == ["UsrCharge", "UsrTidy"]
    assert rows() == {"charge": "passed", "tidy": "passed"}


DATA: list[tuple[str, ...]] = [
    ("validate", "a.job.yaml", "--format", "json"),
    ("validate", "a.job.yaml", "--format", "sarif"),
    ("plan", "a.job.yaml"),
    ("list", "a.job.yaml"),
    ("runs", "--format", "json"),
    ("explain", "E104"),
    ("schema", "job"),
    ("--help",),
    ("plan", "--help"),
    ("catalog", "--help"),
    ("--version",),
]


@pytest.mark.parametrize("command", DATA, ids=" ".join)
def test_a_command_whose_data_is_lost_on_a_full_disk_fails_and_says_so(command: tuple[str, ...]) -> None:
    write(CHARGE)
    with full_disk() as out, begun(*command, out=out, err=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=TIME)
    assert (process.returncode, "E700" in err.decode()) == (3, False), err
    assert err.decode().endswith("error[E153]: stdout cannot be written: No space left on device\n")


@pytest.mark.parametrize("command", DATA, ids=" ".join)
def test_a_command_whose_reader_has_gone_says_nothing_of_it_and_does_not_pass(command: tuple[str, ...]) -> None:
    write(CHARGE)
    with broken_pipe() as out, begun(*command, out=out, err=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=TIME)
    assert process.returncode == 3
    assert ("stdout" in err.decode(), "Traceback" in err.decode()) == (False, False)


@pytest.mark.parametrize("command", ["plan a.job.yaml", "list .", "explain E104"])
def test_a_command_whose_stdout_is_closed_fails_and_says_so(command: str) -> None:
    write(CHARGE)
    ended = subprocess.run(f"{RUNNER} {command} >&-", shell=True, stderr=subprocess.PIPE, check=False, timeout=TIME)
    assert ended.returncode == 3
    assert ended.stderr.decode().endswith("error[E153]: stdout cannot be written: it is closed\n")


def test_a_mistake_stays_the_mistake_where_its_description_is_lost() -> None:
    Path("a.job.yaml").write_text("runner: 1\n")
    with full_disk() as out, begun("validate", "a.job.yaml", out=out, err=subprocess.DEVNULL) as process:
        assert process.wait(TIME) == 2


def test_a_report_on_a_full_stdout_costs_the_command_its_pass_and_the_run_nothing(asked: list[str]) -> None:
    write(CHARGE + FINALLY)
    command = ("run", "a.job.yaml", "--report-json", "-", "--report-junit", "junit.xml")
    with full_disk() as out, begun(*command, out=out, err=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=TIME)
    assert process.returncode == 3
    assert "E153]: stdout cannot be written: No space left" in err.decode()
    assert asked == ["UsrCharge", "UsrTidy"]
    assert Path("junit.xml").exists()


def test_a_run_that_nobody_reads_comes_to_its_end(asked: list[str]) -> None:
    many = "".join(f"  - id: s{number}\n    execute: {{process: UsrNext}}\n" for number in range(50))
    write(CHARGE + many + FINALLY)
    with unread_pipe() as (_, out), begun("run", "a.job.yaml", "-v", *REPORT, out=out, err=out) as process:
        assert process.wait(TIME) == 0
    assert asked == ["UsrCharge", *["UsrNext"] * 50, "UsrTidy"]
    assert set(rows().values()) == {"passed"}


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_leads_to_the_end_of_a_run_that_nobody_reads(number: int, code: int, *, asked: list[str]) -> None:
    write(CHARGE + NAP + NEXT + FINALLY)
    command = ("run", "a.job.yaml", "--grace", "3s", *REPORT)
    with unread_pipe() as (_, out), begun(*command, out=out, err=out) as process:
        until_started("nap")
        process.send_signal(number)
        assert process.wait(TIME) == code
    assert asked == ["UsrCharge", "UsrTidy"]
    assert rows() == CLEANED_UP


def test_a_report_that_nobody_reads_is_waited_for_until_a_signal(asked: list[str]) -> None:
    write(CHARGE + FINALLY)
    command = ("run", "a.job.yaml", "--report-json", "-", "--report-jsonl", "events.jsonl")
    with unread_pipe() as (_, out), begun(*command, out=out, err=subprocess.PIPE) as process:
        wait_for(lambda: Path("events.jsonl").exists() and "run.finished" in Path("events.jsonl").read_text())
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=TIME)
    assert process.returncode == 3
    assert "E153]: stdout cannot be written: nobody reads it" in err.decode()
    assert asked == ["UsrCharge", "UsrTidy"]


def test_a_report_that_is_read_late_is_whole(asked: list[str]) -> None:
    write(CHARGE + FINALLY)
    command = ("run", "a.job.yaml", "--report-json", "-", "--report-jsonl", "events.jsonl")
    with unread_pipe() as (reading, out), begun(*command, out=out, err=subprocess.DEVNULL) as process:
        wait_for(Path("events.jsonl").exists)
        late: list[str] = []
        reader = threading.Thread(target=lambda: late.append(all_of(reading)))
        reader.start()
        assert process.wait(TIME) == 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), out)
        reader.join(TIME)
    assert json.loads(late[0].lstrip("-"))["runs"][0]["status"] == "passed"
    assert asked


def test_what_is_said_after_the_runs_is_written_too_where_stdout_and_stderr_are_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One writer serves both then, and is closed once: closed twice it would wait for a reader that is not late."""
    with Path("both.txt").open("w") as both:
        monkeypatch.setattr(sys, "stdout", both)
        monkeypatch.setattr(sys, "stderr", both)
        with output.in_background(hurry=lambda: False):
            output.say("while a run is under way")
        output.say("after it")
    assert Path("both.txt").read_text() == "while a run is under way\nafter it\n"


def test_all_that_is_said_keeps_its_order_where_stdout_and_stderr_are_one(asked: list[str]) -> None:
    write(CHARGE + NAP + FINALLY)
    with begun("run", "a.job.yaml", out=subprocess.PIPE, err=subprocess.STDOUT) as process:
        until_started("nap")
        process.send_signal(signal.SIGTERM)
        printed = process.communicate(timeout=TIME)[0].decode()
    places = [printed.index(words) for words in ("charge", "SIGTERM: no further step", "exit 143")]
    assert places == sorted(places), printed
    assert asked


def test_what_has_no_room_is_dropped_whole_and_its_lines_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with unread_pipe() as (reading, writing):
        monkeypatch.setattr(sys, "stderr", os.fdopen(os.dup(writing), "w"))
        output.begin()
        late: list[str] = []
        reader = threading.Thread(target=lambda: late.append(all_of(reading)))
        with output.in_background(hurry=lambda: False):
            for number in range(2000):
                output.say(f"{number} {'x' * 1000}")
            reader.start()
        sys.stderr.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)
        reader.join(TIME)
    lines = late[0].lstrip("-").splitlines()
    kept, last = lines[:-1], lines[-1]
    assert [line.split()[0] for line in kept] == [str(number) for number in range(len(kept))]
    assert last == f"... {2000 - len(kept)} lines were left out here: nobody had read what came before"
    assert 900 < len(kept) < 1100


def test_without_standard_input_there_is_nobody_to_ask_and_a_run_is_carried_out(asked: list[str]) -> None:
    write(CHARGE)
    closed = subprocess.run(f"{RUNNER} run a.job.yaml <&-", shell=True, check=False, timeout=TIME, capture_output=True)
    assert (closed.returncode, asked) == (0, ["UsrCharge"]), closed.stderr


def test_a_question_without_standard_input_is_refused_before_anything_is_sent(asked: list[str]) -> None:
    write(CHARGE + "  - confirm: Sure?\n")
    closed = subprocess.run(f"{RUNNER} run a.job.yaml <&-", shell=True, check=False, timeout=TIME, capture_output=True)
    assert (closed.returncode, asked) == (6, [])
    assert b"E162" in closed.stderr


def test_an_input_from_a_closed_standard_input_is_a_mistake(asked: list[str]) -> None:
    Path("a.job.yaml").write_text("runner: 1\nname: a\ntarget: here\ninputs: {x: {type: string}}\nsteps:\n" + CHARGE)
    command = f"{RUNNER} run a.job.yaml -i x=@- <&-"
    closed = subprocess.run(command, shell=True, check=False, timeout=TIME, capture_output=True)
    assert (closed.returncode, asked) == (2, [])
    assert b"`-` cannot be read: standard input is closed" in closed.stderr


def test_no_journal_gets_the_number_of_a_stream_that_is_closed(asked: list[str]) -> None:
    write(CHARGE)
    closed = subprocess.run(f"{RUNNER} run a.job.yaml <&- >&- 2>&-", shell=True, check=False, timeout=TIME)
    assert (closed.returncode, asked) == (0, ["UsrCharge"])
    (journal,) = Path(".runner/runs").glob("*/events.jsonl")
    assert json.loads(journal.read_text().splitlines()[0])["type"] == "run.started"


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_an_input_from_standard_input_that_is_not_utf_8_is_a_mistake(locale: str, asked: list[str]) -> None:
    Path("a.job.yaml").write_text(INPUT)
    command = [RUNNER, "run", "a.job.yaml", "-i", "x=@-"]
    given = os.environ | {"LC_ALL": locale}
    ended = subprocess.run(command, input=b"\xff", env=given, check=False, timeout=TIME, capture_output=True)
    assert (ended.returncode, asked) == (2, [])
    assert b"`-` cannot be read: it is not UTF-8" in ended.stderr


INPUT = "runner: 1\nname: a\ntarget: here\ninputs: {x: {type: string, secret: true}}\nsteps:\n" + CHARGE + FINALLY


def refused(*command: str | bytes, environment: dict[bytes, bytes] | None = None) -> str:
    """What a command says that is refused with exit 2, and E159."""
    given = {os.fsencode(name): os.fsencode(value) for name, value in os.environ.items()} | (environment or {})
    words = [RUNNER, *command]
    ended = subprocess.run(words, env=given, check=False, timeout=TIME, capture_output=True)
    assert ended.returncode == 2, ended
    assert b"error[E159]" in ended.stderr
    return ended.stderr.decode()


def test_an_input_in_the_environment_that_is_not_utf_8_is_refused_and_not_shown(asked: list[str]) -> None:
    Path("a.job.yaml").write_text(INPUT)
    printed = refused("run", "a.job.yaml", environment={b"CREATIO_RUNNER_INPUT_X": b"pa55\xff"})
    assert "the environment variable `CREATIO_RUNNER_INPUT_X` is not UTF-8" in printed
    assert ("pa55" in printed, asked) == (False, [])


def test_a_variable_of_a_target_that_is_not_utf_8_is_refused_and_not_shown(asked: list[str]) -> None:
    write(CHARGE)
    Path("targets.yaml").write_text(Path("targets.yaml").read_text().replace("pa55-w0rd", "'{{ env.SECRET }}'"))
    printed = refused("run", "a.job.yaml", environment={b"SECRET": b"pa55\xff"})
    assert "the environment variable `SECRET` is not UTF-8" in printed
    assert ("pa55" in printed, asked) == (False, [])


def test_a_word_of_the_command_line_that_is_not_utf_8_is_refused(asked: list[str]) -> None:
    Path("a.job.yaml").write_text(INPUT)
    Path(os.fsdecode(b"\xe9.job.yaml")).write_text(HEAD + CHARGE)
    assert r"`x=\udcff` on the command line" in refused("run", "a.job.yaml", "-i", b"x=\xff")
    assert r"`\udce9.job.yaml` on the command line" in refused("run", b"\xe9.job.yaml")
    assert asked == []


def test_a_file_whose_name_is_not_utf_8_is_refused_by_the_command_that_reads_it(asked: list[str]) -> None:
    write(CHARGE)
    Path(os.fsdecode(b"\xe9.job.yaml")).write_text(HEAD.replace("name: a", "name: b") + CHARGE)
    assert "the name of this file is not UTF-8" in refused("run", ".")
    assert "the name of this file is not UTF-8" in refused("plan", ".")
    assert asked == []


def test_a_run_in_a_folder_whose_name_is_not_utf_8_is_carried_out(asked: list[str]) -> None:
    folder = Path(os.fsdecode(b"\xe9"))
    folder.mkdir()
    os.chdir(folder)
    Path("targets.yaml").write_text(Path("../targets.yaml").read_text())
    write(CHARGE + FINALLY)
    run = subprocess.run([RUNNER, "run", ".", *REPORT], check=False, timeout=TIME, capture_output=True)
    assert (run.returncode, asked) == (0, ["UsrCharge", "UsrTidy"]), run
    for verb in (["show", "last"], ["runs"], ["list"], ["plan"], ["validate"]):
        where = ["."] if verb[0] in ("list", "plan", "validate") else []
        assert ended([*verb, *where]) == 0, verb


def no_room_for_a_thread() -> None:
    """Stacks larger than the memory that there is: no thread can be started, as with `ulimit -u`, for root, too."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 36, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def test_where_no_thread_can_be_started_nothing_is_sent_and_it_says_so(asked: list[str]) -> None:
    write(CHARGE + FINALLY)
    command = [RUNNER, "run", "a.job.yaml"]
    limited = subprocess.run(command, check=False, timeout=TIME, capture_output=True, preexec_fn=no_room_for_a_thread)
    assert (limited.returncode, asked) == (2, []), limited
    assert "error[E164]: this machine does not let the program start another thread\n" in limited.stderr.decode()


def test_where_no_thread_is_left_for_a_later_run_it_does_not_begin(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(CHARGE)
    Path("b.job.yaml").write_text(HEAD.replace("name: a", "name: b") + NEXT)
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name.startswith("run b"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert ended(["run", "."]) == 3
    printed = capsys.readouterr().err
    assert "E164" in printed
    assert "not begun: b@here" in printed
    assert asked == ["UsrCharge"]
    assert len(list(Path(".runner/runs").glob("*/events.jsonl"))) == 1


HOSTILE = "\x1b[2Jx\x85y\u2028z\u202ew ##[error]a ##vso[task]b\n::set-output name=a::b"


def test_a_plan_prints_nothing_that_moves_a_cursor_or_is_a_command_to_a_ci(capsys: pytest.CaptureFixture[str]) -> None:
    text = json.dumps(HOSTILE)
    Path("targets.yaml").write_text(targets("http://127.0.0.1:9"))
    Path("a.job.yaml").write_text(
        "runner: 1\nname: a\ntarget: here\ninputs: {x: {type: string}}\n"
        f"cases: [{{name: {text}, inputs: {{x: {text}}}}}]\nsteps:\n"
        f"  - id: a\n    name: {text}\n"
        f"    execute: {{process: UsrA, result: R, parameters: {{T: {text}, U: '{{{{ inputs.x }}}}'}}}}\n"
        f'    expect: [{{that: "result == 1", message: {text}}}]\n'
    )
    assert ended(["plan", "a.job.yaml"]) == 0
    printed = capsys.readouterr().out
    assert [hex(ord(sign)) for sign in printed if not sign.isprintable() and sign != "\n"] == []
    assert ("##[" in printed, "##vso[" in printed) == (False, False)
    assert not any(line.lstrip().startswith("::") for line in printed.splitlines())
    assert "::set-output name=a::b" in printed


def test_a_fault_whose_log_cannot_be_written_is_a_fault_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("broken")

    monkeypatch.setattr("runner.cli.main.check_encoding", broken)
    monkeypatch.setattr("tempfile.tempdir", "/dev/full")
    assert ended(["runs"]) == 70
    printed = capsys.readouterr().err
    assert "E700]: a fault of this program: AssertionError: broken" in printed
    assert "lost, as no log file can be written" in printed
