import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalogue.model import Direction, Kind
from runner.explanations.read import titles
from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.reading.load import Document, load
from runner.sandbox.doubles import STAMPS, Activity, Background, CallFault, Delay, Fail, Park, Select, Set
from runner.sandbox.loading import load_doubles
from runner.sandbox.rules import check

Folder = Callable[[Mapping[str, str]], Path]

ONBOARD = """\
runner: 1
process: UsrOnboardContact
caption: Onboard a contact
parameters:
  ContactId: {type: guid, direction: in}
  Score: {type: integer, direction: out}
  ApprovalElement: {type: guid, direction: out}
  Found: {type: records, direction: out, items: {Id: guid, Name: text}}
activities:
  - select: {entity: Contact, where: row.Id == parameters.ContactId and row.Rank != 0, into: Found}
  - fail: No such contact
    if: parameters.Found | length == 0
  - set: {Score: "{{ parameters.Found[0].Name | length }}"}
  - element: {into: ApprovalElement, caption: Approve}
  - delay: 1.5s
  - update: {entity: Contact, where: row.Kind == "x", values: {Approved: "{{ row.Town }}"}}
  - insert: {entity: Log, values: {Text: "{{ run.id }}"}}
  - delete: {entity: Log, where: row.Old == true}
  - background: true
faults:
  - {fault: queued, times: 2}
  - {fault: slow, seconds: 0.5}
"""

HEAD = "runner: 1\nprocess: UsrA\nparameters:\n  Name: {type: text}\n  Rows: {type: records}\nactivities:\n"


def reported(problem: Problem) -> tuple[str, str, str | None]:
    """Place and code, message, hint."""
    assert problem.span is not None
    return f"{problem.span.line}:{problem.span.column} {problem.code}", problem.message, problem.hint


def test_a_double_becomes_records(folder: Folder) -> None:
    doubles, problems = load_doubles(folder({"UsrOnboardContact.process.yaml": ONBOARD}))
    assert problems == ()
    double = doubles.processes["UsrOnboardContact"]
    assert double.caption == "Onboard a contact"
    assert double.parameters["Found"].items == {"Id": Kind.GUID, "Name": Kind.TEXT}
    assert double.parameters["Score"].direction is Direction.OUT
    found = Select(entity="Contact", where="row.Id == parameters.ContactId and row.Rank != 0", into="Found")
    assert double.activities[:5] == (
        Activity(deed=found, line=10),
        Activity(deed=Fail(text="No such contact"), condition="parameters.Found | length == 0", line=11),
        Activity(deed=Set(values={"Score": "{{ parameters.Found[0].Name | length }}"}), line=13),
        Activity(deed=Park(into="ApprovalElement", caption="Approve"), line=14),
        Activity(deed=Delay(seconds=1.5), line=15),
    )
    assert double.activities[-1] == Activity(deed=Background(), line=19)
    assert double.faults == (
        CallFault(kind="queued", times=2, seconds=1),
        CallFault(kind="slow", seconds=0.5),
    )


def test_entities_have_the_columns_that_doubles_and_records_mention(folder: Folder) -> None:
    records = "Contact:\n  - {Name: Anna, Age: 4}\n  - {Phone: x}\nTown: []\n"
    doubles, problems = load_doubles(folder({"a.process.yaml": ONBOARD, "records.yaml": records}))
    assert problems == ()
    assert doubles.columns == {
        "Contact": ("Id", "Name", "Age", "Phone", "Rank", "Approved", "Kind", "Town", *STAMPS),
        "Town": ("Id", *STAMPS),
        "Log": ("Id", "Text", "Old", *STAMPS),
    }


def test_first_records_without_an_id_get_the_same_one_each_time(folder: Folder) -> None:
    place = folder(
        {"records.yaml": "Contact:\n  - Name: Anna\n  - {Name: Boris, Id: AAAAAAAA-0000-0000-0000-000000000001}"}
    )
    first, again = (load_doubles(place)[0].records["Contact"] for _ in range(2))
    assert first == again
    assert [list(record) for record in first] == [["Id", "Name"], ["Id", "Name"]]
    assert first[1]["Id"] == "aaaaaaaa-0000-0000-0000-000000000001"


def test_a_short_double_is_called_by_its_code(folder: Folder) -> None:
    doubles, problems = load_doubles(folder({"a.process.yaml": "runner: 1\nprocess: UsrA\n"}))
    assert problems == ()
    assert (doubles.processes["UsrA"].caption, doubles.processes["UsrA"].activities) == ("UsrA", ())


def test_an_empty_folder_is_a_sandbox_without_processes(folder: Folder) -> None:
    doubles, problems = load_doubles(folder({"notes.txt": "", "other.yaml": "{"}))
    assert (doubles.processes, doubles.records, problems) == ({}, {}, ())


