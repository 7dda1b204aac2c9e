"""What is released: an sdist, the wheel that is built from it, and what they do where there is no checkout.

`pytest --long tests/release` also installs the wheel, with its dependencies from an index, into each version of Python
that is here.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from runner.version import VERSION

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
NO_PART = re.compile(r"\.py[co]$|/__pycache__/|README\.md$")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sdist and of the wheel that is built from it, with the libraries that are installed."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return built / f"creatio_runner-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a new environment that has the wheel, and of this one only the libraries."""
    place = tmp_path_factory.mktemp("fresh")
    venv.create(place, with_pip=False)
    commands = place / ("Scripts" if os.name == "nt" else "bin")
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)}))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(packages)
    # A line of a path file adds that folder alone: the editable install of the checkout in it is not followed.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return commands


def run(fresh: Path, *arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CREATIO_", "PYTHON"))}
    command = [str(fresh / "python"), "-c", "from runner.cli.entry import main; main()", *arguments]
    environment |= {"XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def test_what_is_written_of_the_version_is_the_version() -> None:
    assert f"## [{VERSION}] - 2" in (ROOT / "CHANGELOG.md").read_text()
    assert f"    rev: v{VERSION}\n" in (ROOT / "schema/README.md").read_text()
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]


def test_the_wheel_has_every_file_of_the_program_and_no_other(wheel: Path) -> None:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "runner").rglob("*") if path.is_file()}
    files |= {f"runner/{path.relative_to(ROOT)}" for path in (ROOT / "schema").glob("*.json")}
    wanted = {name for name in files if not NO_PART.search(name)}
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if not NO_PART.search(name)}
    about = {name for name in names if name.startswith(f"creatio_runner-{VERSION}.dist-info/")}
    assert names - about == wanted
    assert f"creatio_runner-{VERSION}.dist-info/licenses/LICENSE" in about


def test_the_wheel_says_what_it_is_and_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        about = Parser().parsestr(packed.read(f"creatio_runner-{VERSION}.dist-info/METADATA").decode())
        commands = packed.read(f"creatio_runner-{VERSION}.dist-info/entry_points.txt").decode()
    assert (about["Name"], about["Version"], about["Requires-Python"]) == ("creatio-runner", VERSION, ">=3.11")
    needed = [each.partition(" ")[0] for each in about.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert "h11>=0.16" in needed
    assert not any(each.startswith(("pytest", "psycopg", "procrastinate")) for each in needed)
    assert str(about.get_payload()).startswith("# creatio-runner")
    assert "\nrunner = runner.cli.entry:main" in commands
    assert "\ncreatio-runner = runner.cli.entry:main" in commands


def test_the_sdist_has_what_tests_and_builds_need(built: Path) -> None:
    top = f"creatio_runner-{VERSION}"
    with tarfile.open(built / f"{top}.tar.gz") as packed:
        names = {name.removeprefix(f"{top}/") for name in packed.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "schema/job.schema.json"} <= names
    assert {"specs/targets.yaml", "tests/conftest.py", "runner/version.py"} <= names
    assert not any(name.startswith((".git/", ".venv", ".runner")) for name in names)


def test_a_project_that_is_begun_without_the_checkout_runs_is_applied_and_reported(fresh: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [str(fresh / "python"), "-c", "import runner; print(runner.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(fresh.parent)
    assert run(fresh, "--version", folder=tmp_path).stdout == f"runner, version {VERSION}\n"
    assert run(fresh, "init", ".", folder=tmp_path).returncode == 0
    first = run(fresh, "run", ".", "--report-html", "r.html", "--report-json", "r.json", folder=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 0
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert run(fresh, "apply", ".", "-q", folder=tmp_path).returncode == 0
    assert "nothing new" in run(fresh, "apply", ".", folder=tmp_path).stderr
    assert run(fresh, "init", ".", "--deploy", "kubernetes", folder=tmp_path).returncode == 0
    assert "- hello.job.yaml" in (tmp_path / "kustomization.yaml").read_text()


def test_every_schema_is_in_the_wheel_and_printed(wheel: Path, fresh: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        for schema in (ROOT / "schema").glob("*.json"):
            assert packed.read(f"runner/schema/{schema.name}") == schema.read_bytes()
    printed = run(fresh, "schema", "job", folder=tmp_path)
    assert json.loads(printed.stdout) == json.loads((ROOT / "schema" / "job.schema.json").read_text())


def test_hints_and_explanations_are_in_the_wheel(fresh: Path, tmp_path: Path) -> None:
    text = "runner: 1\nname: a\nsteps:\n  - uses: UsrA\n    with: {a: 1}\n"
    (tmp_path / "a.job.yaml").write_text(text)
    wrong = run(fresh, "validate", "a.job.yaml", folder=tmp_path)
    assert wrong.returncode == 2
    assert "hint: did you mean `job`?" in wrong.stdout
    explained = run(fresh, "explain", "E104", "E183", folder=tmp_path)
    assert explained.returncode == 0
    assert "E183: a version that did not pass, and is not carried out again by itself" in explained.stdout
    assert "runner apply specs -k NAME --adopt" in explained.stdout


@pytest.mark.long
def test_the_wheel_installs_and_runs_on_every_version_of_python_that_is_here(wheel: Path, tmp_path: Path) -> None:
    found = {version: path for version in PYTHONS if (path := _python(version)) is not None}
    assert found
    for version, path in found.items():
        place = tmp_path / version
        subprocess.run(["uv", "venv", "-q", "--python", path, str(place)], check=True)
        subprocess.run(
            ["uv", "pip", "install", "-q", "--python", str(place / "bin" / "python"), str(wheel)], check=True
        )
        for arguments in (["init", "work"], ["run", "work"]):
            command = [str(place / "bin" / "creatio-runner"), *arguments]
            ended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, (version, ended)


def _python(version: str) -> str | None:
    """The interpreter of a version, where this machine has it; also where only pyenv knows it."""
    of_pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    if found_there := sorted(of_pyenv.glob(f"{version}.*/bin/python")):
        return str(found_there[-1])
    command = ["uv", "python", "find", "--no-python-downloads", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else None
