"""A job in an editor: the YAML language server as it is, over its protocol, with the schema of one site."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from language_server import Client, serving
from running import carried_out

from runner.foundation.values import JsonObject

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


@dataclass(frozen=True)
class Editor:
    """An editor in a folder with the schema of the site. Each file that it opens is another one."""

    client: Client
    folder: Path
    numbers: Iterator[int]

    def open(self, step: str) -> Path:
        file = self.folder / f"{next(self.numbers)}.job.yaml"
        self.client.open(file, HEAD + step)
        return file

    def completions(self, step: str) -> set[str]:
        """What may be written at the end of a job."""
        return self.client.completions(self.open(step), *last(step))

    def diagnostics(self, step: str) -> list[JsonObject]:
        return self.client.diagnostics(self.open(step))


@pytest.fixture(scope="module")
def editor(server: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("editor")
    schema = carried_out("schema", "job", "--catalog", str(CATALOGUE))
    assert schema.returncode == 0, schema.stderr
    (folder / "staging.schema.json").write_text(schema.stdout)
    with serving(server, folder, {"validate": True, "completion": True, "schemaStore": {"enable": False}}) as client:
        yield Editor(client, folder, count())


def last(step: str) -> tuple[int, int]:
    """The place at the end of a text, counted from 0."""
    lines = (HEAD + step).split("\n")
    return len(lines) - 1, len(lines[-1])


def test_the_processes_of_the_site_are_completed(editor: Editor) -> None:
    step = "  - execute:\n      process: "
    found = editor.completions(step)

    assert {"UsrGetContacts", "UsrOnboard", "UsrOther"} <= found
    assert "UsrOld" not in found, "it cannot be started"


def test_behind_a_process_its_own_parameters_are_completed(editor: Editor) -> None:
    step = "  - run:\n      process: UsrOnboard\n      parameters:\n        "
    found = editor.completions(step)

    assert {"ContactId", "Score", "Rows"} <= found
    assert found.isdisjoint({"Limit", "Inner", "Element"}), "another's, an internal one, one that only goes out"


def test_the_results_of_a_process_are_completed(editor: Editor) -> None:
    step = "  - execute:\n      process: UsrGetContacts\n      result: "
    found = editor.completions(step)

    assert {"Contacts", "Count"} <= found
    assert "Limit" not in found


def test_a_wrong_parameter_is_reported_where_it_is(editor: Editor) -> None:
    step = "  - execute: {process: UsrGetContacts, parameters: {limit: 3}, result: Contacts}\n"
    (reported,) = editor.diagnostics(step)

    assert reported["message"] == "Property limit is not allowed."
    assert reported["range"] == {"start": {"line": 4, "character": 52}, "end": {"line": 4, "character": 57}}


def test_a_process_that_the_site_does_not_have_is_reported(editor: Editor) -> None:
    step = "  - execute: {process: UsrGetContact}\n"
    reported = editor.diagnostics(step)

    assert any('"UsrGetContacts"' in str(one["message"]) for one in reported)


def test_nothing_is_reported_of_a_right_job(editor: Editor) -> None:
    step = (
        "  - id: read\n    execute: {process: UsrGetContacts, parameters: {Limit: '{{ 3 }}'}, result: Contacts}\n"
        "    effect: read\n"
        "  - run: {process: UsrOnboard, parameters: {Rows: [{Id: x}], Active: true, Odd: [1]}, results: [Score]}\n"
        "    undo: {run: {process: UsrOther}}\n"
    )
    assert editor.diagnostics(step) == []
