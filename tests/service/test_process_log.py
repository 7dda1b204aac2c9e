import pytest
from msgspec.structs import replace

from runner.foundation.values import Json, JsonObject
from runner.service import process_log
from runner.service.bodies import NonsenseError
from runner.service.calls import (
    FindFamily,
    FindProcess,
    ReadElementData,
    ReadElements,
    ReadFamily,
    ReadRow,
    ReadRows,
    TableCall,
    WhoIsUser,
)

ROWS = ReadRows(process="P")
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("ed2ae277-b6e2-df11-971b-001d60e938c6", "running"),
        ("815C9586-B6E2-DF11-971B-001D60E938C6", "done"),
        ("f942c08d-b6e2-df11-971b-001d60e938c6", "error"),
        ("1be78f3e-234d-4d6a-869a-dc07253fd2f3", "cancelled"),
        ("11111111-2222-3333-4444-555555555555", "11111111-2222-3333-4444-555555555555"),
        (None, None),
    ],
)
def test_statuses_are_words_where_they_are_known(status: str | None, word: str | None) -> None:
    rows = process_log.value(ROWS, [{"Id": "AB", "StatusId": status}])
    assert isinstance(rows, list)
    assert isinstance(rows[0], dict)
    assert rows[0]["status"] == word


@pytest.mark.parametrize("record", [{}, {"Id": None}, {"Id": NOBODY}, {"Id": 1}])
def test_a_row_without_an_id_is_no_answer(record: JsonObject) -> None:
    with pytest.raises(NonsenseError, match="a record of SysProcessLog in it has no `Id`"):
        process_log.value(ROWS, [{"Id": "AB"}, record])


def test_what_a_row_lacks_is_null_in_every_way_of_lacking_it() -> None:
    empty: JsonObject = {
        "Id": "AB",
        "StartDate": "s",
        "CompleteDate": "0001-01-01T00:00:00Z",
        "OwnerId": NOBODY,
        "Name": "",
    }
    assert process_log.value(ROWS, [empty]) == [
        {"id": "ab", "name": None, "started": "s", "completed": None, "status": None, "owner": None}
        | {"parent": None, "error": None}
    ]


def test_a_row_says_which_process_it_is_a_part_of() -> None:
    part: JsonObject = {"Id": "AB", "ParentId": "410006E1-CA4E-4502-A9EC-E54D922D2C00"}
    (row,) = rows if isinstance(rows := process_log.value(ROWS, [part]), list) else []
    assert isinstance(row, dict)
    assert row["parent"] == "410006e1-ca4e-4502-a9ec-e54d922d2c00"


def test_elements_are_reported_in_the_words_of_rows_and_what_they_lack_is_null() -> None:
    running, odd = "ED2AE277-B6E2-DF11-971B-001D60E938C6", "11111111-2222-3333-4444-555555555555"
    found: list[JsonObject] = [
        {
            "Id": "CD",
            "SchemaElementUId": "AB",
            "Type": "UserTask",
            "Caption": "Approve",
            "StatusId": running,
            "ErrorDescription": "",
        },
        {"SchemaElementUId": NOBODY, "StatusId": odd, "ErrorDescription": "No right"},
    ]
    assert process_log.value(ReadElements(process_id="p"), [found[0], *found]) == [
        {"id": "cd", "uid": "ab", "kind": "UserTask", "caption": "Approve", "status": "running", "error": None},
        {"id": None, "uid": None, "kind": None, "caption": None, "status": odd, "error": "No right"},
    ]


def test_the_elements_that_the_engine_holds_have_a_status_in_words_or_the_servers_own_number() -> None:
    found: list[JsonObject] = [{"Id": "CD", "SchemaElementUId": "AB", "Status": status} for status in (1, 3, 77, None)]
    elements = process_log.value(ReadElementData(process_id="p"), found)
    assert isinstance(elements, list)
    assert elements[0] == {"id": "cd", "uid": "ab", "status": "running"}
    assert [one["status"] for one in elements if isinstance(one, dict)] == ["running", "error", "77", None]


def test_a_process_without_traced_elements_has_none() -> None:
    assert process_log.value(ReadElements(process_id="p"), []) == []


def test_a_row_that_is_not_there_is_none() -> None:
    assert process_log.value(ReadRow(process_id="p"), []) is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], None),
        ([{"Id": "A"}], "a"),
        ([{"Id": "A", "SysSchemaId": "B"}], "b"),
        ([{"Id": "A", "IsActiveVersion": False}, {"Id": "B", "IsActiveVersion": True}], "b"),
        ([{"Id": NOBODY}], None),
    ],
)
def test_a_schema_is_the_active_versions(rows: list[JsonObject], expected: str | None) -> None:
    assert process_log.value(FindProcess(process="P"), rows) == expected


