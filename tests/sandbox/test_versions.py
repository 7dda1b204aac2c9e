"""Versions of a process in the sandbox: callers name the root, the active version runs, the log bears its schema."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from runner.foundation.values import Json
from runner.sandbox.loading import catalogue, load_doubles

Site = Callable[[Mapping[str, str]], httpx.Client]
Folder = Callable[[Mapping[str, str]], Path]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
SCHEMA = "/0/DataService/json/SyncReply/ProcessSchemaRequest"
NOBODY = "00000000-0000-0000-0000-000000000000"
ROOT = """
runner: 1
process: UsrAddTours
caption: Add tours
parameters:
  Seats: {type: integer}
  Ran: {type: text, direction: out}
activities:
  - set: {Ran: root}
"""
MEMBER = """
runner: 1
process: UsrAddTours_v1
caption: Add tours
of: UsrAddTours
version: 2
active: true
parameters:
  Level: {type: integer, direction: both}
  Ran: {type: text, direction: out}
activities:
  - set: {Ran: member}
"""
PARKED = """
runner: 1
process: UsrAddTours_v2
of: UsrAddTours
version: 3
parameters: {Ran: {type: text, direction: out}}
activities:
  - element: {}
  - set: {Ran: third}
"""
FAMILY = {"a.process.yaml": ROOT, "b.process.yaml": MEMBER, "c.process.yaml": PARKED}
CODES = ("UsrAddTours", "UsrAddTours_v1", "UsrAddTours_v2")


@pytest.fixture
def family(site: Site) -> httpx.Client:
    return site(FAMILY)


def execute(client: httpx.Client, code: str) -> str:
    return client.get(f"{SERVICE}/{code}/Execute", params={"ResultParameterName": "Ran"}).text


def run(client: httpx.Client, method: str = "RunProcess", **body: Json) -> dict[str, Json]:
    said = client.post(f"{SERVICE}/{method}", json={"resultParameterNames": ["Ran"], **body}).json()
    assert isinstance(said, dict)
    return said


def rows(client: httpx.Client, entity: str, filtered: str = "") -> list[dict[str, Json]]:
    found = client.get(f"/0/odata/{entity}", params={"$filter": filtered} if filtered else {}).json()["value"]
    assert isinstance(found, list)
    return found


def library(client: httpx.Client) -> dict[str, dict[str, Json]]:
    return {str(row["Name"]): row for row in rows(client, "VwProcessLib")}


def test_a_call_of_the_root_runs_the_active_version(family: httpx.Client) -> None:
    assert "member" in execute(family, "UsrAddTours")
    assert run(family, schemaName="UsrAddTours")["resultParameterValues"] == {"Ran": "member"}
    assert run(family, schemaUId=library(family)["UsrAddTours"]["UId"])["resultParameterValues"] == {"Ran": "member"}


def test_a_call_of_a_version_runs_the_active_one_too(family: httpx.Client) -> None:
    assert "member" in execute(family, "UsrAddTours_v2")


def test_the_row_of_the_log_bears_the_schema_of_the_version_that_ran(family: httpx.Client) -> None:
    key = run(family, schemaName="UsrAddTours")["processId"]
    known = library(family)

    (row,) = rows(family, "SysProcessLog")

    assert (row["Id"], row["SysSchemaId"]) == (key, known["UsrAddTours_v1"]["SysSchemaId"])
    assert rows(family, "SysProcessLog", "SysSchema/Name eq 'UsrAddTours'") == []
    assert len(rows(family, "SysProcessLog", "SysSchema/Name eq 'UsrAddTours_v1'")) == 1
    ids = " or ".join(f"SysSchema/Id eq {known[code]['SysSchemaId']}" for code in CODES)
    assert len(rows(family, "SysProcessLog", f"({ids})")) == 1


def test_the_library_has_a_row_for_each_version_that_leads_to_the_root(family: httpx.Client) -> None:
    known = library(family)
    root = known["UsrAddTours"]

    assert [
        (known[code]["Version"], known[code]["IsActiveVersion"], known[code]["IsMaxVersion"]) for code in CODES
    ] == [
        (1, False, False),
        (2, True, False),
        (3, False, True),
    ]
    assert (root["VersionParentUId"], root["VersionParentId"]) == (NOBODY, NOBODY)
    for code in CODES[1:]:
        assert (known[code]["VersionParentUId"], known[code]["VersionParentId"]) == (root["UId"], root["Id"])
    of_root = rows(family, "VwProcessLib", f"VersionParentUId eq {root['UId']} or UId eq {root['UId']}")
    assert sorted(str(row["Name"]) for row in of_root) == sorted(CODES)
    assert all(row["IsProcessTracing"] is True for row in known.values())


@pytest.mark.parametrize(
    ("code", "parameters"), [("UsrAddTours", {"Seats", "Ran"}), ("UsrAddTours_v1", {"Level", "Ran"})]
)
def test_each_version_has_a_signature_of_its_own(family: httpx.Client, code: str, parameters: set[str]) -> None:
    said = family.post(SCHEMA, json={"uId": library(family)[code]["Id"]}).json()
    design = json.loads(said["schema"]["metaData"])["metaData"]["schema"]
    assert {each["name"] for each in design["parameters"]} == parameters


@pytest.mark.parametrize("by", ["schemaName", "schemaUId"])
def test_a_version_that_is_not_active_is_run_when_it_is_named(family: httpx.Client, by: str) -> None:
    names = {"schemaName": "UsrAddTours", "schemaUId": library(family)["UsrAddTours"]["UId"]}

    said = run(family, "RunSpecifiedProcessVersion", **{by: names[by]})

    assert (said["success"], said["processStatus"], said["resultParameterValues"]) == (True, 2, {"Ran": "root"})
    (row,) = rows(family, "SysProcessLog")
    assert row["SysSchemaId"] == library(family)["UsrAddTours"]["SysSchemaId"]


def test_the_id_counts_where_a_version_is_named_twice(family: httpx.Client) -> None:
    uid = library(family)["UsrAddTours"]["UId"]
    said = run(family, "RunSpecifiedProcessVersion", schemaName="UsrAddTours_v1", schemaUId=uid)
    assert said["resultParameterValues"] == {"Ran": "root"}


def test_an_instance_goes_on_in_the_version_that_it_began_in(family: httpx.Client) -> None:
    said = run(family, "RunSpecifiedProcessVersion", schemaName="UsrAddTours_v2")
    assert said["processStatus"] == 1
    (element,) = rows(family, "SysProcessElementLog")

    family.get(f"{SERVICE}/ExecProcElByUId/{element['Id']}")

    (row,) = rows(family, "SysProcessLog", f"Id eq {said['processId']}")
    assert row["CompleteDate"] is not None


@pytest.mark.parametrize("body", [b"[]", b"no", b"{}", b'{"schemaName": "UsrNone"}'])
def test_a_version_that_is_not_there_is_not_run(family: httpx.Client, body: bytes) -> None:
    reply = family.post(f"{SERVICE}/RunSpecifiedProcessVersion", content=body)
    assert reply.status_code == 400 or reply.json()["success"] is False
    assert rows(family, "SysProcessLog") == []
    assert family.get(f"{SERVICE}/RunSpecifiedProcessVersion").status_code == 404


def test_a_family_without_an_active_version_cannot_be_started(site: Site) -> None:
    client = site({"a.process.yaml": f"{ROOT}active: false\n"})
    assert client.get(f"{SERVICE}/UsrAddTours/Execute").status_code == 500
    assert run(client, schemaName="UsrAddTours")["success"] is False
    assert run(client, "RunSpecifiedProcessVersion", schemaName="UsrAddTours")["success"] is True


def test_a_fault_that_is_set_for_the_process_is_applied_to_its_active_version(family: httpx.Client) -> None:
    family.post("/sandbox/faults", json={"fault": "status_500", "process": "UsrAddTours", "times": 1})
    assert family.get(f"{SERVICE}/UsrAddTours/Execute").status_code == 500
    assert family.get(f"{SERVICE}/UsrAddTours/Execute").status_code == 200


def test_a_fault_of_a_file_is_applied_to_its_own_version_alone(site: Site) -> None:
    client = site({**FAMILY, "a.process.yaml": f"{ROOT}faults: [{{fault: status_500}}]\n"})
    assert client.get(f"{SERVICE}/UsrAddTours/Execute").status_code == 200


def test_a_double_by_itself_is_its_own_root_active_and_version_1(site: Site) -> None:
    row = library(site({"a.process.yaml": ROOT}))["UsrAddTours"]
    assert (row["Version"], row["IsActiveVersion"], row["IsMaxVersion"]) == (1, True, True)
    assert row["VersionParentUId"] == NOBODY


def test_jobs_are_held_against_the_active_version_under_the_code_of_the_root(folder: Folder) -> None:
    doubles, problems = load_doubles(folder(FAMILY))
    assert problems == ()

    found = catalogue(doubles, target="sandbox", folder="doubles").processes

    assert list(found) == ["UsrAddTours"]
    tours = found["UsrAddTours"]
    assert (tours.version, tours.why_not, {*tours.takes}) == (2, None, {"Level"})
    assert [(member.code, member.version, member.active) for member in tours.members] == [
        ("UsrAddTours", 1, False),
        ("UsrAddTours_v1", 2, True),
        ("UsrAddTours_v2", 3, False),
    ]


def test_where_no_version_is_active_jobs_learn_it(folder: Folder) -> None:
    doubles, _ = load_doubles(folder({"a.process.yaml": f"{ROOT}active: false\n"}))
    found = catalogue(doubles, target="sandbox", folder="doubles").processes["UsrAddTours"]
    assert found.why_not == "none of its versions is active"


HEAD = "runner: 1\nprocess: UsrB\n"
MISTAKES = [
    (HEAD + "of: UsrAddTuors\nversion: 2\n", "3:5 E126", "there is no double of `UsrAddTuors`", "did you mean"),
    (HEAD + "of: Nothing\nversion: 2\n", "3:5 E126", "there is no double of `Nothing`", "write a double of"),
    (HEAD + "of: UsrAddTours_v1\nversion: 4\n", "3:5 E107", "is a version itself", "write `of: UsrAddTours`"),
    (HEAD + "of: UsrB\nversion: 2\n", "3:5 E107", "cannot be a version of itself", "a schema of its own"),
    (HEAD + "of: UsrAddTours\n", "3:5 E105", "`version` is missing", "write its number"),
    (HEAD + "of: UsrAddTours\nversion: 2\n", "4:10 E111", "version 2 of `UsrAddTours` is `UsrAddTours_v1`", "own"),
    (HEAD + "of: UsrAddTours\nversion: 1\n", "4:10 E111", "version 1 of `UsrAddTours` is `UsrAddTours`", "own"),
    (
        HEAD + "of: UsrAddTours\nversion: 4\nactive: true\n",
        "5:9 E111",
        "two versions of `UsrAddTours` are active",
        "runs",
    ),
    (HEAD + "of: UsrAddTours\nversion: 4\nactive: 'yes'\n", "5:9 E106", "", ""),
    (HEAD + "of: UsrAddTours\nversion: two\n", "4:10 E106", "", ""),
    (HEAD + "of: '{{ x }}'\nversion: 2\n", "3:5 E122", "no template is read here", ""),
    ("runner: 1\nprocess: UsrAddTours\nof: UsrAddTours\nversion: 2\n", "3:5 E107", "cannot be a version of itself", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_in_a_family_is_reported_at_its_place(
    folder: Folder, *, text: str, place: str, message: str, hint: str
) -> None:
    _, problems = load_doubles(folder({"a.process.yaml": ROOT, "b.process.yaml": MEMBER, "d.process.yaml": text}))
    (problem,) = problems
    assert problem.span is not None
    assert f"{problem.span.line}:{problem.span.column} {problem.code}" == place
    assert str(problem.file).endswith("d.process.yaml")
    assert message in problem.message
    assert hint in (problem.hint or "")


def test_a_root_that_says_that_it_is_active_beside_an_active_version_is_reported(folder: Folder) -> None:
    _, (problem,) = load_doubles(folder({"a.process.yaml": f"{ROOT}active: true\n", "b.process.yaml": MEMBER}))
    assert (problem.code, Path(str(problem.file)).name) == ("E111", "b.process.yaml")
