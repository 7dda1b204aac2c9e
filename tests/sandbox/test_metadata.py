import re
from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

import httpx
import pytest

from runner.foundation.values import Json
from runner.odata.functions import Edm
from runner.sandbox.doubles import STAMPS
from runner.sandbox.entity_set import type_of

Site = Callable[[Mapping[str, str]], httpx.Client]
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
ANNA = "aaaaaaaa-0000-0000-0000-000000000001"
RECORDS = f"""
Contact:
  - {{Id: {ANNA}, Name: Anna, Age: 41, Rate: 1.5, Active: true, Born: "1985-01-31T00:00:00Z"}}
  - {{Name: Boris, OwnerId: {ANNA}, ContactId: {ANNA}}}
"""


@pytest.fixture
def document(site: Site) -> str:
    reply = site({"records.yaml": RECORDS}).get("/0/odata/$metadata", headers={"Accept": "application/xml"})
    assert reply.headers["content-type"] == "application/xml; charset=utf-8"
    return reply.text


TYPES_OF_STAMPS = {name: "Edm.Guid" if name.endswith("Id") else "Edm.DateTimeOffset" for name in STAMPS}


def test_the_prefix_is_edmx_and_what_is_below_has_none(document: str) -> None:
    bare = re.sub(r"<\?xml[^>]*\?>", "", document)
    assert re.match(r"<edmx:Edmx [^>]*><edmx:DataServices><Schema ", bare)
    assert set(re.findall(r"</?([\w:]+)", bare)) == {
        *("edmx:Edmx", "edmx:DataServices", "Schema", "EntityType", "Key", "PropertyRef", "Property"),
        *("NavigationProperty", "EntityContainer", "EntitySet"),
    }


def test_a_client_that_reads_it_by_regular_expressions_finds_entities_and_columns(document: str) -> None:
    assert re.findall(r'<EntityType Name="([^"]+)"', document) == [
        *("Contact", "SysAdminUnit", "SysProcessElementData", "SysProcessElementLog", "SysProcessLog", "VwProcessLib"),
    ]
    found = re.search(r'<EntityType Name="Contact"[\s\S]*?</EntityType>', document)
    assert found is not None
    assert re.findall(r'<Property Name="([^"]+)"', found[0]) == [
        *("Id", "Name", "Age", "Rate", "Active", "Born", "OwnerId", "ContactId", *STAMPS),
    ]


def test_a_client_that_reads_it_as_xml_finds_keys_types_sets_and_lookups(document: str) -> None:
    tree = ET.fromstring(document)
    contact = next(each for each in tree.iter(f"{EDM}EntityType") if each.get("Name") == "Contact")
    assert [each.get("Name") for each in contact.iter(f"{EDM}PropertyRef")] == ["Id"]
    assert {each.get("Name"): each.get("Type") for each in contact.iter(f"{EDM}Property")} == {
        "Id": "Edm.Guid",
        "Name": "Edm.String",
        "Age": "Edm.Int32",
        "Rate": "Edm.Decimal",
        "Active": "Edm.Boolean",
        "Born": "Edm.DateTimeOffset",
        "OwnerId": "Edm.Guid",
        "ContactId": "Edm.Guid",
        **TYPES_OF_STAMPS,
    }
    assert [each.get("Name") for each in contact.iter(f"{EDM}NavigationProperty")] == ["Contact"]
    kinds = {f"Terrasoft.Configuration.OData.{each.get('Name')}" for each in tree.iter(f"{EDM}EntityType")}
    sets = {each.get("Name"): each.get("EntityType") for each in tree.iter(f"{EDM}EntitySet")}
    assert set(sets.values()) == kinds
    assert {each.get("Type") for each in tree.iter(f"{EDM}NavigationProperty")} <= kinds
    assert sets["SysProcessLog"] == "Terrasoft.Configuration.OData.SysProcessLog"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([None, None], None),
        ([None, 1], Edm.INTEGER),
        ([1, 2**40], Edm.LONG),
        ([1, 2**40, 0.5], Edm.DECIMAL),
        ([1, True], Edm.STRING),
        ([ANNA, "Anna"], Edm.STRING),
        ([ANNA], Edm.GUID),
        (["2026-01-31T09:00:00+01:00"], Edm.MOMENT),
        (["2026-01-31"], Edm.STRING),
    ],
)
def test_a_column_has_the_type_of_what_it_holds(values: list[Json], expected: Edm | None) -> None:
    assert type_of(values) is expected


RATE = """
runner: 1
process: UsrRate
parameters:
  Score: {type: integer}
  Price: {type: money}
  Note: {type: text}
  Owner: {type: lookup}
  At: {type: datetime}
  Day: {type: date}
  Flag: {type: boolean}
activities:
  - insert:
      entity: Rating
      values:
        Score: "{{ parameters.Score }}"
        Price: "{{ parameters.Price }}"
        Note: "{{ parameters.Note }}"
        OwnerId: "{{ parameters.Owner }}"
        At: "{{ parameters.At }}"
        Day: "{{ parameters.Day }}"
        Flag: "{{ parameters.Flag }}"
        Stage: 1
        Kind: new
        Total: "{{ parameters.Score + 1 }}"
        Gone: null
  - update: {entity: Rating, values: {Stage: 2.5, Late: true}}
"""


def types(client: httpx.Client) -> dict[str | None, str | None]:
    tree = ET.fromstring(client.get("/0/odata/$metadata").text)
    rating = next(each for each in tree.iter(f"{EDM}EntityType") if each.get("Name") == "Rating")
    return {each.get("Name"): each.get("Type") for each in rating.iter(f"{EDM}Property")}


def test_a_column_has_the_type_of_what_a_double_puts_there_before_and_behind_the_first_record(site: Site) -> None:
    client = site({"a.process.yaml": RATE})
    before = types(client)
    assert before == {
        "Id": "Edm.Guid",
        "Score": "Edm.Int32",
        "Price": "Edm.Decimal",
        "Note": "Edm.String",
        "OwnerId": "Edm.Guid",
        "At": "Edm.DateTimeOffset",
        "Day": "Edm.String",
        "Flag": "Edm.Boolean",
        "Stage": "Edm.Decimal",
        "Kind": "Edm.String",
        "Total": "Edm.String",
        "Gone": "Edm.String",
        "Late": "Edm.Boolean",
        **TYPES_OF_STAMPS,
    }
    values = {"Score": 3, "Price": 2, "Note": ANNA, "Owner": ANNA, "At": "2026-01-31T09:00:00Z", "Flag": True}
    named = [{"name": name, "value": value} for name, value in values.items()]
    address = "/0/ServiceModel/ProcessEngineService.svc/RunProcess"
    said = client.post(address, json={"schemaName": "UsrRate", "parameterValues": named}).json()
    assert said["processStatus"] == 2
    assert types(client) == before | {"Total": "Edm.Int32"}


def test_a_column_whose_records_differ_from_what_a_double_puts_there_is_text(site: Site) -> None:
    assert types(site({"a.process.yaml": RATE, "records.yaml": "Rating: [{Score: many}]"}))["Score"] == "Edm.String"
