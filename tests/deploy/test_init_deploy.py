"""`runner init --deploy`: what it fills in, what it refuses, and that it writes over nothing."""

import shutil
import subprocess
from pathlib import Path

import pytest
from captured import Capture
from deployed import documents, pods

from runner.cli.main import ended
from runner.scaffold.deploy_kinds import DEPLOY_KINDS

JOB = "runner: 1\nname: {}\ntarget: {}\nsteps:\n  - execute: {{process: UsrA}}\n"
TARGETS = """runner: 1
targets:
  east: {url: https://east.example.com, runtime: net}
  West_2: {url: https://west.example.com, runtime: net}
  here: {sandbox: sandbox}
"""


@pytest.fixture(autouse=True)
def _in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    Path("jobs").mkdir()
    Path("jobs/a.job.yaml").write_text(JOB.format("a", "east"))
    Path("jobs/targets.yaml").write_text(TARGETS)


def written() -> set[str]:
    return {path.as_posix() for path in Path("jobs").rglob("*") if path.is_file()} - {
        "jobs/a.job.yaml",
        "jobs/targets.yaml",
    }


def test_each_site_of_the_targets_file_has_workers_of_its_own_with_its_own_secrets() -> None:
    assert ended(["init", "jobs", "--deploy", "kubernetes"]) == 0
    workers = {path.name for path in Path("jobs/kubernetes").glob("worker-*")}
    assert workers == {"worker-east.yaml", "worker-west-2.yaml"}
    (listed,) = documents(Path("jobs/kubernetes/kustomization.yaml"))
    assert workers <= {*listed["resources"]}
    deployment, _ = documents(Path("jobs/kubernetes/worker-west-2.yaml"))
    ((_, pod),) = pods([deployment])
    (worker,) = pod["containers"]
    assert "--target=West_2" in worker["args"]
    assert worker["envFrom"] == [{"secretRef": {"name": "creatio-west-2"}}]


def test_what_is_given_is_filled_in_and_what_is_left_is_printed(capsys: Capture) -> None:
    image = "registry.example.com:5000/tools/creatio:7"
    given = ["-t", "east", "-t", "new", "--image", image, "--db-secret", "fleet-db"]
    assert ended(["init", "jobs", "--deploy", "argocd", *given]) == 0
    out = capsys.readouterr().out
    assert "  write the site `new` into jobs/targets.yaml\n" in out
    assert "write the site `east`" not in out
    assert f"docker build -t {image} jobs && docker push {image}\n" in out
    assert "create secret generic fleet-db " in out
    assert "create secret generic creatio-new " in out
    assert out.endswith("\nnext: kubectl apply -n argocd -f jobs/argocd/application.yaml\n")
    (top,) = documents(Path("jobs/kustomization.yaml"))
    assert top["images"] == [
        {"name": "creatio-runner", "newName": "registry.example.com:5000/tools/creatio", "newTag": "7"}
    ]
    assert "name: fleet-db" in Path("jobs/argocd/hooks.yaml").read_text()
    application, *_ = documents(Path("jobs/argocd/application.yaml"))
    assert application["spec"]["source"]["path"] == "jobs"


def test_the_config_map_lists_all_that_jobs_read_and_names_those_that_read_other_folders(capsys: Capture) -> None:
    Path("jobs/parts").mkdir()
    Path("jobs/parts/p.job.yaml").write_text(JOB.format("p", "east").replace("target: east\n", ""))
    Path("jobs/near.job.yaml").write_text(JOB.format("near", "east").replace("target: east\n", ""))
    Path("jobs/b.job.yaml").write_text(
        "runner: 1\nname: b\ntarget: east\nsteps: [{id: p, job: {file: parts/p.job.yaml}}]\n"
    )
    cases = "runner: 1\nname: c\ntarget: east\ncases: c.csv\nsteps: [{id: n, job: {file: near.job.yaml}}]\n"
    Path("jobs/c.job.yaml").write_text(cases)
    Path("jobs/c.csv").write_text("name\nfirst\n")
    Path("jobs/notes.yaml").write_text("a: 1\n")
    assert ended(["init", "jobs", "--deploy", "flux"]) == 0
    (top,) = documents(Path("jobs/kustomization.yaml"))
    assert top["configMapGenerator"][1]["files"] == ["a.job.yaml", "c.csv", "c.job.yaml", "near.job.yaml"]
    assert "# not b.job.yaml: it reads files of other folders" in Path("jobs/kustomization.yaml").read_text()
    assert "put jobs that read files of other folders into the image: `b.job.yaml`" in capsys.readouterr().out


