"""Elements that a process passes without waiting, and the element at which it fails: logged as a site logs them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from runner.foundation.values import Json
from runner.sandbox.loading import load_doubles

Site = Callable[[Mapping[str, str]], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
COMPLETED = "815c9586-b6e2-df11-971b-001d60e938c6"
ERROR = "f942c08d-b6e2-df11-971b-001d60e938c6"
READ = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
CHECK = "3c9e2f57-1d64-4e0b-8b1a-6f2d9c4e7a33"
DOUBLE = f"""
runner: 1
process: UsrThree
parameters: {{Name: {{type: text}}, Seen: {{type: guid, direction: out}}}}
activities:
  - element: {{uid: {READ}, caption: Read it, waits: false, into: Seen}}
  - fail: {{text: "No {{{{ parameters.Name }}}}", uid: {CHECK}, caption: Check it}}
"""


def log(client: httpx.Client) -> list[dict[str, Json]]:
    found = client.get("/0/odata/SysProcessElementLog").json()["value"]
    assert isinstance(found, list)
    return found


def test_an_element_that_does_not_wait_is_logged_and_passed(site: Site) -> None:
    client = site({"a.process.yaml": DOUBLE})
    body = {"schemaName": "UsrThree", "resultParameterNames": ["Seen"]}
    said = client.post(f"{SERVICE}/RunProcess", json=body).json()

    first, _ = log(client)
    assert said["processStatus"] == 3
    assert said["resultParameterValues"] == {"Seen": first["Id"]}
    assert [first[name] for name in ("SchemaElementUId", "Caption", "StatusId")] == [READ, "Read it", COMPLETED]
    assert first["CompleteDate"] == first["StartDate"]


def test_a_process_fails_at_the_element_that_its_double_names(site: Site) -> None:
    client = site({"a.process.yaml": DOUBLE})
    given = [{"name": "Name", "value": "tour"}]
    client.post(f"{SERVICE}/RunProcess", json={"schemaName": "UsrThree", "parameterValues": given})

    _, second = log(client)
    columns = ("SchemaElementUId", "Caption", "StatusId", "ErrorDescription")
    assert [second[name] for name in columns] == [CHECK, "Check it", ERROR, "No tour"]


@pytest.mark.parametrize(
    ("activity", "reported"),
    [
        ("fail: {text: no, uid: abc}", [("E113", ("activities", 0, "fail", "uid"))]),
        ("fail: {uid: " + READ + "}", [("E105", ("activities", 0, "fail"))]),
        ('fail: {text: "{{ parameters.Nam }}"}', [("E126", ("activities", 0, "fail", "text"))]),
        ('fail: {text: no, caption: "{{ run.id }}"}', [("E122", ("activities", 0, "fail", "caption"))]),
        ("element: {waits: maybe}", [("E106", ("activities", 0, "element", "waits"))]),
    ],
)
def test_a_mistake_in_a_named_element_is_reported_at_its_place(
    tmp_path: Path, activity: str, reported: list[tuple[str, tuple[str | int, ...]]]
) -> None:
    text = f"runner: 1\nprocess: UsrA\nparameters: {{Name: {{type: text}}}}\nactivities:\n  - {activity}\n"
    (tmp_path / "UsrA.process.yaml").write_text(text)

    _, problems = load_doubles(tmp_path)

    assert [(problem.code, problem.path) for problem in problems] == reported