def test_the_exact_code_counts_where_codes_differ_in_capitals() -> None:
    rows: list[JsonObject] = [
        {"Name": "usrP", "UId": "A", "SysSchemaId": "A", "IsActiveVersion": True},
        {"Name": "UsrP", "UId": "B", "SysSchemaId": "B", "IsActiveVersion": False},
    ]
    assert process_log.value(FindFamily(process="UsrP"), rows) == "b"
    assert process_log.value(FindProcess(process="UsrP"), rows) == "b"
    assert process_log.value(FindFamily(process="usrp"), rows) == "a"


@pytest.mark.parametrize(
    ("rows", "root"),
    [
        ([], None),
        ([{"UId": "A"}], "a"),
        ([{"UId": "A", "VersionParentUId": NOBODY}], "a"),
        ([{"UId": "A", "VersionParentUId": "A"}], "a"),
        ([{"UId": "B", "VersionParentUId": "A"}], "a"),
        ([{"UId": NOBODY}], None),
        ([{"Name": "P"}, {"Name": "P", "UId": "A"}], "a"),
    ],
)
def test_the_root_of_a_family_is_the_parent_of_its_versions(rows: list[JsonObject], root: str | None) -> None:
    assert process_log.value(FindFamily(process="P"), rows) == root


def test_what_a_library_does_not_say_of_a_version_is_none() -> None:
    nothing = dict.fromkeys(("code", "uid", "schema_id", "version", "active", "enabled", "traced"))
    rows: list[JsonObject] = [{}, {"Id": "A", "Version": True, "IsActiveVersion": "true"}]
    assert process_log.value(ReadFamily(root="r"), [*rows, rows[1]]) == [nothing, {**nothing, "schema_id": "a"}]


@pytest.mark.parametrize("answer", [None, 1, "x", [], {}, {"contactId": None}, {"contactId": 1}, {"contactId": NOBODY}])
def test_an_answer_without_a_contact_names_nobody(answer: Json) -> None:
    assert process_log.contact(answer) is None


def test_a_user_who_is_not_listed_is_nobody() -> None:
    assert process_log.value(WhoIsUser(), []) is None
    assert process_log.value(WhoIsUser(), [{"ContactId": "C"}]) == "c"


@pytest.mark.parametrize(("status", "word"), [(1, "running"), (True, "True"), (1.0, "1.0"), ("1", "1"), ([], "[]")])
def test_a_status_of_an_element_is_known_by_a_whole_number_only(status: Json, word: str) -> None:
    elements = process_log.value(ReadElementData(process_id="p"), [{"Id": "AB", "Status": status}])
    assert isinstance(elements, list)
    assert isinstance(elements[0], dict)
    assert elements[0]["status"] == word


def test_why_processes_failed_before_a_call_is_not_asked_for() -> None:
    assert "ErrorDescription" in process_log.reading(ROWS).options["$select"]
    before = process_log.reading(replace(ROWS, reasons=False))
    assert "ErrorDescription" not in before.options["$select"]
    rows = before.value([{"Id": "1f0c9a3e-92a3-4c0b-8f1c-0a9b6f6a0001", "ErrorDescription": "token 1234"}])
    assert "token 1234" not in str(rows)


def test_the_time_since_which_rows_are_read_holds_for_all_versions_of_a_process() -> None:
    one, two = (f"SysSchema/Id eq {schema_id}" for schema_id in ("11", "22"))
    for schema_ids, condition in ((("11",), one), (("11", "22"), f"({one} or {two})")):
        call = ReadRows(process="P", schema_ids=schema_ids, since="2026-01-31T09:00:00Z")
        found = process_log.reading(call).options["$filter"]
        assert found == f"{condition} and StartDate ge 2026-01-31T09:00:00Z"


OURS, OTHER = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("call", "column"),
    [
        (ReadRow(process_id=OURS), "Id"),
        (ReadRows(process="P", schema_ids=(OURS,)), "SysSchemaId"),
        (ReadElements(process_id=OURS), "SysProcessId"),
        (ReadElementData(process_id=OURS), "SysProcessId"),
        (ReadFamily(root=OURS), "VersionParentUId"),
    ],
)
def test_a_record_of_another_process_is_no_answer(call: TableCall, column: str) -> None:
    own: JsonObject = {"Id": OURS, column: OURS.upper()}
    assert process_log.value(call, [own])
    with pytest.raises(NonsenseError, match=r"were not asked for: `\$filter` did not reach the site"):
        process_log.value(call, [own, {"Id": OTHER, column: OTHER}])
    if not isinstance(call, ReadFamily):
        assert column in process_log.reading(call).options["$select"].split(",")
