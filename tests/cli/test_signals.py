"""Signals at every place where a run can be, sent to a real process that carries jobs out against a served sandbox.

Nothing here waits for a time to pass: a signal is sent when the journal, or what was printed, says where the run is.
"""

import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from journals import EVENTS
from running import DEVNULL, PIPE, RUNNER, STDOUT, TIME, Change, ForkedCommand, is_readable, start
from sandboxes import ServedSandbox, serve_sandbox

from runner.cli.main import ended
from runner.foundation.values import Json, JsonObject

pytestmark = pytest.mark.slow

NEVER = 600.0
"""Seconds for which the sandbox holds an answer back that nobody is to see."""
DOUBLE = """runner: 1
process: {name}
parameters:
  Mark: {{type: text, direction: in}}
  Out: {{type: integer, direction: out}}
activities: [set: {{Out: 1}}]
"""
HEAD = "runner: 1\nname: {name}\ntarget: here\ndefaults: {{verify: none}}\nsteps:\n"
CHARGE = "  - id: charge\n    execute: {process: UsrCharge, parameters: {Mark: charge}}\n"
LOOK = "  - id: look\n    execute: {process: UsrLook, parameters: {Mark: look}, result: Out}\n    effect: read\n"
NAP = "  - id: nap\n    pause: 10m\n"
ASK = "  - id: ask\n    confirm: Are you sure?\n"
MAIL = "  - id: mail\n    execute: {process: UsrMail, parameters: {Mark: mail}}\n"
UNDONE = CHARGE + "    undo:\n      execute: {process: UsrRefund, parameters: {Mark: refund}}\n"
FINALLY = "finally:\n  - id: tidy\n    execute: {process: UsrTidy, parameters: {Mark: tidy}}\n    effect: idempotent\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedSandbox]:
    folder = tmp_path_factory.mktemp("doubles")
    for name in ("UsrCharge", "UsrLook", "UsrMail", "UsrRefund", "UsrTidy"):
        (folder / f"{name}.process.yaml").write_text(DOUBLE.format(name=name))
    with serve_sandbox(folder, tmp_path_factory.mktemp("data") / "sandbox.db") as served:
        yield served


@dataclass(frozen=True)
class Here:
    """The sandbox as one test sees it, that has it for itself."""

    sandbox: ServedSandbox
    before: int

    def started(self) -> list[str]:
        """The processes that were started, in the order in which they were."""
        return [start.process for start in self.sandbox.starts()[self.before :]]

    def until_started(self, process: str) -> None:
        """Wait until it was: a call that the journal has as sent may still be on its way."""
        wait_for(lambda: process in self.started(), what=lambda: f"{process} in {self.started()}")

    def never_answers(self, process: str, *, times: int = 1) -> None:
        """Let it be started and hold the answer back."""
        self.sandbox.set_fault("slow", process, times=times, seconds=NEVER)


@pytest.fixture
def here(site: ServedSandbox) -> Here:
    Path("targets.yaml").write_text(site.targets())
    return Here(site, before=len(site.starts()))


@dataclass
class Child:
    """A command under way, with a terminal or with pipes. `said` is what it has printed so far."""

    process: ForkedCommand
    terminal: int | None = None
    said: str = ""
    _heard: bytes = b""

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def type(self, text: str) -> None:
        assert self.terminal is not None
        os.write(self.terminal, text.encode())

    def until_said(self, text: str) -> None:
        wait_for(lambda: text in self._read(), what=lambda: f"{text!r} in {self.said!r}")

    def until(self, kind: str, key: str = "", *, runs: int = 1) -> None:
        """Wait until so many journals hold an event of this kind, about this row."""

        def is_written() -> bool:
            self._read()
            return sum(_holds(folder, kind, key) for folder in folders()) >= runs

        wait_for(is_written, what=lambda: f"{kind} {key} in {runs} journals: {self.said}")

    def end(self) -> int:
        def is_over() -> bool:
            self._read()
            return self.process.poll() is not None

        wait_for(is_over, what=lambda: f"the end: {self.said}")
        self._read()
        return self.process.wait()

    def _read(self) -> str:
        """All that it has said, with what there is to read now."""
        source = self.terminal if self.terminal is not None else self._pipe
        while is_readable(source, 0):
            try:
                content = os.read(source, 65536)
            except OSError:  # how Linux tells that the other end of a terminal is closed
                break
            if not content:
                break
            self._heard += content
        self.said = self._heard.decode(errors="replace").replace("\r\n", "\n")
        return self.said

    @property
    def _pipe(self) -> int:
        return self.process.out.fileno()


