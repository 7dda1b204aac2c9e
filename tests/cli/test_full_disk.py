"""A disk that is full: before the first call, and in the middle of a run. Played by a limit on the size of files."""

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from journals import before_each_line
from sites import NOTHING, Answer, Site, site, targets, xml

from runner.cli.main import ended as exit_code_of

pytestmark = pytest.mark.slow

RUNNER = Path(sys.executable).with_name("runner")
JOB = """runner: 1
name: filling
target: here
defaults: {verify: none}
steps:
"""


WITHOUT_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Python 3.11 keeps a module's bytecode also where only a part of it fitted on the disk, for all later processes."""


def limited(to: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (to, to))


def run(here: Site, folder: Path, *, steps: int, limit: int) -> subprocess.CompletedProcess[str]:
    (folder / "targets.yaml").write_text(targets(here.url))
    each = "".join(f"  - id: s{number}\n    execute: {{process: UsrFill}}\n" for number in range(steps))
    (folder / "a.job.yaml").write_text(JOB + each)
    return runner("run", "a.job.yaml", folder=folder, limit=limit)


def runner(*arguments: str, folder: Path, limit: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RUNNER), *arguments],
        cwd=folder,
        env=os.environ | WITHOUT_BYTECODE,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited(limit),
        timeout=300,
    )


def test_a_file_that_does_not_fit_is_as_it_was_before(tmp_path: Path) -> None:
    with site(answer) as here:
        run(here, tmp_path, steps=1, limit=1_000_000)
    plan = ("plan", "a.job.yaml", "--out", "plan.json")
    assert runner(*plan, folder=tmp_path, limit=1_000_000).returncode == 0
    before = (tmp_path / "plan.json").read_text()
    ended = runner(*plan, folder=tmp_path, limit=300)
    assert (ended.returncode, (tmp_path / "plan.json").read_text()) == (2, before)
    assert "File too large" in ended.stderr
    files = [runner("init", "new", folder=tmp_path, limit=most).returncode for most in (1000, 1_000_000)]
    assert files == [2, 0]
    assert [*tmp_path.rglob("*.part")] == []


def answer(_method: str, path: str) -> Answer:
    return xml(None) if "/Execute" in path else NOTHING


@pytest.mark.parametrize("limit", [10, 700, 1500])
def test_a_disk_that_is_full_before_the_first_call_is_exit_2_and_nothing_is_sent(tmp_path: Path, limit: int) -> None:
    with site(answer) as here:
        ended = run(here, tmp_path, steps=1, limit=limit)
        assert here.executes() == []
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert ended.stderr.count("error[") == 1
    assert "cannot be written" in ended.stderr
    assert "exit" not in ended.stdout


def test_a_disk_that_fills_up_later_stops_the_run_and_its_events_show_how_far_it_came(tmp_path: Path) -> None:
    with site(answer) as here:
        ended = run(here, tmp_path, steps=50, limit=40_000)
        sent = len(here.executes())
    assert ended.returncode in (3, 4), ended.stdout + ended.stderr
    assert "E311" in ended.stdout + ended.stderr
    assert any(why in ended.stdout + ended.stderr for why in ("File too large", "disk I/O error"))
    (events,) = (tmp_path / ".runner" / "runs").glob("*/events.jsonl")
    whole = [json.loads(line) for line in events.read_text().split("\n")[:-1]]
    assert 0 < sent < 50
    assert sum(event["type"] == "call.sent" for event in whole) == sent


def fill_the_disk(_line: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_disk_that_is_full_for_a_later_run_loses_no_run_from_the_reports(
    jobs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        step = "  - id: s\n    execute: {process: UsrFill}\n"
        Path(f"{name}.job.yaml").write_text(JOB.replace("filling", name) + step)
    with site(answer) as here:
        Path("targets.yaml").write_text(targets(here.url))
        before_each_line(2, fill_the_disk, monkeypatch)
        code = exit_code_of(
            ["run", "one.job.yaml", "two.job.yaml", "three.job.yaml", "-j", jobs, "--report-json", "r.json"]
        )
        sent = len(here.executes())
    report = json.loads(Path("r.json").read_bytes())
    passed = [run["job"] for run in report["runs"] if run["status"] == "passed"]
    assert code == report["exit_code"] == 3
    assert "one" in passed
    assert len(passed) == len(report["runs"]) == sent
    assert [problem["code"] for problem in report["problems"]] == ["E151", "E312"]
