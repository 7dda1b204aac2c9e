"""`specs/deploy` is what `runner init --deploy` writes, and each file is taken by the tool that reads it.

`pytest --long tests/deploy` also asks tools that are built for it, or that not every machine has.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from deployed import SHIPPED, command_lines, containers, documents, manifests, of_container, pods
from expected_texts import ExpectedTexts
from kubernetes_schemas import VERSIONS, mistakes, of_kubernetes

from runner.cli.main import VERBS, ended, load, runner
from runner.foundation.durations import seconds
from runner.scaffold.deploy_kinds import DEPLOY_KINDS

TOOLS = Path(sys.executable).parent
OWN = ("contacts.job.yaml", "night.job.yaml", "targets.yaml")
"""The project whose files are deployed: `init` reads it."""


def relative(folder: Path) -> set[str]:
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in files if not name.startswith(".runner/")}


@pytest.fixture(params=DEPLOY_KINDS)
def written(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with the files of one kind, at the same place in a checkout."""
    return project(tmp_path / "creatio-runner", monkeypatch, request.param)


def project(place: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> Path:
    folder = place / "specs" / "deploy"
    folder.mkdir(parents=True)
    (place / ".git").mkdir()
    for name in OWN:
        shutil.copy(SHIPPED / name, folder / name)
    monkeypatch.chdir(place)
    assert ended(["init", "specs/deploy", "--deploy", kind]) == 0
    return folder


def test_what_ships_is_what_init_writes(written: Path, expected_texts: ExpectedTexts) -> None:
    for name in relative(written) - {*OWN}:
        text = (written / name).read_text()
        if name == "kustomization.yaml":  # of the clusters, the plain one is shown
            for kind in ("argocd", "flux"):
                text = text.replace(
                    f"resources:\n  - {kind}\n", "resources:\n  - kubernetes\n  - kubernetes/apply.yaml\n"
                )
        expected_texts.check(SHIPPED / name, text)


def test_no_other_file_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {*OWN}
    for kind in DEPLOY_KINDS:
        names |= relative(project(tmp_path / kind, monkeypatch, kind))
    assert relative(SHIPPED) == names


def test_its_jobs_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["validate", str(SHIPPED), "-t", "staging"]) == 0, capsys.readouterr().out


def find(*command: str) -> None:
    found = subprocess.run(
        [str(TOOLS / command[0]), *command[1:]], cwd=SHIPPED, check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("github-actions", "github/action.yml"),
        ("github-workflows", ".github/workflows/creatio-apply.yml"),
        ("gitlab-ci", "gitlab/creatio.yml"),
        ("azure-pipelines", "azure-pipelines.yml"),
        ("compose-spec", "compose.yaml"),
    ],
)
def test_the_published_schema_takes_it(schema: str, name: str) -> None:
    transform = ["--data-transform", schema, "--regex-variant", "python"] if schema == "azure-pipelines" else []
    find("check-jsonschema", *transform, "--builtin-schema", f"vendor.{schema}", name)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object_and_knows_each_key(version: str) -> None:
    assert len(of_kubernetes()) == 9
    for each in of_kubernetes():
        assert mistakes(each, version) == [], each["kind"]
        assert mistakes({**each, "speck": 1}, version) != [], "it knows no such key"


@pytest.mark.slow
def test_hadolint_finds_nothing_in_the_container_file() -> None:
    find("hadolint", "Dockerfile")


def parsed(arguments: list[str]) -> click.Context:
    """Raises what `runner` would raise for a word that it does not know."""
    verb, *rest = arguments
    assert verb in VERBS
    command, above = load(verb), click.Context(runner, info_name="runner")
    while isinstance(command, click.Group):
        context = click.Context(command, info_name=verb, parent=above)
        inner = command.get_command(context, rest[0])
        assert inner is not None, arguments
        command, above, rest = inner, context, rest[1:]
    return command.make_context(command.name, list(rest), parent=above)


LINES = {f"{place}: {arguments[0]} {number}": arguments for number, (place, arguments) in enumerate(command_lines())}


