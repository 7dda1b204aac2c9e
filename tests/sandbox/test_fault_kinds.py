"""A fault is one record: what else names the faults is drawn from the table."""

import json
import re
from pathlib import Path

from expected_texts import ExpectedTexts

from runner.sandbox.fault_kinds import FAULT_KINDS

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schema" / "process.schema.json"
LISTED = re.compile(r'(?<="fault": \{\n)          "description": "What goes wrong\. .*?\n          \],\n', re.DOTALL)


def test_the_schema_of_doubles_lists_every_fault_with_its_words(expected_texts: ExpectedTexts) -> None:
    words = "; ".join(f"`{name}`: {kind.help[0].lower()}{kind.help[1:-1]}" for name, kind in FAULT_KINDS.items())
    names = json.dumps(list(FAULT_KINDS), indent=2).replace("\n", "\n          ")
    listed = f'          "description": {json.dumps(f"What goes wrong. {words}.")},\n          "enum": {names},\n'
    found = SCHEMA.read_text(encoding="utf-8")

    assert LISTED.search(found), "the schema has no list of faults"
    expected_texts.check(SCHEMA, LISTED.sub(lambda _: listed, found))


def test_the_map_of_the_code_shows_how_a_fault_is_added() -> None:
    page = (ROOT / "runner" / "README.md").read_text(encoding="utf-8")
    example = page.partition("## To add a fault of the sandbox")[2]
    files = set(re.findall(r"^\d\. `([\w/.]+)`", example.partition("\n#")[0], re.MULTILINE))

    assert files == {"runner/sandbox/fault_kinds.py", "tests/sandbox/test_faults.py"}
    assert all((ROOT / file).is_file() for file in files)
    others = [file for file in (ROOT / "runner" / "sandbox").glob("*.py") if file.name != "fault_kinds.py"]
    named = [file.name for file in others if re.search(r"drop_before|gateway_504|half_body", file.read_text("utf-8"))]
    assert named == []
