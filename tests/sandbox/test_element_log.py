from collections.abc import Callable, Mapping

import httpx
import pytest

from runner.foundation.values import Json

Site = Callable[[Mapping[str, str]], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
RUNNING = "ed2ae277-b6e2-df11-971b-001d60e938c6"
COMPLETED = "815c9586-b6e2-df11-971b-001d60e938c6"
ERROR = "f942c08d-b6e2-df11-971b-001d60e938c6"
CANCELED = "1be78f3e-234d-4d6a-869a-dc07253fd2f3"
FIXED = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
DOUBLE = f"""
runner: 1
process: UsrTwo
parameters: {{First: {{type: guid, direction: out}}}}
activities:
  - element: {{uid: {FIXED}, into: First, caption: Approve}}
  - element: {{caption: Send}}
"""


@pytest.fixture
def two(site: Site) -> httpx.Client:
    return site({"a.process.yaml": DOUBLE})


def start(client: httpx.Client) -> str:
    said = client.post(f"{SERVICE}/RunProcess", json={"schemaName": "UsrTwo"}).json()
    return str(said["processId"])


def rows(client: httpx.Client, **options: str) -> list[dict[str, Json]]:
    reply = client.get("/0/odata/SysProcessElementLog", params={f"${name}": text for name, text in options.items()})
    assert reply.status_code == 200, reply.text
    found = reply.json()["value"]
    assert isinstance(found, list)
    return found


def test_an_element_that_a_process_waits_at_is_a_running_row(two: httpx.Client) -> None:
    process = start(two)
    (row,) = rows(two)
    assert list(row) == [
        *("Id", "SchemaElementUId", "Caption", "Type", "StartDate", "CompleteDate", "ErrorDescription"),
        *("SysProcessId", "StatusId"),
    ]
    assert (row["SysProcessId"], row["SchemaElementUId"], row["StatusId"]) == (process, FIXED, RUNNING)
    assert (row["Caption"], row["Type"], row["CompleteDate"]) == ("Approve", "ProcessSchemaUserTask", None)


def test_every_element_that_was_reached_has_a_row_and_its_id_executes_it(two: httpx.Client) -> None:
    start(two)
    for count in (1, 2):
        waiting = rows(two, filter=f"Status/Id eq {RUNNING}")
        assert len(waiting) == 1
        assert two.get(f"{SERVICE}/ExecProcElByUId/{waiting[0]['Id']}").status_code == 200
        assert [row["StatusId"] for row in rows(two)][:count] == [COMPLETED] * count
    assert [row["Caption"] for row in rows(two)] == ["Approve", "Send"]
    assert all(str(row["CompleteDate"]) >= str(row["StartDate"]) for row in rows(two))


def test_elements_are_found_by_their_process(two: httpx.Client) -> None:
    first, second = start(two), start(two)
    assert [row["SysProcessId"] for row in rows(two)] == [first, second]
    assert [row["SysProcessId"] for row in rows(two, filter=f"SysProcess/Id eq {second}")] == [second]
    assert rows(two, filter=f"SysProcess/Id eq {second} and Status/Id eq {COMPLETED}") == []
    reply = two.get(f"/odata/SysProcessElementLog?$filter=SysProcessId eq {first}")
    assert reply.status_code == 400


def test_an_element_of_a_cancelled_process_is_cancelled(two: httpx.Client) -> None:
    two.post(f"{SERVICE}/CancelExecution", json={"processDataIds": start(two)})
    assert [row["StatusId"] for row in rows(two)] == [CANCELED]


def test_the_contact_of_a_user_is_found_by_name(two: httpx.Client) -> None:
    query = {"$filter": "Name eq 'Supervisor'", "$select": "Id,Name,ContactId"}
    (user,) = two.get("/0/odata/SysAdminUnit", params=query).json()["value"]
    me = two.post("/ServiceModel/UserInfoService.svc/GetCurrentUserInfo").json()
    assert (user["Id"], user["ContactId"]) == (me["userId"], me["contactId"])
    assert two.get("/0/odata/SysAdminUnit?$filter=Name eq 'nobody'").json()["value"] == []
    by_contact = f"/0/odata/SysAdminUnit/$count?$filter=Contact/Id eq {user['ContactId']}"
    assert two.get(by_contact).text == "1"


FAILING = """
runner: 1
process: UsrTwo
parameters: {Count: {type: integer, direction: internal}}
activities:
  - set: {Count: 1}
  - fail: "no more than {{ parameters.Count }}"
    if: parameters.Count > 0
"""
BROKEN = FAILING.replace("if: parameters.Count > 0", "if: 1 / (parameters.Count - 1) > 0")


def test_the_element_at_which_a_process_fails_is_a_row_with_the_reason(site: Site) -> None:
    client = site({"a.process.yaml": FAILING})
    process = start(client)
    (row,) = rows(client)
    assert (row["SysProcessId"], row["Caption"], row["StatusId"]) == (process, "Element 2", ERROR)
    assert row["ErrorDescription"] == "no more than 1"
    assert row["CompleteDate"] is not None


def test_a_double_that_is_wrong_fails_at_the_element_that_is(site: Site) -> None:
    client = site({"a.process.yaml": BROKEN})
    start(client)
    (row,) = rows(client)
    assert (row["Caption"], row["StatusId"]) == ("Element 2", ERROR)
    assert "a.process.yaml:7: " in str(row["ErrorDescription"])