def test_a_folder_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    _, (problem,) = load_doubles(tmp_path / "none")
    assert (problem.code, problem.file) == ("E100", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("start", "place", "message"),
    [
        ("{entity: A, change: insert, where: parameters.X == 1}", "3:47 E126", "`parameters` is not known"),
        ("{entity: A, change: insert, where: 'row.'}", "3:47 E120", ""),
        ("{entity: A, change: insert, where: row.Id == 1}", "3:47 E177", ""),
        ("{entity: SysProcessLog, change: insert}", "3:21 E107", "belongs to the sandbox itself"),
        ("{entity: A, change: delete, into: Keys}", "3:46 E126", "unknown parameter `Keys`"),
        ("{entity: A, change: delete, into: Count}", "3:46 E107", "cannot hold an Id"),
        ("{entity: A, change: inserted}", "3:32 E107", "not `inserted`"),
        ("{entity: A}", "3:1 E105", ""),
    ],
)
def test_a_mistake_in_what_starts_a_double_is_found_at_its_place(
    folder: Folder, start: str, place: str, message: str
) -> None:
    parameters = "parameters: {Key: {type: guid}, Count: {type: integer}}"
    text = f"runner: 1\nprocess: UsrA\nstarts_on: {start}\n{parameters}\n"
    _, problems = load_doubles(folder({"a.process.yaml": text}))
    found = problems[0]
    assert found.span
    assert f"{found.span.line}:{found.span.column} {found.code}" == place
    assert message in found.message


MISTAKES = [
    ("  - set: {Nmae: x}", "7:11 E126", "unknown parameter `Nmae`", "did you mean `Name`?"),
    ("  - set: {Name: '{{ parameters.Nam }}'}", "7:17 E126", "unknown parameter `Nam`", "did you mean `Name`?"),
    ("  - set: {Name: '{{ Name }}'}", "7:17 E126", "unknown name `Name`", "did you mean `parameters.Name`?"),
    ("  - set: {Name: '{{ inputs.x }}'}", "7:17 E126", "unknown name `inputs`", "known here are `parameters`, `run`"),
    ("  - set: {Name: '{{ run.started_at }}'}", "7:17 E126", "`run` has no `started_at`", "a double knows `run.id`"),
    ("  - set: {Name: '{{ row.Id }}'}", "7:17 E126", "`row` is known in `where` and in the `values` of `update`", None),
    ("  - set:\n      Name: |\n        one\n        {{ nothing }}\n", "10:12 E126", "unknown name `nothing`", ...),
    ("  - set: {Rows: 5}", "7:17 E171", "`Rows` takes a list of records, not `5`", "write a list: `- {CODE: VALUE}`"),
    ("  - fail: '{{ success() }}'", "7:11 E124", "`success()` is known in jobs only", None),
    ("  - fail: '{{ parameters.Name'", "7:11 E120", ..., ...),
    ("  - fail: x\n    if: parameters.Name === 1", "8:9 E120", ..., ...),
    ("  - fail: x\n    if: '{{ parameters.Name }}'", "8:9 E121", ..., ...),
    ("  - fail: x\n    if: row.Id == 1", "8:9 E126", "`row` is known in `where` and in the `values` of `update`", None),
    ("  - element: {uid: '{1}'}", "7:20 E113", "`{1}` is not a GUID", ...),
    ("  - element: {uid: '{{ parameters.Name }}'}", "7:20 E122", "no template is read here", ...),
    ("  - element: {into: Nothing}", "7:21 E126", "unknown parameter `Nothing`", "the parameters are `Name`, `Rows`"),
    (
        "  - {fail: x, if: parameters.Other == ''}",
        "7:19 E126",
        "unknown parameter `Other`",
        "the parameters are `Name`, `Rows`",
    ),
    ("  - delete: {entity: A, where: Id == 'x'}", "7:32 E126", "unknown name `Id`", "did you mean `row.Id`?"),
    (
        "  - delete: {entity: A, where: Name == 'x'}",
        "7:32 E126",
        "unknown name `Name`",
        "write `row.Name` for the column, `parameters.Name` for the parameter",
    ),
    ("  - delete: {entity: A, where: inputs.x == 1}", "7:32 E126", "unknown name `inputs`", ...),
    (
        "  - set: {Rows: parameters.Name}",
        "7:17 E123",
        "`parameters.Name` is a text here: only what is in braces is worked out",
        'write `"{{ parameters.Name }}"`',
    ),
    ("  - fail: x\n    if: parameters.Name == 0", "8:9 E177", ..., ...),
    ("  - fail: x\n    if: parameters.Rows > 5", "8:9 E174", ..., ...),
    ("  - fail: x\n    if: parameters.Rows", "8:9 E175", ..., ...),
    ("  - fail: '{{ parameters.Rows.Name }}'", "7:11 E173", "`parameters.Rows` is a list, and has no `Name`", ...),
    ("  - set: {Rows: '{{ 5 }}'}", "7:17 E171", ..., ...),
    ("  - delete: {entity: A, where: row.Id == 1}", "7:32 E177", ..., ...),
    ("  - element: {into: Rows}", "7:21 E107", "`Rows` is of type `records` and cannot hold the id of an element", ...),
    ("  - select: {entity: A, into: Name}", "7:31 E107", "`Name` is of type `text` and cannot hold records", ...),
    (
        "  - select: {entity: SysProcessLog, into: Rows}",
        "7:22 E107",
        "`SysProcessLog` belongs to the sandbox itself",
        None,
    ),
    ("  - delete: {entity: 'a b'}", "7:22 E107", "`a b` is no name of an entity", None),
    ("  - delete: {entity: A, where: 'row.'}", "7:32 E120", ..., ...),
    ("  - insert: {entity: A, values: {'a b': 1}}", "7:34 E107", "`a b` is no name of a column", None),
    ("  - insert: {entity: A, values: {B: '{{ row.X }}'}}", "7:37 E126", ..., None),
    ("  - update: {entity: A, values: {Id: x}}", "7:34 E107", "the Id of a record cannot be changed", None),
    ("  - background: false", "7:17 E107", ..., ...),
    ("  []\nfaults: [{fault: slwo}]", "8:18 E107", ..., ...),
    ("  []\nfaults: [{fault: slow, times: 0}]", "8:31 E107", "`times` must be at least 1, not 0", None),
    ("  []\nfaults: [{fault: html, seconds: 1}]", "8:24 E107", "only `slow` and `queued` take `seconds`", None),
    (
        "  []\nfaults: [{fault: slow}, {fault: html, times: 1}]",
        "8:25 E107",
        "no call meets this fault: the fault before it has no `times`",
        "give the fault before it `times`, or put it last",
    ),
]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"), MISTAKES, ids=[mistake[0].strip() for mistake in MISTAKES]
)
def test_a_mistake_in_a_double_is_reported_at_its_place(
    folder: Folder, *, text: str, place: str, message: object, hint: object
) -> None:
    doubles, problems = load_doubles(folder({"a.process.yaml": HEAD + text}))
    assert doubles.processes == {}
    assert len(problems) == 1
    said = reported(problems[0])
    assert said[0] == place
    assert message in {said[1], ...}
    assert hint in {said[2], ...}
    assert problems[0].file == str(Path(str(problems[0].file)).parent / "a.process.yaml")


