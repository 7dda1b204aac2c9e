import json
from collections.abc import Callable, Mapping
from uuid import UUID

import httpx
import pytest

from runner.foundation.values import Json

Site = Callable[[Mapping[str, str]], httpx.Client]
SCHEMA = "/DataService/json/SyncReply/ProcessSchemaRequest"
FIXED = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
DOUBLE = f"""
runner: 1
process: UsrOnboard
caption: Onboard a contact
parameters:
  Text: {{type: text}}
  Count: {{type: integer, direction: out}}
  Rate: {{type: decimal, direction: both}}
  Price: {{type: money, direction: internal}}
  Flag: {{type: boolean}}
  Key: {{type: guid}}
  Owner: {{type: lookup}}
  At: {{type: datetime}}
  Day: {{type: date}}
  Clock: {{type: time}}
  Rows: {{type: records, items: {{Id: guid, Name: text}}}}
activities:
  - set: {{Count: 1}}
  - element: {{uid: {FIXED.upper()}, caption: Approve}}
  - element: {{}}
"""
TYPES = {
    "Text": "8B3F29BB-EA14-4CE5-A5C5-293A929B6BA2",
    "Count": "6B6B74E2-820D-490E-A017-2B73D4CCF2B0",
    "Rate": "5CC8060D-6D10-4773-89FC-8C12D6F659A6",
    "Price": "969093E2-2B4E-463B-883A-3D3B8C61F0CD",
    "Flag": "90B65BF8-0FFC-4141-8779-2420877AF907",
    "Key": "23018567-A13C-4320-8687-FD6F9E3699BD",
    "Owner": "B295071F-7EA9-4E62-8D1A-919BF3732FF2",
    "At": "D21E9EF4-C064-4012-B286-FA1A8171DA44",
    "Day": "603D4960-A1A2-45E9-B232-206A54421B01",
    "Clock": "04CC757B-8F06-482C-8A1A-0C0E171D2410",
    "Rows": "651EC16F-D140-46DB-B9E2-825C985A8AC2",
}


@pytest.fixture
def library(site: Site) -> httpx.Client:
    return site({"a.process.yaml": DOUBLE, "b.process.yaml": "runner: 1\nprocess: UsrOther\n"})


def row(client: httpx.Client, code: str) -> dict[str, Json]:
    rows = client.get("/0/odata/VwProcessLib", params={"$filter": f"Name eq '{code}'"}).json()["value"]
    (found,) = rows
    assert isinstance(found, dict)
    return found


def schema(client: httpx.Client, code: str) -> dict[str, Json]:
    body = {"uId": row(client, code)["Id"], "convertLocalizableStringToParameter": True}
    said = client.post(f"/0{SCHEMA}", json=body).json()
    assert said["success"] is True
    found = json.loads(said["schema"]["metaData"])["metaData"]["schema"]
    assert isinstance(found, dict)
    return found


def test_every_double_is_a_runnable_row_of_the_library(library: httpx.Client) -> None:
    found = row(library, "UsrOnboard")
    assert list(found) == [
        *("Id", "UId", "Name", "Caption", "Enabled", "IsActiveVersion", "HasStartEvent", "Version", "SysSchemaId"),
        *("IsMaxVersion", "VersionParentId", "VersionParentUId", "IsProcessTracing"),
    ]
    assert (found["Caption"], found["Version"]) == ("Onboard a contact", 1)
    assert found["Enabled"] is found["IsActiveVersion"] is found["HasStartEvent"] is True
    assert len({UUID(str(found["Id"])), UUID(str(found["UId"]))}) == 2
    runnable = "IsActiveVersion eq true and Enabled eq true and HasStartEvent eq true"
    listed = library.get("/odata/VwProcessLib", params={"$filter": runnable, "$orderby": "Name desc"}).json()["value"]
    assert [each["Name"] for each in listed] == ["UsrOther", "UsrOnboard"]


def test_the_library_leads_to_the_rows_of_the_log(library: httpx.Client) -> None:
    for code in ("UsrOther", "UsrOnboard"):
        library.get(f"/ServiceModel/ProcessEngineService.svc/{code}/Execute")
    of_schema = {"$filter": f"SysSchema/Id eq {row(library, 'UsrOther')['SysSchemaId']}"}
    assert [each["Name"] for each in library.get("/odata/SysProcessLog", params=of_schema).json()["value"]] == [
        "UsrOther"
    ]


def test_a_signature_has_the_types_and_directions_of_the_double(library: httpx.Client) -> None:
    parameters = schema(library, "UsrOnboard")["parameters"]
    assert isinstance(parameters, list)
    found = {each["name"]: each for each in parameters if isinstance(each, dict)}
    assert {name: str(each["dataValueType"]).upper() for name, each in found.items()} == TYPES
    directions = {"Text": 0, "Count": 1, "Rate": 2, "Price": 3, "Flag": 0}
    assert {name: found[name]["direction"] for name in directions} == directions
    items = found["Rows"]["itemProperties"]
    assert isinstance(items, list)
    assert [(item["name"], str(item["dataValueType"]).upper()) for item in items if isinstance(item, dict)] == [
        ("Id", TYPES["Key"]),
        ("Name", TYPES["Text"]),
    ]
    assert len({each["uId"] for each in found.values()}) == len(TYPES)


def test_the_elements_of_the_design_are_those_that_a_process_waits_at(library: httpx.Client) -> None:
    flow = schema(library, "UsrOnboard")["flowElements"]
    assert isinstance(flow, list)
    assert [each["name"] for each in flow if isinstance(each, dict)] == [
        *("StartEvent1", "UserTask1", "UserTask2", "TerminateEvent1"),
    ]
    tasks = [each["uId"] for each in flow if isinstance(each, dict) and str(each["typeName"]).endswith("UserTask")]
    assert tasks[0] == FIXED
    library.get("/ServiceModel/ProcessEngineService.svc/UsrOnboard/Execute")
    for uid in tasks:
        (waiting,) = library.get("/odata/SysProcessElementData").json()["value"]
        assert waiting["SchemaElementUId"] == uid
        library.get(f"/ServiceModel/ProcessEngineService.svc/ExecProcElByUId/{waiting['Id']}")
    assert library.get("/odata/SysProcessLog").json()["value"][0]["CompleteDate"] is not None


def test_captions_are_among_the_resources(library: httpx.Client) -> None:
    said = library.post(SCHEMA, json={"uId": row(library, "UsrOnboard")["Id"]}).json()
    assert said["schema"]["resources"]["Parameters.Count.Caption"] == {"en-US": "Count"}
    assert said["schema"]["resources"]["BaseElements.UserTask1.Caption"] == {"en-US": "Approve"}
    assert said["schema"]["caption"] == {"en-US": "Onboard a contact"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"uId": 5}', b'{"uId": "x"}', b"\xff"])
def test_the_signature_of_nothing_is_no_success(library: httpx.Client, body: bytes) -> None:
    reply = library.post(SCHEMA, content=body)
    assert (reply.status_code, reply.json()["success"], reply.json()["schema"]) == (200, False, None)
    assert reply.json()["errorInfo"]["errorCode"] == "ItemNotFoundException"


def test_a_process_is_known_by_the_same_ids_in_every_sandbox(site: Site) -> None:
    files = {"a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [element: {}]"}
    one, other = site(files), site(files)
    assert row(one, "UsrA") == row(other, "UsrA")
    assert schema(one, "UsrA") == schema(other, "UsrA")
