"""`runner apply`: what begins, what is not repeated, and what a person reads of it, by what a site was asked for."""

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from captured import Capture
from running import carried_out, command
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended
from runner.execution.active_run import new_id
from runner.json_schema.schemas import shipped
from runner.ledger.file import LedgerFile
from runner.project.ci_run import user_and_host
from runner.runs.files.store import FileRunStore
from runner.runs.store import Holder, Part

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: here
defaults: {{verify: none}}
{more}steps:
  - id: act
    execute: {{process: Usr{name}, result: Out}}
    expect: [result == 7]
"""
LEDGER = Path(".runner/ledger")


@dataclass
class Answers:
    """Answers an execute by what `given` says of its process, else with 7; `asked` are the processes. `hold` holds
    `held` alone, where that is named.
    """

    given: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hold: threading.Event | None = None
    came: threading.Event = field(default_factory=threading.Event)
    held: str = ""

    def __call__(self, _method: str, path: str) -> Answer:
        if "/Execute" not in path:
            return NOTHING
        process = path.split("/")[4]
        self.asked.append(process)
        if self.held in ("", process):
            self.came.set()
            if self.hold is not None:
                self.hold.wait(300)
        return self.given.get(process, xml(7))

    def go_on(self) -> None:
        """Hold nothing any more."""
        if self.hold is not None:
            self.hold.set()

    def since(self) -> list[str]:
        """What was asked for since this was called last."""
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture(autouse=True)
def here(answers: Answers) -> Iterator[Site]:
    Path("specs").mkdir()
    with site(answers) as served:
        Path("targets.yaml").write_text(targets(served.url) + "    settle: 100ms\n")
        yield served


def write(name: str, more: str = "", *, folder: str = "specs", **texts: str) -> Path:
    text = JOB.format(name=name, more=more)
    for old, new in texts.items():
        text = text.replace(old, new)
    path = Path(folder) / f"{name}.job.yaml"
    path.write_text(text)
    return path


def statuses() -> list[tuple[str, str | None]]:
    with closing(sqlite3.connect(LEDGER)) as database:
        sql = "SELECT v.title, a.status FROM attempt a JOIN version v ON v.digest = a.digest ORDER BY a.number"
        return database.execute(sql).fetchall()


def ids(folder: Path = Path()) -> list[str]:
    """The stored runs of a project, the oldest first."""
    return sorted(run.name for run in (folder / ".runner/runs").iterdir())


@contextmanager
def applied_elsewhere(answers: Answers, *options: str) -> Iterator["Future[int]"]:
    """`apply` in another process, which waits for an answer until the context ends; its exit code."""
    answers.hold = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        code = pool.submit(lambda: carried_out("apply", "specs", "-q", *options).returncode)
        try:
            assert answers.came.wait(300)
            yield code
        finally:
            answers.go_on()


def broken_off(answers: Answers) -> Path:
    """Make of the only run that has ended one that broke off after its first line; its folder."""
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:2]))
    (events.parent / "report.json").unlink()
    Path(".runner/history.jsonl").unlink()
    with closing(sqlite3.connect(LEDGER)) as database:
        database.execute("UPDATE attempt SET status = NULL, exit_code = NULL, ended_at = NULL")
        database.commit()
    for rows in (*Path().rglob(".rows.sqlite*"), *Path(os.environ["XDG_STATE_HOME"]).rglob("rows-*.sqlite*")):
        rows.unlink()  # who was killed then had started nothing
    answers.since()
    return events.parent


def test_a_version_is_carried_out_once_and_again_when_the_job_changes(answers: Answers, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]
    assert "nothing is in the ledger .runner/ledger yet, so every version is new" in capsys.readouterr().err
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []
    assert capsys.readouterr().err == "applied: nothing new; 1 passed before\n"
    write("a", "description: other\n")
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []
    write("a", "timeout: 1m\n")
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]
    write("a")
    assert ended(["apply", "specs"]) == 0, "the version of before has passed"
    assert answers.since() == []


def test_the_help_says_that_runs_are_beside_the_ledger(capsys: Capture) -> None:
    assert ended(["apply", "--help"]) == 0
    assert "[default: .runner/runs beside the ledger; with --ledger in the current folder]" in " ".join(
        capsys.readouterr().out.split()
    )


def test_each_target_has_its_versions(answers: Answers, here: Site) -> None:
    both = targets(here.url) + targets(here.url).partition("targets:\n")[2].replace("here:", "there:")
    Path("targets.yaml").write_text(both)
    write("a")
    assert ended(["apply", "specs", "-t", "here"]) == 0
    assert ended(["apply", "specs", "-t", "here", "-t", "there"]) == 0
    assert answers.since() == ["Usra", "Usra"]
    assert statuses() == [("a@here", "passed"), ("a@there", "passed")]


def test_a_failed_version_is_not_repeated_and_fails_each_time_until_it_is_retried(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    write("b")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    assert answers.since() == ["Usra", "Usrb"]
    capsys.readouterr()
    assert ended(["apply", "specs", "--report-junit", "junit.xml"]) == 1
    assert answers.since() == []
    said = capsys.readouterr().err
    assert "error[E183]: `a@here` is not carried out: this version was carried out on " in said
    assert ", and failed\n   = hint: change the job, or carry it out again with `--retry failed`" in said
    assert "applied: nothing new; 1 passed before, 1 failed\n" in said
    assert "E183" in Path("junit.xml").read_text()
    answers.given.clear()
    assert ended(["apply", "specs", "--retry", "failed"]) == 0
    assert answers.since() == ["Usra"]
    assert ended(["apply", "specs", "--report-md", "summary.md"]) == 0
    assert "### `nothing new: 2 versions passed before`\n\nexit 0: " in Path("summary.md").read_text()


def test_a_rerun_of_an_applied_run_is_another_attempt_at_its_version(answers: Answers, capsys: Capture) -> None:
    write("a")
    write("b")
    answers.given["Usra"] = answers.given["Usrb"] = xml(8)
    assert ended(["apply", "specs", "-k", "a"]) == 1
    assert ended(["rerun", "last"]) == 1
    assert ended(["rerun", "last"]) == 1
    assert ended(["apply", "specs", "-k", "b"]) == 1
    answers.given.clear()
    assert ended(["rerun", "last"]) == 0
    answers.since()
    assert ended(["apply", "specs", "--dry-run", "--retry", "failed"]) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[-1:]] == [["again", "a@here"]]
    assert statuses() == [("a@here", "failed"), ("b@here", "failed")]
    assert ended(["apply", "specs", "-k", "b", "--retry", "failed"]) == 0
    assert answers.since() == [], "its rerun has passed"
    assert ended(["apply", "specs"]) == 1
    assert statuses() == [
        ("a@here", "failed"),
        ("b@here", "failed"),
        ("b@here", "passed"),
        ("a@here", "failed"),
        ("a@here", "failed"),
    ]
    assert ended(["apply", "specs", "--retry", "failed"]) == 0
    assert answers.since() == ["Usra"]
    assert len(statuses()) == 6


def test_a_rerun_of_an_earlier_run_of_apply_is_another_attempt_at_its_version(answers: Answers) -> None:
    write("a")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    (first,) = ids()
    assert ended(["apply", "specs", "--retry", "failed"]) == 1
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["rerun", first]) == 4
    answers.since()
    assert ended(["rerun", ids()[1]]) == 6
    assert ended(["apply", "specs", "--retry", "failed"]) == 4
    assert answers.since() == [], "the rerun of its first run is in doubt"


def test_a_version_that_a_rerun_is_about_to_begin_is_not_begun(answers: Answers, capsys: Capture) -> None:
    for name in "abc":
        write(name)
        answers.given[f"Usr{name}"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    store, (run, of_b, _) = FileRunStore(Path(".runner/runs")), ids()
    holder = Holder(pid=77, run=run, job="a@here", since="2026-01-01T00:00:00Z", command=f"runner rerun {run}")
    assert store.claim_reruns(lambda: [run, of_b], holder) is None
    answers.since()
    capsys.readouterr()
    for changed in ("", "timeout: 1m\n"):
        write("a", changed)
        command = ["apply", "specs", "--retry", "failed", "-k", "a", "-k", "c", "--report-junit", "junit.xml"]
        assert ended(command) == 3
        assert f"run {run} is being carried out once more by another command (process 77)" in capsys.readouterr().err
        assert "E181" in Path("junit.xml").read_text()
        assert answers.since() == ["Usrc"], "nothing is in the way of the others"
    store.close()
    assert ended(["apply", "specs", "--retry", "failed", "-k", "a"]) == 1
    assert answers.since() == ["Usra"]


def test_what_an_apply_never_began_is_left_to_apply_and_that_is_said(answers: Answers, capsys: Capture) -> None:
    write("a")
    write("b")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs", "-x"]) == 1
    answers.since()
    for again in (["run", "specs", "--last-failed"], ["rerun", ids()[0], "--failed"]):
        capsys.readouterr()
        assert ended(again) == 1
        assert answers.since() == ["Usra"]
        assert "what it never began, if anything, only `runner apply` begins\n" in capsys.readouterr().err


def test_a_run_of_apply_that_is_about_to_write_its_first_event_keeps_a_rerun_back(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    (first,) = ids()
    store, later = FileRunStore(Path(".runner/runs")), new_id()
    log = store.create(later)
    store.put(later, Part.PLAN, store.get(first, Part.PLAN).decode())
    answers.since()
    assert ended(["rerun", first]) == 6
    assert f"run {first} is carried out once more by run {later}, which is under way" in capsys.readouterr().err
    assert answers.since() == []
    log.close()
    assert ended(["rerun", first]) == 1
    assert answers.since() == ["Usra"], "it broke off before it began"


@pytest.mark.parametrize(("changed", "code"), [("", 0), ("timeout: 1m\n", 3)])
def test_what_a_rerun_has_begun_meanwhile_is_not_begun(answers: Answers, changed: str, code: int) -> None:
    write("a")
    write("b")
    answers.given["Usra"] = answers.given["Usrb"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    (_, of_b), answers.held = ids(), "Usra"
    answers.given.clear()
    answers.came.clear()
    write("b", changed)
    answers.since()
    with applied_elsewhere(answers, "--retry", "failed") as applied:
        assert ended(["rerun", of_b]) == 0
    assert applied.result() == code
    assert answers.since() == ["Usra", "Usrb"]
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usrb"] * bool(changed)


def test_an_unknown_version_is_never_repeated_and_counts_as_soon_as_it_is_settled(
    answers: Answers, capsys: Capture
) -> None:
    write("a", **{"    expect: [result == 7]\n": "", ", result: Out": ""})
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["apply", "specs"]) == 4
    answers.since()
    for more in ([], ["--retry", "failed"], ["--adopt"]):
        capsys.readouterr()
        assert ended(["apply", "specs", *more]) == 4
        said = capsys.readouterr().err
        assert "nobody knows yet how run" in said
        assert " --as passed` if you have checked that it passed" in said
    assert answers.since() == []
    assert ended(["resume", "last", "--step", "act", "--as", "passed"]) == 0
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []
    assert statuses() == [("a@here", "passed")]


def test_a_changed_job_waits_until_the_version_before_is_settled(answers: Answers, capsys: Capture) -> None:
    write("a", **{"    expect: [result == 7]\n": "", ", result: Out": ""})
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["apply", "specs"]) == 4
    answers.since()
    write("a", "timeout: 1m\n")
    for more in ([], ["--retry", "failed"], ["--for", "rel2"]):
        capsys.readouterr()
        assert ended(["apply", "specs", *more]) == 4
        said = capsys.readouterr().err
        assert "of the version before ended" in said
        assert " --as passed` if you have checked that it passed" in said
    assert answers.since() == []
    answers.given.clear()
    assert ended(["resume", "last", "--step", "act", "--as", "failed"]) == 1
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]


def test_a_run_that_broke_off_goes_on_and_is_not_begun_again(answers: Answers, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    run = broken_off(answers).name
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert "resumed  a@here  " in (shown := capsys.readouterr()).out
    assert f"run {run} broke off" in shown.out
    assert "0 would begin, 1 would go on, 0 passed before" in shown.err
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"], "its first lines do not hold the call"
    assert [folder.name for folder in Path(".runner/runs").iterdir()] == [run]
    assert statuses() == [("a@here", "passed")]


def test_a_run_that_cannot_go_on_is_named_with_the_command_and_keeps_nobody_back(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    folder = broken_off(answers)
    (folder / "plan.json").unlink()
    write("b")
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 3
    said = capsys.readouterr().err
    assert f"`a@here` is not carried out: run {folder.name} of this version broke off" in said
    assert f"`runner resume {folder.name}` goes on where it broke off" in said
    assert answers.since() == ["Usrb"]


def test_a_changed_job_waits_for_the_run_of_the_version_before(answers: Answers, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    run = broken_off(answers).name
    write("a", "timeout: 1m\n")
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 3
    said = capsys.readouterr().err
    assert f"`a@here` is not carried out: run {run} of the version before has to end first, and broke off" in said
    assert answers.since() == []
    assert ended(["resume", run]) == 0
    answers.since()
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]


@pytest.mark.parametrize(
    ("how", "versions"), [(["--dry-run"], 1), (["-q"], 1), (["--dry-run"], 2), (["specs/new.job.yaml", "--dry-run"], 1)]
)
def test_a_job_with_another_name_that_does_the_same_is_warned_of_before_it_starts_again(
    answers: Answers, capsys: Capture, how: list[str], versions: int
) -> None:
    write("other")
    for later in ("", "timeout: 1m\n")[:versions]:
        write("a", f"inputs: {{to: {{type: string, default: x}}}}\n{later}")
        assert ended(["apply", "specs"]) == 0
    Path("specs/a.job.yaml").unlink()
    path = write("new", "inputs: {to: {type: string, default: x}}\n", Usrnew="Usra")
    answers.since()
    capsys.readouterr()
    assert ended(["apply", *(["specs"] * (how[0] != "specs/new.job.yaml")), *how]) == 0
    said = "".join(capsys.readouterr())
    assert (
        "careful, it starts again what must happen only once: act; it does what a@here did, which passed: if it is "
        "only renamed, `runner apply specs/new.job.yaml -t here --adopt` marks it as done"
    ) in said.replace("\nnew@here: ", "; ")
    if how == ["-q"]:
        assert answers.since() == ["Usra"]
        return
    assert ended(["apply", "specs/new.job.yaml", "-t", "here", "--adopt"]) == 0
    assert ended(["apply", "specs"]) == 0
    path.write_text(path.read_text().replace("== 7", "!= 8").replace("name: new", "name: newer"))
    assert answers.since() == []
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert "renamed" not in capsys.readouterr().out, "it does something else"


def test_a_job_that_does_what_another_file_beside_it_does_is_not_a_renamed_one(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs/a.job.yaml"]) == 0
    write("new", Usrnew="Usra")
    answers.since()
    capsys.readouterr()
    assert ended(["apply", "specs/new.job.yaml", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "new@here" in said
    assert "renamed" not in said


def test_a_case_with_another_name_is_warned_of_by_its_own_and_reading_jobs_are_not(capsys: Capture) -> None:
    cases = (
        "inputs: {{to: {{type: integer}}}}\ncases: [{{name: {}, inputs: {{to: 1}}}}, {{name: c, inputs: {{to: 2}}}}]\n"
    )
    write("a", cases.format("b"))
    Path("specs/r.job.yaml").write_text("runner: 1\nname: r\ntarget: here\nsteps: [{pause: 1ms}]\n")
    assert ended(["apply", "specs"]) == 0
    write("a", cases.format("b2"))
    Path("specs/r.job.yaml").write_text("runner: 1\nname: r2\ntarget: here\nsteps: [{pause: 1ms}]\n")
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "it does what a[b]@here did" in said
    assert "`runner apply specs/a.job.yaml -t here -k 'a[b2]' --adopt` marks it as done" in said
    assert "r@here did" not in said


@pytest.mark.parametrize("is_named_in_the_job", [False, True])
def test_a_target_with_another_name_and_the_same_address_is_warned_of(
    answers: Answers, capsys: Capture, *, is_named_in_the_job: bool
) -> None:
    job = write("a")
    named = job.read_text() if is_named_in_the_job else job.read_text().replace("target: here\n", "")
    job.write_text(named)
    assert ended(["apply", "specs", "-t", "here"]) == 0
    sites = Path("targets.yaml")
    sites.write_text(sites.read_text().replace("here:", "there:"))
    job.write_text(named.replace("target: here", "target: there"))
    answers.since()
    capsys.readouterr()
    assert ended(["apply", "specs", "-t", "there", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "careful, it starts again what must happen only once: act; it does what a@here did, which passed" in said
    assert ended(["apply", "specs/a.job.yaml", "-t", "there", "--adopt"]) == 0
    assert ended(["apply", "specs", "-t", "there"]) == 0
    assert answers.since() == []


def test_each_of_two_jobs_that_do_what_a_job_did_that_is_gone_is_warned_of(capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    Path("specs/a.job.yaml").unlink()
    for name in ("b", "c"):
        write(name, **{f"Usr{name}": "Usra"})
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("it does what a@here did") == 2


def test_a_run_whose_events_are_gone_is_not_repeated_until_a_person_decides(answers: Answers, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    shutil.rmtree(broken_off(answers))
    capsys.readouterr()
    assert ended(["apply", "specs", "--retry", "failed"]) == 4
    said = capsys.readouterr().err
    assert "and its events are not in " in said
    assert (
        "if it happened, `runner apply specs/a.job.yaml -t here --adopt` takes the version for applied; if not, "
        in said
    )
    assert ended(["apply", "specs", "--adopt", "-k", "a"]) == 0
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []


def test_a_run_that_another_folder_has_is_shown_there_and_counts_when_it_has_ended(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    run = broken_off(answers)
    capsys.readouterr()
    assert ended(["apply", "specs", "--runs", "elsewhere"]) == 4
    said = capsys.readouterr().err
    assert f"and its events are in {run.absolute()}" in said
    assert f"`runner show {run.name} --runs {run.absolute().parent}` shows what it did" in said
    assert ended(["resume", run.name]) == 0
    answers.since()
    assert ended(["apply", "specs", "--runs", "elsewhere"]) == 0
    assert answers.since() == []


def test_how_a_run_of_another_folder_ended_is_shown_with_the_folder_that_has_it(
    answers: Answers, capsys: Capture
) -> None:
    reads = "\n  - {execute: {process: Usrread}, effect: read, retry: {max_attempts: 1}}\n"
    path = write("a")
    path.write_text(path.read_text() + reads)
    answers.given["Usrread"] = Answer(silent=True)
    assert ended(["apply", "specs", "-q"]) == 3
    (run,) = ids()
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run", "--runs", "elsewhere"]) == 0
    assert f"`runner show {run} --runs {Path('.runner/runs').absolute()}`" in capsys.readouterr().out


def test_a_run_whose_folder_cannot_be_looked_for_is_lost(answers: Answers, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    shutil.rmtree(broken_off(answers))
    with closing(sqlite3.connect(LEDGER)) as database:
        database.execute("UPDATE attempt SET place = ?", (f"/{'x' * 300}/run",))
        database.commit()
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 4
    assert "its events are not in /xxx" in capsys.readouterr().err


def test_a_passed_version_stays_applied_when_its_runs_are_deleted(answers: Answers) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    shutil.rmtree(".runner/runs")
    answers.since()
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []


@pytest.mark.parametrize("key", [(), ("--for", "r1")])
@pytest.mark.parametrize("left", ["copy", "empty", "nothing"])
def test_what_was_applied_since_a_copy_of_the_ledger_was_made_is_not_begun_again(
    left: str, key: tuple[str, ...], answers: Answers, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs", *key]) == 0
    copy = LEDGER.read_bytes()
    write("a", "timeout: 1m\n")
    write("b")
    answers.given["Usrb"] = xml(8)
    assert ended(["apply", "specs", *key]) == 1
    answers.since()
    LEDGER.write_bytes(copy if left == "copy" else b"")
    if left == "nothing":
        LEDGER.unlink()
    assert ended(["apply", "specs", *key, "--dry-run", "-v"]) == 0
    shown = capsys.readouterr().out
    assert "passed  a@here" in shown
    assert "failed  b@here" in shown
    for _ in range(2):
        assert ended(["apply", "specs", *key]) == 1
    assert answers.since() == []
    answers.given.clear()
    assert ended(["apply", "specs", *key, "--retry", "failed"]) == 0
    assert answers.since() == ["Usrb"]
    assert ended(["apply", "specs", "--for", "r2"]) == 0
    assert answers.since() == ["Usra", "Usrb"]


@pytest.mark.parametrize("options", [[], ["--adopt"], ["--retry", "failed"]])
def test_a_version_to_which_an_earlier_program_gave_another_digest_has_passed(
    options: list[str], answers: Answers, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    with closing(sqlite3.connect(LEDGER)) as database:
        database.execute("UPDATE version SET digest = 'of old'")
        database.execute("UPDATE attempt SET digest = 'of old'")
        database.commit()
    answers.since()
    capsys.readouterr()
    for _ in range(2):
        assert ended(["apply", "specs", *options]) == 0
        assert "1 passed before" in capsys.readouterr().err or options == ["--adopt"]
    assert answers.since() == []
    write("a", "timeout: 1m\n")
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]


def test_runs_of_another_ledger_are_no_reason_to_begin_nothing(answers: Answers) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    assert ended(["apply", "specs", "--ledger", "other"]) == 0
    assert answers.since() == ["Usra", "Usra"]


@pytest.mark.parametrize("is_in_history", [True, False])
def test_the_end_of_a_run_that_was_deleted_before_the_ledger_learnt_it_is_in_the_history(
    is_in_history: bool,  # noqa: FBT001  a parameter of the test
    answers: Answers,
) -> None:
    write("a")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs", "--ledger", "elsewhere"]) == 1
    with closing(sqlite3.connect("elsewhere")) as database:
        database.execute("UPDATE attempt SET status = NULL, exit_code = NULL, ended_at = NULL")
        database.commit()
    if not is_in_history:
        Path(".runner/history.jsonl").unlink()
    assert ended(["runs", "--prune", "1ms"]) == 0
    assert list(Path(".runner/runs").iterdir()) == []
    for _ in range(2):
        assert ended(["apply", "specs", "--ledger", "elsewhere"]) == 1, "it is not lost"
    answers.given.clear()
    assert ended(["apply", "specs", "--ledger", "elsewhere", "--retry", "failed"]) == 0
    assert answers.since() == ["Usra", "Usra"]


def test_an_attempt_that_broke_off_before_its_run_began_is_begun(answers: Answers) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    folder = broken_off(answers)
    (folder / "events.jsonl").write_bytes(b"")
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]
    assert statuses() == [("a@here", "passed")]


def test_a_dry_run_says_what_would_be_done_sends_nothing_and_writes_nothing(answers: Answers, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("new  a@here  ")
    assert "1 would begin, 0 passed before\n" in shown.err
    assert not Path(".runner").exists()
    assert ended(["apply", "specs"]) == 0
    write("a", "timeout: 1m\n")
    write("b")
    content = LEDGER.read_bytes()
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["changed", "new"]
    assert ", passed 2" in lines[0]
    assert LEDGER.read_bytes() == content
    assert answers.since() == ["Usra"]


def test_of_a_job_that_was_moved_into_a_folder_below_nobody_says_that_no_file_holds_it(capsys: Capture) -> None:
    gone, _ = write("a"), write("b")
    assert ended(["apply", "specs"]) == 0
    (gone.parent / "team").mkdir()
    gone.rename(gone.parent / "team" / gone.name)
    for options in (["--dry-run"], []):
        capsys.readouterr()
        assert ended(["apply", "specs", *options]) == 0
        shown = "".join(capsys.readouterr())
        assert "no file that was read holds this job, and nothing is undone\n" in shown
        assert "1 more job lies in folders below and was not read, `-r` reads it" in shown


def test_jobs_that_are_gone_are_listed_until_they_are_pruned_and_are_known_when_they_return(
    answers: Answers, capsys: Capture
) -> None:
    gone, _ = write("a"), write("b")
    assert ended(["apply", "specs"]) == 0
    gone.unlink()
    capsys.readouterr()
    assert ended(["apply", "specs", "-k", "b"]) == 0
    assert "gone  a@here" in capsys.readouterr().err
    assert ended(["apply", "specs/b.job.yaml"]) == 0
    assert "gone" not in capsys.readouterr().err, "a file stands for itself"
    assert ended(["apply", "specs", "--prune"]) == 0
    assert "gone" in capsys.readouterr().err
    assert ended(["apply", "specs"]) == 0
    assert "gone" not in capsys.readouterr().err
    answers.since()
    write("a")
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []


def test_where_one_case_failed_the_hint_says_that_a_changed_job_begins_all_of_them(
    answers: Answers, capsys: Capture
) -> None:
    cases = "inputs: {{n: {{type: number}}}}\ncases: [{{name: red, inputs: {{n: 7}}}}, {{name: blue, inputs: {}}}]\n"
    write("a", cases.format("{n: 8}"))
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 1
    assert (
        "hint: change the job (change only its case: else all cases begin again), or carry" in capsys.readouterr().err
    )
    answers.since()
    write("a", cases.format("{n: 9}"))
    assert ended(["apply", "specs"]) == 1
    assert answers.since() == ["Usra"]


def test_what_is_adopted_is_not_carried_out(answers: Answers, capsys: Capture) -> None:
    write("a")
    write("b")
    assert ended(["apply", "specs", "--adopt", "-k", "a"]) == 0
    shown = capsys.readouterr().err
    assert "adopted  a@here" in shown
    assert "1 version adopted; nothing was sent" in shown
    assert ended(["apply", "specs", "--dry-run", "-v"]) == 0
    assert f" by {user_and_host()}" in capsys.readouterr().out
    assert ended(["apply", "specs", "--dry-run", "--format", "json"]) == 0
    versions = json.loads(capsys.readouterr().out)["versions"]
    assert [each["adopted_by"] for each in versions] == [user_and_host(), None]
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usrb"]


def test_a_site_that_has_moved_is_another_place_and_says_so(answers: Answers, here: Site, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    answers.since()
    Path("targets.yaml").write_text(targets("https://moved.example"))
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("moved  a@here")
    assert f"was at {here.url}, passed" in line


@pytest.mark.usefixtures("answers")
def test_a_site_whose_address_is_spelt_in_another_way_has_not_moved(here: Site, capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    Path("targets.yaml").write_text(targets(here.url.replace("127.0.0.1", "localhost")))
    write("a", Usra="Usrb")
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("changed  a@here")


def test_a_key_carries_all_out_once_more_and_once_only(answers: Answers) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    assert ended(["apply", "specs", "--for", "r2"]) == 0
    assert ended(["apply", "specs", "--for", "r2"]) == 0
    assert ended(["apply", "specs", "--every", "24h"]) == 0
    assert answers.since() == ["Usra"] * 3


def test_a_job_that_goes_back_to_an_older_version_is_named_with_the_command_that_carries_it_out(
    answers: Answers, capsys: Capture
) -> None:
    write("ab")
    for more in ("", "timeout: 1m\n"):
        write("a", more)
        assert ended(["apply", "specs", "-q"]) == 0
    write("a")
    answers.since()
    capsys.readouterr()
    for typed in (["apply", "specs", "--dry-run"], ["apply", "specs"]):
        assert ended(typed) == 0
        err = capsys.readouterr().err
        assert "warning[E183]: `a@here` is an older version again, and is not carried out: it passed" in err
    found = re.search(r"`(runner apply specs/a[.]job[.]yaml -t here --for after-[0-9a-f]{12})`; .*`(.* --adopt)`", err)
    assert found is not None, err
    assert answers.since() == []
    assert ended(shlex.split(found[1])[1:]) == 0
    assert answers.since() == ["Usra"], "and not what has it in its name"
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 0
    assert capsys.readouterr().err == "applied: nothing new; 2 passed before\n"
    write("a", "timeout: 1m\n")
    assert ended(["apply", "specs"]) == 0
    assert "`a@here` is an older version again" in capsys.readouterr().err
    assert ended([*shlex.split(found[2])[1:]]) == 0
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 0
    assert (answers.since(), capsys.readouterr().err) == ([], "applied: nothing new; 2 passed before\n")


def test_a_version_of_which_nothing_was_sent_leaves_the_version_before_as_it_was(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    with site(answers) as away:
        Path("targets.yaml").write_text(targets(away.url) + "    settle: 100ms\n")
        assert ended(["apply", "specs", "-q"]) == 0
    write("a", "timeout: 1m\n", **{"    expect: [result == 7]\n": "    retry: {max_attempts: 1}\n"})
    assert ended(["apply", "specs", "-q"]) == 3
    write("a")
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 0
    assert capsys.readouterr().err == "applied: nothing new; 1 passed before\n"


def test_an_older_version_after_a_failure_and_of_a_job_with_needs_has_a_hint_that_works(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    write("b", "needs: [a]\n")
    assert ended(["apply", "specs", "-q"]) == 0
    write("b", "needs: [a]\ntimeout: 1m\n")
    answers.given["Usrb"] = xml(8)
    assert ended(["apply", "specs", "-q"]) == 1
    write("b", "needs: [a]\n")
    capsys.readouterr()
    assert ended(["apply", "specs", "--report-json", "r.json"]) == 0
    err = capsys.readouterr().err
    assert re.search(r"`b@here` is an older version again, .* after it came [0-9a-f]{12}: failed", err)
    assert "carry it out once more with `runner run`, or with another key of `--for`; if" in err
    report = json.loads(Path("r.json").read_text())
    assert [(each["code"], each["severity"]) for each in report["problems"]] == [("E183", "warning")]


def test_the_events_of_a_run_name_the_apply_that_ordered_it_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a", "inputs: {n: {type: number}, usual: {default: 1}, pin: {type: string, secret: true}}\n")
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_PIN", "pin-58-secret")
    monkeypatch.setenv("CREATIO_RUNNER_INPUT_N", "7")
    assert ended(["apply", "specs", "--for", "r2", "-i", "usual=1"]) == 0
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    first = json.loads(events.read_text().splitlines()[0])
    assert shipped("event").violations(first) == ()
    assert first["applied"] == {
        "ledger": ".runner/ledger",
        "fleet": None,
        "for_key": "r2",
        "targets": None,
        "inputs": {"n": "7"},
    }


@pytest.mark.parametrize("options", [["-k", "a"], ["--tags", "x", "-r", "-i", "n=7", "--in-order", "--for", "r2"]])
def test_the_command_that_carries_out_again_what_failed_has_the_options_that_decide_about_it(
    options: list[str], answers: Answers, capsys: Capture
) -> None:
    write("a", "tags: [x]\ninputs: {n: {type: number, default: 1}}\n")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs", *options]) == 1
    (command,) = re.findall(r"mended: `(runner apply [^`]*)`", capsys.readouterr().err)
    words = shlex.split(command)
    assert sorted(words) == sorted(["runner", "apply", "specs", *options, "--retry", "failed"])
    answers.given.clear()
    assert ended(words[1:]) == 0
    assert statuses() == [("a@here", "failed"), ("a@here", "passed")]


def test_the_command_that_carries_out_again_names_what_only_the_environment_said(
    answers: Answers, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    write("a", "inputs: {n: {type: number}, text: {type: string}, pin: {type: string, secret: true}}\n")
    answers.given["Usra"] = xml(8)
    Path("pin").write_text("pin-58-secret")
    Path("text").write_text("two words")
    given = {"APPLY_FOR": "r2", "INPUT_N": "7", "TARGET": "here"}
    for name, value in given.items():
        monkeypatch.setenv(f"CREATIO_RUNNER_{name}", value)
    assert ended(["apply", "specs", "-i", "text=@text", "-i", "pin=@pin"]) == 1
    (command,) = re.findall(r"mended: `(runner apply [^`]*)`", capsys.readouterr().err)
    assert command == ("runner apply specs --for r2 -t here -i n=7 -i 'text=two words' -i pin=@pin --retry failed")
    for name in given:
        monkeypatch.delenv(f"CREATIO_RUNNER_{name}")
    answers.given.clear()
    assert ended(shlex.split(command)[1:]) == 0
    assert statuses() == [("a@here", "failed"), ("a@here", "passed")]


@pytest.mark.parametrize("name", ["APPLY_FOR", "APPLY_EVERY", "DB", "FLEET", "LEDGER"])
def test_an_empty_variable_without_which_other_runs_would_be_carried_out_is_a_mistake(
    name: str, answers: Answers, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    write("a")
    monkeypatch.setenv(f"CREATIO_RUNNER_{name}", "")
    assert ended(["apply", "specs"]) == 2
    error = capsys.readouterr().err
    assert "error[E150]" in error
    assert f"the environment variable `CREATIO_RUNNER_{name}` is empty" in error
    assert answers.since() == []


def test_the_exit_code_that_is_printed_is_that_of_the_whole_command(answers: Answers, capsys: Capture) -> None:
    write("a")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    write("b")
    write("c")
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 1
    printed = capsys.readouterr()
    assert "2 runs: 2 passed\n" in printed.out
    assert re.findall("exit .", printed.out + printed.err) == ["exit 1"]


def test_a_job_with_another_key_is_new_and_not_changed(capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    capsys.readouterr()
    assert ended(["apply", "specs", "--for", "r1", "--dry-run"]) == 0
    assert re.fullmatch(r"new  a@here  \w{12}  for r1; before: passed [-0-9]+\n", capsys.readouterr().out)
    assert ended(["apply", "specs", "--for", "r1"]) == 0
    capsys.readouterr()
    assert ended(["apply", "specs", "--for", "r2", "--dry-run"]) == 0
    assert "  for r2; before, for r1: passed 2" in capsys.readouterr().out
    write("a", "timeout: 1m\n")
    assert ended(["apply", "specs", "--for", "r1", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("changed  a@here  ")
    assert ended(["apply", "specs", "--every", "36h", "--dry-run"]) == 0
    assert re.search(r"  for every 36h, since 2[-0-9]+ \d\d:00 UTC; before, for r1: ", capsys.readouterr().out)


def test_a_needed_job_comes_first_and_has_to_pass(answers: Answers, capsys: Capture) -> None:
    write("a", "needs: [b]\n")
    write("b")
    write("c", "needs: [a]\n")
    answers.given["Usrb"] = xml(8)
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert "after b" in capsys.readouterr().out
    assert ended(["apply", "specs", "-j", "3"]) == 1
    assert answers.since() == ["Usrb"]
    said = capsys.readouterr().err
    assert "error[E184]: `a@here` is not carried out: it waits for `b`, which has not passed" in said
    assert "error[E184]: `c@here` is not carried out: it waits for `a`, which has not passed" in said
    assert statuses() == [("b@here", "failed")]
    answers.given.clear()
    assert ended(["apply", "specs", "--retry", "failed"]) == 0
    assert answers.since() == ["Usrb", "Usra", "Usrc"]


def test_a_version_whose_needed_job_is_blocked_is_not_new_in_any_list(answers: Answers, capsys: Capture) -> None:
    write("b")
    answers.given["Usrb"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    write("a", "needs: [b]\n")
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"^waiting  a@here  \w+  after b$", shown.out, re.MULTILINE)
    assert "0 would begin, 0 passed before, 1 failed, 1 waiting\n" in shown.err
    assert ended(["apply", "specs"]) == 1
    said = capsys.readouterr().err
    assert "new  a@here" not in said
    assert "applied: nothing new; 0 passed before, 1 failed, 1 waiting\n" in said


def test_a_needed_job_that_is_not_selected_counts_by_the_ledger(answers: Answers) -> None:
    write("a", "needs: [b]\n")
    write("b")
    assert ended(["apply", "specs", "-k", "a"]) == 6
    assert answers.since() == []
    assert ended(["apply", "specs", "-k", "b"]) == 0
    assert ended(["apply", "specs/a.job.yaml"]) == 0
    assert answers.since() == ["Usrb", "Usra"]


def test_a_case_of_a_needed_job_that_is_not_selected_counts_by_the_ledger(answers: Answers, capsys: Capture) -> None:
    cases = "inputs: {n: {type: number}}\ncases: [{name: red, inputs: {n: 7}}, {name: blue, inputs: {n: 8}}]\n"
    write("a", cases).write_text(Path("specs/a.job.yaml").read_text().replace("result == 7", "result == inputs.n"))
    write("z", "needs: [a]\n")
    some = ["apply", "specs", "-k", "a[red]", "-k", "z"]
    assert ended(some) == 6, "a[blue] was never carried out"
    assert answers.since() == ["Usra"]
    assert ended(["apply", "specs"]) == 1
    assert answers.since() == ["Usra"]
    capsys.readouterr()
    assert ended(some) == 6, "a[blue] has failed"
    assert "`z@here` is not carried out: it waits for `a`, which has not passed" in capsys.readouterr().err
    assert answers.since() == []
    assert ended(["apply", "specs", "-k", "a[blue]", "--adopt"]) == 0
    assert ended(some) == 0
    assert answers.since() == ["Usrz"]


def test_what_waits_for_a_version_that_is_adopted_meanwhile_begins(answers: Answers) -> None:
    write("a", "needs: [b]\n")
    write("b")
    write("c")
    answers.given["Usrb"] = xml(8)
    answers.held = "Usrc"
    with applied_elsewhere(answers) as code:
        assert ended(["apply", "specs", "--adopt", "-k", "b"]) == 0
    assert answers.since() == ["Usrb", "Usrc", "Usra"]
    assert code.result() == 1


def test_in_order_each_job_waits_for_the_job_before(answers: Answers) -> None:
    write("a")
    write("b")
    write("c")
    answers.given["Usrb"] = xml(8)
    assert ended(["apply", "specs", "--in-order", "-j", "3"]) == 1
    assert answers.since() == ["Usra", "Usrb"]


def test_needs_that_nobody_can_meet_are_mistakes_in_files(capsys: Capture) -> None:
    write("a", "needs: [b]\n")
    write("b", "needs: [a]\n")
    write("c", "needs: [orders2]\n")
    write("orders")
    for verb in ("validate", "apply"):
        assert ended([verb, "specs"]) == 2
        shown = "".join(capsys.readouterr())
        assert "specs/a.job.yaml:5:9: error[E186]: a job needs itself: a → b → a" in shown
        assert "specs/c.job.yaml:5:9: error[E186]: there is no job `orders2`" in shown
        assert "did you mean `orders`?" in shown
    assert not LEDGER.exists()


def test_a_needed_job_whose_file_is_gone_counts_by_what_the_ledger_has_of_it(answers: Answers, capsys: Capture) -> None:
    first = write("a")
    assert ended(["apply", "specs"]) == 0
    first.unlink()
    write("b", "needs: [a]\n")
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert [ended([verb, "specs"]) for verb in ("validate", "plan")] == [0, 0]
    assert ended(["apply", "specs", "--prune"]) == 0
    assert answers.since() == ["Usra", "Usrb"]
    write("c", "needs: [a]\n")
    assert ended(["apply", "specs"]) == 0, "also when it was pruned"
    capsys.readouterr()
    assert ended(["apply", "specs", "--for", "later"]) == 2, "with this key it never passed, and never will"
    assert "specs/b.job.yaml:5:9: error[E186]: there is no job `a`" in (shown := capsys.readouterr().err)
    assert "or take it out of `needs`, if there is no such job any more" in shown
    assert answers.since() == ["Usrc"]


def test_a_needed_job_whose_file_is_gone_and_that_failed_is_waited_for(answers: Answers, capsys: Capture) -> None:
    first = write("a")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    first.unlink()
    write("b", "needs: [a]\n")
    assert ended(["apply", "specs"]) == 6
    printed = capsys.readouterr().err
    assert "`b@here` is not carried out: it waits for `a`, which has not passed" in printed
    assert "= hint: name the file of `a`, too, or take `a` out of `needs`: no file of this command has" in printed
    assert answers.since() == ["Usra"]


def test_a_version_that_another_command_carries_out_is_waited_for_or_exit_3(answers: Answers, capsys: Capture) -> None:
    write("a")
    with applied_elsewhere(answers) as code:
        assert ended(["apply", "specs"]) == 3
        said = capsys.readouterr().err
        assert "of this version is under way" in said
        assert "hint: wait for it with `--wait 10m`" in said
        write("a", "timeout: 1m\n")
        assert ended(["apply", "specs"]) == 3, "a call that is under way is not in doubt"
        assert "of the version before has to end first, and is under way" in capsys.readouterr().err
        write("a")
        threading.Timer(0.3, answers.go_on).start()
        assert ended(["apply", "specs", "--wait", "30s"]) == 0
        assert "waiting up to 30 s for another command: a@here" in capsys.readouterr().err
    assert code.result() == 0
    assert answers.since() == ["Usra"]


def test_a_version_that_could_begin_only_after_this_command_looked_is_not_counted_as_done(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    answers.held = "Usra"
    with applied_elsewhere(answers) as code:
        write("a", "timeout: 1m\n")
        write("b")

        class Meanwhile(dict[str, Answer]):
            def get(self, process: str, answer: Answer) -> Answer:  # type: ignore[override]
                if process == "Usrb":
                    answers.go_on()
                    assert code.result(300) == 0
                return answer

        answers.given = Meanwhile()
        assert ended(["apply", "specs"]) == 3
    assert "`a@here` is not carried out: another command has begun it, or the version before" in capsys.readouterr().err
    assert answers.since() == ["Usra", "Usrb"]
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]


def test_versions_that_another_command_has_begun_meanwhile_are_not_counted_as_runs(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a")
    write("b")
    monkeypatch.setattr(LedgerFile, "begin", lambda *_, **__: nullcontext(frozenset()))
    ended(["apply", "specs"])
    shown = "".join(capsys.readouterr())
    assert "nothing ran" not in shown


def test_a_run_under_way_holds_its_version_up_whose_ledger_was_lost(answers: Answers, capsys: Capture) -> None:
    write("a")
    with applied_elsewhere(answers) as code:
        LEDGER.unlink()
        write("a", "timeout: 1m\n")
        for _ in range(2):
            assert ended(["apply", "specs"]) == 3
            assert "of the version before has to end first, and is under way" in capsys.readouterr().err
        write("a")
        assert ended(["apply", "specs", "--dry-run"]) == 0
        assert capsys.readouterr().out.startswith("running  a@here")
        assert statuses() == []
        assert ended(["apply", "specs"]) == 3
        assert statuses() == [("a@here", None)], "the ledger has learnt of it"
    assert code.result() == 3, "it could not write the end into the ledger that it had opened"
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]
    assert statuses() == [("a@here", "passed")]


def test_a_run_that_broke_off_goes_on_though_the_ledger_was_lost(answers: Answers) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    run = broken_off(answers).name
    LEDGER.unlink()
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]
    assert [folder.name for folder in Path(".runner/runs").iterdir()] == [run]
    assert statuses() == [("a@here", "passed")]


def doubt_of_run(answers: Answers) -> str:
    """The run of a command `run` whose only call is in doubt, where the next call would pass."""
    write("a")
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["run", "specs"]) == 4
    answers.given["Usra"] = xml(7)
    return ids()[0]


@pytest.mark.parametrize("more", ["", "timeout: 1m\n"], ids=["as it was", "changed"])
def test_a_run_in_doubt_that_no_apply_has_ordered_holds_the_job_up(
    answers: Answers, capsys: Capture, more: str
) -> None:
    run = doubt_of_run(answers)
    write("a", more)
    capsys.readouterr()
    for verb in (["apply", "specs"], ["apply", "specs", "--for", "r1"]):
        assert ended(verb) == 4
        assert f"`runner resume {run} " in capsys.readouterr().err
    assert answers.since() == ["Usra"]


def test_a_run_in_doubt_that_no_apply_has_ordered_is_an_attempt_of_its_version(answers: Answers) -> None:
    run = doubt_of_run(answers)
    assert ended(["apply", "specs"]) == 4
    assert ended(["resume", run, "--step", "act", "--as", "passed", "--result", "7"]) == 0
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]


def test_a_doubt_of_a_job_that_was_carried_out_again_since_holds_no_version_up(answers: Answers) -> None:
    doubt_of_run(answers)
    assert ended(["run", "specs"]) == 0, "with a warning"
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra", "Usra", "Usra"]


def test_a_run_that_broke_off_and_that_no_apply_has_ordered_holds_the_changed_job_up(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    assert ended(["run", "specs"]) == 0
    (events,) = Path(".runner/runs").glob("*/events.jsonl")
    events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:-2]))
    (events.parent / "report.json").unlink()
    Path(".runner/history.jsonl").unlink()
    write("a", "timeout: 1m\n")
    answers.since()
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("blocked  a@here")
    assert ended(["apply", "specs"]) == 3
    assert f"`runner resume {events.parent.name}" in capsys.readouterr().err
    assert answers.since() == []


@pytest.mark.parametrize(("answer", "code"), [(xml(7), 0), (Answer(silent=True), 4)], ids=["passed", "in doubt"])
def test_an_earlier_ledger_learns_what_was_carried_out_since(answers: Answers, answer: Answer, code: int) -> None:
    write("a")
    answers.given["Usra"] = xml("8")
    assert ended(["apply", "specs"]) == 1
    before = LEDGER.read_bytes()
    answers.given["Usra"] = answer
    assert ended(["apply", "specs", "--retry", "failed"]) == code
    LEDGER.write_bytes(before)
    for _ in range(2):
        assert ended(["apply", "specs", "--retry", "failed"]) == code
    assert answers.since() == ["Usra", "Usra"]


@pytest.mark.parametrize("options", [[], ["-i", "token=@token"]], ids=["variable", "file"])
def test_a_run_with_a_secret_input_that_broke_off_goes_on(
    answers: Answers, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        "a",
        "inputs: {token: {type: string, secret: true}}\n",
        **{"result: Out": "parameters: {T: '{{ inputs.token }}'}, result: Out"},
    )
    Path("token").write_text("q7kXw9-Lm3zPt5")
    assert ended(["apply", "specs", "--dry-run"]) == 0
    if not options:
        monkeypatch.setenv("CREATIO_RUNNER_INPUT_TOKEN", "q7kXw9-Lm3zPt5")
    assert ended(["apply", "specs", *options]) == 0
    broken_off(answers)
    assert ended(["apply", "specs", *options]) == 0
    assert statuses() == [("a@here", "passed")]


def test_the_hint_to_adopt_is_about_one_job_at_one_target(answers: Answers, capsys: Capture) -> None:
    address = Path("targets.yaml").read_text()
    Path("targets.yaml").write_text(address + address.partition("targets:\n")[2].replace("  here:", "  there:"))
    for name in ("a", "a-2"):
        write(name)
        answers.given[f"Usr{name}"] = xml("8")
    assert ended(["apply", "specs", "-t", "here", "-t", "there"]) == 1
    capsys.readouterr()
    assert ended(["apply", "specs", "-t", "here", "-t", "there"]) == 1
    hints = re.findall(r"`(runner apply [^`]* --adopt)`", capsys.readouterr().err)
    of_a = "runner apply specs/a.job.yaml -t here --adopt"
    assert of_a in hints
    assert ended(shlex.split(of_a)[1:]) == 0
    assert sorted(status or "" for _, status in statuses()) == [*["failed"] * 4, "passed"], (
        "four attempts and a verdict"
    )


def test_a_ledger_that_a_refused_command_left_empty_is_warned_of_as_none_is(answers: Answers, capsys: Capture) -> None:
    write("a")
    Path("targets.yaml").write_text(Path("targets.yaml").read_text() + "    protected: true\n")
    assert ended(["apply", "specs"]) == 6
    assert answers.since() == []
    for more in (["--dry-run"], ["--confirm", "here"]):
        capsys.readouterr()
        assert ended(["apply", "specs", *more]) == 0
        assert "nothing is in the ledger .runner/ledger yet" in "".join(capsys.readouterr())


def test_a_ledger_that_cannot_be_used_is_exit_2_and_nothing_is_sent(answers: Answers, capsys: Capture) -> None:
    write("a")
    Path("ledger").write_text("text " * 500)
    assert ended(["apply", "specs", "--ledger", "ledger"]) == 2
    assert "error[E185]: the ledger cannot be read or written: ledger is no ledger, or is damaged" in (
        capsys.readouterr().err
    )
    assert answers.since() == []


def test_what_selects_nothing_and_what_does_not_go_together_is_refused(capsys: Capture) -> None:
    assert ended(["apply", "specs"]) == 5
    assert ended(["apply", "specs", "--allow-empty"]) == 0
    write("a")
    assert ended(["apply", "specs", "--for", "a", "--every", "1h"]) == 2
    assert ended(["plan", "specs", "--out", "a.plan.json"]) == 0
    capsys.readouterr()
    assert ended(["apply", "a.plan.json"]) == 2
    assert "`apply` takes job files, not stored plans" in capsys.readouterr().err


def test_a_guard_refuses_before_anything_is_written_down(answers: Answers, here: Site) -> None:
    write("a")
    Path("targets.yaml").write_text(targets(here.url) + "    protected: true\n")
    assert ended(["apply", "specs"]) == 6
    assert statuses() == []
    assert ended(["apply", "specs", "--confirm", "here"]) == 0
    assert answers.since() == ["Usra"]


def test_the_reports_hold_the_runs_of_this_command_and_what_was_not_repeated(answers: Answers) -> None:
    write("a")
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs", "-q"]) == 1
    write("b")
    reports = ["--report-json", "r.json", "--report-junit", "r.xml", "--report-ctrf", "r.ctrf.json"]
    assert ended(["apply", "specs", "-q", *reports]) == 1
    report = json.loads(Path("r.json").read_text())
    assert [run["job"] for run in report["runs"]] == ["b"]
    assert [problem["code"] for problem in report["problems"]] == ["E183"]
    assert report["exit_code"] == 1
    cases = [(case.get("classname"), case.get("name")) for case in ET.parse("r.xml").iter("testcase")]
    assert cases == [("here.b", "act: Execute Usrb"), ("here.a", "run")], "a CI knows the job by these names"
    tests = json.loads(Path("r.ctrf.json").read_text())["results"]["tests"]
    assert tests[-1]["suite"] == ["a@here"]


@pytest.mark.parametrize("of_project", ["targets.yaml", ".git", ".runner/ledger"])
def test_a_project_has_one_ledger_from_whatever_folder_it_is_applied(
    of_project: str, answers: Answers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("a")
    other = tmp_path / "other"
    other.mkdir()
    if of_project != "targets.yaml":
        Path("targets.yaml").rename(other / "sites.yaml")
        monkeypatch.setenv("CREATIO_RUNNER_TARGETS", str(other / "sites.yaml"))
    if of_project == ".git":
        Path(".git").mkdir()
    assert ended(["apply", "specs"]) == 0
    for folder, specs in (("specs", "."), ("other", "../specs"), ("other", str(tmp_path / "specs"))):
        monkeypatch.chdir(tmp_path / folder)
        assert ended(["apply", specs, "--dry-run"]) == 0
        assert ended(["apply", specs]) == 0
    assert answers.since() == ["Usra"]
    assert sorted(tmp_path.rglob("ledger")) == [tmp_path / LEDGER]


def test_another_folder_knows_the_runs_of_the_project_and_the_jobs_that_are_gone(
    answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone, _ = write("a"), write("b")
    assert ended(["apply", "specs", "-k", "b"]) == 0
    run = broken_off(answers).name
    assert ended(["apply", "specs", "-k", "a"]) == 0
    answers.since()
    gone.unlink()
    monkeypatch.chdir(tmp_path / "specs")
    capsys.readouterr()
    assert ended(["apply", "."]) == 0
    shown = capsys.readouterr().err
    assert f"run {run} broke off" in shown
    assert "gone" in shown
    assert "a@here" in shown
    assert answers.since() == ["Usrb"]
    assert not Path(".runner").exists()


@pytest.mark.parametrize("folder", ["project/specs", "."])
def test_a_run_of_apply_is_found_from_folders_above_and_below_its_ledger(
    folder: str, answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path.cwd() / "project"
    project.mkdir()
    for name in ("specs", "targets.yaml"):
        Path(name).rename(project / name)
    monkeypatch.chdir(folder)
    specs = "." if folder != "." else "project/specs"
    write("a", folder=specs, **{"    expect: [result == 7]\n": "", ", result: Out": ""})
    assert ended(["run", specs, "-q"]) == 0
    earlier = ids()[0]
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["apply", specs, "-q"]) == 4
    (run,) = ids(project)
    capsys.readouterr()
    for verb in (["show", "last"], ["reconcile", "last"], ["report", "last", "--report-json", "-"], ["show", run[:30]]):
        assert ended(verb) == (0 if verb[0] == "show" else 4)
        shown = capsys.readouterr()
        assert f"run {run} is in " in shown.err
        assert "/.runner/runs\n" in shown.err
        assert run in shown.out or verb[0] == "reconcile"
    assert ended(["report", earlier, "last", "--report-md", "-"]) == 4
    assert re.search(rf"runner \w+ {run} --runs \S*\.runner/runs", capsys.readouterr().out)
    assert ended(["show", earlier]) == 0
    assert "beside the ledger" not in capsys.readouterr().err
    assert ended(["runs"]) == 0
    shown = capsys.readouterr()
    assert run not in shown.out
    (command,) = re.findall(r"^more runs are in .*: `runner (runs .*)`$", shown.err, re.MULTILINE)
    assert ended(shlex.split(command)) == 0
    assert run in capsys.readouterr().out
    assert ended(["diff", earlier, "last"]) == 1
    assert ended(["resume", "last", "--step", "act", "--as", "failed"]) == 1
    assert ended(["rerun", "last"]) == 4
    assert len(ids(project)) == 2
    assert ids() == [earlier]


def test_a_run_is_found_from_the_folder_of_its_jobs(
    answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a")
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["run", "specs", "-q"]) == 4
    (run,) = ids()
    monkeypatch.chdir("specs")
    capsys.readouterr()
    assert ended(["runs"]) == 0
    assert capsys.readouterr().err.startswith("more runs are in ")
    assert ended(["show", "last"]) == 0
    assert f"run {run} is in " in capsys.readouterr().err
    assert ended(["reconcile", run]) == 4
    answers.given.clear()
    assert ended(["run", ".", "-q"]) == 0
    monkeypatch.chdir("..")
    assert ended(["reconcile", "last"]) == 4, "the newer run in a folder below is not the last one here"


def test_a_ledger_of_somebody_else_gives_no_run(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("a")
    assert ended(["apply", "specs", "-q"]) == 0
    monkeypatch.chdir(tmp_path / "specs")
    monkeypatch.setattr(os, "getuid", lambda: -1)
    assert ended(["show", "last"]) == 2
    assert "there is no run in .runner/runs" in capsys.readouterr().err


def test_jobs_that_were_applied_with_a_ledger_above_are_not_all_new_in_a_folder_that_has_become_a_project(
    answers: Answers, capsys: Capture
) -> None:
    write("a")
    assert ended(["apply", "specs"]) == 0
    answers.since()
    shutil.copy("targets.yaml", "specs")
    Path("specs/.git").mkdir()
    write("a", "timeout: 1m\n")
    capsys.readouterr()
    for more in ([], ["--dry-run"]):
        assert ended(["apply", "specs", *more]) == 2
        error = capsys.readouterr().err
        assert "error[E185]: `a@here`: applied before with the ledger .runner/ledger, and not with " in error
        assert "specs/.runner/ledger, which is new" in error
    (options,) = re.findall("ledger of before: `([^`]*)`", error)
    assert not Path("specs/.runner").exists()
    write("a")
    assert ended(["apply", "specs", *shlex.split(options)]) == 0
    write("b")
    assert ended(["apply", "specs", "-k", "b"]) == 0, "nobody has applied it before"
    assert answers.since() == ["Usrb"]
    shutil.rmtree("specs/.runner")
    assert ended(["apply", "specs", "--adopt"]) == 0
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []


def test_what_a_hint_names_works_as_it_is_printed_from_the_folder_where_it_was(
    answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("a", **{"    expect: [result == 7]\n": "", ", result: Out": ""})
    write("b", "timeout: 1m\n")
    answers.given["Usra"] = Answer(silent=True)
    monkeypatch.chdir(tmp_path / "specs")
    assert ended(["apply", "."]) == 4
    (broken,) = (
        path for path in Path("../.runner/runs").iterdir() if b'"job":"b"' in (path / "events.jsonl").read_bytes()
    )
    shutil.rmtree(broken)
    Path("../.runner/history.jsonl").unlink()
    with closing(sqlite3.connect("../.runner/ledger")) as database:
        database.execute("UPDATE attempt SET status = NULL WHERE run = ?", [broken.name])
        database.commit()
    write("a", "timeout: 1m\n", folder=".")
    capsys.readouterr()
    assert ended(["apply", ".", "-r", "--dry-run"]) == 0
    assert ended(["apply", ".", "-r", "-t", "here"]) == 4
    said = "".join(capsys.readouterr())
    commands = [shlex.split(words) for words in re.findall(r"`(runner (?:show|apply)[^`]*)`", said)]
    assert {tuple(words[1:2]) for words in commands} == {("show",), ("apply",)}
    assert ["runner", "apply", "b.job.yaml", "-t", "here", "--adopt"] in commands
    for words in commands:
        assert ended(words[1:]) in (0, 4), words
    assert ended(["apply", ".", "-k", "b"]) == 0
    assert answers.since() == ["Usra", "Usrb"]


def test_a_need_is_met_by_the_version_with_the_same_key_alone(answers: Answers) -> None:
    write("a", "needs: [b]\n")
    write("b")
    assert ended(["apply", "specs", "-k", "b"]) == 0
    assert ended(["apply", "specs", "-k", "a", "--for", "r2"]) == 6
    assert ended(["apply", "specs", "-k", "b", "--for", "r2"]) == 0
    assert ended(["apply", "specs", "-k", "b", "--for", "r3"]) == 0
    assert ended(["apply", "specs", "-k", "a", "--for", "r2"]) == 0
    assert ended(["apply", "specs", "-k", "a"]) == 0
    assert answers.since() == ["Usrb", "Usrb", "Usrb", "Usra", "Usra"]


def test_jobs_of_two_projects_need_a_ledger_that_is_named(answers: Answers, capsys: Capture, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy("targets.yaml", name)
        write(name, folder=name)
    assert ended(["apply", "one", "two"]) == 2
    assert "error[E150]: the jobs belong to several projects, `one` and `two`" in capsys.readouterr().err
    assert answers.since() == []
    assert ended(["apply", "one", "two", "--ledger", "ledger"]) == 0
    assert answers.since() == ["Usrone", "Usrtwo"]


def test_a_quiet_command_names_the_ledger_that_is_new(capsys: Capture) -> None:
    write("a")
    assert ended(["apply", "specs", "-q"]) == 0
    assert capsys.readouterr().err.startswith(
        "nothing is in the ledger .runner/ledger yet, so every version is new, "
        "also what was applied from another folder; "
    )
    assert ended(["apply", "specs", "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://no-such-host.invalid"])
def test_a_version_of_which_no_call_left_is_begun_again_by_itself(url: str, answers: Answers, capsys: Capture) -> None:
    write("a", **{"    expect: [result == 7]\n": "    retry: {max_attempts: 1}\n"})
    Path("targets.yaml").write_text(targets(url) + "    settle: 100ms\n")
    assert ended(["apply", "specs"]) == 3
    assert statuses() == [("a@here", "error")]
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 3
    shown = capsys.readouterr().err
    assert "again  a@here  " in shown
    assert "before anything but readings was sent" in shown
    assert "E183" not in shown
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert "1 would begin" in capsys.readouterr().err
    assert statuses() == [("a@here", "error"), ("a@here", "error")]
    assert answers.since() == []


def test_an_error_after_a_call_that_left_is_not_repeated(answers: Answers) -> None:
    write("a", **{"    expect: [result == 7]\n": "    effect: idempotent\n    retry: {max_attempts: 1}\n"})
    answers.given["Usra"] = Answer(status=429)
    assert ended(["apply", "specs"]) == 3
    assert statuses() == [("a@here", "error")]
    answers.since()
    assert ended(["apply", "specs"]) == 3
    assert answers.since() == []


def test_a_commit_gets_no_credit_for_changes_that_it_does_not_hold(capsys: Capture) -> None:
    write("a")
    write("b")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "specs"], ["commit", "-q", "-m", "Jobs"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run(["git", "rev-parse", "--short=7", "HEAD"], check=True, capture_output=True, text=True)
    short = commit.stdout.strip()
    write("b", "timeout: 2m\n")
    write("c")
    assert ended(["apply", "specs"]) == 0
    for name in "abc":
        write(name, "timeout: 1m\n")
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    a, b, c = capsys.readouterr().out.splitlines()
    assert a.endswith(f" ({short})")
    assert b.endswith(f" ({short} with uncommitted changes)")
    assert c.endswith(f" ({short} with uncommitted changes)")


def test_the_hint_on_a_version_that_failed_begins_with_what_to_do(answers: Answers, capsys: Capture) -> None:
    write("a", **{"expect: [result == 7]": "expect: [result == 7]\n    effect: idempotent"})
    answers.given["Usra"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    assert ended(["apply", "specs"]) == 1
    assert "; mark it as applied with `--adopt` if somebody did the work by hand\n" in capsys.readouterr().err


ONCE = """runner: 1
name: a
target: here
defaults: {verify: none}
steps:
  - id: charge
    execute: {process: Usrcharge}
    effect: once
  - id: mail
    execute: {process: Usrmail, result: Out}
    effect: once
    expect: [result == 7]
  - id: report
    execute: {process: Usrreport}
