"""A job in an editor: the YAML language server as it is, over its protocol, with the schema of one site."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from language_server import Client, serving

from runner.cli.main import ended

pytestmark = pytest.mark.slow

CATALOGUE = Path(__file__).parents[1] / "catalogue" / "staging.catalog.yaml"
PACKAGE = "yaml-language-server@1.19.2"
HEAD = "# yaml-language-server: $schema=staging.schema.json\nrunner: 1\nname: a\nsteps:\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that starts the server, which npm brings."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.fail("the schema of a site is tried in the YAML language server: this needs Node.js with npm")
    folder = tmp_path_factory.mktemp("npm")
    install = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"npm cannot bring {PACKAGE}: {done.stderr[-500:]}"
    script = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    return [node, str(script), "--stdio"]


@pytest.fixture
def editor(
    server: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Client]:
    """An editor in a folder with the schema of the site."""
    monkeypatch.chdir(tmp_path)
    assert ended(["schema", "job", "--catalog", str(CATALOGUE)]) == 0
    Path("staging.schema.json").write_text(capsys.readouterr().out)
    with serving(server, tmp_path, {"validate": True, "completion": True, "schemaStore": {"enable": False}}) as client:
        yield client


def opened(editor: Client, folder: Path, step: str) -> Path:
    file = folder / "a.job.yaml"
    editor.open(file, HEAD + step)
    return file


def last(step: str) -> tuple[int, int]:
    """The place at the end of a text, counted from 0."""
    lines = (HEAD + step).split("\n")
    return len(lines) - 1, len(lines[-1])


def test_the_processes_of_the_site_are_completed(editor: Client, tmp_path: Path) -> None:
    step = "  - execute:\n      process: "
    found = editor.completions(opened(editor, tmp_path, step), *last(step))

    assert {"UsrGetContacts", "UsrOnboard", "UsrOther"} <= found
    assert "UsrOld" not in found, "it cannot be started"


def test_behind_a_process_its_own_parameters_are_completed(editor: Client, tmp_path: Path) -> None:
    step = "  - run:\n      process: UsrOnboard\n      parameters:\n        "
    found = editor.completions(opened(editor, tmp_path, step), *last(step))

    assert {"ContactId", "Score", "Rows"} <= found
    assert found.isdisjoint({"Limit", "Inner", "Element"}), "another's, an internal one, one that only goes out"


def test_the_results_of_a_process_are_completed(editor: Client, tmp_path: Path) -> None:
    step = "  - execute:\n      process: UsrGetContacts\n      result: "
    found = editor.completions(opened(editor, tmp_path, step), *last(step))

    assert {"Contacts", "Count"} <= found
    assert "Limit" not in found


def test_a_wrong_parameter_is_told_where_it_stands(editor: Client, tmp_path: Path) -> None:
    step = "  - execute: {process: UsrGetContacts, parameters: {limit: 3}, result: Contacts}\n"
    (told,) = editor.diagnostics(opened(editor, tmp_path, step))

    assert told["message"] == "Property limit is not allowed."
    assert told["range"] == {"start": {"line": 4, "character": 52}, "end": {"line": 4, "character": 57}}


def test_a_process_that_the_site_does_not_have_is_told(editor: Client, tmp_path: Path) -> None:
    step = "  - execute: {process: UsrGetContact}\n"
    told = editor.diagnostics(opened(editor, tmp_path, step))

    assert any('"UsrGetContacts"' in str(one["message"]) for one in told)


def test_of_a_right_job_nothing_is_told(editor: Client, tmp_path: Path) -> None:
    step = (
        "  - id: read\n    execute: {process: UsrGetContacts, parameters: {Limit: '{{ 3 }}'}, result: Contacts}\n"
        "    effect: read\n"
        "  - run: {process: UsrOnboard, parameters: {Rows: [{Id: x}], Active: true, Odd: [1]}, results: [Score]}\n"
        "    undo: {run: {process: UsrOther}}\n"
    )
    assert editor.diagnostics(opened(editor, tmp_path, step)) == []
