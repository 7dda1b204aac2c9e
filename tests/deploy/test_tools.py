"""The shipped files before the tools that read them, where those are built for it, or need rights on the machine.

`pytest --long tests/deploy` builds actionlint and kustomize from their published modules, and takes the schemas of Argo
CD and Flux out of theirs. The container itself is not built: its program runs as it would in there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from deployed import ROOT, RUNNER, SHIPPED, containers, documents, of_container, pods
from expected_texts import ExpectedTexts
from jsonschema import Draft202012Validator
from kubernetes_schemas import FOLDER, VERSIONS, cut_out
from sandboxes import serve_sandbox
from sites import NOTHING, Answer, site, targets, xml

from runner.cli.main import ended
from runner.version import VERSION

pytestmark = [pytest.mark.slow, pytest.mark.long]

HERE = Path(__file__).parent / "tools"
TOOLS = Path(sys.executable).parent
GO = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5"
DEFINED_IN = {
    "Application": ("github.com/argoproj/argo-cd/v3@v3.6.1", "manifests/crds/application-crd.yaml"),
    "GitRepository": (
        "github.com/fluxcd/source-controller@v1.10.1",
        "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",
    ),
    "Kustomization": (
        "github.com/fluxcd/kustomize-controller@v1.10.1",
        "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    ),
}


def build(module: str, folder: Path, *, inside: Path = HERE) -> str:
    program = folder / "program"
    subprocess.run([TOOLS / "go", "build", "-o", program, module], cwd=inside, env=GO, check=True)
    return str(program)


def asked(*command: str, folder: Path = SHIPPED) -> str:
    found = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def kustomize(tmp_path_factory: pytest.TempPathFactory) -> str:
    return build(KUSTOMIZE, tmp_path_factory.mktemp("kustomize"))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(SHIPPED, tmp_path / "specs" / "deploy")
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_actionlint_finds_nothing_in_the_workflows(tmp_path: Path, checkout: Path) -> None:
    """Also that the action is there, and has the inputs that the workflow gives."""
    shutil.move(checkout / "specs/deploy/.github", checkout / ".github")
    assert ended(["init", "."]) == 0, "what it writes without `--deploy` is looked at, too"
    asked(build(ACTIONLINT, tmp_path), folder=checkout)


def test_docker_compose_reads_its_file_where_the_secrets_are_written(tmp_path: Path, checkout: Path) -> None:
    """The library that Docker Compose reads it with: with what is filled in, and what each file of variables holds."""
    folder, program = checkout / "specs" / "deploy", build(".", tmp_path, inside=HERE / "compose")
    refused = subprocess.run([program, "compose.yaml"], cwd=folder, check=False, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "CREATIO_DB_PASSWORD is missing a value: write it into .env" in refused.stderr
    (folder / "staging.env").write_text("CREATIO_USERNAME=integration\n")
    given = {**os.environ, "CREATIO_DB_PASSWORD": "p@ss/5"}
    printed = subprocess.run([program, "compose.yaml"], cwd=folder, env=given, check=True, capture_output=True)
    services = yaml.safe_load(printed.stdout)["services"]
    assert {*services} == {"db", "migrate", "worker-staging", "apply", "nightly"}
    for name, service in services.items():
        known = service["environment"]
        assert known.get("CREATIO_USERNAME") == ("integration" if name == "worker-staging" else None)
        if name != "db":
            assert (known["CREATIO_RUNNER_DB"], known["PGPASSWORD"]) == ("postgresql://runner@db/runner", "p@ss/5")
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


@pytest.mark.parametrize("version", VERSIONS)
def test_what_kubernetes_takes_is_as_its_schemas_say(version: str, expected_texts: ExpectedTexts) -> None:
    expected_texts.check(FOLDER / f"{version}.json", cut_out(version))


@pytest.mark.parametrize("kind", ["kubernetes", "argocd", "flux"])
def test_kustomize_puts_all_together_and_kubernetes_takes_it(kind: str, kustomize: str, checkout: Path) -> None:
    (checkout / "specs/deploy/kustomization.yaml").unlink()
    assert ended(["init", "specs/deploy", "--deploy", kind]) == 0
    made = asked(kustomize, "build", "specs/deploy", folder=checkout)
    (checkout / "made.yaml").write_text(made)
    asked(str(TOOLS / "kubernetes-validate"), "--strict", "made.yaml", folder=checkout)
    objects = documents(checkout / "made.yaml")
    names = {(each["kind"], each["metadata"]["name"]) for each in objects}
    assert {each["metadata"].get("namespace", "creatio-runner") for each in objects} == {"creatio-runner"}
    assert ("Namespace", "creatio-runner") in names
    found = pods(objects)
    assert len(found) == {"kubernetes": 3, "argocd": 4, "flux": 3}[kind]
    for _, pod in found:
        assert {each["image"] for each in containers(pod)} == {f"ghcr.io/OWNER/creatio-runner:{VERSION}"}
        mounted = re.findall(r"'name': '(creatio-(?:jobs|targets)-\w+)'", str(pod["volumes"]))
        assert all(("ConfigMap", name) in names for name in mounted), "the name of what it holds, with its hash"
        assert mounted or "migrate" in str(pod)


def closed(schema: Any) -> Any:  # noqa: ANN401  of any JSON
    """The schema, which knows no other key than those that it names."""
    if isinstance(schema, dict):
        known = {name: closed(each) for name, each in schema.items()}
        return known if "properties" not in schema else {"additionalProperties": False, **known}
    return [closed(each) for each in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("kind", DEFINED_IN)
def test_argo_cd_and_flux_take_their_objects_and_know_each_key(kind: str, tmp_path: Path) -> None:
    module, name = DEFINED_IN[kind]
    found = subprocess.run(
        [TOOLS / "go", "mod", "download", "-json", module], env=GO, cwd=tmp_path, check=True, capture_output=True
    )
    definition = yaml.safe_load((Path(json.loads(found.stdout)["Dir"]) / name).read_text())
    (ours,) = [
        each
        for file in ("argocd/application.yaml", "flux/sync.yaml")
        for each in documents(SHIPPED / file)
        if each["kind"] == kind
    ]
    group, _, version = ours["apiVersion"].partition("/")
    assert definition["spec"]["group"] == group
    (schema,) = [
        each["schema"]["openAPIV3Schema"] for each in definition["spec"]["versions"] if each["name"] == version
    ]
    schema["properties"]["metadata"] = True
    assert [error.message for error in Draft202012Validator(closed(schema)).iter_errors(ours)] == []


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for file in (SHIPPED / "cron").glob("creatio-*"):
        text = file.read_text().replace(RUNNER, sys.executable).replace("User=creatio", "User=root")
        (tmp_path / file.name).write_text(text)
    units = sorted(str(path) for path in tmp_path.iterdir())
    assert len(units) == 5
    found = subprocess.run(["systemd-analyze", "verify", *units], check=False, capture_output=True, text=True)
    ours = [line for line in found.stderr.splitlines() if "creatio-" in line]
    assert (found.returncode, ours) == (0, [])


def test_the_steps_of_the_container_file_make_a_program_that_starts(tmp_path: Path) -> None:
    """The wheel of this checkout is in the place of an index that has it; the libraries come from an index."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    text = (SHIPPED / "Dockerfile").read_text().replace("\\\n", "")
    (script,) = re.findall(r"^RUN (.*)$", text, re.MULTILINE)
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    made = subprocess.run(
        ["sh", "-ec", script.replace("/app", str(tmp_path / "app"))],
        env={**os.environ, "PIP_FIND_LINKS": str(tmp_path), "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    assert asked(str(tmp_path / "app/bin/runner"), "--version") == f"runner, version {VERSION}\n"
    asked(str(tmp_path / "app/bin/python"), "-c", "import runner.fleet.store")


CONTAINER = """set -e
root=$1 jobs=$2 state=$3; shift 3
mount -t tmpfs -o mode=755 tmpfs "$root"
while [ "$1" != -- ]; do
  if [ -L "$1" ]; then ln -s "$(readlink "$1")" "$root$1"
  elif [ -e "$1" ]; then
    mkdir -p "$root$1"; mount --bind "$1" "$root$1"; mount -o remount,bind,ro "$root$1"
  fi
  shift
done
shift
mkdir "$root/dev" "$root/jobs" "$root/state" "$root/tmp"
mount --bind /dev "$root/dev"
mount --bind "$jobs" "$root/jobs"; mount -o remount,bind,ro "$root/jobs"
mount --bind "$state" "$root/state"
mkdir "$root/config"; mount --bind "$root/jobs" "$root/config"
mount -t tmpfs tmpfs "$root/tmp"
mount -o remount,ro "$root"
exec chroot "$root" setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs --bounding-set=-all \
  --inh-caps=-all env -i "$@"
"""
"""A root of its own, as a container has it: all that the program needs is there and read-only, but for what is mounted.
Then a user without any right.
"""


def in_container(folder: Path, *arguments: str, **variables: str) -> str:
    """What `runner` prints there; `jobs` and `state` in the folder are volumes."""
    assert os.geteuid() == 0, "mounts need rights"
    (folder / "root").mkdir(exist_ok=True)
    image = re.findall(r"(\w+)=(\S+)", re.findall(r"^ENV (.*)$", (SHIPPED / "Dockerfile").read_text(), re.MULTILINE)[0])
    needed = ["/usr", "/bin", "/lib", "/lib64", "/etc", sys.base_prefix, str(ROOT)]
    command = ["unshare", "--mount", "sh", "-c", CONTAINER, "sh", str(folder / "root"), str(folder / "jobs")]
    command += [
        str(folder / "state"),
        *needed,
        "--",
        *(f"{name}={value}" for name, value in image if name != "PATH"),
    ]
    command += [f"{name}={value}" for name, value in variables.items()]
    command += [sys.executable, "-c", "from runner.cli.entry import main; main()", *arguments]
    done = subprocess.run(command, cwd="/", check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def mounted(volume: Path, moment: str, files: dict[str, str]) -> None:
    """Put files into a volume as a ConfigMap is mounted: links into a folder that is named after the moment."""
    (volume / moment).mkdir(parents=True)
    (volume / "..data").unlink(missing_ok=True)
    (volume / "..data").symlink_to(moment)
    for name, text in files.items():
        (volume / moment / name).write_text(text)
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")


def test_the_program_runs_as_it_would_in_the_container(tmp_path: Path) -> None:
    """And a version is the same one when the ConfigMap is mounted anew."""
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 65532, 65532)
    asked_for: list[str] = []

    def answer(_method: str, path: str) -> Answer:
        asked_for.extend([path] if "/Execute" in path else [])
        return xml([{"Name": "Alice"}]) if "/Execute" in path else NOTHING

    with site(answer) as served:
        files = {
            "contacts.job.yaml": (SHIPPED / "contacts.job.yaml").read_text(),
            "targets.yaml": targets(served.url).replace("here:", "staging:"),
        }
        apply = ["apply", "/jobs", "--ledger", "/state/ledger", "--runs", "/state/runs"]
        mounted(tmp_path / "jobs", "..2026_11_30_09_00_00.1", files)
        assert "passed: contacts@staging" in in_container(tmp_path, *apply)
        mounted(tmp_path / "jobs", "..2026_12_01_09_00_00.2", files)
        assert "nothing new" in in_container(tmp_path, *apply)
    assert len(asked_for) == 1
    assert (tmp_path / "state" / "ledger").stat().st_uid == 65532


def test_a_fleet_works_as_it_would_in_containers(fleet: str, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with serve_sandbox(ROOT / "specs" / "sandbox") as there:
        files = {
            "contacts.job.yaml": (SHIPPED / "contacts.job.yaml").read_text(),
            "targets.yaml": (SHIPPED / "targets.yaml").read_text().replace("https://staging.example.com", there.url),
        }
        mounted(tmp_path / "jobs", "..2026_11_30_09_00_00.1", files)
        in_container(tmp_path, *of_container("migrate", "Job creatio-migrate"), CREATIO_RUNNER_DB=fleet)
        assert "1 queued" in in_container(tmp_path, "apply", "/jobs", CREATIO_RUNNER_DB=fleet)
        worker = of_container("worker", "Deployment creatio-worker-staging")
        secrets = {"CREATIO_USERNAME": "Supervisor", "CREATIO_PASSWORD": "Supervisor"}
        in_container(tmp_path, *worker, "--once", CREATIO_RUNNER_DB=fleet, **secrets)
        apply = of_container("apply", "Job creatio-apply")
        assert "nothing new; 1 passed before" in in_container(tmp_path, *apply, CREATIO_RUNNER_DB=fleet)
        assert len(there.starts()) == 1
