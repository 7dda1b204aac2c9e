"""`--changed-since`: which jobs differ from a commit, and why."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from captured import Capture
from packages_on_disk import RawStep, uid

from runner.cli.main import ended

pytestmark = pytest.mark.slow

JOB = """runner: 1
name: {name}
target: {target}
steps:
  - execute: {{process: {process}}}
"""
DOUBLE = "runner: 1\nprocess: {process}\nactivities: [{{delay: 1ms}}]\n"
TARGETS = """runner: 1
targets:
  sandbox: {sandbox: sandbox}
  other: {sandbox: elsewhere}
  site: {url: https://a.example, auth: {username: a, password: '{{ env.P }}'}}
"""
SPECS = Path("specs")


def git(*arguments: str) -> str:
    settings = [
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    ]
    return subprocess.run(["git", *settings, *arguments], check=True, capture_output=True, text=True).stdout


def commit() -> None:
    git("add", "-A")
    git("commit", "-q", "-m", "all")


def write(name: str, process: str = "UsrOne", target: str = "sandbox", more: str = "") -> Path:
    path = SPECS / f"{name}.job.yaml"
    path.write_text(JOB.format(name=name, process=process, target=target) + more)
    return path


@pytest.fixture(autouse=True)
def _checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("CREATIO_RUNNER_", "GIT_"))]:
        monkeypatch.delenv(name)
    for folder in ("sandbox", "elsewhere", "parts"):
        (SPECS / folder).mkdir(parents=True)
    for folder in ("sandbox", "elsewhere"):
        for process in ("UsrOne", "UsrTwo"):
            (SPECS / folder / f"{process}.process.yaml").write_text(DOUBLE.format(process=process))
    (SPECS / "targets.yaml").write_text(TARGETS)
    (SPECS / "parts" / "part.job.yaml").write_text(
        JOB.format(name="part", process="UsrTwo", target="x").replace("target: x\n", "")
    )
    (SPECS / "rows.csv").write_text("name,who\nred,Ann\n")
    write("one")
    write("two", "UsrTwo")
    write("includes", more="  - job: {file: parts/part.job.yaml}\n")
    write("rows", more="inputs: {who: {type: string}}\ncases: rows.csv\n")
    write("away", target="other")
    write("site", target="site")
    git("init", "-q")
    commit()


def affected(capsys: Capture, *more: str) -> dict[str, list[tuple[str, str, str, str | None]]]:
    capsys.readouterr()
    code = ended(["list", "specs", "--changed-since", "HEAD", "--affected", "--format", "json", *more])
    shown = capsys.readouterr()
    jobs = json.loads(shown.out)["jobs"]
    assert code == (0 if jobs else 5), shown.err
    return {
        job["name"]: [(one["file"], one["change"], one["role"], one["name"]) for one in job["affected"]] for job in jobs
    }


def test_nothing_has_changed_is_no_success_unless_that_is_said(capsys: Capture) -> None:
    os.utime(SPECS / "one.job.yaml")
    for verb in ("run", "validate", "plan", "list"):
        capsys.readouterr()
        assert ended([verb, "specs", "--changed-since", "HEAD"]) == 5
        assert "no job in specs has changed since `HEAD`" in capsys.readouterr().err
        assert ended([verb, "specs", "--changed-since", "HEAD", "--allow-empty"]) == 0


def test_a_job_that_names_no_target_is_compared_with_what_the_named_target_has(capsys: Capture) -> None:
    path = write("one")
    path.write_text(path.read_text().replace("target: sandbox\n", ""))
    commit()
    (SPECS / "sandbox" / "UsrOne.process.yaml").write_text(DOUBLE.format(process="UsrOne") + "caption: One\n")
    double = ("specs/sandbox/UsrOne.process.yaml", "modified", "double", "UsrOne")
    assert affected(capsys, "-t", "sandbox")["one"] == [double]
    assert "one" not in affected(capsys)
    assert ended(["list", "specs/one.job.yaml", "--changed-since", "HEAD"]) == 5
    line = (
        "compared without the doubles and the catalogue of a target, as they name none: `specs/one.job.yaml`; `-t NAME`"
    )
    assert line in capsys.readouterr().err
    assert ended(["list", "specs", "--changed-since", "HEAD", "-t", "sandbx"]) == 2
    assert "unknown target `sandbx`" in capsys.readouterr().err


def test_a_job_is_affected_by_its_own_file_committed_or_not_and_by_a_new_one(capsys: Capture) -> None:
    write("one", "UsrTwo")
    write("new")
    assert affected(capsys) == {
        "one": [("specs/one.job.yaml", "modified", "job", None)],
        "new": [("specs/new.job.yaml", "added", "job", None)],
    }
    commit()
    assert affected(capsys) == {}
    assert ended(["list", "specs", "--changed-since", "HEAD~1", "--affected"]) == 0
    assert "  specs/one.job.yaml (job): modified\n" in capsys.readouterr().out


def test_a_renamed_job_is_a_new_file_and_a_deleted_one_is_no_job(capsys: Capture) -> None:
    git("mv", "specs/one.job.yaml", "specs/first.job.yaml")
    (SPECS / "two.job.yaml").unlink()
    assert affected(capsys) == {"one": [("specs/first.job.yaml", "added", "job", None)]}


def test_what_a_job_includes_and_its_cases_count(capsys: Capture) -> None:
    part = SPECS / "parts" / "part.job.yaml"
    part.write_text(part.read_text().replace("UsrTwo", "UsrOne"))
    (SPECS / "rows.csv").write_text("name,who\nred,Eve\n")
    assert affected(capsys) == {
        "includes": [("specs/parts/part.job.yaml", "modified", "included job", None)],
        "rows": [("specs/rows.csv", "modified", "cases", None)],
    }


def test_a_double_counts_for_the_jobs_of_its_sandbox_that_start_its_process(capsys: Capture) -> None:
    double = SPECS / "sandbox" / "UsrTwo.process.yaml"
    double.write_text(DOUBLE.format(process="UsrTwo").replace("1ms", "2ms"))
    reason = ("specs/sandbox/UsrTwo.process.yaml", "modified", "double", "UsrTwo")
    assert affected(capsys) == {"includes": [reason], "two": [reason]}
    (SPECS / "elsewhere" / "records.yaml").write_text("{}\n")
    assert set(affected(capsys)) == {"includes", "two", "away"}


def test_a_double_of_a_version_or_that_a_record_starts_counts_for_the_jobs_that_start_it(capsys: Capture) -> None:
    steps = "steps:\n  - signal: {insert: {entity: Lead, values: {}}}\n"
    (SPECS / "lead.job.yaml").write_text(f"runner: 1\nname: lead\ntarget: sandbox\n{steps}")
    version = SPECS / "sandbox" / "UsrTwo_v2.process.yaml"
    version.write_text(DOUBLE.format(process="UsrTwo_v2") + "of: UsrTwo\nversion: 2\n")
    started = SPECS / "sandbox" / "UsrLead.process.yaml"
    started.write_text(DOUBLE.format(process="UsrLead") + "starts_on: {entity: Lead, change: insert}\n")
    commit()
    version.write_text(version.read_text().replace("1ms", "2ms"))
    reason = ("specs/sandbox/UsrTwo_v2.process.yaml", "modified", "double", "UsrTwo_v2")
    assert affected(capsys) == {"includes": [reason], "two": [reason]}
    version.unlink()
    started.write_text(started.read_text().replace("1ms", "2ms"))
    assert affected(capsys) == {
        "includes": [(reason[0], "deleted", "double", "UsrTwo_v2")],
        "two": [(reason[0], "deleted", "double", "UsrTwo_v2")],
        "lead": [("specs/sandbox/UsrLead.process.yaml", "modified", "double", "UsrLead")],
    }


def test_a_target_that_is_another_since_a_nearer_file_is_deleted_counts_and_so_do_its_authorities(
    capsys: Capture,
) -> None:
    Path("targets.yaml").write_text(TARGETS.replace("a.example,", "prod.example, ca_file: ca.pem,"))
    Path("ca.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for folder in ("sandbox", "elsewhere"):
        (SPECS / folder).rename(folder)
        (SPECS / folder).symlink_to(f"../{folder}")
    commit()
    (SPECS / "targets.yaml").unlink()
    found = affected(capsys)
    assert {name: roles for name, roles in found.items() if name == "site"} == {
        "site": [("specs/targets.yaml", "deleted", "target", "site")]
    }
    commit()
    Path("ca.pem").write_text("-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n")
    assert affected(capsys) == {"site": [("ca.pem", "modified", "authorities", "site")]}


def test_a_target_counts_for_its_jobs_and_a_comment_in_its_file_for_none(capsys: Capture) -> None:
    (SPECS / "targets.yaml").write_text(f"# a comment\n{TARGETS}")
    assert affected(capsys) == {}
    (SPECS / "targets.yaml").write_text(TARGETS.replace("a.example", "b.example"))
    assert affected(capsys) == {"site": [("specs/targets.yaml", "modified", "target", "site")]}


def test_an_entry_of_the_catalogue_counts_for_the_jobs_that_start_its_process(capsys: Capture) -> None:
    file = SPECS / "site.catalog.yaml"
    entry = "  {0}:\n    runnable: true\n    parameters:\n      A: {{type: text, direction: in}}\n"
    file.write_text("runner: 1\nprocesses:\n" + entry.format("UsrOne") + entry.format("UsrTwo"))
    commit()
    file.write_text("runner: 1\nprocesses:\n" + entry.format("UsrOne") + entry.format("UsrTwo").replace("A:", "B:"))
    assert affected(capsys) == {}
    file.write_text("runner: 1\nprocesses:\n" + entry.format("UsrOne").replace("A:", "B:") + entry.format("UsrTwo"))
    assert affected(capsys) == {"site": [("specs/site.catalog.yaml", "modified", "catalogue", "UsrOne")]}


@pytest.mark.parametrize("change", ["modify", "delete"])
def test_in_packages_who_calls_a_changed_process_has_changed_too(change: str, capsys: Capture) -> None:
    package = Path("packages/UsrMain")
    for code, calls in (("UsrOne", "UsrMiddle"), ("UsrMiddle", "UsrDeep"), ("UsrDeep", ""), ("UsrTwo", "")):
        folder = RawStep(code=code).write(package)
        if calls:
            design = folder / "metadata.json"
            design.write_text(
                design.read_text(encoding="utf-8-sig").replace('"BK4": [', f'"Q1": "{uid(calls).upper()}", "BK4": [')
            )
    commit()
    deep = package / "Schemas" / "UsrDeep"
    if change == "delete":
        for file in deep.iterdir():
            file.unlink()
    else:
        (deep / "metadata.json").write_text((deep / "metadata.json").read_text(encoding="utf-8-sig") + " ")
    catalogue = ["--changed-since", "HEAD", "--catalog", "packages", "--format", "json"]
    ended(["validate", "specs/site.job.yaml", "specs/two.job.yaml", *catalogue])
    assert "1 file, no mistakes" in capsys.readouterr().err


def test_packages_of_which_git_watches_nothing_count_as_changed(capsys: Capture) -> None:
    RawStep(code="UsrOne").write(Path("packages/UsrMain"))
    Path(".gitignore").write_text("packages\n")
    commit()
    assert ended(["validate", "specs/site.job.yaml", "--changed-since", "HEAD", "--catalog", "packages"]) == 0
    assert "1 file, no mistakes" in capsys.readouterr().err


def test_run_and_plan_take_the_jobs_that_have_changed(capsys: Capture) -> None:
    write("one", "UsrTwo")
    assert ended(["plan", "specs", "--changed-since", "HEAD"]) == 0
    assert capsys.readouterr().out.count("execute ") == 1
    assert ended(["run", "specs", "--changed-since", "HEAD", "-q"]) == 0
    assert len(list(Path(".runner/runs").iterdir())) == 1


def test_a_mistake_elsewhere_is_not_left_out(capsys: Capture) -> None:
    write("two", "UsrTwo", more="needs: [one]\n")
    commit()
    (SPECS / "one.job.yaml").unlink()
    write("site", "UsrThree", target="site")
    assert ended(["validate", "specs", "--changed-since", "HEAD"]) == 2
    assert "specs/two.job.yaml:6:9: error[E186]: there is no job `one`" in capsys.readouterr().out


def test_a_file_that_git_does_not_watch_counts_as_changed(capsys: Capture) -> None:
    Path(".gitignore").write_text("made.job.yaml\n")
    commit()
    write("made")
    assert affected(capsys) == {"made": [("specs/made.job.yaml", "not in git", "job", None)]}


def test_a_link_to_what_git_does_not_watch_counts_as_changed(capsys: Capture) -> None:
    Path(".gitignore").write_text("hidden\n")
    hidden = Path("hidden")
    hidden.mkdir()
    write("linked").rename(hidden / "linked.job.yaml")
    (SPECS / "linked.job.yaml").symlink_to("../hidden/linked.job.yaml")
    commit()
    assert affected(capsys) == {"linked": [("specs/linked.job.yaml", "not in git", "job", None)]}


def test_a_link_that_leads_elsewhere_has_changed_with_all_that_is_read_through_it(capsys: Capture) -> None:
    for folder in ("old", "new"):
        Path(folder).mkdir()
        write("linked", target="there").rename(Path(folder) / "linked.job.yaml")
        entry = f"{{url: https://{folder}.example, auth: {{username: a, password: '{{{{ env.P }}}}'}}}}"
        (Path(folder) / "targets.yaml").write_text(f"runner: 1\ntargets:\n  there: {entry}\n")
    current = Path("current")
    current.symlink_to("first")
    Path("first").symlink_to("old")
    commit()
    assert affected(capsys, "current") == {}
    for link in (current, Path("first")):
        link.unlink()
        link.symlink_to("new")
        assert affected(capsys, "current")["linked"] == [
            ("current/linked.job.yaml", "modified", "job", None),
            ("current/targets.yaml", "modified", "target", "there"),
        ]
        git("checkout", "-q", ".")


def test_doubles_that_git_does_not_watch_or_that_are_in_a_submodule_count(capsys: Capture, tmp_path: Path) -> None:
    doubles = SPECS / "sandbox"
    Path(".gitignore").write_text("UsrTwo.process.yaml\n")
    git("rm", "-q", "--cached", str(doubles / "UsrTwo.process.yaml"))
    commit()
    assert affected(capsys) == {
        name: [("specs/sandbox/UsrTwo.process.yaml", "not in git", "double", "UsrTwo")] for name in ("two", "includes")
    }
    Path(".gitignore").unlink()
    git("rm", "-q", "-r", "--cached", str(doubles))
    git("-C", str(doubles), "init", "-q")
    git("-C", str(doubles), "add", "-A")
    git("-C", str(doubles), "commit", "-q", "-m", "all")
    git("submodule", "add", "-q", str(tmp_path / doubles), str(doubles))
    commit()
    assert affected(capsys) == {}
    (doubles / "UsrOne.process.yaml").write_text(DOUBLE.format(process="UsrOne") + "# other\n")
    assert set(affected(capsys)) == {"one", "two", "includes", "rows"}
    git("-C", str(doubles), "commit", "-q", "-a", "-m", "other")
    assert set(affected(capsys)) == {"one", "two", "includes", "rows"}
    commit()
    assert affected(capsys) == {}


def refusal(capsys: Capture, revision: str) -> str:
    capsys.readouterr()
    assert ended(["run", "specs", "--changed-since", revision]) == 2
    return capsys.readouterr().err


def test_what_git_cannot_answer_is_said_with_what_to_do(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refusal(capsys, "nowhere")
    assert "error[E187]: `--changed-since nowhere` cannot be answered: git knows no commit `nowhere`" in said
    assert "hint: name a commit, a branch or a tag" in said
    assert "git knows no commit `--output=x`" in refusal(capsys, "--output=x")
    assert not (tmp_path / "x").exists()
    write("one", "UsrTwo")
    commit()
    git("clone", "-q", "--depth", "1", f"file://{tmp_path}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert "this checkout is shallow: `git fetch --unshallow` fetches the rest" in refusal(capsys, "HEAD~1")
    monkeypatch.setenv("PATH", "")
    assert "git cannot be called" in refusal(capsys, "HEAD")


def test_a_folder_that_is_in_no_checkout_is_refused(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").rename(tmp_path / "no.git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    said = refusal(capsys, "HEAD")
    assert "is in no checkout of git" in said
    assert "hint: call the command in a checkout, or without `--changed-since`" in said


def test_affected_without_a_commit_is_refused() -> None:
    assert ended(["list", "specs", "--affected"]) == 2


def test_a_file_that_is_deleted_in_git_is_named_as_such(capsys: Capture) -> None:
    job, other = write("gone"), write("goner")
    commit()
    job.unlink()
    hint = "it is deleted in git: name the file in its place, or leave it out, as `git diff --diff-filter=d` does"
    assert ended(["validate", str(job), str(other)]) == 2
    assert f"error[E100]: there is no file `specs/gone.job.yaml`\n   = hint: {hint}" in capsys.readouterr().out
    commit()
    named = git("diff", "--name-only", "HEAD~1").split()
    assert ended(["validate", *named]) == 2
    assert hint in capsys.readouterr().out
    assert ended(["validate", "specs/never.job.yaml"]) == 2
    assert hint not in capsys.readouterr().out