class Begin(Protocol):
    def __call__(self, *arguments: str, terminal: bool = False) -> Child: ...


def folders() -> list[Path]:
    root = Path(".runner/runs")
    return sorted(root.iterdir()) if root.is_dir() else []


def events(folder: Path) -> list[JsonObject]:
    """What a journal holds; the line that is being written is left out."""
    try:
        whole = (folder / EVENTS).read_text().rpartition("\n")[0]
    except OSError:
        return []
    return [json.loads(line) for line in whole.splitlines()]


def _holds(folder: Path, kind: str, key: str) -> bool:
    return any(event["type"] == kind and _key(event) == key for event in events(folder))


def _key(event: JsonObject) -> Json:
    row = event.get("row")
    return row["key"] if isinstance(row, dict) else event.get("key", "")


def write(name: str, steps: str) -> None:
    Path(f"{name}.job.yaml").write_text(HEAD.format(name=name) + steps)


def statuses(report: str = "report.json") -> list[dict[str, str]]:
    """Of each run in a report: its own status as `run`, and the rows'."""
    runs = json.loads(Path(report).read_text())["runs"]
    return [{"run": run["status"], **{step["key"]: step["status"] for step in run["steps"]}} for run in runs]


def wait_for(what_is_to_be: Callable[[], bool], *, what: Callable[[], str]) -> None:
    ends = time.monotonic() + TIME
    while not what_is_to_be():
        assert time.monotonic() < ends, what()
        time.sleep(0.02)


def a_persons_terminal() -> dict[str, str]:
    """The environment of one whose terminal redraws its lines, wherever the test itself is run."""
    return {name: value for name, value in os.environ.items() if name != "CI"} | {"TERM": "xterm-256color"}


@pytest.fixture
def begin(here: Here) -> Iterator[Begin]:
    """Begin a command; it is ended with the test. `terminal`: on one of its own, where Ctrl-C can be typed."""
    assert here.started() == []
    children: list[Child] = []

    def begin(*arguments: str, terminal: bool = False) -> Child:
        if terminal:
            master, slave = pty.openpty()
            environment = a_persons_terminal()
            process = start(*arguments, stdin=slave, stdout=slave, stderr=slave, env=environment, has_terminal=True)
            os.close(slave)
            children.append(Child(process, terminal=master))
        else:
            process = start(*arguments, stdout=PIPE, stderr=STDOUT)
            children.append(Child(process))
        return children[-1]

    yield begin
    for child in children:
        child.process.kill()
        child.process.wait()
        if child.terminal is not None:
            os.close(child.terminal)
        child.process.close()


REPORT = ("--report-json", "report.json")
CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_in_a_pause_ends_it_and_what_passed_is_undone(
    here: Here, begin: Begin, number: int, code: int
) -> None:
    write("a", UNDONE + NAP + MAIL + FINALLY)
    child = begin("run", "a.job.yaml", *REPORT)
    child.until("step.started", "nap")
    child.send_signal(number)
    assert child.end() == code
    assert here.started() == ["UsrCharge", "UsrRefund", "UsrTidy"]
    (rows,) = statuses()
    assert rows == {
        "run": "cancelled", "charge": "passed", "nap": "error", "mail": "skipped", "undo/charge": "passed",
        "tidy": "passed",
    }  # fmt: skip
    name = signal.Signals(number).name
    assert f"{name}: no further step begins; a call in flight may still be answered; then `undo` and" in child.said
    assert f"      E312: stopped by {name}\n" in child.said
    assert f"  exit {code}: " in child.said


def test_when_the_grace_ends_in_a_call_that_must_not_happen_twice_it_stays_in_doubt(here: Here, begin: Begin) -> None:
    write("a", CHARGE + FINALLY)
    here.never_answers("UsrCharge")
    child = begin("run", "a.job.yaml", "--grace", "200ms", *REPORT)
    here.until_started("UsrCharge")
    child.send_signal(signal.SIGHUP)
    assert child.end() == 129
    assert here.started() == ["UsrCharge"]
    assert statuses() == [{"run": "unknown", "charge": "unknown"}]
    assert "the grace of 200 ms is over: ended here; calls in flight are not waited for" in child.said
    assert f"\n    runner reconcile {folders()[0].name}\n" in child.said
    assert "\n  exit 129: stopped by a hang-up\n" in child.said


