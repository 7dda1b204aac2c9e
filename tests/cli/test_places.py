"""What a report or a plan may be written over: an earlier one of its own kind, an empty file, and nothing else."""

import json
import shutil
from pathlib import Path

import pytest

from runner.cli.main import ended

pytestmark = pytest.mark.slow

OPTIONS = {"json": "--report-json", "junit": "--report-junit", "jsonl": "--report-jsonl", "plan": "--out"}
FOREIGN = {
    "package.json": '{\n  "name": "shop", "version": "1.0.0", "tool": {"name": "creatio-runner"}\n}\n',
    "array.json": '[{"format": 1}]',
    "other-tool.json": '{"format": 1, "tool": {"name": "another"}}',
    "sarif.json": '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "creatio-runner"}}}]}',
    "log.jsonl": '{"v":1,"at":"2026-01-31","level":"info"}\n',
    "broken.json": "{",
    "pom.xml": '<?xml version="1.0"?>\n<project xmlns="http://maven.apache.org/POM/4.0.0"/>\n',
    "other-suites.xml": '<testsuites name="pytest"><testsuite name="creatio-runner"/></testsuites>',
    "page.html": "<!doctype html><title>creatio-runner</title>",
    "notes.txt": "creatio-runner plan",
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    shutil.copytree(Path(__file__).parents[2] / "specs" / "sandbox", tmp_path / "sandbox")
    Path("a.job.yaml").write_text(
        "runner: 1\nname: a\ntarget: sandbox\nsteps:\n"
        "  - {id: read, effect: read, execute: {process: UsrGetAllContacts}}\n"
    )
    return tmp_path


def written(kind: str, file: str) -> int:
    return ended(["plan" if kind == "plan" else "run", "a.job.yaml", OPTIONS[kind], file])


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", OPTIONS)
def test_a_file_of_somebody_else_is_written_over_by_no_report_and_no_plan(kind: str) -> None:
    for name, content in FOREIGN.items():
        Path(name).write_text(content)
        assert written(kind, name) == 2, name
        assert Path(name).read_text() == content
    assert not Path(".runner").exists()


@pytest.mark.usefixtures("here")
def test_an_empty_file_and_an_earlier_one_of_the_same_kind_are_written_over_and_one_of_another_kind_is_not() -> None:
    for kind in OPTIONS:
        Path(kind).touch()
        assert written(kind, kind) == 0
    for kind in OPTIONS:
        assert [other for other in OPTIONS if written(other, kind) == 0] == [kind]
    content = Path("plan").read_bytes()
    Path("plan").write_bytes(b"\xef\xbb\xbf\r\n" + content)
    assert written("plan", "plan") == 0
    Path("json").write_text(json.dumps(json.loads(Path("json").read_text())))
    assert written("json", "json") == 0
