"""What the files for CI and cron run, run by a real shell: as GitHub, GitLab, systemd and cron would, against a site.

The caches of a CI are a folder here; whether it is restored and kept is read in the files.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from deployed import RUNNER, documents
from sites import NOTHING, Site, Told, site, targets, xml

from runner.cli.main import ended

pytestmark = pytest.mark.slow

TOOLS = Path(sys.executable).parent
JOB = """runner: 1
name: {0}
target: here
defaults: {{verify: none}}
steps:
  - id: act
    execute: {{process: Usr{0}, result: Out}}
    expect: [result == 7]
"""
PATH = f"{TOOLS}{os.pathsep}/usr/bin{os.pathsep}/bin"


@dataclass
class Answers:
    """Answers an execute by what `given` says of its process, else with 7."""

    given: dict[str, Told] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, _method: str, path: str) -> Told:
        if "/Execute" not in path:
            return NOTHING
        process = path.split("/")[4]
        self.asked.append(process)
        return self.given.get(process, xml(7))


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture(autouse=True)
def served(answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in [name for name in os.environ if name.startswith("CREATIO_")]:
        monkeypatch.delenv(name)
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    (checkout / "jobs").mkdir()
    monkeypatch.chdir(checkout)
    Path("jobs/good.job.yaml").write_text(JOB.format("good"))
    with site(answers) as there:
        Path("jobs/targets.yaml").write_text(targets(there.url) + "    settle: 100ms\n")
        yield there


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    summary: str = ""


def shell(script: str, environment: dict[str, str], *command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    home = {"HOME": str(folder.parent), "XDG_STATE_HOME": str(folder.parent / "state")}
    return subprocess.run(
        [*command, script], env=home | environment, cwd=folder, check=False, capture_output=True, text=True
    )


# GitHub


@dataclass
class GitHub:
    """Machines that each begin with a checkout and what the cache has of the ones before."""

    cache: Path
    steps: list[dict[str, Any]]
    defaults: dict[str, str]
    number: int = 0

    def machine(self, *, is_lost: bool = False, **inputs: str) -> Ended:
        """Carry the action's steps out, with the values of its inputs. A machine may be lost while it applies."""
        self.number += 1
        values = {f"inputs.{name}": value for name, value in self.defaults.items()}
        values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        values |= {"github.run_id": str(self.number), "github.run_attempt": "1", "steps.begun.outcome": "skipped"}
        values["steps.before.outputs.cache-matched-key"] = ""
        code, out, summary = 0, "", Path("summary.md")
        summary.write_text("")
        for step in self.steps:
            condition = step.get("if", "")
            if (code and "always()" not in condition) or not holds(condition, values):
                continue
            if "uses" in step:
                values |= self._use(step, values)
            elif "pip install" not in step["run"]:
                environment = {name: filled(value, values) for name, value in step["env"].items()}
                environment |= {"PATH": PATH, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary.absolute())}
                bash = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
                done = shell(step["run"], environment, *bash, folder=Path.cwd())
                code, out = code or done.returncode, out + done.stdout + done.stderr
            if is_lost and step.get("name") == "Apply":
                break
        shutil.rmtree("jobs/.runner", ignore_errors=True)  # the next machine is another one
        return Ended(code, out, summary.read_text())

    def _use(self, step: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
        """What a published action does; the outputs that are read of it."""
        given = {name: filled(value, values) for name, value in step.get("with", {}).items()}
        match step["uses"].partition("@")[0]:
            case "actions/cache/restore" if entries := self.entries():
                latest = entries[-1]
                assert latest.name.startswith(given["restore-keys"].replace("/", "_"))
                shutil.copytree(latest, given["path"])
                return {"steps.before.outputs.cache-matched-key": latest.name}
            case "actions/cache/save" if Path(given["path"]).exists():  # else GitHub warns
                shutil.copytree(given["path"], self.cache / given["key"].replace("/", "_"))
                return {f"steps.{step['id']}.outcome": "success"} if "id" in step else {}
            case _:
                return {}

    def entries(self) -> list[Path]:
        """What is in the cache, the latest last."""
        return sorted(self.cache.iterdir(), key=lambda entry: entry.stat().st_ctime_ns) if self.cache.exists() else []


def holds(condition: str, values: dict[str, str]) -> bool:
    terms = re.findall(r"([\w.-]+) (==|!=) '(\w*)'", condition)
    others = [term for term in condition.split(" && ") if not re.fullmatch(r"[\w.-]+ [!=]= '\w*'", term)]
    assert others in ([], [""], ["always()"]), "a condition that is not understood here"
    return all((values[name] == value) is (sign == "==") for name, sign, value in terms)


def filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda found: values[found[1]], str(text))


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    assert ended(["init", "jobs", "--deploy", "github"]) == 0
    (action,) = documents(Path("jobs/github/action.yml"))
    defaults = {name: each.get("default", "") for name, each in action["inputs"].items()}
    return GitHub(cache=tmp_path / "cache", steps=action["runs"]["steps"], defaults=defaults)