@pytest.mark.parametrize("arguments", [*LINES.values()], ids=LINES)
def test_the_command_line_takes_every_line(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATIO_RUNNER_DB", "postgresql://db/runner")
    assert parsed(arguments).params


def test_there_are_lines_of_each_kind() -> None:
    verbs = [arguments[0] for _, arguments in command_lines()]
    assert {verb: verbs.count(verb) for verb in verbs} == {"worker": 2, "apply": 10, "fleet": 4}


def test_every_pod_is_without_rights() -> None:
    """What the level `restricted` of Kubernetes asks for, and a read-only root."""
    found = pods(manifests())
    assert len(found) == 6
    for _, pod in found:
        assert pod["automountServiceAccountToken"] is False
        account = pod["securityContext"]
        assert (account["runAsNonRoot"], account["runAsUser"], account["seccompProfile"]["type"]) == (
            True,
            65532,
            "RuntimeDefault",
        )
        for each in containers(pod):
            own = each["securityContext"]
            assert (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"]) == (False, True)
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert {"name": "tmp", "mountPath": "/tmp"} in each["volumeMounts"]
            assert {mount["name"] for mount in each["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}


def option(arguments: list[str], name: str) -> float:
    found = seconds(next(word.removeprefix(f"--{name}=") for word in arguments if word.startswith(f"--{name}=")))
    assert found is not None
    return found


def test_a_worker_may_end_a_call_that_takes_as_long_as_one_may() -> None:
    """An attempt has 100 s, the grace is longer, and what kills the process waits for longer yet."""
    pod = dict(pods(manifests()))["Deployment creatio-worker-staging"]
    (compose,) = documents(SHIPPED / "compose.yaml")
    service = compose["services"]["worker-staging"]
    for arguments, killed in (
        (pod["containers"][0]["args"], f"{pod['terminationGracePeriodSeconds']}s"),
        (service["command"], service["stop_grace_period"]),
    ):
        assert 100 < option(arguments, "grace") < (seconds(killed) or 0)


def test_an_apply_gives_up_before_its_job_is_killed() -> None:
    for each in manifests():
        spec = each.get("spec", {})
        job = spec.get("jobTemplate", {}).get("spec", spec)
        for container in job.get("template", {}).get("spec", {}).get("containers", ()):
            if container["args"][0] == "apply":
                assert option(container["args"], "wait") < job["activeDeadlineSeconds"]


def test_argo_cd_migrates_before_a_sync_and_applies_after_it() -> None:
    """A hook of no other policy would be deleted before somebody has read it, or refuse the next sync."""
    hooks = {
        each["metadata"]["name"]: each["metadata"]["annotations"] for each in documents(SHIPPED / "argocd/hooks.yaml")
    }
    assert hooks == {
        name: {
            "argocd.argoproj.io/hook": phase,
            "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        }
        for name, phase in (("creatio-migrate", "PreSync"), ("creatio-apply", "PostSync"))
    }


def test_flux_makes_the_job_anew_where_it_changes_and_nothing_else() -> None:
    forced = [each for each in manifests() if "force" in str(each["metadata"].get("annotations"))]
    assert [each["kind"] for each in forced] == ["Job"]
    assert forced[0]["metadata"]["annotations"] == {"kustomize.toolkit.fluxcd.io/force": "enabled"}
    assert "ttlSecondsAfterFinished" not in forced[0]["spec"], "Flux would make a deleted one again"
    _, sync = documents(SHIPPED / "flux/sync.yaml")
    timeout = seconds(sync["spec"]["timeout"])
    assert timeout is not None
    assert forced[0]["spec"]["activeDeadlineSeconds"] < timeout


@pytest.mark.parametrize("place", ["kubernetes/worker-staging.yaml", "compose.yaml"])
def test_the_probe_fails_where_the_file_is_old_or_not_there(place: str, tmp_path: Path) -> None:
    (probe,) = [line for line in (SHIPPED / place).read_text().splitlines() if "st_mtime" in line]
    code = probe[probe.index("import os") : probe.index("> 90)") + len("> 90)")]
    alive = tmp_path / "alive"

    def exit_code() -> int:
        script = code.replace("/tmp/alive", str(alive))
        return subprocess.run([sys.executable, "-c", script], check=False, stderr=subprocess.DEVNULL).returncode

    assert exit_code() != 0
    alive.touch()
    assert exit_code() == 0
    os.utime(alive, (0, 0))
    assert exit_code() != 0


def test_compose_starts_what_a_cluster_starts() -> None:
    (compose,) = documents(SHIPPED / "compose.yaml")
    lines = {name: each.get("command") for name, each in compose["services"].items()}
    assert lines["worker-staging"] == of_container("worker", "Deployment creatio-worker-staging")
    assert lines["migrate"] == of_container("migrate", "Job creatio-migrate")
    assert lines["apply"] == of_container("apply", "Job creatio-apply")
    assert lines["nightly"] == of_container("apply", "CronJob creatio-nightly")


def test_what_a_merge_carries_out_is_not_what_the_night_does() -> None:
    """Where something has jobs of the night, they are carried out then, and by nothing else."""
    applied = {place: arguments for place, arguments in command_lines() if arguments[0] == "apply"}
    tags = {place: parsed(arguments).params["tags"] for place, arguments in command_lines() if arguments[0] == "apply"}
    assert {*tags.values()} == {"not nightly", "nightly"}
    for place, arguments in applied.items():
        assert ("nightly" in place) == (tags[place] == "nightly") or place == "crontab"
        assert ("--every=24h" in arguments or "--every" in arguments) == (tags[place] == "nightly")
        assert "--allow-empty" in arguments