def test_so_it_is_where_the_handler_of_the_signal_takes_longer_than_a_look_at_the_clock(here: Here) -> None:
    """As on a busy machine: a `SimpleQueue` waited on for ever then, here until the call had had its 100 s."""
    write("a", CHARGE + FINALLY)
    here.never_answers("UsrCharge")
    late = Change(module="slow_signals", function="handle_late", values={"seconds": 0.5})
    with start("run", "a.job.yaml", "--grace", "200ms", *REPORT, stdout=DEVNULL, stderr=DEVNULL, change=late) as run:
        here.until_started("UsrCharge")
        run.send_signal(signal.SIGTERM)
        assert run.wait(TIME) == 143
    assert statuses() == [{"run": "unknown", "charge": "unknown"}]


def test_a_reading_that_the_end_of_the_grace_cuts_is_an_error_and_no_doubt(here: Here, begin: Begin) -> None:
    write("a", LOOK + FINALLY)
    here.never_answers("UsrLook")
    child = begin("run", "a.job.yaml", "--grace", "200ms", *REPORT)
    here.until_started("UsrLook")
    child.send_signal(signal.SIGTERM)
    assert child.end() == 143
    assert statuses() == [{"run": "cancelled", "look": "error"}]
    assert f"    runner resume {folders()[0].name}\n" in child.said


def test_a_second_interrupt_in_a_call_leaves_it_in_doubt_and_a_reconcile_settles_it(here: Here, begin: Begin) -> None:
    write("a", CHARGE.replace("charge}}", "charge}}\n    verify: auto") + FINALLY)
    here.never_answers("UsrCharge")
    child = begin("run", "a.job.yaml", *REPORT)
    here.until_started("UsrCharge")
    child.send_signal(signal.SIGINT)
    child.until_said("SIGINT: ")
    child.send_signal(signal.SIGINT)
    assert child.end() == 130
    assert "interrupted again: ended here; calls in flight are not waited for" in child.said
    assert statuses() == [{"run": "unknown", "charge": "unknown"}]
    again = begin("resume", "last", *REPORT)
    assert again.end() == 0
    assert statuses() == [{"run": "passed", "charge": "passed", "tidy": "passed"}]
    assert here.started() == ["UsrCharge", "UsrTidy"]


def test_a_second_interrupt_in_a_pause_ends_it_without_undo_and_without_finally(here: Here, begin: Begin) -> None:
    write("a", UNDONE + NAP + FINALLY)
    here.never_answers("UsrRefund")
    child = begin("run", "a.job.yaml", *REPORT)
    child.until("step.started", "nap")
    child.send_signal(signal.SIGINT)
    here.until_started("UsrRefund")
    child.send_signal(signal.SIGINT)
    assert child.end() == 130
    assert here.started() == ["UsrCharge", "UsrRefund"]
    assert statuses() == [{"run": "unknown", "charge": "passed", "nap": "error", "undo/charge": "unknown"}]


def test_the_first_signal_in_finally_lets_it_come_to_its_end(here: Here, begin: Begin) -> None:
    write("a", CHARGE + FINALLY + "  - id: nap\n    pause: 10s\n  - id: mail\n    execute: {process: UsrMail}\n")
    child = begin("run", "a.job.yaml", *REPORT)
    child.until("step.started", "nap")
    child.send_signal(signal.SIGTERM)
    assert child.end() == 0
    assert here.started() == ["UsrCharge", "UsrTidy", "UsrMail"]
    assert statuses()[0]["run"] == "passed"


def test_of_several_runs_the_first_signal_in_finally_begins_no_other(here: Here, begin: Begin) -> None:
    write("a", CHARGE + FINALLY + "  - id: nap\n    pause: 10s\n")
    write("b", CHARGE)
    child = begin("run", "a.job.yaml", "b.job.yaml", *REPORT)
    child.until("step.started", "nap")
    child.send_signal(signal.SIGTERM)
    assert child.end() == 143
    assert here.started() == ["UsrCharge", "UsrTidy"]
    assert [each["run"] for each in statuses()] == ["passed"]
    assert "b@here" in child.said
    assert "exit 0" not in child.said
    assert "exit 143: terminated\n" in child.said


