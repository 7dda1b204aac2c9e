"""Questions at a terminal: a real one, so that what a person sees and types is what is tested."""

import os
import pty
import signal
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from running import PIPE, TIME, ForkedCommand, is_readable, start
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended
from runner.job.model import Input, Job
from runner.terminal import asking

pytestmark = pytest.mark.slow

JOB = "runner: 1\nname: smoke\ntarget: here\ndefaults: {verify: none}\nsteps:\n"
CALL = "  - id: call\n    execute: {process: UsrSmoke}\n"
SURE = "? smoke@here, ask: Sure about here? (`later` leaves the run here, and `runner resume` asks again) [y/N] "
ASK = '  - id: ask\n    confirm: "Sure about {{ target.name }}?"\n'


@dataclass
class Terminal:
    """A `runner` whose standard input and error are a terminal; `seen` is what it has shown so far."""

    process: ForkedCommand
    master: int
    seen: str = ""
    out: str = field(default="")

    def wait_for(self, text: str, *, seconds: float = TIME) -> None:
        ends = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < ends, f"{text!r} was not shown: {self.seen!r}"
            self._read(0.1)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        self.out = self.process.communicate(TIME)[0].decode()
        self.process.close()
        while self._read(0.1):
            pass
        return self.process.wait()

    def _read(self, seconds: float) -> bool:
        """Whether there was something."""
        if not is_readable(self.master, seconds):
            return False
        try:
            read = os.read(self.master, 65536)
        except OSError:  # how Linux tells that the other end is closed
            return False
        self.seen += read.decode()
        return bool(read)


def answer(_method: str, path: str) -> Answer:
    return xml(None) if "/Execute" in path else NOTHING


def at_a_terminal(*arguments: str, **more: str) -> Terminal:
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CREATIO_RUNNER_", "CI"))}
    environment |= more
    process = start(*arguments, stdin=slave, stderr=slave, stdout=PIPE, env=environment)
    os.close(slave)
    return Terminal(process, master)


def write(here: Site, steps: str, *, more: str = "") -> None:
    Path("targets.yaml").write_text(targets(here.url) + more)
    Path("a.job.yaml").write_text(JOB + steps)


PROTECTED = "    protected: true\n"


@pytest.mark.parametrize(("typed", "code", "sent"), [("y\n", 0, 1), ("yes\n", 0, 1), ("n\n", 6, 0), ("\n", 6, 0)])
def test_a_protected_target_is_opened_by_a_persons_yes_alone(typed: str, code: int, sent: int) -> None:
    with site(answer) as here:
        write(here, CALL, more=PROTECTED)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for("[y/N]")
        assert here.asked == []
        terminal.type(typed)
        assert terminal.end() == code
        assert len(here.executes()) == sent
    assert f"target `here` ({here.url}) is protected. Carry out smoke?" in terminal.seen
    journals = [file.read_text() for file in Path(".runner/runs").glob("*/events.jsonl")]
    assert ['"confirmed":"question"' in journal for journal in journals] == [True] * sent


def test_an_answer_that_is_none_is_asked_for_again_and_the_end_of_the_input_is_a_no() -> None:
    with site(answer) as here:
        write(here, CALL, more=PROTECTED)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for("[y/N]")
        terminal.type("perhaps\n")
        terminal.wait_for("perhaps\r\n  `y` is a yes; `n`, or nothing, is a no\r\n? target")
        terminal.type("\x04")
        assert terminal.end() == 6
        assert here.asked == []
    assert "E160" in terminal.seen


def test_an_interrupt_at_the_question_is_130_and_nothing_is_sent() -> None:
    with site(answer) as here:
        write(here, CALL, more=PROTECTED)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for("[y/N]")
        terminal.process.send_signal(2)
        assert terminal.end() == 130
        assert here.asked == []


def test_yes_on_the_command_line_does_not_open_a_protected_target() -> None:
    with site(answer) as here:
        write(here, CALL, more=PROTECTED)
        terminal = at_a_terminal("run", "a.job.yaml", "--yes")
        terminal.wait_for("[y/N]")
        terminal.type("n\n")
        assert terminal.end() == 6


