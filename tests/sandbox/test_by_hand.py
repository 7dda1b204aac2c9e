"""What a person does on the sandbox's page: starting a process, executing and completing elements."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from runner.foundation.values import Json
from runner.sandbox.server import served

Folder = Callable[[Mapping[str, str]], Path]
FILES = {
    "greet.process.yaml": """
runner: 1
process: UsrGreet
parameters:
  Name: {type: text}
  Count: {type: integer, direction: both}
  Rows: {type: records}
  Greeting: {type: text, direction: out}
activities:
  - element: {caption: Approve}
  - set: {Greeting: "{{ parameters.Count }} x {{ parameters.Name }}"}
""",
    "second.process.yaml": """
runner: 1
process: UsrGreetTwo
of: UsrGreet
version: 2
parameters: {Name: {type: text}}
""",
}


@pytest.fixture
def caller(folder: Folder) -> Iterator[httpx.Client]:
    with served(folder(FILES)) as url, httpx.Client(base_url=url, trust_env=False, verify=False) as client:
        yield client


def started(caller: httpx.Client, process: str = "UsrGreet", **parameters: Json) -> dict[str, Json]:
    """The newest instance after a start."""
    reply = caller.post("/sandbox/instances", json={"process": process, "parameters": parameters})
    assert reply.status_code == 200, reply.text
    return instance(caller, reply.json()["id"])


def instance(caller: httpx.Client, key: str) -> dict[str, Json]:
    found: dict[str, Json] = next(one for one in caller.get("/sandbox/instances").json() if one["id"] == key)
    return found


def refused(caller: httpx.Client, path: str, body: Json) -> str:
    reply = caller.post(f"/sandbox/{path}", json=body)
    assert reply.status_code == 400
    return str(reply.json()["error"])


def waiting(caller: httpx.Client) -> str:
    return str(caller.get("/sandbox/instances").json()[0]["elements"][0]["id"])


def test_a_process_is_started_with_texts_for_parameters_of_every_type(caller: httpx.Client) -> None:
    found = started(caller, Name="Anna", Count="3", Rows='[{"Id": 1}]')
    assert (found["process"], found["status"]) == ("UsrGreet", "running")
    assert found["parameters"] == {"Name": "Anna", "Count": 3, "Rows": [{"Id": 1}], "Greeting": ""}


def test_a_version_is_started_by_its_own_code_though_another_is_active(caller: httpx.Client) -> None:
    assert started(caller, "UsrGreetTwo")["process"] == "UsrGreetTwo"


def test_a_start_by_hand_is_no_call_and_no_fault_is_applied_to_it(caller: httpx.Client) -> None:
    caller.post("/sandbox/faults", json={"fault": "status_500", "times": 1})
    assert started(caller)["status"] == "running"
    assert caller.get("/sandbox/calls").json() == []
    assert caller.get("/sandbox/faults").json()[0]["times"] == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "the body is no JSON record, as in"),
        ({}, "`process` is missing"),
        ({"process": 1}, "`process` is a text"),
        ({"process": "UsrGret"}, "there is no process `UsrGret`: did you mean `UsrGreet`?"),
        ({"process": "UsrGreet", "parameters": []}, "`parameters` is a record of values by name, not []"),
        ({"process": "UsrGreet", "parameters": {"Nam": ""}}, "no parameter `Nam`: did you mean `Name`?"),
        ({"process": "UsrGreet", "parameters": {"Greeting": ""}}, "UsrGreet takes no parameter `Greeting`"),
        ({"process": "UsrGreet", "parameters": {"Count": "x"}}, 'Parameter "Count": "x" is not an integer'),
    ],
)
def test_what_cannot_be_started_is_refused_and_nothing_starts(caller: httpx.Client, body: Json, message: str) -> None:
    assert message in refused(caller, "instances", body)
    assert caller.get("/sandbox/instances").json() == []


def test_an_element_is_executed_without_values(caller: httpx.Client) -> None:
    key = started(caller, Name="Anna", Count=1)["id"]
    assert caller.post("/sandbox/elements", json={"element": waiting(caller)}).json() == {"id": key}
    found = instance(caller, str(key))
    assert (found["status"], found["parameters"]) == (
        "done",
        {"Name": "Anna", "Count": 1, "Rows": [], "Greeting": "1 x Anna"},
    )


def test_an_element_is_completed_with_values(caller: httpx.Client) -> None:
    key = started(caller, Name="Anna", Count=1)["id"]
    reply = caller.post("/sandbox/elements", json={"element": waiting(caller), "parameters": {"Count": "2"}})
    assert reply.json() == {"id": key}
    assert "2 x Anna" in str(instance(caller, str(key))["parameters"])


def test_an_element_is_executed_once(caller: httpx.Client) -> None:
    started(caller)
    assert caller.post("/sandbox/elements", json={"element": waiting(caller)}).status_code == 200
    message = refused(caller, "elements", {"element": waiting(caller)})
    assert message == "the element does not wait any more: it is done"


def test_an_element_that_is_completed_with_a_wrong_value_waits_on(caller: httpx.Client) -> None:
    started(caller)
    body: Json = {"element": waiting(caller), "parameters": {"Count": "many"}}
    assert refused(caller, "elements", body) == 'Parameter "Count": "many" is not an integer'
    assert caller.get("/sandbox/instances").json()[0]["elements"][0]["status"] == "running"


@pytest.mark.parametrize("key", ["x", "0b2f0000-0000-0000-0000-000000000000"])
def test_an_element_that_is_not_there_is_refused(caller: httpx.Client, key: str) -> None:
    assert refused(caller, "elements", {"element": key}) == f"there is no element `{key}`"
