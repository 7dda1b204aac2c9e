"""The table of kinds of auth, and the worked example in `runner/README.md` of how to add one."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sites import NOTHING, Answer, site, xml

from runner.service.auth import KINDS

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(
    r"`service/auth/api_key\.py`.*?```python\n(?P<module>.*?)```\n.*?"
    r"`service/auth/__init__\.py`.*?```python\n(?P<records>.*?)```\n",
    re.DOTALL,
)
JOB = "runner: 1\nname: a\ntarget: here\nsteps: [{id: one, execute: {process: UsrA}, verify: none, effect: read}]\n"


def test_the_schema_knows_the_keys_of_every_kind_and_no_others() -> None:
    schema = json.loads((ROOT / "schema" / "targets.schema.json").read_text())
    assert {*schema["$defs"]["auth"]["properties"]} == {key for kind in KINDS for key in kind.keys}


def replace(file: Path, known: str, by: str) -> None:
    text = file.read_text()
    assert text.count(known) == 1
    file.write_text(text.replace(known, by))


def with_api_key(folder: Path) -> None:
    """A copy of the program with the kind of the example."""
    example = EXAMPLE.search((ROOT / "runner" / "README.md").read_text(encoding="utf-8"))
    assert example is not None
    shutil.copytree(ROOT / "runner", folder / "runner", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "schema", folder / "schema")
    kinds = folder / "runner" / "service" / "auth"
    (kinds / "api_key.py").write_text(example["module"])
    replace(kinds / "__init__.py", "KINDS: Final = (PASSWORD, CLIENT_CREDENTIALS)", example["records"])
    file = folder / "schema" / "targets.schema.json"
    schema = json.loads(file.read_text())
    auth = schema["$defs"]["auth"]
    for key in ("key_name", "api_key"):
        auth["properties"][key] = {"description": "One half.", "type": "string", "examples": ["x"]}
    auth["if"] = {"required": ["key_name"]}
    auth["then"], auth["else"] = {"required": ["key_name", "api_key"]}, {}
    file.write_text(json.dumps(schema))


def runner(folder: Path, *words: str, **variables: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", "from runner.cli.entry import main; main()", *words],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "NO_COLOR": "1", "KEY": "hunter-22", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return f"exit {ran.returncode}\n{ran.stdout}{ran.stderr}"


def answer(_method: str, path: str) -> Answer:
    if path.endswith("/whoami"):
        return Answer(body="{}")
    return xml(1) if "/Execute" in path else NOTHING


@pytest.mark.slow
def test_a_kind_that_is_added_as_the_map_of_the_code_says_is_complete(tmp_path: Path) -> None:
    with_api_key(tmp_path)
    (tmp_path / "a.job.yaml").write_text(JOB)
    with site(answer) as here:
        auth = '{key_name: ann-of-it, api_key: "{{ env.KEY }}"}'
        (tmp_path / "targets.yaml").write_text(f"runner: 1\ntargets: {{here: {{url: {here.url}, auth: {auth}}}}}\n")
        assert runner(tmp_path, "run", "a.job.yaml").startswith("exit 0\n")
        asked, *called = here.headers
        assert here.asked[0] == "GET /0/whoami"
        assert {headers["X-Api-Key"] for headers in (asked, *called)} == {"hunter-22"}
        examined = runner(tmp_path, "doctor", "-t", "here")
        variables = {"CREATIO_URL": here.url, "CREATIO_KEY_NAME": "ann-of-it", "CREATIO_API_KEY": "hunter-22"}
        by_variables = runner(tmp_path, "run", "a.job.yaml", "-t", "env", **variables)
    assert "accepted with an API key" in examined
    assert "hunter-22" not in examined
    assert by_variables.startswith("exit 0\n"), by_variables