"""
CAREFUL = "careful, it starts again what must happen only once: charge, mail"


def test_what_a_retry_starts_a_second_time_is_named_before_it_begins(answers: Answers, capsys: Capture) -> None:
    Path("specs/a.job.yaml").write_text(ONCE)
    answers.given["Usrmail"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    assert "a changed job runs by itself; " + CAREFUL in capsys.readouterr().err
    assert ended(["apply", "specs"]) == 1
    assert (
        f"hint: change the job, or carry it out again with `--retry failed`; {CAREFUL}; if the rest was done by hand, "
        "`runner apply specs/a.job.yaml -t here --adopt` marks it as done without running\n"
    ) in capsys.readouterr().err
    assert ended(["apply", "specs", "--retry", "failed", "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith(f"; {CAREFUL}\n")
    assert ended(["apply", "specs", "--retry", "failed", "--dry-run", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions"][0]["repeats"] == ["charge", "mail"]
    answers.given.clear()
    answers.since()
    assert ended(["apply", "specs", "--retry", "failed", "-q"]) == 0
    assert capsys.readouterr().err.startswith(f"a@here: {CAREFUL}\n")
    assert answers.since() == ["Usrcharge", "Usrmail", "Usrreport"]


def test_what_a_changed_job_starts_a_second_time_is_named_before_it_begins(answers: Answers, capsys: Capture) -> None:
    """To edit a job that failed half way is the usual way to mend it."""
    Path("specs/a.job.yaml").write_text(ONCE)
    answers.given["Usrmail"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    Path("specs/a.job.yaml").write_text(ONCE.replace("result == 7", "result == 8"))
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("changed  a@here  ")
    assert shown.endswith(f"; {CAREFUL}\n")
    assert ended(["apply", "specs", "--dry-run", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions"][0]["repeats"] == ["charge", "mail"]
    assert ended(["apply", "specs", "-q"]) == 0
    assert capsys.readouterr().err.startswith(f"a@here: {CAREFUL}\n")
    Path("specs/a.job.yaml").write_text(ONCE)
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert "careful" not in capsys.readouterr().out, "a version has passed since"


def test_a_changed_job_names_what_it_still_holds_alone(answers: Answers, capsys: Capture) -> None:
    Path("specs/a.job.yaml").write_text(ONCE)
    answers.given["Usrmail"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    first, charge, rest = ONCE.partition("  - id: charge\n    execute: {process: Usrcharge}\n    effect: once\n")
    for changed, named in (
        (first + rest, "mail"),
        (first + rest.replace("effect: once", "effect: idempotent"), ""),
        (first + charge.replace("id: charge", "id: bill") + rest, "charge, mail"),
        (first + charge.replace("Usrcharge", "Usrbill") + rest, "charge, mail"),
    ):
        Path("specs/a.job.yaml").write_text(changed)
        capsys.readouterr()
        assert ended(["apply", "specs", "--dry-run"]) == 0
        assert capsys.readouterr().out.partition("only once: ")[2].strip() == named


def test_what_an_earlier_attempt_has_started_is_named_though_the_last_failed_before_it(
    answers: Answers, capsys: Capture
) -> None:
    look = "  - id: look\n    execute: {process: Usrlook, result: Out}\n    effect: read\n    expect: [result == 7]\n"
    Path("specs/a.job.yaml").write_text(ONCE)
    answers.given["Usrmail"] = answers.given["Usrlook"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    Path("specs/a.job.yaml").write_text(ONCE.replace("steps:\n", f"steps:\n{look}"))
    answers.since()
    assert ended(["apply", "specs"]) == 1
    assert answers.since() == ["Usrlook"]
    assert ended(["apply", "specs", "--retry", "failed", "--dry-run"]) == 0
    assert CAREFUL in capsys.readouterr().out
    Path("specs/a.job.yaml").write_text(ONCE.replace("steps:\n", f"steps:\n{look.replace('7', '8')}"))
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert CAREFUL in capsys.readouterr().out
    assert ended(["apply", "specs", "--adopt"]) == 0
    Path("specs/a.job.yaml").write_text(ONCE.replace("steps:\n", f"steps:\n{look.replace('7', '9')}"))
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert "careful" not in capsys.readouterr().out, "somebody has adopted what was done"


def test_nobody_knows_what_a_run_has_started_that_is_not_stored_any_more(answers: Answers, capsys: Capture) -> None:
    Path("specs/a.job.yaml").write_text(ONCE)
    answers.given["Usrmail"] = xml(8)
    assert ended(["apply", "specs"]) == 1
    [run] = [folder.name for folder in Path(".runner/runs").iterdir()]
    shutil.rmtree(".runner/runs")
    Path("specs/a.job.yaml").write_text(ONCE.replace("result == 7", "result == 8"))
    capsys.readouterr()
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert f"; careful, nobody knows what run {run} has started: it is not stored\n" in capsys.readouterr().out
    assert ended(["apply", "specs", "--dry-run", "--format", "json"]) == 0
    [version] = json.loads(capsys.readouterr().out)["versions"]
    assert (version["repeats"], version["repeats_unread"]) == ([], [run])


def test_a_version_whose_run_cannot_be_settled_as_a_secret_is_lost_is_left_to_a_person(
    answers: Answers, capsys: Capture
) -> None:
    needs = '{process: Usrb, parameters: {Token: "{{ steps.act.result }}"}}'
    write("a", **{"    expect: [result == 7]\n": f"    secret: true\n  - id: use\n    execute: {needs}\n"})
    answers.given["Usrb"] = Answer(silent=True)
    assert ended(["apply", "specs"]) == 4
    answers.since()
    capsys.readouterr()
    assert ended(["apply", "specs", "--for", "rel2"]) == 4
    assert answers.since() == [], "with another key it would do again what is in doubt"
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 4
    printed = capsys.readouterr().err
    assert "this run cannot be resumed: what `act` gave was secret, and is not stored" in printed
    assert "hint: look at the site: if it happened, `runner apply specs/a.job.yaml -t here --adopt` takes" in printed
    write("a", **{"    expect: [result == 7]\n": f"    secret: true\n  - id: used\n    execute: {needs}\n"})
    assert ended(["apply", "specs", "--retry", "failed"]) == 4
    printed = capsys.readouterr().err
    assert "--adopt` takes" in printed
    assert "--retry failed`" not in printed
    assert answers.since() == [], "the changed job would do again what is in doubt"
    assert ended(["apply", "specs", "--adopt"]) == 0
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []


def test_a_version_whose_events_are_an_older_copy_is_left_to_a_person(answers: Answers, capsys: Capture) -> None:
    write("a", **{"    expect: [result == 7]\n": "  - {id: mail, execute: {process: Usrb}}\n"})
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["apply", "specs", "--hold"]) == 4
    shutil.copytree(".runner", "copy")
    answers.given.clear()
    assert ended(["resume", "last", "--step", "act", "--as", "passed"]) == 0
    shutil.rmtree(".runner")
    shutil.move("copy", ".runner")
    answers.since()
    capsys.readouterr()
    for _ in range(2):
        assert ended(["apply", "specs"]) == 4
        printed = capsys.readouterr().err
        assert "its events are an older copy: later it has sent more" in printed
        assert "`runner apply specs/a.job.yaml -t here --adopt` takes the version for applied" in printed
    assert ended(["apply", "specs", "--adopt"]) == 0
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []


@pytest.mark.parametrize("is_in_doubt", [False, True])
@pytest.mark.parametrize(("options", "sent"), [(["--retry", "failed"], ["Usra"]), (["--adopt", "-k", "a"], [])])
def test_a_changed_job_does_not_begin_after_a_version_whose_events_are_gone_until_a_person_decides(
    answers: Answers, capsys: Capture, options: list[str], sent: list[str], *, is_in_doubt: bool
) -> None:
    write("a", **{"    expect: [result == 7]\n": "", ", result: Out": ""})
    if is_in_doubt:
        answers.given["Usra"] = Answer(silent=True)
        assert ended(["apply", "specs"]) == 4
        shutil.rmtree(".runner/runs")
    else:
        assert ended(["apply", "specs"]) == 0
        shutil.rmtree(broken_off(answers))
    answers.given.clear()
    write("a", "timeout: 1m\n")
    answers.since()
    capsys.readouterr()
    assert ended(["apply", "specs"]) == 4
    printed = capsys.readouterr().err
    assert "of the version before is lost: its events are not in " in printed
    assert "hint: look at the site for what it did; `runner apply specs/a.job.yaml -t here --retry failed` " in printed
    assert answers.since() == []
    assert ended(["apply", "specs", *options]) == 0
    assert answers.since() == sent
    write("a", "timeout: 2m\n")
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["Usra"]


def test_a_version_in_doubt_whose_events_are_gone_can_be_adopted(answers: Answers, capsys: Capture) -> None:
    write("a")
    answers.given["Usra"] = Answer(silent=True)
    assert ended(["apply", "specs"]) == 4
    shutil.rmtree(".runner/runs")
    assert ended(["apply", "specs"]) == 4
    assert " -t here --adopt` takes the version for applied" in capsys.readouterr().err
    assert ended(["apply", "specs", "--adopt", "-k", "a"]) == 0
    answers.since()
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == []


def test_the_first_of_many_versions_that_are_not_carried_out_alike_are_named_and_the_reports_have_all(
    answers: Answers, capsys: Capture
) -> None:
    for name in "abcdefgh":
        write(name, "needs: [a]\n" if name > "f" else "")
        answers.given[f"Usr{name}"] = xml(8)
    write("a")
    assert ended(["apply", "specs", "-q"]) == 1
    answers.since()
    capsys.readouterr()
    assert ended(["apply", "specs", "-t", "here", "--report-json", "r.json"]) == 1
    said = capsys.readouterr().err
    assert said.count("error[E183]") == 4
    assert (
        "error[E183]: 3 more versions have the state `failed`\n"
        "   = hint: `runner apply specs -t here --dry-run` lists all\n" in said
    )
    assert "`d@here` is not carried out" not in said
    assert said.count("error[E184]") == 2
    assert [problem["code"] for problem in json.loads(Path("r.json").read_text())["problems"]] == ["E183"] * 6 + [
        "E184"
    ] * 2
    assert answers.since() == []


def test_the_first_failure_names_what_shows_it_and_what_carries_it_out_again(answers: Answers, capsys: Capture) -> None:
    for name in "abcd":
        write(name, **{"expect: [result == 7]": "expect: [result == 7]\n    effect: idempotent"})
        answers.given[f"Usr{name}"] = xml(8)
    assert ended(["apply", "specs", "-t", "here"]) == 1
    shown = capsys.readouterr().err
    assert re.search(r"\na@here did not pass: `runner show [0-9a-f-]{36}`\nb@here did not pass: ", shown)
    assert "d@here did not pass: " not in shown
    again = "`runner apply specs -t here --retry failed`; a changed job runs by itself\n"
    assert f"\n1 more did not pass\nwhen the cause on the site is mended: {again}" in shown


def test_a_version_whose_run_a_signal_stopped_has_the_code_that_its_run_has(answers: Answers) -> None:
    write("a", **{"    expect: [result == 7]\n": "  - pause: 1ms\n"})
    write("b")
    answers.hold = threading.Event()
    with command("apply", "specs", "-k", "a") as first:
        assert answers.came.wait(300)
        first.send_signal(signal.SIGTERM)
        first.until("SIGTERM: ")
        answers.hold.set()
        assert first.end() == 143
    answers.hold = None
    assert statuses() == [("a@here", "cancelled")]
    answers.given["Usrb"] = xml(8)
    write("c")
    assert ended(["apply", "specs", "-x", "--report-json", "r.json"]) == 143
    messages = [problem["message"] for problem in json.loads(Path("r.json").read_text())["problems"]]
    assert messages[1:] == ["the command ended before these runs began: c@here"], "no signal has stopped this command"
    assert ended(["apply", "specs", "-k", "a"]) == 143
    (run,) = (run for run in Path(".runner/runs").iterdir() if b'"job":"a"' in (run / "events.jsonl").read_bytes())
    assert ended(["report", run.name, "--report-junit", "-"]) == 143
    answers.since()
    for lines in (2, 0):  # of its events are left
        events = run / "events.jsonl"
        events.write_bytes(b"".join(events.read_bytes().splitlines(keepends=True)[:lines]))
        (run / "report.json").unlink(missing_ok=True)
        assert ended(["apply", "specs", "-k", "a"]) == 143
        assert answers.since() == []


def test_a_version_that_a_signal_stopped_before_it_had_changed_anything_begins_again(
    answers: Answers, capsys: Capture
) -> None:
    look = "  - {id: look, execute: {process: UsrLook}, effect: read, verify: none}\n"
    write("a", **{"steps:\n": f"steps:\n{look}"})
    answers.hold = threading.Event()
    with command("apply", "specs") as first:
        assert answers.came.wait(300)
        first.send_signal(signal.SIGTERM)
        first.until("SIGTERM: ")
        answers.hold.set()
        assert first.end() == 143
        assert "--retry" not in first.err
    answers.hold = None
    assert (answers.since(), statuses()) == (["UsrLook"], [("a@here", "cancelled")])
    assert ended(["apply", "specs", "--dry-run"]) == 0
    assert re.search(r"again  +a@here .*  cancelled \S+ before anything but readings was sent", capsys.readouterr().out)
    assert ended(["apply", "specs"]) == 0
    assert answers.since() == ["UsrLook", "Usra"]


@pytest.mark.parametrize(
    ("command", "is_said"),
    [
        (["plan", "specs"], True),
        (["apply", "specs", "--dry-run"], True),
        (["run", "specs"], True),
        (["run", "specs", "-q"], True),
        (["apply", "specs"], True),
        (["run", "specs", "--catalog", "all.catalog.yaml"], False),
        (["plan", "specs", "--catalog", "all.catalog.yaml"], False),
    ],
)
def test_whoever_asks_before_sending_hears_which_sites_have_no_catalogue(
    command: list[str], capsys: Capture, *, is_said: bool
) -> None:
    Path("all.catalog.yaml").write_text(
        "runner: 1\nprocesses:\n  Usra: {runnable: true, parameters: {Out: {type: integer, direction: out}}}\n"
    )
    Path("specs/a.job.yaml").write_text(JOB.format(name="a", more=""))
    assert ended(command) == 0
    line = "names of processes and parameters were not checked: `here` has no catalogue; `runner catalog pull -t here`"
    printed = capsys.readouterr()
    assert (line in printed.out + printed.err) is is_said


@pytest.mark.parametrize("has_catalogue", [False, True])
def test_every_report_of_a_run_says_that_its_names_were_not_checked(capsys: Capture, *, has_catalogue: bool) -> None:
    Path("specs/a.job.yaml").write_text(JOB.format(name="a", more=""))
    if has_catalogue:
        Path("here.catalog.yaml").write_text(
            "runner: 1\nprocesses:\n  Usra: {runnable: true, parameters: {Out: {type: integer, direction: out}}}\n"
        )
    forms = ("json", "html", "md")
    assert ended(["run", "specs", *(part for form in forms for part in (f"--report-{form}", f"r.{form}"))]) == 0
    capsys.readouterr()
    assert ended(["show", "last"]) == 0
    line = "names of processes and parameters were not checked"
    shown = [capsys.readouterr().out, *(Path(f"r.{form}").read_text() for form in forms)]
    assert [line in text for text in shown] == [not has_catalogue] * 4
    began = json.loads(Path(f".runner/runs/{ids()[0]}/events.jsonl").read_text().splitlines()[0])
    assert began.get("unchecked", False) is not has_catalogue
    assert ended(["plan", "specs", "--out", "x.plan.json"]) == 0
    capsys.readouterr()
    assert ended(["run", "x.plan.json"]) == 0
    assert (line in capsys.readouterr().out) is not has_catalogue, "and so does that of a stored plan"


def test_a_run_is_compared_with_the_one_before_it_wherever_that_is(
    answers: Answers, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a")
    assert ended(["apply", "specs", "-q"]) == 0
    (applied,) = ids()
    monkeypatch.chdir("specs")
    assert ended(["run", "a.job.yaml", "-q"]) == 0
    (own,) = ids()
    capsys.readouterr()
    assert ended(["diff", "last", "--format", "json"]) in {0, 1}, "a busy machine may show other times"
    shown = capsys.readouterr()
    assert [json.loads(shown.out)["runs"][which]["id"] for which in (0, 1)] == [applied, own]
    assert f"run {applied} is in " in shown.err
    assert len(answers.since()) == 2