def test_the_end_of_the_grace_in_finally_cuts_its_call(here: Here, begin: Begin) -> None:
    write("a", CHARGE + FINALLY)
    here.never_answers("UsrTidy")
    child = begin("run", "a.job.yaml", "--grace", "200ms", *REPORT)
    here.until_started("UsrTidy")
    child.send_signal(signal.SIGTERM)
    assert child.end() == 143
    assert statuses() == [{"run": "cancelled", "charge": "passed", "tidy": "error"}]
    assert "  it broke off after its steps, before `undo` and `finally` had ended\n" in child.said
    assert f"    runner resume {folders()[0].name}\n" in child.said
    assert "\n  exit 143: terminated\n" in child.said


@pytest.fixture
def gate(here: Here) -> Iterator["Gate"]:
    """A door before the sandbox, through which the site is reached in this test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        door = Gate(here.sandbox.url)
        threading.Thread(target=door.keep, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        Path("targets.yaml").write_text(here.sandbox.targets().replace(here.sandbox.url, url))
        yield door
        door.open.set()


@dataclass(frozen=True)
class Gate:
    """Takes every connection, and passes on what comes through it as soon as it is `open`. `met`: somebody has come."""

    url: str
    met: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)

    def keep(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                guest, _ = listener.accept()
                threading.Thread(target=self._serve, args=(guest,), daemon=True).start()

    def _serve(self, guest: socket.socket) -> None:
        host, _, port = self.url.removeprefix("http://").partition(":")
        with guest, suppress(OSError):
            first = guest.recv(65536)
            self.met.set()
            self.open.wait()
            with socket.create_connection((host, int(port))) as site:
                site.sendall(first)
                threading.Thread(target=_pass_on, args=(site, guest), daemon=True).start()
                _pass_on(guest, site)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)


def test_the_first_signal_while_signing_in_lets_nothing_begin_but_finally(here: Here, gate: Gate, begin: Begin) -> None:
    write("a", CHARGE + FINALLY)
    child = begin("run", "a.job.yaml", *REPORT)
    assert gate.met.wait(TIME)
    child.send_signal(signal.SIGINT)
    child.until_said("SIGINT: ")
    gate.open.set()
    assert child.end() == 130
    assert here.started() == ["UsrTidy"]
    assert statuses() == [{"run": "cancelled", "charge": "error", "tidy": "passed"}]


def test_a_second_interrupt_while_signing_in_ends_it_and_nothing_was_sent(here: Here, gate: Gate, begin: Begin) -> None:
    write("a", LOOK + FINALLY)
    child = begin("run", "a.job.yaml", *REPORT)
    assert gate.met.wait(TIME)
    child.send_signal(signal.SIGINT)
    child.until_said("SIGINT: ")
    child.send_signal(signal.SIGINT)
    assert child.end() == 130
    assert here.started() == []
    assert statuses() == [{"run": "cancelled", "look": "error"}]


def test_a_run_that_is_given_up_before_its_first_event_has_not_begun(here: Here) -> None:
    write("a", CHARGE)
    hangs = Change(module="slow_signals", function="begin_no_run", values={})
    with start("apply", "a.job.yaml", *REPORT, stdout=DEVNULL, stderr=DEVNULL, change=hangs) as command:
        wait_for(lambda: len(folders()) == 1, what=lambda: "the folder of the run")
        while command.poll() is None:
            command.send_signal(signal.SIGINT)
            time.sleep(0.01)
        assert command.wait(TIME) == 130
    assert not [*Path(".runner").glob("runs/*/report.json")]
    assert json.loads(Path("report.json").read_text())["runs"] == []
    assert ended(["apply", "a.job.yaml"]) == 0
    assert here.started() == ["UsrCharge"]


def test_a_signal_before_the_log_has_shown_a_doubt_lets_it_be_read_and_not_waited_for(here: Here, begin: Begin) -> None:
    write("a", CHARGE.replace("charge}}", "charge}}\n    verify: auto") + FINALLY)
    Path("targets.yaml").write_text(here.sandbox.targets().replace("settle: ", "settle: 10m # "))
    here.sandbox.set_fault("drop_before", "UsrCharge")
    child = begin("run", "a.job.yaml", *REPORT)
    child.until("attempt.failed", "charge")
    child.send_signal(signal.SIGTERM)
    assert child.end() == 143
    assert statuses() == [{"run": "unknown", "charge": "unknown", "tidy": "passed"}]
    assert "SIGTERM stopped the run before the process log showed how the process ended" in child.said
    assert "  exit 143: terminated\n" in child.said


def test_a_run_that_is_to_be_held_in_doubt_is_held_by_a_signal_too(here: Here, begin: Begin) -> None:
    write("a", CHARGE.replace("charge}}", "charge}}\n    verify: auto") + LOOK + FINALLY)
    Path("targets.yaml").write_text(here.sandbox.targets().replace("settle: ", "settle: 10m # "))
    here.sandbox.set_fault("drop_before", "UsrCharge")
    child = begin("run", "a.job.yaml", "--hold", *REPORT)
    child.until("attempt.failed", "charge")
    child.send_signal(signal.SIGTERM)
    assert child.end() == 143
    assert here.started() == []
    assert statuses() == [{"run": "unknown", "charge": "unknown"}]
    assert "it waits here until the call in doubt is settled" in child.said
    assert "`--as failed` if it failed, `--as retry` if it never began" in child.said


def test_eight_runs_side_by_side_hear_one_signal_and_each_is_cleaned_up_behind(here: Here, begin: Begin) -> None:
    for name in "abcdefgh":
        write(name, UNDONE.replace("Mark: ", f"Mark: {name}-") + NAP + FINALLY)
    child = begin("run", ".", "-j", "8", "--grace", "10m", *REPORT)
    child.until("step.started", "nap", runs=8)
    child.send_signal(signal.SIGINT)
    assert child.end() == 130
    rows = {"run": "cancelled", "charge": "passed", "nap": "error", "undo/charge": "passed", "tidy": "passed"}
    assert statuses() == [rows] * 8
    assert sorted(here.started()) == ["UsrCharge"] * 8 + ["UsrRefund"] * 8 + ["UsrTidy"] * 8
    assert "8 runs: 8 cancelled\n" in child.said
    assert child.said.count("SIGINT: ") == 1


def test_a_second_interrupt_gives_up_eight_runs_at_once_and_all_have_their_reports(here: Here, begin: Begin) -> None:
    for name in "abcdefgh":
        write(name, LOOK + FINALLY)
    here.never_answers("UsrLook", times=8)
    child = begin("run", ".", "-j", "8", *REPORT)
    wait_for(lambda: here.started() == ["UsrLook"] * 8, what=lambda: f"eight: {here.started()}")
    child.send_signal(signal.SIGINT)
    child.until_said("SIGINT: ")
    child.send_signal(signal.SIGINT)
    assert child.end() == 130
    assert statuses() == [{"run": "cancelled", "look": "error"}] * 8
    assert [(folder / "report.json").is_file() for folder in folders()] == [True] * 8
    assert "exit 130: interrupted\n" in child.said


def test_ctrl_c_at_a_question_ends_it_and_finally_is_carried_out(here: Here, begin: Begin) -> None:
    write("a", UNDONE + ASK + FINALLY)
    child = begin("run", "a.job.yaml", *REPORT, terminal=True)
    child.until_said(" [y/N] ")
    child.type("\x03")
    assert child.end() == 130
    assert here.started() == ["UsrCharge", "UsrRefund", "UsrTidy"]
    (rows,) = statuses()
    assert (rows["run"], rows["ask"]) == ("cancelled", "error")
    assert "\n  exit 130: interrupted\n" in child.said


def test_a_terminal_that_goes_away_at_a_question_is_a_hang_up(here: Here, begin: Begin) -> None:
    write("a", CHARGE + ASK + FINALLY)
    child = begin("run", "a.job.yaml", *REPORT, terminal=True)
    child.until_said(" [y/N] ")
    child.send_signal(signal.SIGHUP)
    assert child.end() == 129
    assert here.started() == ["UsrCharge", "UsrTidy"]
    assert statuses()[0]["run"] == "cancelled"


def test_ctrl_c_twice_gives_a_terminal_that_redraws_its_lines_back_as_it_was(here: Here, begin: Begin) -> None:
    write("a", CHARGE + FINALLY)
    here.never_answers("UsrCharge")
    child = begin("run", "a.job.yaml", *REPORT, terminal=True)
    here.until_started("UsrCharge")
    child.type("\x03")
    child.until_said("SIGINT: ")
    child.type("\x03")
    assert child.end() == 130
    assert child.said.rfind(SHOW_CURSOR) > child.said.rfind(HIDE_CURSOR) >= 0
    assert "\nSIGINT: no further step begins;" in child.said
    assert "interrupted again: ended here;" in child.said
    assert statuses() == [{"run": "unknown", "charge": "unknown"}]


SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


AT_THE_SECOND_REPORT = (*REPORT, "--report-junit", "junit.pipe")
"""The second report waits for somebody to read it; when the first one is there, nothing else is left to do."""


def read_pipe(child: Child) -> str:
    """What comes through the pipe until its writer is done, or is no more."""
    pipe = os.open("junit.pipe", os.O_RDONLY | os.O_NONBLOCK)
    content = b""

    def is_whole() -> bool:
        nonlocal content
        over = child.process.poll() is not None
        with suppress(BlockingIOError):
            content += os.read(pipe, 65536)
        return over or content.endswith(b"</testsuites>\n")

    try:
        wait_for(is_whole, what=lambda: f"the second report: {content!r}")
    finally:
        os.close(pipe)
    return content.decode()


def test_signals_while_the_reports_are_written_cost_none_of_them(here: Here, begin: Begin) -> None:
    write("a", CHARGE + NAP + FINALLY)
    os.mkfifo("junit.pipe")
    child = begin("run", "a.job.yaml", *AT_THE_SECOND_REPORT)
    child.until("step.started", "nap")
    child.send_signal(signal.SIGINT)
    wait_for(Path("report.json").is_file, what=lambda: f"the first report: {child.said}")
    child.send_signal(signal.SIGTERM)
    child.send_signal(signal.SIGINT)
    assert read_pipe(child).endswith("</testsuites>\n")
    assert child.end() == 130
    assert statuses()[0]["run"] == "cancelled"
    assert here.started() == ["UsrCharge", "UsrTidy"]


def test_a_first_signal_while_the_reports_are_written_is_reported_and_changes_nothing(here: Here, begin: Begin) -> None:
    write("a", CHARGE)
    os.mkfifo("junit.pipe")
    child = begin("run", "a.job.yaml", *AT_THE_SECOND_REPORT)
    wait_for(Path("report.json").is_file, what=lambda: f"the first report: {child.said}")
    child.send_signal(signal.SIGTERM)
    child.until_said("SIGTERM: all runs have ended; the reports are being written\n")
    assert read_pipe(child).endswith("</testsuites>\n")
    assert child.end() == 0
    assert here.started() == ["UsrCharge"]


AT_AN_IMPORT = """
import os, signal, sys
class AtAnImport:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["SIGNAL_AT"]:
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
sys.meta_path.insert(0, AtAnImport())
"""


@pytest.mark.parametrize("module", ["click", "runner.cli.run", "h11", "runner.hosts.local"])
@pytest.mark.parametrize(("number", "code"), CODES)
def test_a_signal_while_modules_are_imported_ends_it_without_a_trace(
    tmp_path: Path, *, module: str, number: int, code: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text(AT_AN_IMPORT)
    write("a", CHARGE)
    known = {"PYTHONPATH": str(tmp_path), "SIGNAL_AT": module, "SIGNAL": str(int(number))}
    output = subprocess.run([RUNNER, "run", "a.job.yaml"], env=os.environ | known, capture_output=True, check=False)
    assert (output.returncode, output.stdout, output.stderr) == (code, b"", b"")
    assert not Path(".runner").exists()


def test_a_hang_up_that_is_to_be_ignored_is_ignored(here: Here, begin: Begin) -> None:
    write("a", CHARGE + NAP.replace("10m", "1s") + FINALLY)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        child = begin("run", "a.job.yaml", *REPORT)
    finally:
        signal.signal(signal.SIGHUP, before)
    child.until("step.started", "nap")
    child.send_signal(signal.SIGHUP)
    assert child.end() == 0
    assert here.started() == ["UsrCharge", "UsrTidy"]
