from collections.abc import Callable, Mapping

import httpx
import pytest

from runner.foundation.values import Json

Site = Callable[[Mapping[str, str]], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
FIXED = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
RUNNING = "ed2ae277-b6e2-df11-971b-001d60e938c6"
COMPLETED = "815c9586-b6e2-df11-971b-001d60e938c6"
ERROR = "f942c08d-b6e2-df11-971b-001d60e938c6"

TWO_ELEMENTS = f"""
runner: 1
process: UsrTwo
parameters:
  Note: {{type: text, direction: both}}
  First: {{type: guid, direction: out}}
activities:
  - element: {{uid: {FIXED.upper()}, into: First, caption: Approve}}
  - insert: {{entity: Mark, values: {{Name: "{{{{ parameters.Note }}}}"}}}}
  - element: {{caption: Send}}
  - fail: Never sent
"""


@pytest.fixture
def two(site: Site) -> httpx.Client:
    return site({"two.process.yaml": TWO_ELEMENTS})


def start(client: httpx.Client, note: str = "a") -> str:
    """Start the process; the id of the element that it waits at."""
    reply = client.get(f"{SERVICE}/UsrTwo/Execute", params={"ResultParameterName": "First", "Note": note})
    return reply.text.split('"')[-2]


def waiting(client: httpx.Client) -> str:
    """The id of the one element that waits."""
    (held,) = client.get("/odata/SysProcessElementData").json()["value"]
    return str(held["Id"])


def marks(client: httpx.Client) -> list[Json]:
    return [row["Name"] for row in client.get("/odata/Mark").json()["value"]]


def log_row(client: httpx.Client) -> dict[str, Json]:
    """The newest row of the log."""
    query = {"$orderby": "StartDate desc", "$top": "1"}
    (row,) = client.get("/0/odata/SysProcessLog", params=query).json()["value"]
    assert isinstance(row, dict)
    return row


def complete(client: httpx.Client, **body: Json) -> dict[str, Json]:
    reply = client.post(f"{SERVICE}/CompleteExecuting", json=body)
    assert reply.status_code == 200
    said = reply.json()
    assert isinstance(said, dict)
    return said


def test_a_process_that_waits_is_running_in_the_log(two: httpx.Client) -> None:
    start(two)
    row = log_row(two)
    assert (row["StatusId"], row["CompleteDate"], row["DurationInMilliseconds"]) == (RUNNING, None, None)
    assert marks(two) == []


@pytest.mark.parametrize(
    "call",
    [
        "ExecProcElByUId/{uid}",
        "ExecProcElByUId?ProcessElementUID={uid}",
        "ExecProcElByUId?processElementUID={uid}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("prefix", ["/0", ""])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_what_follows_an_element_is_done_when_it_is_executed(
    two: httpx.Client, *, prefix: str, method: str, call: str, case: Callable[[str], str]
) -> None:
    uid = case(start(two))
    reply = two.request(method, f"{prefix}{SERVICE.removeprefix('/0')}/{call.format(uid=uid)}")
    assert reply.status_code == 200
    assert reply.text == '<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/"></string>'
    assert marks(two) == ["a"]
    assert log_row(two)["StatusId"] == RUNNING


def test_an_element_that_was_executed_is_not_executed_again(two: httpx.Client) -> None:
    uid = start(two)
    for _ in range(3):
        assert two.get(f"{SERVICE}/ExecProcElByUId/{uid}").status_code == 200
    assert marks(two) == ["a"]


def test_the_id_of_a_design_executes_nothing_in_any_of_its_processes(two: httpx.Client) -> None:
    ids = {start(two, "older"), start(two, "newer")}
    reply = two.get(f"{SERVICE}/ExecProcElByUId/{FIXED}")
    assert (reply.status_code, "is not found" in reply.text, marks(two)) == (500, True, [])
    assert len(ids) == 2
    assert FIXED not in ids


def test_the_engine_holds_the_elements_that_wait_by_the_ids_of_their_processes(two: httpx.Client) -> None:
    first, other = start(two), start(two)
    held = two.get("/0/odata/SysProcessElementData").json()["value"]
    assert [(one["Id"], one["SchemaElementUId"], one["Status"]) for one in held] == [
        (first, FIXED, 1),
        (other, FIXED, 1),
    ]
    process_id = held[1]["SysProcessId"]
    two.get(f"{SERVICE}/ExecProcElByUId/{other}")
    assert two.get(f"/odata/SysProcessElementData?$filter=SysProcessId eq {process_id}").status_code == 400
    (own,) = two.get(f"/odata/SysProcessElementData?$filter=SysProcess/Id eq {process_id}").json()["value"]
    assert own["Id"] not in (first, other)
    logged = two.get(f"/odata/SysProcessElementLog?$filter=SysProcess/Id eq {process_id}").json()["value"]
    assert {own["Id"], other} == {one["Id"] for one in logged}


@pytest.mark.parametrize("uid", [FIXED, "no-guid", ""])
def test_an_unknown_element_is_a_fault(two: httpx.Client, uid: str) -> None:
    reply = two.get(f"{SERVICE}/ExecProcElByUId", params={"ProcessElementUID": uid})
    assert reply.status_code == 500
    assert reply.text.startswith("<Fault ")


def test_a_failure_behind_an_element_is_reported_by_the_log_alone(site: Site) -> None:
    files = {"a.process.yaml": f"runner: 1\nprocess: UsrA\nactivities: [element: {{uid: {FIXED}}}, fail: Never sent]"}
    client = site(files)
    client.get(f"{SERVICE}/UsrA/Execute")
    assert client.get(f"{SERVICE}/ExecProcElByUId/{waiting(client)}").status_code == 200
    row = log_row(client)
    assert (row["StatusId"], row["ErrorDescription"]) == (ERROR, "Never sent")
    assert row["CompleteDate"] is not None


def test_completing_an_element_puts_values_into_the_process(two: httpx.Client) -> None:
    uid = start(two)
    values: list[Json] = [{"name": "Note", "value": "given"}, {"name": "Nothing", "value": 1}, "nonsense"]
    said = complete(two, processElementUId=uid, parameterValues=values, collectExecutionData=False)
    assert said == {"success": True, "errorInfo": None, "executionData": None, "waitingUserTaskCount": 1}
    assert marks(two) == ["given"]


def test_an_element_is_completed_once(two: httpx.Client) -> None:
    uid = start(two)
    complete(two, processElementUId=uid)
    said = complete(two, processElementUId=uid)
    assert said["success"] is False
    assert said["errorInfo"] == {"errorCode": None, "message": "The element is completed already", "stackTrace": None}
    assert marks(two) == ["a"]


def test_a_failure_behind_a_completed_element_is_the_generic_text(site: Site) -> None:
    client = site({"a.process.yaml": f"runner: 1\nprocess: UsrA\nactivities: [element: {{uid: {FIXED}}}, fail: No]"})
    client.get(f"{SERVICE}/UsrA/Execute")
    said = complete(client, processElementUId=waiting(client))
    assert said["success"] is False
    assert isinstance(said["errorInfo"], dict)
    assert said["errorInfo"]["errorCode"] is None
    assert "Please check the process log" in str(said["errorInfo"]["message"])
    assert said["waitingUserTaskCount"] == 0


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"{}", b"\xff", b'{"processElementUId": 5}', b'{"processElementUId": "x"}'),
        *(b'{"processElementUId": "\\ud800"}', b"[" * 100_000),
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
@pytest.mark.parametrize("method", ["CompleteExecuting", "ExecProcElementByUId"])
def test_completing_what_does_not_wait_is_no_success(two: httpx.Client, method: str, body: bytes) -> None:
    reply = two.post(f"{SERVICE}/{method}", content=body)
    assert reply.status_code == 200
    assert reply.json()["success"] is False
    assert "is not found" in reply.json()["errorInfo"]["message"]


def test_a_value_that_cannot_be_read_leaves_the_element_waiting(site: Site) -> None:
    text = f"""
runner: 1
process: UsrA
parameters: {{Count: {{type: integer}}}}
activities: [element: {{uid: {FIXED}}}]
"""
    client = site({"a.process.yaml": text})
    client.get(f"{SERVICE}/UsrA/Execute")
    uid = waiting(client)
    said = complete(client, processElementUId=uid, parameterValues=[{"name": "Count", "value": "many"}])
    assert (said["success"], said["waitingUserTaskCount"]) == (False, 1)
    assert complete(client, processElementUId=uid, parameterValues=[{"name": "Count", "value": 3}])["success"] is True
    assert log_row(client)["StatusId"] == COMPLETED


def test_the_newer_spelling_executes_an_element_too(two: httpx.Client) -> None:
    uid = start(two)
    for _ in range(2):
        reply = two.post(f"{SERVICE}/ExecProcElementByUId", json={"processElementUId": uid})
        assert reply.json() == {"success": True, "errorInfo": None, "executionData": None}
    assert marks(two) == ["a"]
