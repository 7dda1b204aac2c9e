"""`runner init`: a project that runs at once, and never a file that is written over."""

import json
import re
from pathlib import Path

import pytest
from captured import Capture

from runner.cli.main import ended
from runner.foundation.values import Json, items, record
from runner.json_schema.schemas import shipped_text
from runner.reading.document import Document
from runner.reading.load import read
from runner.scaffold.new_project import FILES, PROJECT_SCHEMAS, project_files

WRITTEN = {*FILES, *(f"schema/{schema}.schema.json" for schema in PROJECT_SCHEMAS)}


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def data(path: Path) -> Json:
    document = read(path, name=path.name)
    assert isinstance(document, Document), document
    return document.data


@pytest.mark.parametrize("folder", ["smoke", "deep/in/it", "."])
def test_a_new_project_validates_and_runs_at_once(folder: str) -> None:
    assert ended(["init", folder]) == 0
    assert files_of(Path(folder)) == WRITTEN
    assert ended(["validate", folder]) == 0
    assert ended(["run", folder]) == 0


def test_without_a_folder_it_is_the_current_one_and_the_next_command_is_reported(capsys: Capture) -> None:
    assert ended(["init"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in WRITTEN)
    assert out.endswith("\nnext: runner run .\n")


def test_the_next_command_can_be_pasted_whatever_the_folder_is_called(capsys: Capture) -> None:
    assert ended(["init", "my jobs"]) == 0
    assert "runner run 'my jobs'" in capsys.readouterr().out


OF_OTHERS = {".gitignore", ".vscode/settings.json", ".pre-commit-config.yaml", ".github/workflows/creatio.yml"}


@pytest.mark.parametrize("name", sorted(WRITTEN - OF_OTHERS))
def test_a_file_that_is_there_already_stays_and_nothing_else_is_written(name: str, capsys: Capture) -> None:
    there = Path("smoke") / name
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    assert ended(["init", "smoke"]) == 2
    assert str(there) in capsys.readouterr().err
    assert files_of(Path("smoke")) == {name}
    assert there.read_text() == "mine"


@pytest.mark.parametrize("name", sorted(OF_OTHERS - {".gitignore"}))
def test_an_entry_for_another_tool_that_is_there_is_left_and_reported(name: str, capsys: Capture) -> None:
    there = Path(name)
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text("mine")
    assert ended(["init"]) == 0
    assert re.search(rf"^left +{re.escape(name)} ", capsys.readouterr().out, re.MULTILINE)
    assert there.read_text() == "mine"
    assert files_of(Path()) == WRITTEN


def test_a_link_that_leads_nowhere_is_not_written_through() -> None:
    Path("targets.yaml").symlink_to("elsewhere.yaml")
    assert ended(["init"]) == 2
    assert files_of(Path()) == set()


def test_a_file_in_the_place_of_a_folder_is_reported_and_nothing_is_written(capsys: Capture) -> None:
    Path("sandbox").write_text("mine")
    assert ended(["init"]) == 2
    assert "sandbox" in capsys.readouterr().err
    assert files_of(Path()) == {"sandbox"}


def test_editors_find_a_schema_for_every_file_without_a_network() -> None:
    assert ended(["init"]) == 0
    settings = re.sub(r"//.*", "", Path(".vscode/settings.json").read_text())
    known: dict[str, str] = json.loads(settings)["yaml.schemas"]
    for path in [path for path in Path().rglob("*.yaml") if not path.name.startswith(".")]:
        line = path.read_text().splitlines()[0]
        schema = path.parent / line.removeprefix("# yaml-language-server: $schema=")
        assert schema.is_file(), line
        assert any(path.match(pattern) and schema.samefile(file) for file, pattern in known.items()), path
    for name in PROJECT_SCHEMAS:
        assert Path(f"schema/{name}.schema.json").read_text() == shipped_text(name)


def test_the_entries_for_ci_and_pre_commit_name_the_folder_as_it_is_called_from_the_root_of_the_checkout(
    capsys: Capture,
) -> None:
    Path(".git").mkdir()
    assert ended(["init", "ops/creatio"]) == 0
    assert f"move them to {Path.cwd()}" in capsys.readouterr().out
    hooks = data(Path("ops/creatio/.pre-commit-config.yaml"))
    assert "runner validate --recursive ops/creatio" in json.dumps(hooks)
    workflow = json.dumps(data(Path("ops/creatio/.github/workflows/creatio.yml")))
    assert "runner run ops/creatio -t sandbox" in workflow
    assert not re.search(r"@[A-Z_]+@", workflow), "a place that was not filled in"


def test_the_commented_target_of_a_new_project_is_one_when_the_marks_are_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ended(["init"]) == 0
    targets = Path("targets.yaml")
    targets.write_text(re.sub(r"(?m)^  # ", "  ", targets.read_text()))
    monkeypatch.delenv("CREATIO_RUNNER_TARGETS", raising=False)
    assert ended(["plan", ".", "-t", "staging"]) == 0


def test_every_template_is_used() -> None:
    folder = Path(__file__).parents[2] / "runner" / "scaffold" / "init_files"
    assert {path.name for path in folder.iterdir()} == {template for template, _ in FILES.values()}
    assert all(file.text.endswith("\n") for file in project_files(Path(), called="."))


def test_a_gitignore_that_is_there_is_added_to(capsys: Capture) -> None:
    Path(".gitignore").write_text("node_modules/")
    assert ended(["init"]) == 0
    lines = Path(".gitignore").read_text().splitlines()
    assert lines[0] == "node_modules/"
    assert re.search(r"^added to +\.gitignore ", capsys.readouterr().out, re.MULTILINE)
    assert ".runner/" in lines
    assert len(lines) == len(set(lines))


def test_the_workflow_keeps_the_runs_and_restores_them_before_the_next() -> None:
    assert ended(["init"]) == 0
    jobs = record(record(data(Path(".github/workflows/creatio.yml")))["jobs"])
    steps = [record(step) for step in items(record(jobs["staging"])["steps"])]
    kept = next(number for number, step in enumerate(steps) if record(step.get("with")).get("path") == ".runner")
    restored, run = (
        next(number for number, step in enumerate(steps) if text in str(step.get("run")))
        for text in ("gh run download", "runner run")
    )
    assert restored < run < kept
    assert steps[kept]["if"] == "always()"
    assert "can guess a short secret: plan.json holds an HMAC" in Path(".github/workflows/creatio.yml").read_text()
    uploaded = record(steps[kept]["with"])
    assert uploaded["include-hidden-files"] is True, "else a folder with a dot is passed over"
    assert f"--name {uploaded['name']} --dir {uploaded['path']} " in str(steps[restored]["run"])


def test_the_hook_of_a_new_project_finds_jobs_in_folders_below() -> None:
    assert ended(["init"]) == 0
    Path("more/deep").mkdir(parents=True)
    Path("more/deep/b.job.yaml").write_text("runner: 1\nname: b\nstep: []\n")
    (hook,) = re.findall(
        r"entry: runner (validate .*--recursive .*|validate --recursive .*)",
        Path(".pre-commit-config.yaml").read_text(),
    )
    assert ended(hook.split()) == 2
