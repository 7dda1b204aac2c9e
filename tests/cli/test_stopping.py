"""Real signals to stop while runs are under way, sent to a real process: what is said, and how it ends."""

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from captured import Capture
from running import TIME, Command, command
from sites import NOTHING, Answer, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = "runner: 1\nname: {name}\ntarget: here\ndefaults: {{verify: none, timeout: 20m}}\nsteps:\n"
ONCE = "  - id: charge\n    execute: {process: UsrCharge}\n"
READ = "  - id: look\n    execute: {process: UsrLook, result: Out}\n    effect: read\n"
FINALLY = "finally:\n  - id: tidy\n    execute: {process: UsrTidy}\n"


@dataclass
class Slow:
    """Answers everything at once but the processes in `held`, which wait for `let_go`. `asked` are processes."""

    held: tuple[str, ...] = ("UsrCharge",)
    asked: list[str] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    met: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        process = path.split("/")[4]
        self.asked.append(process)
        if process in self.held:
            self.met.set()
            self.let_go.wait(TIME)
        return xml(1)


@contextmanager
def running(slow: Slow, *arguments: str, **jobs: str) -> Iterator[Command]:
    """A `runner run` of these jobs whose held process is under way. Its output is in `out.txt`."""
    with site(slow) as here:
        Path("targets.yaml").write_text(targets(here.url))
        for name, steps in jobs.items():
            Path(f"{name}.job.yaml").write_text(JOB.format(name=name) + steps)
        with command("run", ".", "--report-json", "report.json", *arguments, out=Path("out.txt")) as begun:
            assert slow.met.wait(TIME)
            try:
                yield begun
            finally:
                slow.let_go.set()


def events() -> list[bytes]:
    """The journals so far, one for each run."""
    return [file.read_bytes() for file in Path().glob(".runner/runs/*/events.jsonl")]


def wait_for(what_is_to_be: Callable[[], bool]) -> None:
    ends = time.monotonic() + TIME
    while not what_is_to_be():
        assert time.monotonic() < ends
        time.sleep(0.01)


HEARD = "no further step begins"
"""Printed when the first signal is heard."""


def statuses() -> dict[str, str]:
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    return {step["key"]: step["status"] for step in run["steps"]}


def test_the_first_signal_says_what_happens_now_and_for_how_long() -> None:
    slow = Slow()
    with running(slow, "--grace", "10m", a=ONCE + READ + FINALLY) as begun:
        begun.send_signal(signal.SIGINT)
        begun.until(HEARD)
        slow.let_go.set()
        assert begun.end() == 130
    assert (
        "SIGINT: no further step begins; a call in flight may still be answered; then `undo` and `finally`, "
        "all within 10 min; a second Ctrl-C ends it now\n"
    ) in begun.err
    assert slow.asked == ["UsrCharge", "UsrTidy"]
    assert statuses() == {"charge": "passed", "look": "skipped", "tidy": "passed"}


@pytest.mark.parametrize(("steps", "row"), [(ONCE, {"charge": "unknown"}), (READ, {"look": "error"})])
def test_when_the_grace_is_over_nobody_waits_and_what_was_in_flight_stays_as_it_is(
    steps: str, row: dict[str, str]
) -> None:
    slow = Slow(held=("UsrCharge", "UsrLook"))
    with running(slow, "--grace", "300ms", a=steps + FINALLY) as begun:
        begun.send_signal(signal.SIGTERM)
        assert begun.end() == 143  # while the answer is still held back
    assert "all within 300 ms; a SIGINT (Ctrl-C) ends it now\n" in begun.err
    assert "the grace of 300 ms is over: ended here;" in begun.err
    assert statuses() == row
    assert "  what next:\n    runner re" in Path("out.txt").read_text()
    assert Path("report.json").exists()


def test_what_is_left_undone_can_be_seen_in_the_runs_own_folder(capsys: Capture) -> None:
    with running(Slow(), "--grace", "200ms", a=ONCE) as begun:
        begun.send_signal(signal.SIGINT)
        begun.end()
    (folder,) = Path(".runner/runs").iterdir()
    assert {"events.jsonl", "plan.json", "report.json", "junit.xml"} <= {file.name for file in folder.iterdir()}
    assert ended(["show", "last"]) == 0
    assert f"runner reconcile {folder.name}\n" in capsys.readouterr().out


def test_a_second_interrupt_ends_it_now_and_its_reports_are_written() -> None:
    slow = Slow()
    with running(slow, "--grace", "10m", a=ONCE + FINALLY) as begun:
        met = time.monotonic()
        begun.send_signal(signal.SIGINT)
        begun.until(HEARD)
        seconds = time.monotonic() - met
        begun.send_signal(signal.SIGINT)
        assert begun.end() == 130  # neither the answer nor the end of the grace ends it
    assert "interrupted again: ended here;" in begun.err
    assert statuses() == {"charge": "unknown"}
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    least = seconds / 2  # the stamps are in milliseconds, of a clock that may be set meanwhile
    assert (run["steps"][0]["seconds"] >= least, run["seconds"] >= least) == (True, True)
    assert slow.asked == ["UsrCharge"]
    assert ended(["show", "last"]) == 0


