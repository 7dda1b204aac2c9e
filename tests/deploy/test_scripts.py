"""What the files for CI run, run by a real shell: as GitHub and GitLab would, against a site.

The caches of a CI are a folder here; whether it is restored and kept is read in the files.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deployed import documents
from deployed_scripts import JOB, PATH, Ended, shell
from sites import Answer, Executes, Site

from runner.cli.main import ended

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("served")]


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
            else:
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


def test_the_action_stops_after_a_machine_that_was_lost_with_its_ledger(github: GitHub, answers: Executes) -> None:
    assert github.machine(without_ledger="apply").code == 0
    Path("jobs/more.job.yaml").write_text(JOB.format("more"))
    assert github.machine(is_lost=True).code == 0
    assert answers.asked == ["Usrgood", "Usrmore"]
    for _ in range(2):
        stopped = github.machine()
        assert (stopped.code, answers.asked) == (1, ["Usrgood", "Usrmore"])
        assert "::error::The last workflow run ended before it stored its ledger" in stopped.out
    assert github.machine(without_ledger="adopt").code == 0
    assert github.machine().code == 0
    assert answers.asked == ["Usrgood", "Usrmore"]


def test_the_action_applies_each_version_once_on_however_many_machines(github: GitHub, answers: Executes) -> None:
    first = github.machine(without_ledger="apply")
    assert (first.code, answers.asked) == (0, ["Usrgood"]), first.out
    assert "good@here: passed" in first.summary
    assert "<testsuites" in Path("creatio-junit.xml").read_text()
    assert Path("creatio-report.html").exists()
    assert github.machine().code == 0
    Path("jobs/more.job.yaml").write_text(JOB.format("more"))
    assert github.machine().code == 0
    assert answers.asked == ["Usrgood", "Usrmore"]


def test_a_job_that_is_only_renamed_is_adopted_by_hand_before_it_begins_again_as_the_summary_says(
    github: GitHub, answers: Executes
) -> None:
    assert github.machine(without_ledger="apply").code == 0
    Path("jobs/good.job.yaml").unlink()
    Path("jobs/better.job.yaml").write_text(JOB.format("good").replace("name: good", "name: better"))
    summary = github.machine(dry_run="true").summary
    assert "Merge with `[skip ci]` in the message, then start the workflow by hand with `first`" in summary
    assert github.machine(first="apply jobs/better.job.yaml --adopt").code == 0
    assert "only renamed" not in github.machine(dry_run="true").summary
    assert answers.asked == ["Usrgood"]


def test_the_action_adopts_where_that_is_asked_for(github: GitHub, answers: Executes) -> None:
    assert github.machine(without_ledger="adopt").code == 0
    assert github.machine().code == 0
    assert answers.asked == []


def test_what_a_machine_left_in_doubt_is_kept_although_it_failed_and_is_settled_by_another(
    github: GitHub, answers: Executes
) -> None:
    answers.given["Usrgood"] = Answer(silent=True)
    first = github.machine(without_ledger="apply")
    assert first.code == 4, first.out
    found = re.search(r"runner resume ([0-9a-f-]{36}) ", first.out)
    assert found is not None, first.out
    settled = github.machine(first=f"runner resume {found[1]} --step 'act' --as failed")
    assert settled.code == 1, settled.out
    assert f"::warning::runner resume {found[1]} --step act --as failed ended with exit 1" in settled.out
    assert answers.asked == ["Usrgood"]


def test_a_pull_request_gets_what_would_be_done_and_nothing_is_sent_or_kept(github: GitHub, served: Site) -> None:
    done = github.machine(dry_run="true")
    assert done.code == 0, done.out
    assert re.search(r"^new +good@here ", done.summary, re.MULTILINE)
    assert (served.asked, github.entries()) == ([], [])


def test_a_failed_dry_run_fails_the_step_and_its_mistakes_are_in_the_summary(github: GitHub) -> None:
    Path("jobs/wrong.job.yaml").write_text(JOB.format("wrong").replace("process:", "proces:"))
    done = github.machine(dry_run="true")
    assert done.code == 2
    printed = done.summary.split("```\n")[-2]
    assert "E104" in printed
    assert "::error" not in printed
    assert "::error" in done.out


def test_a_protected_target_is_confirmed_in_the_workflow(github: GitHub, answers: Executes) -> None:
    targets_file = Path("jobs/targets.yaml")
    targets_file.write_text(targets_file.read_text() + "    protected: true\n")
    assert github.machine(without_ledger="apply").code == 6
    done = github.machine(without_ledger="apply", confirm="here")
    assert done.code == 0, done.out
    assert answers.asked == ["Usrgood"]


def test_credentials_reach_the_action_only_and_only_on_the_branch_that_is_merged_into(github: GitHub) -> None:
    assert not any("pip " in step.get("run", "") for step in github.steps)
    (workflow,) = documents(Path("jobs/.github/workflows/creatio-apply.yml"))
    plan, apply = workflow["jobs"]["plan"], workflow["jobs"]["apply"]
    assert "secrets." not in str(plan)
    assert plan["if"] == "github.event_name == 'pull_request'"
    assert apply["if"] == "github.ref == 'refs/heads/main'"
    assert 'push: {branches: ["main"]}' in Path("jobs/.github/workflows/creatio-apply.yml").read_text()
    assert "env" not in apply
    with_secrets = [step for step in apply["steps"] if "secrets." in str(step)]
    assert [step["uses"] for step in with_secrets] == ["./jobs/github"]


@pytest.mark.parametrize("kind", ["github", "gitlab", "compose", "cron"])
def test_nothing_is_installed_by_a_name_that_anybody_may_register(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address that is written is one that nobody can have, until somebody sets it."""
    shutil.rmtree("jobs/.github", ignore_errors=True)
    capsys.readouterr()
    assert ended(["init", "jobs", "--deploy", kind]) == 0
    out = capsys.readouterr().out
    assert "  set where the package comes from" in out
    texts = [out, *(path.read_text() for path in Path("jobs").rglob("*") if path.is_file())]
    lines = [line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#")]
    named = [line for line in lines if re.search(r"creatio-runner(\[fleet\])? *(@|==)", line)]
    assert named
    assert all("git+https://git.example.com/OWNER/" in line for line in named)


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
    gitlab: dict[str, Any], answers: Executes
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


def test_what_gitlab_installs_gets_no_credentials(gitlab: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "pip").write_text('#!/bin/sh\nenv\nprintf "%s\\n" "$@"\n')
    (tmp_path / "pip").chmod(0o755)
    given = {
        "PATH": f"{tmp_path}:{PATH}",
        "CREATIO_PASSWORD": "a b*\nc",
        "CREATIO_RUNNER_DB": "x",
        "PIP_INDEX_URL": "y",
    }
    (script,) = gitlab[".creatio"]["before_script"]
    done = shell(script, given | gitlab[".creatio"]["variables"], "sh", "-ec", folder=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert "CREATIO_" not in done.stdout
    assert "PIP_INDEX_URL=y" in done.stdout
    assert done.stdout.splitlines()[-1] == gitlab[".creatio"]["variables"]["INSTALL"]


def test_gitlab_settles_what_is_in_doubt_and_adopts(gitlab: dict[str, Any], answers: Executes) -> None:
    answers.given["Usrgood"] = Answer(silent=True)
    first = gitlab_job(gitlab, "creatio:apply", WITHOUT_LEDGER="apply")
    assert first.code == 4
    settled = gitlab_job(gitlab, "creatio:apply", FIRST="runner resume last --step 'act' --as failed")
    assert settled.code == 1, settled.out
    shutil.rmtree("jobs/.runner")
    assert gitlab_job(gitlab, "creatio:apply", WITHOUT_LEDGER="adopt").code == 0
    assert answers.asked == ["Usrgood"]


def test_a_mistake_in_a_merge_request_is_in_the_code_quality_report(gitlab: dict[str, Any]) -> None:
    Path("jobs/wrong.job.yaml").write_text(JOB.format("wrong").replace("process:", "proces:"))
    assert gitlab_job(gitlab, "creatio:validate").code == 2
    assert "E104" in Path(gitlab["creatio:validate"]["artifacts"]["reports"]["codequality"]).read_text()
    assert gitlab["creatio:validate"]["artifacts"]["when"] == "always"
