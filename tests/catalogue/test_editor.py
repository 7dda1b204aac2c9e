"""The schema of jobs for one site, without an editor: what it lets pass, and what it does not."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from msgspec.structs import replace

from runner.catalogue.editor import specialised
from runner.catalogue.model import Catalogue, Process
from runner.catalogue.read import read_catalogue
from runner.cli.main import ended
from runner.foundation.values import Json, JsonObject
from runner.json_schema.schemas import shipped_text
from runner.reading.load import read

HERE = Path(__file__).parent
SPECS = HERE.parents[1] / "specs"


def staging() -> Catalogue:
    found = read_catalogue(HERE / "staging.catalog.yaml", name="staging.catalog.yaml")
    assert isinstance(found, Catalogue)
    return found


def schema(catalogue: Catalogue) -> JsonObject:
    return specialised(json.loads(shipped_text("job")), catalogue)


def is_valid(written: JsonObject, step: JsonObject) -> bool:
    job: Json = {"runner": 1, "name": "a", "steps": [step]}
    return jsonschema_rs.Draft202012Validator(json.dumps(written)).is_valid(job)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"execute": {"process": "UsrGetContacts", "parameters": {"Limit": 1}, "result": "Count"}}, True),
        ({"execute": {"process": "UsrGetContacts", "parameters": {"Limit": "{{ 1 }}", "Filter": None}}}, True),
        ({"execute": {"process": "UsrGetContacts", "parameters": {"limit": 1}}}, False),
        ({"execute": {"process": "UsrGetContacts", "parameters": {"Limit": [1]}}}, False),
        ({"execute": {"process": "UsrGetContacts", "result": "Limit"}}, False),
        ({"execute": {"process": "UsrGetContact"}}, False),
        ({"execute": {"process": "UsrOld"}}, False),
        ({"execute": {"process": "UsrOther", "result": "Any"}}, False),
        ({"run": {"process": "UsrOnboard", "results": ["Score", "Odd"]}}, True),
        ({"run": {"process": "UsrOnboard", "results": ["ContactId"]}}, False),
        ({"run": {"process": "UsrOnboard", "parameters": {"Rows": [{"Id": "x"}], "Odd": {"any": 1}}}}, True),
        ({"run": {"process": "UsrOnboard", "parameters": {"Rows": [{"Ids": "x"}]}}}, False),
        ({"run": {"process": "UsrOnboard", "parameters": {"Inner": "x"}}}, False),
        ({"pause": "1s", "undo": {"run": {"process": "UsrOnboard", "parameters": {"score": 1}}}}, False),
    ],
)
def test_a_step_is_held_against_the_processes_of_the_site(step: JsonObject, expected: bool) -> None:  # noqa: FBT001  a table
    assert is_valid(schema(staging()), step) is expected


def test_it_is_a_schema_whatever_characters_the_codes_have() -> None:
    odd = Process(code="Usr/Ö~ {x}#", caption="Odd")
    written = schema(replace(staging(), processes={odd.code: odd}))

    assert jsonschema_rs.meta.is_valid(written)
    assert is_valid(written, {"execute": {"process": odd.code}})
    assert not is_valid(written, {"execute": {"process": odd.code, "parameters": {"A": 1}}})


def test_a_process_of_which_nothing_is_known_takes_anything() -> None:
    dark = Process(code="UsrDark", parameters=None, elements=None)
    written = schema(replace(staging(), processes={"UsrDark": dark}))

    assert is_valid(written, {"execute": {"process": "UsrDark", "parameters": {"Any": [1]}, "result": "Thing"}})


def test_a_site_without_processes_leaves_the_schema_as_it_is() -> None:
    assert schema(replace(staging(), processes={})) == json.loads(shipped_text("job"))


def test_the_jobs_that_ship_fit_the_schema_of_their_own_sandbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sandbox.catalog.yaml"
    assert ended(["catalog", "pull", str(SPECS), "--out", str(file)]) == 0
    capsys.readouterr()
    assert ended(["schema", "job", "--catalog", str(file)]) == 0
    validator = jsonschema_rs.Draft202012Validator(capsys.readouterr().out)
    for job in SPECS.glob("*.job.yaml"):
        document = read(job, name=job.name)
        assert not isinstance(document, tuple)
        assert validator.is_valid(document.data), job.name


def test_a_catalogue_says_nothing_of_other_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["schema", "targets", "--catalog", str(HERE / "staging.catalog.yaml")]) == 2
    assert "`--catalog` is for the schema `job` only, not for `targets`" in capsys.readouterr().err