@pytest.mark.parametrize("kind", DEPLOY_KINDS)
def test_a_second_time_nothing_is_written(kind: str, capsys: Capture) -> None:
    assert ended(["init", "jobs", "--deploy", kind]) == 0
    before = {name: Path(name).read_text() for name in written()}
    assert before
    capsys.readouterr()
    assert ended(["init", "jobs", "--deploy", kind]) == 0
    out = capsys.readouterr().out
    assert "wrote " not in out
    assert out.count("left ") == len(before)
    assert "compare" not in out
    assert {name: Path(name).read_text() for name in written()} == before


def test_a_file_that_is_there_stays_and_is_named_where_it_differs(capsys: Capture) -> None:
    assert ended(["init", "jobs", "--deploy", "kubernetes"]) == 0
    Path("jobs/Dockerfile").write_text("mine")
    capsys.readouterr()
    assert ended(["init", "jobs", "--deploy", "argocd"]) == 0
    assert Path("jobs/Dockerfile").read_text() == "mine"
    out = capsys.readouterr().out
    assert "there, with what a new folder gets: `jobs/Dockerfile` and `jobs/kustomization.yaml`\n" in out
    assert "  write into jobs/kustomization.yaml: resources: [argocd]\n" in out


def test_before_git_knows_the_folder_its_root_is_where_the_command_is_given(capsys: Capture) -> None:
    shutil.rmtree(".git")
    assert ended(["init", "jobs", "--deploy", "github", "-t", "new"]) == 0
    out = capsys.readouterr().out
    assert "write the site `new` into jobs/targets.yaml" in out
    assert "move jobs/.github to the root of the checkout" in out


def test_for_github_the_workflow_is_moved_to_the_root(capsys: Capture) -> None:
    assert ended(["init", "jobs", "--deploy", "github"]) == 0
    assert "move jobs/.github to the root of the checkout" in capsys.readouterr().out
    (workflow,) = documents(Path("jobs/.github/workflows/creatio-apply.yml"))
    assert workflow["jobs"]["apply"]["steps"][-1]["uses"] == "./jobs/github"
    for name in ("a.job.yaml", "targets.yaml"):
        shutil.copy(f"jobs/{name}", name)
    capsys.readouterr()
    assert ended(["init", "--deploy", "github"]) == 0
    assert "move" not in capsys.readouterr().out
    (workflow,) = documents(Path(".github/workflows/creatio-apply.yml"))
    assert workflow["jobs"]["apply"]["steps"][-1]["uses"] == "./github"


@pytest.mark.parametrize(
    ("commands", "branch"),
    [
        ([["init", "-q", "-b", "master"]], "master"),
        (
            [["init", "-q", "-b", "new"], ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]],
            "trunk",
        ),
        ([["init", "-q", "-b", "it's"]], "main"),
        ([], "main"),
    ],
)
def test_the_branch_is_the_one_that_git_has(commands: list[list[str]], branch: str, capsys: Capture) -> None:
    shutil.rmtree(".git")
    for command in commands:
        subprocess.run(["git", *command], check=True)
    assert ended(["init", "jobs", "--deploy", "github"]) == 0
    workflow = next(Path("jobs").rglob("creatio-apply.yml")).read_text()
    assert f'push: {{branches: ["{branch}"]}}' in workflow
    assert f"github.ref == 'refs/heads/{branch}'" in workflow
    assert f"look whether `{branch}`" in capsys.readouterr().out