@pytest.mark.parametrize(("typed", "code", "sent"), [("y\n", 0, 1), ("n\n", 1, 0)])
def test_a_step_that_asks_goes_on_with_a_persons_yes(typed: str, code: int, sent: int) -> None:
    with site(answer) as here:
        write(here, ASK + CALL)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for(SURE)
        terminal.type(typed)
        assert terminal.end() == code
        assert len(here.executes()) == sent


def test_of_runs_side_by_side_one_asks_at_a_time() -> None:
    with site(answer) as here:
        write(here, "")
        for name in ("one", "two"):
            steps = f'  - confirm: "Sure about {name}?"\n{CALL}'
            Path(f"{name}.job.yaml").write_text(JOB.replace("smoke", name) + steps)
        terminal = at_a_terminal("run", "one.job.yaml", "two.job.yaml", "-j", "2")
        ends = time.monotonic() + TIME
        while sum('"step.started"' in file.read_text() for file in Path().glob(".runner/runs/*/events.jsonl")) < 2:
            assert time.monotonic() < ends
        terminal.wait_for("[y/N]")
        first, other = ("one", "two") if "Sure about one?" in terminal.seen else ("two", "one")
        terminal.type("y\n")
        terminal.wait_for(f"? {other}@here, 1: Sure about {other}?")
        assert f"Sure about {other}?" in terminal.seen.partition("] y\r\n")[2]
        terminal.type("n\n")
        assert terminal.end() == 1
        assert len(here.executes()) == 1
    assert f"passed: {first}@here" in terminal.out


def test_a_step_that_asks_does_not_ask_where_yes_was_said_beforehand() -> None:
    with site(answer) as here:
        write(here, ASK + CALL)
        terminal = at_a_terminal("run", "a.job.yaml", "--yes")
        assert terminal.end() == 0
        assert len(here.executes()) == 1
    assert "[y/N]" not in terminal.seen


