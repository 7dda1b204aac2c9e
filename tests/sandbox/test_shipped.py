"""The doubles that ship with the specs, and the two stories that the specs tell with them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from runner.foundation.values import Json
from runner.sandbox.loading import load_doubles
from runner.sandbox.server import served

pytestmark = pytest.mark.slow

SHIPPED = Path(__file__).parents[2] / "specs" / "sandbox"
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
CHAIN = [
    "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
    "b1f0a6a4-8c0e-4f0d-9a3c-51a0b7a5d922",
    "3c9e2f57-1d64-4e0b-8b1a-6f2d9c4e7a33",
]
ALICE = "410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01"
COMPLETED = "815c9586-b6e2-df11-971b-001d60e938c6"


@pytest.fixture
def shipped(signed_in: Callable[[str], httpx.Client]) -> Iterator[httpx.Client]:
    with served(SHIPPED) as url:
        yield signed_in(url)


def execute(client: httpx.Client, process: str, *, result: str | None = None, **parameters: str) -> Json:
    query = parameters if result is None else {"ResultParameterName": result, **parameters}
    reply = client.get(f"{SERVICE}/{process}/Execute", params=query)
    assert reply.status_code == 200
    inner = ET.fromstring(reply.text).text
    value: Json = json.loads(inner) if inner else None
    return value


def newest(client: httpx.Client) -> dict[str, Json]:
    (row,) = client.get("/0/odata/SysProcessLog?$orderby=StartDate desc&$top=1").json()["value"]
    assert isinstance(row, dict)
    return row


def contacts(client: httpx.Client) -> dict[str, str]:
    """The id of each contact, by name."""
    rows = json.loads(str(execute(client, "UsrGetAllContacts", result="ContactList")))
    assert all(list(row) == ["Id", "Name", "MobilePhone"] for row in rows)
    return {row["Name"]: row["Id"] for row in rows}


def test_the_shipped_doubles_have_no_problems() -> None:
    doubles, problems = load_doubles(SHIPPED)
    assert problems == ()
    assert all(path.name.startswith(f"{code}.") for code, path in zip(sorted(doubles.processes), _files(), strict=True))


def test_a_contact_is_added_read_back_and_deleted(shipped: httpx.Client) -> None:
    assert sorted(contacts(shipped)) == ["Alice Moore", "Boris Koval"]
    execute(shipped, "UsrAddNewExternalContact", ContactName="Clara & Co", ContactPhone="+1 617")
    key = contacts(shipped)["Clara & Co"]
    execute(shipped, "UsrDeleteContact", ContactId=key)
    assert sorted(contacts(shipped)) == ["Alice Moore", "Boris Koval"]
    execute(shipped, "UsrDeleteContact", ContactId=key)
    assert newest(shipped)["ErrorDescription"] == "No such contact"


def test_a_contact_is_onboarded_element_by_element(shipped: httpx.Client) -> None:
    first = execute(shipped, "UsrOnboardContact", result="ApprovalElement", ContactName="Alice Moore")
    stages = []
    for design in CHAIN:
        (held,) = shipped.get("/0/odata/SysProcessElementData").json()["value"]
        assert held["SchemaElementUId"] == design
        stages.append(held["Id"] == first)
        shipped.get(f"{SERVICE}/ExecProcElByUId/{held['Id']}")
        stages.append(execute(shipped, "UsrGetOnboardingStage", result="Stage", ContactId=ALICE))
    assert stages == [True, "Approved", False, "Has an account", False, "Welcomed"]
    filter_ = "SysSchema/Name eq 'UsrOnboardContact'"
    (row,) = shipped.get("/0/odata/SysProcessLog", params={"$filter": filter_}).json()["value"]
    assert row["StatusId"] == COMPLETED


def test_an_onboarding_is_cancelled(shipped: httpx.Client) -> None:
    execute(shipped, "UsrOnboardContact", ContactId=ALICE)
    execute(shipped, "UsrCancelOnboarding", ContactId=ALICE)
    assert execute(shipped, "UsrGetOnboardingStage", result="Stage", ContactId=ALICE) == "Cancelled"


def test_nobody_is_onboarded_without_being_named(shipped: httpx.Client) -> None:
    execute(shipped, "UsrOnboardContact")
    assert newest(shipped)["ErrorDescription"] == "No such contact"


def run(client: httpx.Client, process: str, *results: str, **parameters: Json) -> dict[str, Json]:
    values: Json = [{"name": name, "value": value} for name, value in parameters.items()]
    body: Json = {"schemaName": process, "parameterValues": values, "resultParameterNames": list(results)}
    said = client.post(f"{SERVICE}/RunProcess", json=body).json()
    assert isinstance(said, dict)
    return said


def test_scores_are_recalculated_behind_the_answer(shipped: httpx.Client) -> None:
    assert run(shipped, "UsrRecalculateScores", Bonus=3)["processStatus"] == 1
    assert {row["Score"] for row in shipped.get("/odata/Contact").json()["value"]} == {None}
    assert run(shipped, "UsrRecalculateScores", "Score", Bonus=3)["resultParameterValues"] == {"Score": 28}
    assert [row["Score"] for row in shipped.get("/odata/Contact").json()["value"]] == [14, 14]
    assert [row["StatusId"] for row in shipped.get("/odata/SysProcessLog").json()["value"]] == [COMPLETED] * 2


@pytest.mark.parametrize(("amount", "percent"), [(0, 0), (99.99, 0), (100, 5), ("999.99", 5), (1000, 10), (1e9, 10)])
def test_an_amount_earns_a_discount(shipped: httpx.Client, amount: Json, percent: int) -> None:
    assert run(shipped, "UsrCheckDiscount", "Percent", Amount=amount)["resultParameterValues"] == {"Percent": percent}


def test_a_negative_amount_is_refused(shipped: httpx.Client) -> None:
    assert run(shipped, "UsrCheckDiscount", "Percent", Amount=-1)["processStatus"] == 3
    assert newest(shipped)["ErrorDescription"] == "An amount cannot be negative"


def test_an_integration_is_switched_off_and_on(shipped: httpx.Client) -> None:
    def switched(*, active: bool) -> Json:
        said = run(shipped, "UsrSwitchIntegration", "WasActive", Integration="Order import", Active=active)
        return said["resultParameterValues"]

    def is_active() -> list[Json]:
        return [row["Active"] for row in shipped.get("/odata/Integration").json()["value"]]

    assert is_active() == [True, False]
    assert switched(active=False) == {"WasActive": True}
    assert is_active() == [False, False]
    assert switched(active=True) == {"WasActive": False}
    assert is_active() == [True, False]
    run(shipped, "UsrSwitchIntegration", Integration="Orders")
    assert newest(shipped)["ErrorDescription"] == "No integration is called Orders"


def _files() -> list[Path]:
    return sorted(SHIPPED.glob("*.process.yaml"))
