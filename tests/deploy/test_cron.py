"""What cron and systemd run, run by a real shell, against a site."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from deployed import RUNNER, SHIPPED
from deployed_scripts import JOB, Ended, shell, twice
from sites import Executes

from runner.cli.main import ended
from runner.scaffold.deploy_kinds import deploy_kinds

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("served")]


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
    (tmp_path / "environment").write_text(
        Path("jobs/cron/environment").read_text().replace("/var/lib/creatio-apply", str(tmp_path))
    )
    (tmp_path / "ledger").touch()
    return clone


def here(text: str, machine: Path) -> str:
    places = {RUNNER: "runner", "/srv/creatio": str(machine)}
    places |= {"/etc/creatio-apply.env": str(machine.parent / "environment")}
    places |= {"/var/lib/creatio-apply": str(machine.parent)}
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
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qam", "more", "--allow-empty"],
        check=True,
    )


def test_cron_applies_what_was_pushed_and_prints_only_what_did_not_pass(machine: Path, answers: Executes) -> None:
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


def test_cron_reports_that_nothing_could_be_pulled(machine: Path, answers: Executes) -> None:
    shutil.rmtree(".git")
    assert re.match(r"exit (1|128)\n.*", cron(machine, "git pull").out)
    assert answers.asked == []


def test_cron_carries_jobs_of_the_night_out_once_in_a_day(machine: Path, answers: Executes) -> None:
    assert cron(machine, "--tags nightly").out == "", "no job has the tag"
    (machine / "jobs" / "good.job.yaml").write_text(JOB.format("good").replace("target:", "tags: [nightly]\ntarget:"))

    def night() -> None:
        assert cron(machine, "--tags nightly").out == ""

    days = twice(night)
    assert 1 <= len(answers.asked) <= days


@pytest.mark.parametrize("verb", ["git pull", "--tags nightly"])
def test_cron_runs_nothing_without_a_ledger(machine: Path, answers: Executes, verb: str) -> None:
    (machine.parent / "ledger").unlink()
    out = cron(machine, verb).out
    assert out.startswith("exit 2\nThere is no ledger")
    assert answers.asked == []


def test_a_new_clone_knows_what_was_applied(machine: Path, answers: Executes) -> None:
    assert cron(machine, "git pull").out == ""
    subprocess.run(["git", "clean", "-fdxq"], cwd=machine, check=True)
    assert cron(machine, "git pull").out == ""
    assert answers.asked == ["Usrgood"]
    assert not list(machine.rglob(".runner"))


def test_a_password_in_single_quotes_reaches_the_runner_as_it_is(machine: Path) -> None:
    password = "pa$$w0rd&x y#1"
    file = machine.parent / "environment"
    file.write_text(file.read_text().replace("PASSWORD=''", f"PASSWORD='{password}'"))
    script = f"set -a; . {file}; set +a; printenv CREATIO_PASSWORD"
    assert shell(script, {"PATH": "/usr/bin:/bin"}, "/bin/sh", "-c", folder=machine).stdout == f"{password}\n"
    assert f"'{password}'" in file.read_text().splitlines()[1]


def systemd(machine: Path, name: str) -> int:
    """Do what the service does, with the variables of its file alone; how many commands that are."""
    unit = here(Path(f"jobs/cron/{name}.service").read_text(), machine)
    file = Path(re.findall(r"EnvironmentFile=(.*)", unit)[0])
    environment = dict(re.findall(r"^(\w+)='(.*)'$", file.read_text(), re.MULTILINE)) | {"PATH": "/usr/bin:/bin"}
    (folder,) = re.findall(r"WorkingDirectory=(.*)", unit)
    commands = re.findall(r"^ExecStart(?:Pre)?=(.*)$", unit, re.MULTILINE)
    for command in commands:
        done = shell(f"exec {command}", environment, "/bin/sh", "-c", folder=Path(folder))
        assert done.returncode == 0, done.stderr
    return len(commands)


def test_the_services_of_systemd_apply_what_was_merged_at_once_and_the_jobs_of_the_night_then(
    machine: Path, answers: Executes
) -> None:
    commit(JOB.format("good"))
    for _ in range(2):
        assert systemd(machine, "creatio-apply") == 3
    assert answers.asked == ["Usrgood"]
    Path("jobs/night.job.yaml").write_text(JOB.format("night").replace("target:", "tags: [nightly]\ntarget:"))
    subprocess.run(["git", "add", "."], check=True)
    commit(JOB.format("good"))
    systemd(machine, "creatio-apply")
    assert answers.asked == ["Usrgood"], "a merge carries out no job of the night"

    def night() -> None:
        assert systemd(machine, "creatio-nightly") == 2

    days = twice(night)
    assert answers.asked[:2] == ["Usrgood", "Usrnight"]
    assert len(answers.asked) <= 1 + days


def test_what_is_to_be_applied_by_hand_first_leaves_a_ledger_where_all_jobs_are_for_the_night(
    machine: Path, answers: Executes
) -> None:
    (machine.parent / "ledger").unlink()
    job = machine / "jobs" / "good.job.yaml"
    job.write_text(JOB.format("good").replace("target:", "tags: [nightly]\ntarget:"))
    (line,) = [line for line in deploy_kinds()["cron"].to_do if "by hand" in line]
    command = here(re.findall(r"sh -c '(.*)'$", line)[0].replace("@FOLDER@", "jobs"), machine)
    assert shell(command, {"PATH": "/usr/bin:/bin"}, "/bin/sh", "-c", folder=machine).returncode == 0
    assert answers.asked == []
    systemd(machine, "creatio-nightly")
    assert answers.asked == ["Usrgood"]


def test_the_services_of_systemd_name_each_other_and_are_started_by_timers() -> None:
    for name in ("creatio-apply", "creatio-nightly"):
        assert "OnFailure=creatio-failed@%n.service\n" in (SHIPPED / "cron" / f"{name}.service").read_text()
        assert "OnCalendar=" in (SHIPPED / "cron" / f"{name}.timer").read_text()
    assert "enable --now creatio-apply.timer creatio-nightly.timer" in deploy_kinds()["cron"].next


def test_a_failure_of_the_service_is_mailed_with_its_log(machine: Path, tmp_path: Path) -> None:
    """The shell's line of the unit that the other names, with a journal and a mail that write down what they get."""
    unit = here(Path("jobs/cron/creatio-failed@.service").read_text(), machine).replace("%i", "creatio-apply.service")
    (script,) = re.findall(r"^ExecStart=/bin/sh -c '(.*)'$", unit, re.MULTILINE)
    for name, text in (("journalctl", 'echo "$@"'), ("mail", f'echo "$@" > {tmp_path}/mail; cat >> {tmp_path}/mail')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "MAILTO": "ops@example.com"}
    assert shell(script, environment, "/bin/sh", "-c", folder=machine).returncode == 0
    to, log = (tmp_path / "mail").read_text().splitlines()
    assert to == "-s creatio-apply.service on %H ops@example.com"
    assert log.startswith("--unit creatio-apply.service ")