def test_the_variables_are_those_that_the_sites_of_the_targets_file_read(capsys: Capture) -> None:
    auth = 'auth: {username: "{{ env.OUR_USER }}", password: "{{ env.OUR_PASSWORD }}"}'
    Path("jobs/targets.yaml").write_text(TARGETS.replace("east.example.com, runtime: net", f"east.example.com, {auth}"))
    todo = {
        "github": "store `OUR_USER` and `OUR_PASSWORD` as secrets of the repository",
        "gitlab": "store `OUR_USER` and `OUR_PASSWORD` as variables of the project",
        "compose": "write `OUR_USER='…'` and `OUR_PASSWORD='…'` into jobs/east.env",
        "kubernetes": "creatio-east --from-literal=OUR_USER=… --from-literal=OUR_PASSWORD=…",
        "cron": "",
    }
    for kind, line in todo.items():
        assert ended(["init", "jobs", "--deploy", kind, "-t", "east"]) == 0
        assert line in capsys.readouterr().out
    workflow = next(Path("jobs").rglob("creatio-apply.yml")).read_text()
    assert workflow.endswith(
        "          OUR_USER: ${{ secrets.OUR_USER }}\n          OUR_PASSWORD: ${{ secrets.OUR_PASSWORD }}\n"
    )
    assert "\nOUR_USER=''\nOUR_PASSWORD=''\n" in Path("jobs/cron/environment").read_text()
    assert "env -u OUR_USER -u OUR_PASSWORD $(env" in Path("jobs/gitlab/creatio.yml").read_text()


def test_inputs_that_somebody_must_give_are_left_to_do(capsys: Capture) -> None:
    needs = "inputs: {month: {type: string}, year: {default: 2026}}\nsteps"
    for name in ("a", "b"):
        Path(f"jobs/{name}.job.yaml").write_text(JOB.format(name, "east").replace("steps", needs))
    Path("jobs/b.job.yaml").write_text(
        Path("jobs/b.job.yaml").read_text().replace("inputs: {", "inputs: {pin: {secret: true}, ")
    )
    assert ended(["init", "jobs", "--deploy", "github"]) == 0
    names = "`CREATIO_USERNAME`, `CREATIO_PASSWORD`, `CREATIO_RUNNER_INPUT_MONTH` and `CREATIO_RUNNER_INPUT_PIN`"
    assert f"  store {names} as secrets of the repository\n" in capsys.readouterr().out
    workflow = next(Path("jobs").rglob("creatio-apply.yml")).read_text()
    assert "\n          CREATIO_RUNNER_INPUT_PIN: ${{ secrets.CREATIO_RUNNER_INPUT_PIN }}\n" in workflow
    assert ended(["init", "jobs", "--deploy", "kubernetes"]) == 0
    out = capsys.readouterr().out
    assert "  write `-i month=…` beside `runner apply` in these files: `a` and `b` must have it\n" in out
    assert "--from-literal=CREATIO_PASSWORD=… --from-literal=CREATIO_RUNNER_INPUT_PIN=…\n" in out


def test_a_target_is_left_to_do_where_jobs_name_none(capsys: Capture) -> None:
    Path("jobs/a.job.yaml").write_text(JOB.format("a", "east").replace("target: east\n", ""))
    assert ended(["init", "jobs", "--deploy", "github"]) == 0
    assert "set CREATIO_RUNNER_TARGET where the runner is started" in capsys.readouterr().out
    assert ended(["init", "jobs", "--deploy", "azure", "-t", "east"]) == 0
    assert "CREATIO_RUNNER_TARGET" not in capsys.readouterr().out, "its file has `-t east`"


def test_a_job_that_names_its_target_is_sent_to_no_other(capsys: Capture) -> None:
    Path("jobs/a.job.yaml").write_text(JOB.format("a", "east").replace("target: east\n", ""))
    Path("jobs/b.job.yaml").write_text(JOB.format("b", "east"))
    for kind in ("azure", "github"):
        assert ended(["init", "jobs", "--deploy", kind]) == 0
        out = capsys.readouterr().out
        assert "  write `target` into the jobs: 1 job names none\n" in out
        assert "CREATIO_RUNNER_TARGET" not in out, "it would send all jobs there"
    assert '  - pwsh: runner run "jobs" --wait-ready' in Path("jobs/azure-pipelines.yml").read_text()


@pytest.mark.parametrize(
    ("kind", "file", "confirmed"),
    [
        (
            "github",
            "a machine of the CI does not have the file /run/secrets/prod, which the target `prod` reads",
            "write `confirm: prod` into .github/workflows/creatio-apply.yml, if you want that",
        ),
        (
            "kubernetes",
            "mount the file /run/secrets/prod from a Secret in jobs/kubernetes/worker-prod.yaml",
            "write `--confirm prod` beside `runner apply` in these files, if you want that",
        ),
    ],
)
def test_a_file_that_a_target_reads_and_that_it_is_protected_are_left_to_do(
    kind: str, file: str, confirmed: str, capsys: Capture
) -> None:
    auth = """{username: "{{ env.CREATIO_USER }}", password: "{{ file('/run/secrets/' ~ 'prod') }}"}"""
    prod = f"  prod: {{url: https://prod.example.com, runtime: net, auth: {auth}, protected: true}}\n"
    Path("jobs/targets.yaml").write_text(TARGETS + prod)
    assert ended(["init", "jobs", "--deploy", kind, "-t", "prod"]) == 0
    out = capsys.readouterr().out
    assert f"  {file}: " in out
    assert f"  {confirmed}: the target is protected\n" in out
    assert ended(["init", "jobs", "--deploy", kind, "-t", "east"]) == 0
    out = capsys.readouterr().out
    assert "the target is protected" not in out
    assert "/run/secrets" not in out