def test_all_mistakes_of_all_files_are_reported_at_once(folder: Folder) -> None:
    files = {
        "a.process.yaml": HEAD + "  - fial: x\n  - fail: '{{ x }}'\n  - {set: {Name: 1}, fail: y}\n  - delay: 5\n",
        "b.process.yaml": "runner: 1\nprocess: [\n",
        "c.process.yaml": "- just\n- a list\n",
        "d.process.yaml": "",
        "records.yaml": "Contact: 5\n",
    }
    doubles, problems = load_doubles(folder(files))
    assert doubles.processes == {}
    files_told = [Path(str(problem.file)).name[0] for problem in problems]
    assert files_told == sorted(files_told)
    assert set(files_told) == set("abcdr")
    lines = [problem.span.line for problem in problems if problem.span and str(problem.file).endswith("a.process.yaml")]
    assert sorted(lines) == [7, 8, 9, 10]


def test_one_mistake_is_reported_once(folder: Folder) -> None:
    text = (
        HEAD + "  - element: {uid: '', into: ''}\n  - set: {Nmae: x, Naem: y, Name: '{{ a }} {{ b }}'}\n    iff: true\n"
    )
    _, problems = load_doubles(folder({"a.process.yaml": text}))
    assert [reported(problem)[0] for problem in problems] == [
        *("7:20 E108", "7:30 E108", "8:11 E126", "8:20 E126", "8:35 E126", "8:35 E126", "9:5 E104"),
    ]


def test_where_no_parameter_can_be_read_none_is_unknown(folder: Folder) -> None:
    text = "runner: 1\nprocess: UsrA\nparameters:\n  - name: A\nactivities:\n  - set: {A: '{{ parameters.B }}'}\n"
    _, problems = load_doubles(folder({"a.process.yaml": text}))
    assert [reported(problem)[0] for problem in problems] == ["4:3 E106"]


def test_a_value_that_is_read_otherwise_than_it_looks_is_warned_of_and_the_double_serves(folder: Folder) -> None:
    doubles, problems = load_doubles(folder({"UsrAdd.process.yaml": HEAD + "  - set:\n      Name: Contact #1\n"}))
    assert [problem.code for problem in problems] == ["E109"]
    assert len(doubles.processes) == 1