@pytest.mark.parametrize(
    ("steps", "more", "options", "code"),
    [
        (CALL, PROTECTED, [], 6),
        (CALL, PROTECTED, ["--yes"], 6),
        (CALL, PROTECTED, ["--confirm", "there"], 6),
        (CALL, PROTECTED, ["--confirm", "here"], 0),
        (ASK + CALL, "", [], 6),
        (ASK + CALL, "", ["--yes"], 0),
        (CALL, "    allow: {processes: [UsrRead*]}\n", [], 6),
        (CALL, "    allow: {effects: [read, idempotent]}\n", ["--yes"], 6),
        (CALL, "    allow: {processes: ['Usr*'], effects: [once]}\n", [], 0),
    ],
)
def test_without_a_terminal_the_guards_decide_before_anything_is_sent(
    steps: str, more: str, options: list[str], *, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with site(answer) as here:
        write(here, steps, more=more)
        assert ended(["run", "a.job.yaml", *options]) == code
        assert len(here.executes()) == int(code == 0)
        assert code == 0 or here.asked == []
    assert ("E16" in capsys.readouterr().err) == (code == 6)
    assert Path(".runner").exists() == (code == 0)


def test_yes_and_confirm_have_no_twins_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_YES", "1")
    monkeypatch.setenv("CREATIO_RUNNER_CONFIRM", "here")
    with site(answer) as here:
        write(here, ASK + CALL, more=PROTECTED)
        assert ended(["run", "a.job.yaml"]) == 6
    err = capsys.readouterr().err
    assert "E160" in err
    assert "E162" in err


def test_what_was_typed_before_a_question_is_no_answer_to_it() -> None:
    with site(answer) as here:
        write(here, CALL + ASK + CALL.replace("id: call", "id: more"), more=PROTECTED)
        terminal = at_a_terminal("run", "a.job.yaml", "--confirm", "here")
        terminal.type("n\n")
        terminal.wait_for(SURE)
        terminal.type("y\n")
        assert terminal.end() == 0
        assert len(here.executes()) == 2


def test_a_run_that_is_left_at_a_question_asks_again_when_it_is_resumed() -> None:
    undone = CALL + "    undo: {execute: {process: UsrUndo}}\n"
    with site(answer) as here:
        write(here, undone + ASK + CALL.replace("id: call", "id: more") + TIDY)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for(SURE)
        terminal.type("later\n")
        assert terminal.end() == 130
        assert "cancelled: smoke@here: 1 passed, 1 error" in terminal.out
        assert "runner resume" in terminal.out
        terminal = at_a_terminal("resume", "last")
        terminal.wait_for(SURE)
        terminal.type("y\n")
        assert terminal.end() == 0
        assert [line.split("/")[4] for line in here.executes()] == ["UsrSmoke", "UsrSmoke", "UsrTidy"]


def test_an_interrupt_while_a_step_asks_ends_the_question_and_finally_is_carried_out() -> None:
    with site(answer) as here:
        write(here, ASK + CALL + "finally:\n  - execute: {process: UsrTidy}\n")
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for(SURE)
        terminal.process.send_signal(2)
        assert terminal.end() == 130
        assert [line.split("/")[4] for line in here.executes()] == ["UsrTidy"]
    assert "SIGINT: no further step begins" in terminal.seen


HELPED = '  - id: ask\n    confirm: "Sure about {{ target.name }}?"\n    help: Look at the board first.\n'
TIDY = "finally:\n  - execute: {process: UsrTidy}\n"


@pytest.mark.parametrize("typed", ["?", "yse", "ja"])
def test_what_is_no_answer_shows_the_help_of_the_step_and_is_asked_again(typed: str) -> None:
    with site(answer) as here:
        write(here, HELPED + CALL + TIDY)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for(SURE)
        terminal.type(f"{typed}\n")
        terminal.wait_for(f"{typed}\r\n  help: Look at the board first.\r\n")
        terminal.wait_for("`y` is a yes; `n`, or nothing, is a no\r\n" + SURE)
        assert here.executes() == []
        terminal.type("y\n")
        assert terminal.end() == 0
        assert [line.split("/")[4] for line in here.executes()] == ["UsrSmoke", "UsrTidy"]


INPUTS = (
    "inputs:\n"
    "  limit: {type: integer, minimum: 1, description: At most so many}\n"
    "  token: {type: string, secret: true}\n"
    "  given: {type: string, default: x}\n"
)
WITH_INPUTS = """  - id: call
    execute: {process: UsrSmoke, parameters: {Limit: "{{ inputs.limit }}", Token: "{{ inputs.token }}"}}
"""


def write_with_inputs(here: Site) -> None:
    write(here, WITH_INPUTS)
    Path("a.job.yaml").write_text(
        INPUTS.join(Path("a.job.yaml").read_text().partition("defaults:")[::2]).replace(INPUTS, INPUTS + "defaults:")
    )


def test_a_missing_input_is_asked_for_and_a_secret_is_not_shown() -> None:
    with site(answer) as here:
        write_with_inputs(here)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for("? input `limit` (integer, minimum 1): At most so many> ")
        terminal.type("many\n")
        terminal.wait_for("is not a whole number\r\n? input `limit` (integer, minimum 1): At most so many> ")
        assert here.asked == []
        terminal.type("7\n")
        terminal.wait_for("? input `token` (string)> ")
        terminal.type("sw0rdfish\n")
        assert terminal.end() == 0
        (sent,) = here.executes()
        assert "Limit=7&Token=sw0rdfish" in sent
    assert "sw0rdfish" not in terminal.seen + terminal.out
    kept = "".join(path.read_text() for path in Path(".runner").rglob("*") if path.suffix in {".json", ".jsonl"})
    assert "sw0rdfish" not in kept


@pytest.mark.parametrize("arguments", [["rerun", "last"], ["run", "a.plan.json", "--again"]])
def test_a_secret_that_is_not_stored_is_asked_for_again(arguments: list[str]) -> None:
    with site(answer) as here:
        write_with_inputs(here)
        Path("token").write_text("first")
        assert ended(["plan", "a.job.yaml", "-i", "limit=7", "-i", "token=@token", "--out", "a.plan.json"]) == 0
        assert ended(["run", "a.job.yaml", "-i", "limit=7", "-i", "token=@token"]) == 0
        here.asked.clear()
        terminal = at_a_terminal(*arguments)
        terminal.wait_for("? input `token` (string)> ")
        assert here.asked == []
        terminal.type("sw0rdfish\n")
        assert terminal.end() == 0
        assert "Limit=7&Token=sw0rdfish" in here.executes()[0]
        assert "? input `limit`" not in terminal.seen
    assert "sw0rdfish" not in terminal.seen + terminal.out


def test_without_a_terminal_the_secret_that_is_not_stored_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with site(answer) as here:
        write_with_inputs(here)
        Path("token").write_text("first")
        assert ended(["run", "a.job.yaml", "-i", "limit=7", "-i", "token=@token"]) == 0
        capsys.readouterr()
        assert ended(["rerun", "last"]) == 2
    printed = capsys.readouterr().err
    assert "error[E130]: job `smoke`: input `token` is required" in printed
    assert "CREATIO_RUNNER_INPUT_TOKEN" in printed


def test_an_answer_whose_line_is_ended_by_the_end_of_the_input_is_an_answer() -> None:
    with site(answer) as here:
        write_with_inputs(here)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for("? input `limit`")
        terminal.type("7\x04\x04")
        terminal.wait_for("? input `token`")
        terminal.type("sw0rdfish\n")
        assert terminal.end() == 0
        assert "Limit=7" in here.executes()[0]


def test_whoever_gives_no_answer_reads_what_is_missing() -> None:
    with site(answer) as here:
        write_with_inputs(here)
        terminal = at_a_terminal("run", "a.job.yaml")
        terminal.wait_for("? input `limit`")
        terminal.type("\n")
        terminal.wait_for("type a value; Ctrl-D ends the questions\r\n? input `limit`")
        terminal.type("\x04")
        assert terminal.end() == 2
        assert here.asked == []
    assert "E130" in terminal.seen
    assert "? input `token`" not in terminal.seen


def test_nothing_is_asked_in_ci_nor_where_something_else_is_wrong() -> None:
    with site(answer) as here:
        write_with_inputs(here)
        terminal = at_a_terminal("run", "a.job.yaml", CI="true")
        assert terminal.end() == 2
        assert "? input" not in terminal.seen
        terminal = at_a_terminal("run", "a.job.yaml", "-t", "nowhere")
        assert terminal.end() == 2
        assert "? input" not in terminal.seen


def test_an_interrupt_while_a_secret_is_asked_for_lets_the_terminal_show_again_what_is_typed() -> None:
    with site(answer) as here:
        write_with_inputs(here)
        terminal = at_a_terminal("run", "a.job.yaml", "-i", "limit=7")
        before = termios.tcgetattr(terminal.master)[3] & termios.ECHO
        terminal.wait_for("? input `token`")
        wait_until(lambda: not termios.tcgetattr(terminal.master)[3] & termios.ECHO)
        terminal.process.send_signal(2)
        assert terminal.end() == 130
        assert termios.tcgetattr(terminal.master)[3] & termios.ECHO == before
        assert here.asked == []


def test_a_signal_that_comes_just_before_a_secret_is_read_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that is typed would be read, and the signal seen afterwards, if at all."""

    def interrupted() -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return True

    master, slave = pty.openpty()
    with os.fdopen(slave, "r") as typed, os.fdopen(master, "w") as keys:
        keys.write("q7kXw9-Lm3zPt5\n")
        keys.flush()
        monkeypatch.setattr(sys, "stdin", typed)
        monkeypatch.setattr(asking, "_has_come", interrupted)
        declared = Input(name="token", schema={"type": "string"}, required=True, secret=True)
        job = cast("Job", SimpleNamespace(inputs=(declared,)))
        monkeypatch.setattr(asking, "is_there", lambda: True)
        with pytest.raises(KeyboardInterrupt):
            asking.missing_inputs([(job, None)], {}, {})


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + TIME
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.01)