def test_a_sigterm_after_a_sigint_as_github_sends_it_is_no_second_signal() -> None:
    slow = Slow()
    with running(slow, "--grace", "10m", a=ONCE + READ + FINALLY) as begun:
        begun.send_signal(signal.SIGINT)
        begun.until(HEARD)
        begun.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # nothing is printed of it; without the pause it might come after the end, and prove nothing
        slow.let_go.set()
        assert begun.end() == 130
    assert slow.asked == ["UsrCharge", "UsrTidy"]
    assert "again" not in begun.err


def test_a_signal_reaches_all_runs_that_go_on_side_by_side_and_lets_no_other_begin() -> None:
    slow = Slow()
    jobs = dict.fromkeys(("a", "b", "c"), ONCE + READ + FINALLY)
    with running(slow, "-j", "2", "--grace", "10m", **jobs) as begun:
        wait_for(lambda: sum(b'"step.started"' in journal for journal in events()) == 2)
        begun.send_signal(signal.SIGINT)
        begun.until(HEARD)
        slow.let_go.set()
        assert begun.end() == 130
    assert "not begun: c@here" in begun.err
    runs = json.loads(Path("report.json").read_text())["runs"]
    assert [run["status"] for run in runs] == ["cancelled", "cancelled"]
    assert slow.asked.count("UsrTidy") == 2


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_lets_finally_run_no_other_run_begins_and_the_command_ends_with_its_code(name: str, code: int) -> None:
    slow = Slow()
    with running(slow, "--grace", "10m", a=ONCE + READ + FINALLY, b=READ) as begun:
        begun.send_signal(getattr(signal, name))
        begun.until(f"{name}: {HEARD}")
        slow.let_go.set()
        assert begun.end() == code
    assert slow.asked == ["UsrCharge", "UsrTidy"]
    assert "not begun: b@here" in begun.err


def test_a_pause_ends_at_once() -> None:
    slow = Slow(held=())
    job = ONCE + "  - id: nap\n    pause: 10m\n" + FINALLY
    with site(slow) as here:
        Path("targets.yaml").write_text(targets(here.url))
        Path("a.job.yaml").write_text(JOB.format(name="a") + job)
        with command("run", "a.job.yaml") as begun:
            wait_for(lambda: any(b'"nap"' in journal for journal in events()))
            begun.send_signal(signal.SIGHUP)
            assert begun.end() == 129
    assert slow.asked == ["UsrCharge", "UsrTidy"]


def test_a_start_that_waits_for_the_rate_does_not_leave_after_a_signal() -> None:
    """The sign-in has the first turn of an hour, so that the start waits: its journal says so, and it is met there."""
    slow = Slow(held=())
    with site(slow) as here:
        Path("targets.yaml").write_text(targets(here.url) + "    rate: 1/h\n")
        Path("a.job.yaml").write_text(JOB.format(name="a") + ONCE)
        arguments = ("run", "a.job.yaml", "-v", "--report-json", "report.json")
        with command(*arguments, out=Path("out.txt")) as begun:
            wait_for(lambda: any(b'"waited"' in journal for journal in events()))
            begun.send_signal(signal.SIGINT)
            assert begun.end() == 130
    assert (slow.asked, statuses()) == ([], {"charge": "error"})
    assert "    waits: charge, for the `rate` of the target\n" in Path("out.txt").read_text()


def test_more_runs_at_once_than_a_pool_would_hold_each_have_a_connection() -> None:
    """All 40 calls are there at once before the first is answered, and none waits for a connection meanwhile."""
    all_are_here = threading.Barrier(40)

    def answer(_method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        all_are_here.wait(TIME)
        return xml(1)

    with site(answer) as here:
        Path("targets.yaml").write_text(targets(here.url))
        cases = "cases: [" + ", ".join(f"{{name: c{number}, inputs: {{}}}}" for number in range(40)) + "]\n"
        Path("a.job.yaml").write_text(JOB.format(name="a") + ONCE + cases)
        assert ended(["run", "a.job.yaml", "-j", "40", "-q"]) == 0


@pytest.mark.parametrize(
    ("grace", "why"),
    [
        ("10", "is no duration: write a number and a unit (`ms`, `s`, `m` or `h`)"),
        ("400d", "is no duration: write a number and a unit (`ms`, `s`, `m` or `h`)"),
        ("soon", "is no duration: write a number and a unit"),
        ("", "is no duration: write a number and a unit"),
        ("0s", "is no duration: it must be longer than zero"),
        ("-1h", "is no duration: it must be longer than zero"),
        ("9000h", "is too long: the longest duration is a year, `8760h`"),
    ],
)
def test_a_grace_that_is_no_duration_is_a_mistake_that_says_why(grace: str, why: str, capsys: Capture) -> None:
    assert ended(["run", ".", "--grace", grace]) == 2
    assert why in capsys.readouterr().err


def test_the_grace_has_a_twin_in_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_GRACE", "7")
    assert ended(["run", "."]) == 2
    assert "`7` is no duration" in capsys.readouterr().err


def test_a_sign_in_that_hangs_holds_nobody_up_longer_than_the_grace() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        Path("targets.yaml").write_text(targets(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        Path("a.job.yaml").write_text(JOB.format(name="a") + READ + FINALLY)
        silent.settimeout(TIME)
        with command("run", "a.job.yaml", "--grace", "300ms", "--report-json", "report.json") as begun:
            connection, _ = silent.accept()
            with connection:
                begun.send_signal(signal.SIGINT)
                assert begun.end() == 130, begun.err  # an attempt has 100 s
    assert statuses()["look"] == "error"