_WORDS = st.sampled_from(
    [
        *("process", "parameters", "activities", "faults", "if", "set", "insert", "select", "update", "delete"),
        *(
            "element",
            "delay",
            "fail",
            "background",
            "entity",
            "where",
            "values",
            "into",
            "uid",
            "type",
            "items",
            "Name",
        ),
        *("{{ parameters.Name }}", "{{ x", "row.Id", "records", "text", "", "a b", "[", "SysProcessLog", "\u2028"),
    ]
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=25,
)


@pytest.mark.slow
@given(parameters=_ANYTHING, activity=st.dictionaries(_WORDS, _ANYTHING, max_size=3), more=_ANYTHING)
def test_no_document_of_whatever_shape_breaks_the_rules(parameters: Json, activity: Json, more: Json) -> None:
    for data in (more, {"parameters": parameters, "activities": [activity, more], "faults": [more], "process": more}):
        document = load("a.process.yaml", json.dumps(data).encode())
        assert isinstance(document, Document)
        assert all(problem.code in titles() for problem in check(document))


def test_a_process_has_one_double(folder: Folder) -> None:
    files = {"a.process.yaml": "runner: 1\nprocess: UsrA", "b.process.yaml": "runner: 1\nprocess: UsrA"}
    _, (problem,) = load_doubles(folder(files))
    assert reported(problem)[0] == "2:10 E111"
    assert str(problem.file).endswith("b.process.yaml")
    assert "a.process.yaml" in problem.message


def test_an_id_is_fixed_for_one_element_of_a_double(folder: Folder) -> None:
    uid = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
    text = f"{HEAD}  - element: {{uid: {uid}}}\n  - element: {{uid: {uid.upper()}}}\n"
    _, (problem,) = load_doubles(folder({"a.process.yaml": text}))
    assert reported(problem)[:2] == ("8:20 E111", "two elements have this id")


RECORD_MISTAKES = [
    ("[]", "1:1 E106"),
    ("Contact: {Name: Anna}", "1:10 E106"),
    ("Contact: [Anna]", "1:11 E106"),
    ("Contact: [{Id: 5}]", "1:16 E113"),
    ("Contact: [{Name: [1]}]", "1:18 E106"),
    ("Contact: [{Name: '{{ x }}'}]", "1:18 E122"),
    ("Contact: [{'a b': 1}]", "1:12 E107"),
    ("'a b': []", "1:1 E107"),
    ("SysAdminUnit: []", "1:1 E107"),
    ("runner: 1", "1:1 E104"),
    ("Contact: [", "1:10 E101"),
    (
        "Contact:\n  - Id: aaaaaaaa-0000-0000-0000-000000000001\n  - Id: AAAAAAAA-0000-0000-0000-000000000001",
        "3:9 E111",
    ),
]


@pytest.mark.parametrize(("text", "place"), RECORD_MISTAKES)
def test_a_mistake_in_the_first_records_is_reported_at_its_place(folder: Folder, text: str, place: str) -> None:
    doubles, problems = load_doubles(folder({"records.yaml": text}))
    assert doubles.records == {}
    assert [reported(problem)[0] for problem in problems] == [place]


def test_hidden_copies_and_folders_are_no_doubles(folder: Folder) -> None:
    path = folder({"a.process.yaml": f"{HEAD}  - delay: 1s\n", "._a.process.yaml": "\0\5\26\7"})
    (path / ".#a.process.yaml").symlink_to("somebody@host.1234:5")
    (path / "old.process.yaml").mkdir()
    doubles, problems = load_doubles(path)
    assert ([*doubles.processes], problems) == (["UsrA"], ())


@pytest.mark.parametrize("text", ["process: build\n", "runner: docker\nprocess: build\n", "runner: 1\nname: a\n"])
def test_a_file_of_another_tool_is_no_double_by_another_name(folder: Folder, text: str) -> None:
    _, problems = load_doubles(folder({"a.yaml": text, "b.process.yml": text}))
    assert problems == ()


def test_a_double_by_another_name_is_reported(folder: Folder) -> None:
    _, (problem,) = load_doubles(folder({"a.process.yml": "runner: 1\nprocess: UsrA\n"}))
    assert (problem.message, problem.hint) == (
        "this double is not read: its name must end in .process.yaml",
        "rename it to `a.process.yaml`",
    )


@pytest.mark.slow
def test_doubles_are_checked_without_the_web_server() -> None:
    script = (
        "import sys, runner.sandbox.loading\n"
        "sys.exit(' '.join({'starlette', 'uvicorn', 'asyncio', 'httpx'} & set(sys.modules)) or 0)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