def test_secrets_of_compose_are_not_for_git() -> None:
    Path("jobs/.gitignore").write_text("mine\n")
    assert ended(["init", "jobs", "--deploy", "compose"]) == 0
    assert Path("jobs/.gitignore").read_text().splitlines()[0] == "mine"
    assert "*.env" in Path("jobs/.gitignore").read_text().splitlines()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["jobs", "-t", "east"], "`--target` is for `--deploy` only"),
        (["jobs", "--image", "a"], "`--image` is for `--deploy` only"),
        (["jobs", "--db-secret", "a"], "`--db-secret` is for `--deploy` only"),
        (["jobs", "--deploy", "kubernets"], "did you mean `kubernetes`?"),
        (["jobs", "--deploy", "cron", "-t", "clio:dev"], "the target `clio:dev` has characters"),
        (["jobs", "--deploy", "compose", "--image", "a b"], "the image `a b` has characters"),
        (["jobs", "--deploy", "flux", "--db-secret", "A_b"], "the Secret `A_b` has characters"),
        (["nowhere", "--deploy", "cron"], "there is no job in `nowhere`"),
        (["empty", "--deploy", "cron"], "start a project there: `runner init empty`"),
        ([".", "--deploy", "cron"], "its jobs are below it, and these files are for one folder: name `"),
        (["my jobs", "--deploy", "github"], "the folder `my jobs` has characters"),
        (["jobs/below", "--deploy", "compose"], "`targets.yaml` of the jobs is in another folder: jobs/targets.yaml"),
        (["wrong", "--deploy", "cron"], "unknown key `proces`"),
    ],
)
def test_what_cannot_be_filled_in_is_refused_before_anything_is_written(
    given: list[str], message: str, capsys: Capture
) -> None:
    for folder in ("empty", "my jobs", "jobs/below", "wrong"):
        Path(folder).mkdir()
    for folder in ("my jobs", "jobs/below"):
        Path(folder, "b.job.yaml").write_text(JOB.format("b", "east"))
    shutil.copy("jobs/targets.yaml", "my jobs/targets.yaml")
    Path("wrong/w.job.yaml").write_text(JOB.format("w", "env").replace("process:", "proces:"))
    before = {path for path in Path().rglob("*") if path.is_file()}
    assert ended(["init", *given]) == 2
    assert message in capsys.readouterr().err
    assert {path for path in Path().rglob("*") if path.is_file()} == before


def test_a_variable_with_a_target_does_not_keep_a_project_from_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_TARGET", "staging")
    assert ended(["init", "fresh"]) == 0


@pytest.mark.parametrize(
    ("name", "fleet"),
    [("tools", "tools/jobs"), ("Our jobs (new)", "Our-jobs-new-/jobs"), ("\N{CYRILLIC CAPITAL LETTER ZHE}", "jobs")],
)
@pytest.mark.parametrize("kind", ["argocd", "compose", "flux", "github", "gitlab", "kubernetes"])
def test_each_repository_has_a_ledger_of_its_own_in_a_database_that_several_share(
    kind: str, name: str, fleet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(name).mkdir()
    shutil.move(".git", f"{name}/.git")
    shutil.move("jobs", f"{name}/jobs")
    monkeypatch.chdir(name)
    assert ended(["init", "jobs", "--deploy", kind]) == 0
    files = [path.read_text() for path in Path("jobs").rglob("*") if path.is_file()]
    lines = [line for text in files for line in text.splitlines() if "[apply, /jobs" in line or "RUNNER_FLEET" in line]
    assert lines
    assert all(f"--fleet={fleet}," in line or f"FLEET: {fleet} " in line.replace('"', "") for line in lines)
