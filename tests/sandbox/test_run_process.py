import json
from collections.abc import Callable, Mapping

import httpx
import pytest

from runner.foundation.values import Json

Site = Callable[[Mapping[str, str]], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
NOBODY = "00000000-0000-0000-0000-000000000000"
GENERIC = "An error has occurred during the process execution. Please check the process log for details"
RUNNING, DONE, FAILED = 1, 2, 3
UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"

BROKEN = """
runner: 1
process: UsrBroken
parameters: {Score: {type: integer, direction: out}}
activities:
  - set: {Score: 7}
  - fail: No such contact
"""
LATER = """
runner: 1
process: UsrLater
parameters: {Score: {type: integer, direction: out}}
activities:
  - set: {Score: 1}
  - background: true
  - delay: 200ms
  - set: {Score: 2}
"""


def run(client: httpx.Client, process: str = "UsrEcho", /, **body: Json) -> dict[str, Json]:
    reply = client.post(f"{SERVICE}/RunProcess", json={"schemaName": process, **body})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json; charset=utf-8")
    said = reply.json()
    assert isinstance(said, dict)
    return said


def named(**values: Json) -> list[Json]:
    return [{"name": name, "value": value} for name, value in values.items()]


def log(client: httpx.Client) -> list[dict[str, Json]]:
    rows = client.get("/0/odata/SysProcessLog").json()["value"]
    assert isinstance(rows, list)
    return rows


VALUES: list[tuple[str, Json, Json]] = [
    ("Text", "a <b> & \u043a", "a <b> & \u043a"),
    ("Text", "007", "007"),
    ("Text", 5, "5"),
    ("Count", 42, 42),
    ("Count", "42", 42),
    ("Price", 99.99, 99.99),
    ("Price", "99.99", 99.99),
    ("Flag", True, True),
    ("Flag", "true", True),
    ("Key", UID.upper(), UID),
    ("At", "2026-12-31T23:59:59Z", "2026-12-31T23:59:59Z"),
    ("Day", "2026-12-31", "2026-12-31"),
    ("Clock", "18:45:00", "18:45:00"),
    ("Text", None, ""),
]


@pytest.mark.parametrize(("code", "sent", "expected"), VALUES)
def test_a_value_is_sent_as_text_or_as_itself_and_comes_back_typed(
    shared_echo: httpx.Client, code: str, sent: Json, expected: Json
) -> None:
    said = run(shared_echo, parameterValues=named(**{code: sent}), resultParameterNames=[code])
    assert said["resultParameterValues"] == {code: expected}
    assert said["success"] is True


@pytest.mark.parametrize("written", [json.dumps, list])
def test_records_come_back_as_json_text_however_they_were_sent(
    shared_echo: httpx.Client, written: Callable[..., Json]
) -> None:
    rows = [{"Id": UID, "Name": "Anna", "Rank": 1}]
    said = run(shared_echo, parameterValues=named(Rows=written(rows)), resultParameterNames=["Rows", "Made"])
    assert isinstance(said["resultParameterValues"], dict)
    text = said["resultParameterValues"].pop("Rows")
    assert json.loads(str(text)) == rows
    assert said["resultParameterValues"] == {"Made": ""}


def test_a_reply_has_the_shape_that_real_clients_read(echo: httpx.Client) -> None:
    said = run(echo, parameterValues=[], resultParameterNames=[], collectExecutionData=True)
    (row,) = log(echo)
    assert said == {
        "success": True,
        "errorInfo": None,
        "processId": row["Id"],
        "processStatus": DONE,
        "resultParameterValues": {},
        "executionData": None,
    }


def test_a_process_is_named_by_its_code_or_by_the_id_of_its_design(echo: httpx.Client) -> None:
    (row,) = echo.get("/odata/VwProcessLib").json()["value"]
    for body in ({"schemaUId": row["UId"].upper()}, {"schemaName": "", "schemaUId": row["UId"]}):
        assert echo.post(f"{SERVICE}/RunProcess", json=body).json()["processStatus"] == DONE
    assert len(log(echo)) == 2


@pytest.mark.parametrize("prefix", ["", "/0"])
def test_it_is_a_post_alone(shared_echo: httpx.Client, prefix: str) -> None:
    address = f"{prefix}/ServiceModel/ProcessEngineService.svc/RunProcess"
    reply = shared_echo.get(address, params={"schemaName": "UsrEcho"})
    assert (reply.status_code, reply.content) == (404, b"")
    assert shared_echo.post(address, json={"schemaName": "UsrEcho"}).json()["success"] is True


NO_ITEM = "ItemNotFoundException"
REFUSED: list[tuple[dict[str, Json], str | None, str]] = [
    ({"schemaName": "usrecho"}, NO_ITEM, 'Item with name "usrecho" not found'),
    ({"schemaUId": UID}, NO_ITEM, f'Item with name "{UID}" not found'),
    ({}, NO_ITEM, 'Item with name "" not found'),
    ({"schemaName": 5}, NO_ITEM, 'Item with name "" not found'),
    ({"schemaName": "UsrEcho", "resultParameterNames": ["Text", "text"]}, NO_ITEM, 'Item with name "text" not found'),
    ({"schemaName": "UsrEcho", "resultParameterNames": ["Hidden"]}, NO_ITEM, 'Item with name "Hidden" not found'),
    (
        {"schemaName": "UsrEcho", "parameterValues": [{"name": "Count", "value": "many"}]},
        None,
        'Parameter "Count": "many" is not an integer',
    ),
]


@pytest.mark.parametrize(("body", "code", "message"), REFUSED)
def test_what_cannot_be_started_is_no_success_and_starts_nothing(
    shared_echo: httpx.Client, body: Json, code: str | None, message: str
) -> None:
    before = log(shared_echo)
    said = shared_echo.post(f"{SERVICE}/RunProcess", json=body).json()
    assert said["success"] is False
    assert (said["processId"], said["processStatus"]) == (NOBODY, 0)
    assert said["errorInfo"] == {"errorCode": code, "message": message, "stackTrace": None}
    assert log(shared_echo) == before


def test_a_name_that_cannot_be_one_starts_nothing(shared_echo: httpx.Client) -> None:
    reply = shared_echo.post(f"{SERVICE}/RunProcess", content=b'{"schemaName": "\\ud800"}')
    assert (reply.status_code, reply.json()["success"]) == (200, False)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"schemaName": "UsrEcho"', b"schemaName=UsrEcho"),
        b'{"schemaName": "UsrEcho", "x": 1e999}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
def test_a_body_that_is_no_json_object_is_a_fault_and_starts_nothing(shared_echo: httpx.Client, body: bytes) -> None:
    before = log(shared_echo)
    reply = shared_echo.post(f"{SERVICE}/RunProcess", content=body)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/xml; charset=utf-8")
    assert "The body of the request is not a JSON object" in reply.text
    assert log(shared_echo) == before


def test_unknown_codes_and_those_that_nobody_may_give_are_dropped_in_silence(shared_echo: httpx.Client) -> None:
    values: list[Json] = [*named(text="a", Made="b", Hidden="c"), "nonsense", {"value": 1}, {"name": "Text"}]
    said = run(shared_echo, parameterValues=values, resultParameterNames=["Text", "Made"])
    assert said["resultParameterValues"] == {"Text": "", "Made": ""}


def test_a_process_that_failed_is_a_success_with_status_3_and_the_generic_text(site: Site) -> None:
    client = site({"a.process.yaml": BROKEN})
    said = run(client, "UsrBroken", resultParameterNames=["Score"])
    assert (said["success"], said["processStatus"]) == (True, FAILED)
    assert said["errorInfo"] == {"errorCode": None, "message": GENERIC, "stackTrace": None}
    assert said["resultParameterValues"] == {"Score": 7}
    (row,) = log(client)
    assert (row["Id"], row["ErrorDescription"]) == (said["processId"], "No such contact")


def test_a_process_that_is_under_way_in_the_background_is_running_when_its_caller_is_answered(site: Site) -> None:
    client = site({"a.process.yaml": LATER})
    said = run(client, "UsrLater", resultParameterNames=[])
    assert (said["success"], said["processStatus"]) == (True, RUNNING)
    assert log(client)[0]["CompleteDate"] is None
    run(client, "UsrLater", resultParameterNames=["Score"])
    assert log(client)[0]["CompleteDate"] is not None


def test_asking_for_results_makes_a_background_process_run_to_its_end(site: Site) -> None:
    said = run(site({"a.process.yaml": LATER}), "UsrLater", resultParameterNames=["Score"])
    assert (said["processStatus"], said["resultParameterValues"]) == (DONE, {"Score": 2})


def test_execute_waits_for_a_background_process_where_it_asks_for_a_result(site: Site) -> None:
    client = site({"a.process.yaml": LATER})
    assert client.get(f"{SERVICE}/UsrLater/Execute?ResultParameterName=Score").text.endswith(">2</string>")
    client.get(f"{SERVICE}/UsrLater/Execute")
    assert [row["CompleteDate"] is None for row in log(client)] == [False, True]


def test_a_process_that_waits_at_an_element_is_running(site: Site) -> None:
    client = site({"a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [element: {}]"})
    assert run(client, "UsrA")["processStatus"] == RUNNING


def test_a_process_that_is_cancelled_ends_and_so_does_what_it_waited_for(site: Site) -> None:
    client = site(
        {
            "a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [element: {}, fail: Never]",
            "b.process.yaml": "runner: 1\nprocess: UsrB\nactivities: [background: true, delay: 500ms, fail: Never]",
            "c.process.yaml": "runner: 1\nprocess: UsrC\nactivities: [delay: 600ms]",
        }
    )
    parked, later = (str(run(client, code)["processId"]) for code in ("UsrA", "UsrB"))
    (element,) = client.get("/odata/SysProcessElementLog").json()["value"]
    reply = client.post(f"{SERVICE}/CancelExecution", json={"processDataIds": f"{parked.upper()};{later};{UID}"})
    assert (reply.status_code, reply.content) == (200, b"")
    run(client, "UsrC")
    rows = {row["Id"]: row for row in log(client)}
    for key in (parked, later):
        assert rows[key]["StatusId"] == "1be78f3e-234d-4d6a-869a-dc07253fd2f3"
        assert rows[key]["ErrorDescription"] is None
    assert client.get(f"{SERVICE}/ExecProcElByUId/{element['Id']}").status_code == 500
    said = client.post(f"{SERVICE}/CompleteExecuting", json={"processElementUId": element["Id"]}).json()
    assert said["errorInfo"]["message"] == f"The process of element {element['Id']} is not running"
    assert said["waitingUserTaskCount"] == 0


def test_a_process_that_has_failed_can_be_cancelled_and_keeps_its_error(site: Site) -> None:
    client = site({"a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [fail: No]"})
    key = run(client, "UsrA")["processId"]
    client.post(f"{SERVICE}/CancelExecution", json={"processDataIds": key})
    (row,) = log(client)
    assert (row["StatusId"], row["ErrorDescription"]) == ("1be78f3e-234d-4d6a-869a-dc07253fd2f3", "No")


def test_cancelling_what_has_ended_changes_nothing(echo: httpx.Client) -> None:
    key = run(echo)["processId"]
    before = log(echo)
    bodies: list[Json] = [{"processDataIds": key}, {"processDataIds": 5}, []]
    for body in bodies:
        assert echo.post(f"{SERVICE}/CancelExecution", json=body).status_code == 200
    assert log(echo) == before
