"""`concurrency`: runs of one lock against one site do not overlap, within a command and among real processes."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from running import PIPE, ForkedCommand, command, start
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: here
{lock}defaults: {{verify: none}}
steps:
  - execute: {{process: Usr{name}}}
"""


@dataclass
class Counting:
    """Answers when `let_go` is set, or after `seconds`; `most` is how many were under way at once."""

    seconds: float = 0.1
    let_go: threading.Event = field(default_factory=threading.Event)
    met: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, _method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        with self._lock:
            self.asked.append(path.split("/")[4])
            self.now += 1
            self.most = max(self.most, self.now)
        self.met.set()
        self.let_go.wait(self.seconds)
        with self._lock:
            self.now -= 1
        return xml(1)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def here(counting: Counting) -> Iterator[Site]:
    with site(counting) as served:
        Path("targets.yaml").write_text(targets(served.url))
        yield served
        counting.let_go.set()


def write(**locks: str | None) -> None:
    for name, lock in locks.items():
        text = JOB.format(name=name, lock=f"concurrency: {lock}\n" if lock else "")
        Path(f"{name}.job.yaml").write_text(text)


@pytest.fixture
def other(here: Site, counting: Counting) -> Iterator[ForkedCommand]:
    """Another program that has the lock `billing` and is in the middle of its run."""
    assert here.asked == []
    counting.seconds = 20
    write(nightly="billing")
    process = start("run", "nightly.job.yaml", stdout=PIPE, stderr=PIPE)
    assert counting.met.wait(300)
    yield process
    process.kill()
    process.communicate()
    process.close()


def test_runs_of_one_command_that_share_a_lock_wait_for_one_another_and_let_the_others_pass(
    here: Site, counting: Counting
) -> None:
    write(a="billing", b="billing", c=None)
    assert ended(["run", ".", "-j", "8"]) == 0
    assert counting.most == 2
    assert counting.asked[-1] == "Usrb"
    assert len(here.executes()) == 3
    first, second = run_of("a"), run_of("b")
    (waited,) = waits(second)
    assert (waited["what"], waited["name"], waited["key"]) == ("lock", "billing", "")
    assert waited["held_by"] == {"job": "a@here", "run": first}
    assert waited["seconds"] > 0
    assert waits(first) == []


def run_of(job: str) -> str:
    """The id of the run of a job."""
    begun = {json.loads(lines[0])["job"]: lines[0] for lines in journals()}
    run: str = json.loads(begun[job])["run"]
    return run


def journals() -> list[list[str]]:
    return [events.read_text().splitlines() for events in sorted(Path(".runner/runs").glob("*/events.jsonl"))]


def waits(run: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in Path(".runner/runs", run, "events.jsonl").read_text().splitlines()]
    return [event for event in events if event["type"] == "waited"]


def test_locks_of_other_names_and_other_sites_keep_nobody_away(here: Site, counting: Counting) -> None:
    both = targets(here.url)
    second = both.partition("targets:\n")[2].replace("here:", "there:").replace(here.url, f"{here.url}/crm")
    Path("targets.yaml").write_text(both + second)
    counting.seconds = 0.3
    write(a="billing", b="mailing")
    assert ended(["run", ".", "-j", "8", "-t", "here", "-t", "there"]) == 0
    assert counting.most == 4


def test_a_lock_that_another_program_has_is_exit_6_and_says_who_has_it_since_when(
    here: Site, other: ForkedCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    write(daily="billing")
    asked = len(here.asked)
    assert ended(["run", "daily.job.yaml"]) == 6
    err = capsys.readouterr().err
    assert f"error[E163]: lock `billing` of {here.url} is held by `nightly@here` (process {other.pid}) since 20" in err
    assert " UTC\n" in err
    assert "nothing was sent; `--wait-lock 10m` waits for it; it was started as: runner run nightly.job.yaml" in err
    assert len(here.asked) == asked
    assert len(list(Path(".runner/runs").iterdir())) == 1


def test_a_lock_is_waited_for_as_long_as_was_said_and_that_is_reported(
    here: Site, counting: Counting, other: ForkedCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    write(daily="billing")
    assert ended(["run", "daily.job.yaml", "--wait-lock", "300ms"]) == 6
    err = capsys.readouterr().err
    assert err.startswith("waiting up to 300 ms: lock `billing` of ")
    assert "300 ms were not enough" in err
    with command("run", "daily.job.yaml", "--wait-lock", "5m") as waiting:
        waiting.until("waiting up to 5 min: ")
        counting.let_go.set()
        assert waiting.end() == 0, waiting.err
    assert counting.asked == ["Usrnightly", "Usrdaily"]
    assert counting.most == 1
    assert other.wait(300) == 0
    assert here.asked
    (waited,) = waits(run_of("daily"))
    assert waited["held_by"] == {"job": "nightly@here", "run": run_of("nightly")}
    assert waited["seconds"] > 0
    assert ended(["report", "last", "--report-json", "report.json"]) == 0
    (run,) = json.loads(Path("report.json").read_text())["runs"]
    assert [(wait["for"], wait["name"]) for wait in run["waits"]] == [("lock", "billing")]


def test_a_lock_vanishes_with_the_process_that_had_it(here: Site, other: ForkedCommand) -> None:
    write(daily="billing")
    other.kill()
    other.wait()
    counting = here.answer
    assert isinstance(counting, Counting)
    counting.let_go.set()
    assert ended(["run", "daily.job.yaml"]) == 0


def test_a_signal_while_a_lock_is_waited_for_ends_the_command_and_nothing_begins(
    here: Site, counting: Counting, other: ForkedCommand
) -> None:
    write(daily="billing")
    with command("run", "daily.job.yaml", "--wait-lock", "10m") as waiting:
        waiting.until("waiting up to 10 min: ")
        waiting.send_signal(2)
        assert waiting.end() == 130, waiting.err
    assert "SIGINT: no run has begun, and none will\n" in waiting.err
    assert "not begun: daily@here" in waiting.err
    assert counting.asked == ["Usrnightly"]
    assert other.poll() is None
    assert here.asked


def test_all_locks_are_taken_before_anything_begins(here: Site, counting: Counting, other: ForkedCommand) -> None:
    write(afresh="another", daily="billing", third=None)
    assert ended(["run", "afresh.job.yaml", "third.job.yaml", "daily.job.yaml"]) == 6
    assert counting.asked == ["Usrnightly"]
    assert other.poll() is None
    assert here.asked


def test_where_there_are_no_locks_to_be_had_the_run_does_not_begin(
    here: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    write(a="billing", b=None)
    assert ended(["run", "a.job.yaml"]) == 6
    assert "error[E163]: lock `billing` cannot be taken, so that nothing would keep another run away" in (
        capsys.readouterr().err
    )
    assert ended(["run", "b.job.yaml"]) == 0
    assert len(here.executes()) == 1