def test_the_action_begins_nothing_where_no_ledger_is_found(github: GitHub, served: Site) -> None:
    done = github.machine()
    assert done.code == 1
    assert "::error::No ledger of earlier runs was found" in done.out
    assert (served.asked, github.entries()) == ([], [])


def test_the_action_stops_after_a_machine_that_was_lost_with_its_ledger(github: GitHub, answers: Answers) -> None:
    assert github.machine(without_ledger="apply").code == 0
    Path("jobs/more.job.yaml").write_text(JOB.format("more"))
    assert github.machine(is_lost=True).code == 0
    assert answers.asked == ["Usrgood", "Usrmore"]
    for _ in range(2):
        stopped = github.machine()
        assert (stopped.code, answers.asked) == (1, ["Usrgood", "Usrmore"])
        assert "::error::The machine before this one was lost" in stopped.out
    assert github.machine(without_ledger="adopt").code == 0
    assert github.machine().code == 0
    assert answers.asked == ["Usrgood", "Usrmore"]


def test_the_action_applies_each_version_once_on_however_many_machines(github: GitHub, answers: Answers) -> None:
    first = github.machine(without_ledger="apply")
    assert (first.code, answers.asked) == (0, ["Usrgood"]), first.out
    assert "good@here: passed" in first.summary
    assert "<testsuites" in Path("creatio-junit.xml").read_text()
    assert Path("creatio-report.html").exists()
    assert github.machine().code == 0
    Path("jobs/more.job.yaml").write_text(JOB.format("more"))
    assert github.machine().code == 0
    assert answers.asked == ["Usrgood", "Usrmore"]


def test_the_action_adopts_where_that_is_asked_for(github: GitHub, answers: Answers) -> None:
    assert github.machine(without_ledger="adopt").code == 0
    assert github.machine().code == 0
    assert answers.asked == []


def test_what_a_machine_left_in_doubt_is_kept_although_it_failed_and_is_settled_by_another(
    github: GitHub, answers: Answers
) -> None:
    answers.given["Usrgood"] = Told(silent=True)
    first = github.machine(without_ledger="apply")
    assert first.code == 4, first.out
    found = re.search(r"runner resume ([0-9a-f-]{36}) ", first.out)
    assert found is not None, first.out
    settled = github.machine(first=f"resume {found[1]} --step act --as failed")
    assert settled.code == 1, settled.out
    assert f"::warning::runner resume {found[1]} --step act --as failed ended with exit 1" in settled.out
    assert answers.asked == ["Usrgood"]


def test_a_pull_request_gets_what_would_be_done_and_nothing_is_sent_or_kept(github: GitHub, served: Site) -> None:
    done = github.machine(dry_run="true")
    assert done.code == 0, done.out
    assert re.search(r"^new +good@here ", done.summary, re.MULTILINE)
    assert (served.asked, github.entries()) == ([], [])


