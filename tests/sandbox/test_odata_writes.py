"""Records written through OData, as other clients do it, and the processes that they start."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import httpx
import pytest

from runner.foundation.values import Json, JsonObject
from runner.sandbox.doubles import STAMPS

Site: TypeAlias = Callable[[Mapping[str, str]], httpx.Client]
KEY = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
LEADS = f"Lead: [{{Id: {KEY}, Name: Anna, Score: 1, OwnerId: null}}]"
TYPED = f"""
Lead: [{{Id: {KEY}, Name: Anna, Score: 1, Sum: 0.5, Paid: true, Born: 2000-02-01T00:00:00Z, PartnerId: {KEY}}}]
"""
QUALIFY = """
runner: 1
process: UsrQualify
starts_on: {entity: Lead, change: CHANGE, where: row.Score > 5, into: LeadId}
parameters: {LeadId: {type: guid}}
activities: [set: {}]
"""


def leads(client: httpx.Client) -> list[Mapping[str, Json]]:
    return [without_stamps(row) for row in client.get("/0/odata/Lead").json()["value"]]


def without_stamps(row: JsonObject) -> JsonObject:
    return {name: value for name, value in row.items() if name not in STAMPS}


@pytest.fixture
def lead(site: Site) -> httpx.Client:
    return site({"records.yaml": LEADS, "a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [set: {}]"})


@pytest.mark.parametrize("prefix", ["/0", ""])
def test_a_record_is_inserted_and_shown_with_the_id_that_its_client_gave(lead: httpx.Client, prefix: str) -> None:
    key = KEY.replace("7d8f", "AAAA")
    reply = lead.post(f"{prefix}/odata/Lead", json={"Id": key, "Name": "Boris"})
    assert reply.status_code == 201
    assert lead.get(reply.headers["location"]).json()["Name"] == "Boris"
    body = reply.json()
    assert body.pop("@odata.context").endswith("/odata/$metadata#Lead/$entity")
    assert without_stamps(body) == {"Id": key.lower(), "Name": "Boris", "Score": 0, "OwnerId": None}, (
        "nothing shows the type of OwnerId"
    )
    assert len(leads(lead)) == 2


def test_what_a_client_says_of_types_is_no_column(lead: httpx.Client) -> None:
    body = {"@odata.type": "#Terrasoft.Configuration.OData.Lead", "Name@odata.type": "#String", "Name": "Boris"}
    assert lead.post("/0/odata/Lead", json=body).json()["Name"] == "Boris"


def test_without_an_id_a_new_one_is_made(lead: httpx.Client) -> None:
    keys = {lead.post("/odata/Lead", json={"Name": "B"}).json()["Id"] for _ in range(2)}
    assert len(keys) == 2


def test_a_second_record_with_the_same_id_is_refused(lead: httpx.Client) -> None:
    reply = lead.post("/0/odata/Lead", json={"Id": KEY.upper(), "Name": "B"})
    assert (reply.status_code, "already" in reply.json()["error"]["message"]) == (409, True)
    assert [row["Name"] for row in leads(lead)] == ["Anna"]


def test_a_record_is_updated_and_deleted_by_its_key(lead: httpx.Client) -> None:
    reply = lead.patch(f"/0/odata/Lead({KEY})", json={"Score": 7, "OwnerId": KEY})
    assert (reply.status_code, reply.content) == (204, b"")
    assert leads(lead) == [{"Id": KEY, "Name": "Anna", "Score": 7, "OwnerId": KEY}]
    assert lead.delete(f"/0/odata/Lead({KEY})").status_code == 204
    assert leads(lead) == []
    assert lead.delete(f"/0/odata/Lead({KEY})").status_code == 404
    assert lead.patch(f"/0/odata/Lead({KEY})", json={}).status_code == 404


def test_a_record_says_who_changed_it_and_when_as_a_site_does(lead: httpx.Client) -> None:
    made = lead.post("/0/odata/Lead", json={"Name": "Boris"}).json()
    assert (made["CreatedOn"], made["CreatedById"]) == (made["ModifiedOn"], made["ModifiedById"])
    lead.patch(f"/0/odata/Lead({made['Id']})", json={"Score": 7})
    changed = lead.get(f"/0/odata/Lead({made['Id']})").json()
    assert changed["CreatedOn"] == made["CreatedOn"]
    assert changed["ModifiedOn"] >= made["ModifiedOn"]
    since = {"$filter": f"CreatedOn ge {made['CreatedOn']}", "$orderby": "CreatedOn desc", "$select": "Name"}
    assert lead.get("/0/odata/Lead", params=since).json()["value"][0] == {"Name": "Boris"}


def test_the_id_of_a_record_stays(lead: httpx.Client) -> None:
    lead.patch(f"/0/odata/Lead({KEY})", json={"Id": KEY.replace("7", "8")})
    assert leads(lead)[0]["Id"] == KEY


def typed(site: Site) -> httpx.Client:
    return site({"records.yaml": TYPED, "a.process.yaml": "runner: 1\nprocess: UsrA\nactivities: [set: {}]"})


@pytest.mark.parametrize("empty", [{}, dict.fromkeys(["Name", "Score", "Sum", "Paid", "Born", "PartnerId"])])
def test_what_holds_nothing_is_shown_as_the_empty_value_of_its_type(site: Site, empty: JsonObject) -> None:
    shown = {"Name": "", "Score": 0, "Sum": 0, "Paid": False, "Born": "0001-01-01T00:00:00Z"}
    shown["PartnerId"] = "00000000-0000-0000-0000-000000000000"
    client = typed(site)
    reply = client.post("/0/odata/Lead", json=empty)
    assert reply.status_code == 201
    key = reply.json()["Id"]
    assert {name: value for name, value in reply.json().items() if name in shown} == shown
    assert client.get(f"/0/odata/Lead({key})/Born").json()["value"] == shown["Born"]
    assert {"Id": key, **shown} in leads(client)


def test_amounts_that_are_whole_so_far_may_get_decimals(site: Site) -> None:
    client = typed(site)
    assert client.patch(f"/0/odata/Lead({KEY})", json={"Score": 99.5}).status_code == 204
    assert leads(client)[0]["Score"] == 99.5


def test_a_whole_number_is_a_decimal_and_a_day_is_a_moment(site: Site) -> None:
    assert typed(site).patch(f"/0/odata/Lead({KEY})", json={"Sum": 7, "Score": 2.0, "Born": "2000-02-01"}).is_success


BAD: list[tuple[str, str, Json, int]] = [
    ("POST", "Lead", {"Nam": "B"}, 400),
    ("POST", "Lead", {"Name": ["B"]}, 400),
    ("POST", "Lead", {"Id": "no", "Name": "B"}, 400),
    ("POST", "Lead", {"Score": "abc"}, 400),
    ("POST", "Lead", {"Score": True}, 400),
    ("POST", "Lead", {"PartnerId": "Our company"}, 400),
    ("PATCH", f"Lead({KEY})", {"Born": "1.2.2000"}, 400),
    ("PATCH", f"Lead({KEY})", {"Paid": "yes"}, 400),
    ("POST", "Lead", [1], 400),
    ("POST", f"Lead({KEY})", {"Name": "B"}, 404),
    ("PATCH", "Lead", {"Name": "B"}, 404),
    ("PATCH", f"Lead({KEY})", {"Nam": "B"}, 400),
    ("PATCH", f"Lead({KEY})", "text", 400),
    ("POST", "SysProcessLog", {"Name": "B"}, 405),
]


@pytest.mark.parametrize(("method", "address", "body", "status"), BAD)
def test_what_cannot_be_written_is_refused_and_changes_nothing(
    site: Site, method: str, address: str, *, body: Json, status: int
) -> None:
    lead = typed(site)
    before = leads(lead)
    assert lead.request(method, f"/0/odata/{address}", json=body).status_code == status
    assert leads(lead) == before


def test_an_unknown_entity_is_reported_with_200_as_it_is_to_readers(lead: httpx.Client) -> None:
    reply = lead.post("/0/odata/Leed", json={"Name": "B"})
    assert (reply.status_code, list(reply.json())) == (200, ["Message"])


def started(client: httpx.Client) -> int:
    return len(client.get("/odata/SysProcessLog").json()["value"])


@pytest.mark.parametrize("change", ["insert", "update", "delete"])
def test_a_double_starts_on_a_change_of_the_records_that_its_condition_holds_for(site: Site, change: str) -> None:
    client = site({"records.yaml": LEADS, "a.process.yaml": QUALIFY.replace("CHANGE", change)})
    counts = []
    for score in (5, 6):
        key = client.post("/odata/Lead", json={"Name": "B", "Score": score}).json()["Id"]
        counts.append(started(client))
        client.patch(f"/odata/Lead({key})", json={"Name": "C"})
        counts.append(started(client))
        client.delete(f"/odata/Lead({key})")
        counts.append(started(client))
    assert counts == {"insert": [0, 0, 0, 1, 1, 1], "update": [0, 0, 0, 0, 1, 1], "delete": [0, 0, 0, 0, 0, 1]}[change]


def test_the_process_is_given_the_id_of_the_record(site: Site) -> None:
    double = QUALIFY.replace("CHANGE", "insert") + "  - fail: '{{ parameters.LeadId }}'\n"
    double = double.replace("activities: [set: {}]\n", "activities:\n")
    client = site({"records.yaml": LEADS, "a.process.yaml": double})
    key = client.post("/odata/Lead", json={"Name": "B", "Score": 9}).json()["Id"]
    (row,) = client.get("/odata/SysProcessLog").json()["value"]
    assert row["ErrorDescription"] == key
