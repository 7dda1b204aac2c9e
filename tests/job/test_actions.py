"""The table of actions, and the worked example in `runner/README.md` of how to add one."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.engine.actions import ATTEMPTS
from runner.foundation.values import Json
from runner.job.actions import ACTIONS

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(
    r"`job/actions/count\.py`.*?```python\n(?P<action>.*?)```\n.*?"
    r"`engine/actions/count\.py`.*?```python\n(?P<attempt>.*?)```\n.*?```json\n(?P<schema>.*?)```",
    re.DOTALL,
)
JOB = """
runner: 1
name: a
target: sandbox
steps:
  - id: many
    count: {entity: Contact, filter: "Name ne '{{ run.id }}'"}
    expect: [result == 2]
    undo: {count: {entity: Contact}}
  - id: none
    count: {entity: Contact, filter: "Name eq 'C'"}
    expect: [result == 0, steps.many.result == 2]
"""
WRONG = """
runner: 1
name: a
steps:
  - id: many
    count: {entity: "{{ run.id }}", filters: x}
  - count: {entity: Contact}
    effect: read
    retry: {max_attempts: 2, on: [unanswered]}
    expect: [result | length == 2, process_id]
"""


def with_count(folder: Path) -> None:
    """A copy of the program with the action of the example."""
    example = EXAMPLE.search((ROOT / "runner" / "README.md").read_text(encoding="utf-8"))
    assert example is not None
    shutil.copytree(ROOT / "runner", folder / "runner")  # with what is compiled, which takes longer than all else
    shutil.copytree(ROOT / "schema", folder / "schema")
    actions, attempts = (folder / "runner" / room / "actions" for room in ("job", "engine"))
    (actions / "count.py").write_text(example["action"])
    (attempts / "count.py").write_text(example["attempt"])
    listed(actions / "__init__.py", "from runner.job.actions.count import COUNT, Count", "        COUNT,\n", "    )\n}")
    one, line = "from runner.engine.actions.count import attempt_count", '    "count": attempt_count,\n'
    listed(attempts / "__init__.py", one, line, "}\n")
    described(folder / "schema" / "job.schema.json", json.loads(example["schema"]))


def listed(table: Path, imported: str, line: str, end: str) -> None:
    """Put an import and a line into a table."""
    head, separator, tail = table.read_text().rpartition(end)
    table.write_text(head.replace("\nfrom runner.", f"\n{imported}\nfrom runner.", 1) + line + separator + tail)


def described(file: Path, fragment: Json) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))
    parts = schema["$defs"]
    parts["count"] = fragment
    parts["one_action"]["then"]["oneOf"].append({"required": ["count"]})
    for part in ("step", "undo"):
        parts[part]["properties"]["count"] = {"$ref": "#/$defs/count"}
    file.write_text(json.dumps(schema), encoding="utf-8")


def runner(folder: Path, *words: str) -> str:
    command = [sys.executable, "-c", "from runner.cli.entry import main; main()", *words]
    ran = subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(folder), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"exit {ran.returncode}\n{ran.stdout}{ran.stderr}"


def test_every_action_can_be_attempted() -> None:
    assert {*ATTEMPTS, "elements", "job"} == set(ACTIONS)


def test_every_action_bears_the_key_of_its_record() -> None:
    assert [action.key for action in ACTIONS.values()] == [*ACTIONS]


@pytest.mark.slow
def test_an_action_that_is_added_as_the_map_of_the_code_says_is_complete(tmp_path: Path) -> None:
    with_count(tmp_path)
    (tmp_path / "sandbox").mkdir()
    records = "Contact: [{Name: A}, {Name: B}]\n"
    (tmp_path / "sandbox" / "records.yaml").write_text(records)
    (tmp_path / "a.job.yaml").write_text(JOB)
    (tmp_path / "wrong.job.yaml").write_text(WRONG)

    planned = runner(tmp_path, "plan", "a.job.yaml")
    assert "many  Count Contact\n    count Contact\n      filter \"Name ne '⟨run.id⟩'\"\n" in planned
    assert "    read · 1 min 40 s · up to 3 attempts on not_sent\n" in planned
    ran = runner(tmp_path, "run", "a.job.yaml")
    assert ran.startswith("exit 0\n"), ran
    wrong = runner(tmp_path, "validate", "wrong.job.yaml")
    for said in ("no template is read here", "did you mean `filter`?", "`result` is a number", "a `count` gives none"):
        assert said in wrong, wrong


def test_no_other_module_lists_the_actions() -> None:
    def is_list(text: str) -> bool:
        return sum(f'"{key}"' in text for key in ACTIONS) > len(ACTIONS) * 2 / 3

    modules = [file for file in (ROOT / "runner").rglob("*.py") if file.parent.name != "actions"]
    assert [file.name for file in modules if is_list(file.read_text(encoding="utf-8"))] == []