def test_a_failed_dry_run_fails_the_step(github: GitHub) -> None:
    Path("jobs/wrong.job.yaml").write_text(JOB.format("wrong").replace("process:", "proces:"))
    assert github.machine(dry_run="true").code == 2


# GitLab


@pytest.fixture
def gitlab() -> dict[str, Any]:
    assert ended(["init", "jobs", "--deploy", "gitlab"]) == 0
    return documents(Path("jobs/gitlab/creatio.yml"))[0]


def gitlab_job(template: dict[str, Any], name: str, **variables: str) -> Ended:
    """Carry the script of a job out. `python:3.13-slim` has bash, `sh` takes less: what it takes both do."""
    values = {"WITHOUT_LEDGER": "stop", "FIRST": "", **template[".creatio"]["variables"], **variables, "PATH": PATH}
    out, code = "", 0
    for script in template[name]["script"]:
        done = shell(script, values, "sh", "-ec", folder=Path.cwd())
        code, out = code or done.returncode, out + done.stdout + done.stderr
    return Ended(code, out)


def test_the_template_for_gitlab_applies_once_and_stops_without_a_ledger(
    gitlab: dict[str, Any], answers: Answers
) -> None:
    stopped = gitlab_job(gitlab, "creatio:apply")
    assert stopped.code == 1
    assert "No ledger of earlier runs was found" in stopped.out
    planned = gitlab_job(gitlab, "creatio:plan")
    assert (planned.code, answers.asked) == (0, [])
    assert "good@here" in planned.out
    for without_ledger in ("apply", "stop"):
        done = gitlab_job(gitlab, "creatio:apply", WITHOUT_LEDGER=without_ledger)
        assert (done.code, answers.asked) == (0, ["Usrgood"]), done.out
    assert "<testsuites" in Path("creatio-junit.xml").read_text()
    cache = gitlab["creatio:apply"]["cache"]
    assert (cache["paths"], cache["when"], cache["policy"]) == (["jobs/.runner/"], "always", "pull-push")
    assert gitlab["creatio:apply"]["artifacts"]["reports"] == {"junit": "creatio-junit.xml"}


def test_gitlab_settles_what_is_in_doubt_and_adopts(gitlab: dict[str, Any], answers: Answers) -> None:
    answers.given["Usrgood"] = Told(silent=True)
    first = gitlab_job(gitlab, "creatio:apply", WITHOUT_LEDGER="apply")
    assert first.code == 4
    settled = gitlab_job(gitlab, "creatio:apply", FIRST="resume last --step act --as failed")
    assert settled.code == 1, settled.out
    shutil.rmtree("jobs/.runner")
    assert gitlab_job(gitlab, "creatio:apply", WITHOUT_LEDGER="adopt").code == 0
    assert answers.asked == ["Usrgood"]


def test_a_mistake_in_a_merge_request_is_in_the_code_quality_report(gitlab: dict[str, Any]) -> None:
    Path("jobs/wrong.job.yaml").write_text(JOB.format("wrong").replace("process:", "proces:"))
    assert gitlab_job(gitlab, "creatio:validate").code == 2
    assert "E104" in Path(gitlab["creatio:validate"]["artifacts"]["reports"]["codequality"]).read_text()
    assert gitlab["creatio:validate"]["artifacts"]["when"] == "always"


