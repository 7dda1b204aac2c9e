"""The family of a process's versions, read from a site by two readings: the root of it, then every member."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sandboxes import serve_sandbox

from runner.foundation.values import Json, JsonObject
from runner.service.auth import PASSWORD
from runner.service.calls import Answered, FindFamily, ReadFamily, ReadRows, RunProcessCall, Version
from runner.service.client import Client
from runner.service.site import Site

SUPERVISOR = PASSWORD.credentials(username="Supervisor", password="Supervisor")
DOUBLES = {
    "UsrAddTours": "",
    "UsrAddTours_v1": "of: UsrAddTours\nversion: 2\nactive: true\nactivities: [fail: No seats]\n",
    "UsrOther": "",
}


def value(ending: object) -> Json:
    assert isinstance(ending, Answered)
    return ending.value


def members(client: Client, process: str) -> list[JsonObject]:
    root = value(client.perform(FindFamily(process=process), 10))
    found = value(client.perform(ReadFamily(root=str(root)), 10))
    assert isinstance(found, list)
    return [member for member in found if isinstance(member, dict)]


def statuses(client: Client, schema_id: str) -> list[Json]:
    rows = value(client.perform(ReadRows(process="UsrAddTours", schema_ids=(schema_id,)), 10))
    assert isinstance(rows, list)
    return [row["status"] for row in rows if isinstance(row, dict)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for code, more in DOUBLES.items():
        (tmp_path / f"{code}.process.yaml").write_text(f"runner: 1\nprocess: {code}\n{more}")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    with serve_sandbox(folder) as served, closing(Client(Site(url=f"{served.url}/"), credentials=SUPERVISOR)) as client:
        yield client


def test_the_row_of_a_call_is_found_by_the_schemas_of_all_members(client: Client) -> None:
    client.perform(RunProcessCall(process="UsrAddTours", parameters={}), 10)

    family = members(client, "UsrAddTours")

    assert [(one["code"], one["version"], one["active"]) for one in family] == [
        ("UsrAddTours", 1, False),
        ("UsrAddTours_v1", 2, True),
    ]
    assert members(client, "UsrAddTours_v1") == family, "whichever of them is named"
    assert [statuses(client, str(one["schema_id"])) for one in family] == [[], ["error"]]
    assert [one["code"] for one in members(client, "UsrOther")] == ["UsrOther"]


def test_a_process_that_the_library_does_not_have_has_no_family(client: Client) -> None:
    assert value(client.perform(FindFamily(process="UsrNone"), 10)) is None


@pytest.mark.parametrize(("number", "status"), [(1, "done"), (2, "error")])
def test_a_version_is_run_by_its_number_whether_it_is_active_or_not(client: Client, number: int, status: str) -> None:
    found = next(one for one in members(client, "UsrAddTours") if one["version"] == number)
    version = Version(number=number, code=str(found["code"]), uid=str(found["uid"]))

    answer = value(client.perform(RunProcessCall(process="UsrAddTours", parameters={}, version=version), 10))

    assert isinstance(answer, dict)
    assert (answer["status"], statuses(client, str(found["schema_id"]))) == (status, [status])