# Cron, and systemd


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A clone of a repository with the jobs, as it would be in /srv/creatio; the file of variables is beside it."""
    assert ended(["init", "jobs", "--deploy", "cron"]) == 0
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    shutil.rmtree(".git")
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(Path.cwd()), str(clone)], check=True)
    (tmp_path / "environment").write_text(Path("jobs/cron/environment").read_text().replace("USERNAME=", "USERNAME=a"))
    return clone


def here(text: str, machine: Path) -> str:
    places = {RUNNER: str(TOOLS / "runner"), "/srv/creatio": str(machine)}
    places |= {"/etc/creatio-apply.env": str(machine.parent / "environment")}
    for place, ours in places.items():
        text = text.replace(place, ours)
    return text


def cron(machine: Path, verb: str) -> Ended:
    """Do as cron does: a line without its times, with `%` where there is `\\%`, hardly any variable."""
    (line,) = [line for line in Path("jobs/cron/crontab").read_text().splitlines() if verb in line and line[0] in "*0"]
    command = here(line.split(maxsplit=5)[5], machine)
    assert not re.search(r"(?<!\\)%", command), "cron takes it for the end of a line"
    environment = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "creatio"}
    done = shell(command.replace("\\%", "%"), environment, "/bin/sh", "-c", folder=machine)
    return Ended(done.returncode, done.stdout + done.stderr)


def commit(text: str) -> None:
    Path("jobs/good.job.yaml").write_text(text)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qam", "more"], check=True)


def test_cron_applies_what_was_pushed_and_prints_only_what_did_not_pass(machine: Path, answers: Answers) -> None:
    for _ in range(2):
        assert cron(machine, "git pull").out == ""
    assert answers.asked == ["Usrgood"]
    commit(JOB.format("good").replace("== 7", "== 8"))
    failed = cron(machine, "git pull").out
    assert failed.startswith("exit 1\n")
    assert "failed: good@here" in failed
    assert answers.asked == ["Usrgood", "Usrgood"]
    assert cron(machine, "git pull").out.startswith("exit 1\n"), "until the job changes, or somebody looks at it"
    assert answers.asked == ["Usrgood", "Usrgood"]


def test_cron_reports_that_nothing_could_be_pulled(machine: Path, answers: Answers) -> None:
    shutil.rmtree(".git")
    assert re.match(r"exit (1|128)\n.*", cron(machine, "git pull").out)
    assert answers.asked == []


def test_cron_carries_jobs_of_the_night_out_once_in_a_day(machine: Path, answers: Answers) -> None:
    assert cron(machine, "--tags nightly").out == "", "no job has the tag"
    (machine / "jobs" / "good.job.yaml").write_text(JOB.format("good").replace("target:", "tags: [nightly]\ntarget:"))
    for _ in range(2):
        assert cron(machine, "--tags nightly").out == ""
    assert answers.asked == ["Usrgood"]


def test_the_service_of_systemd_applies_with_the_variables_of_its_file_alone(machine: Path, answers: Answers) -> None:
    unit = here(Path("jobs/cron/creatio-apply.service").read_text(), machine)
    file = Path(re.findall(r"EnvironmentFile=(.*)", unit)[0])
    environment = dict(re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE)) | {"PATH": "/usr/bin:/bin"}
    (folder,) = re.findall(r"WorkingDirectory=(.*)", unit)
    commands = re.findall(r"^ExecStart(?:Pre)?=(.*)$", unit, re.MULTILINE)
    assert len(commands) == 2
    for _ in range(2):
        for command in commands:
            done = shell(f"exec {command}", environment, "/bin/sh", "-c", folder=Path(folder))
            assert done.returncode == 0, done.stderr
    assert answers.asked == ["Usrgood"]


def test_a_failure_of_the_service_is_mailed_with_its_log(machine: Path, tmp_path: Path) -> None:
    """The shell's line of the unit that the other names, with a journal and a mail that write down what they get."""
    assert "OnFailure=creatio-apply-failed.service" in Path("jobs/cron/creatio-apply.service").read_text()
    unit = here(Path("jobs/cron/creatio-apply-failed.service").read_text(), machine)
    (script,) = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.MULTILINE)
    for name, text in (("journalctl", 'echo "$@"'), ("mail", f'echo "$@" > {tmp_path}/mail; cat >> {tmp_path}/mail')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "MAILTO": "ops@example.com"}
    assert shell(script, environment, "/bin/sh", "-c", folder=machine).returncode == 0
    to, log = (tmp_path / "mail").read_text().splitlines()
    assert to == "-s creatio-apply on %H ops@example.com"
    assert log.startswith("--unit creatio-apply.service ")
