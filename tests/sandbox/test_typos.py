"""What in a folder of doubles is most probably a typo: reported as a warning, and the folder is served all the same."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runner.foundation.problems import Severity
from runner.sandbox.loading import load_doubles
from runner.sandbox.server import served
from runner.sandbox.typos import typo_of

Folder = Callable[[Mapping[str, str]], Path]

RECORDS = "Order:\n  - {Number: ORD-1, StatusId: null}\n  - {Number: ORD-2}\nContact: []\n"
HEAD = (
    "runner: 1\nprocess: UsrA\nparameters:\n  Number: {type: text}\n  Found: {type: records, items: {Id: guid}}\n"
    "activities:\n"
)


def reported(folder: Path) -> list[str]:
    """`FILE:LINE:COLUMN CODE message; hint` of each warning; there are no errors."""
    doubles, problems = load_doubles(folder)
    assert all(problem.severity is Severity.WARNING for problem in problems)
    assert len(doubles.processes) == len([*folder.glob("*.process.yaml")])
    return [
        f"{Path(str(one.file)).name}{f':{one.span.line}:{one.span.column}' if one.span else ''} "
        f"{one.code} {one.message}; {one.hint}"
        for one in problems
    ]


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        (
            "select: {entity: Orders, into: Found}",
            "7:22 E107 nothing fills `Orders`, so that it never has a record; did you mean `Order`?",
        ),
        (
            "delete: {entity: Order, where: row.Nunber == parameters.Number}",
            "7:36 E107 nothing fills `Nunber` of `Order`, so that it is always null; did you mean `Number`?",
        ),
        (
            "delete: {entity: Order, where: row.ID == parameters.Number}",
            "7:36 E107 nothing fills `ID` of `Order`, so that it is always null; did you mean `Id`?",
        ),
        (
            "update: {entity: Order, values: {Number: '{{ row.StatusID }}'}}",
            "7:46 E107 nothing fills `StatusID` of `Order`, so that it is always null; did you mean `StatusId`?",
        ),
        (
            "insert: {entity: Order, values: {Nunber: x}}",
            "7:38 E107 no record of `Order` has `Nunber`; did you mean `Number`?",
        ),
    ],
)
def test_a_name_that_nothing_fills_and_that_is_near_to_one_is_reported(
    folder: Folder, activity: str, expected: str
) -> None:
    place = folder({"UsrA.process.yaml": f"{HEAD}  - {activity}\n", "records.yaml": RECORDS})
    assert reported(place) == [f"UsrA.process.yaml:{expected}"]


def test_a_column_of_a_parameter_that_a_select_cannot_fill_is_reported_at_the_parameter(folder: Folder) -> None:
    text = HEAD.replace("{Id: guid}", "{ID: guid, Anything: text}") + "  - select: {entity: Order, into: Found}\n"
    assert reported(folder({"UsrA.process.yaml": text, "records.yaml": RECORDS})) == [
        "UsrA.process.yaml:5:34 E107 nothing fills `ID` of `Order`, so that it is always null; did you mean `Id`?"
    ]


@pytest.mark.parametrize(
    "activity",
    [
        "select: {entity: Account, where: row.Rank == 1, into: Found}",
        "select: {entity: Contact, where: row.Nunber == 1, into: Found}",
        "update: {entity: Order, where: row.Number2 == 1, values: {Nunbers: x, Rank: 1}}",
        "insert: {entity: Orders, values: {Number: x}}",
        "insert: {entity: Order, values: {Number: x, NumberOfItems: 1}}",
        "delete: {entity: Order, where: row.NumberOfItems == 1 and row.Number == parameters.Number}",
    ],
)
def test_names_that_are_not_near_or_are_filled_somewhere_are_not_reported(folder: Folder, activity: str) -> None:
    filled = "  - insert: {entity: Orders, values: {Number: x}}\n  - insert: {entity: Order, values: {Nunbers: 1}}\n"
    other = HEAD.replace("UsrA", "UsrOther") + filled.replace("Nunbers", "Rank")
    files = {"UsrA.process.yaml": f"{HEAD}  - {activity}\n", "UsrOther.process.yaml": other}
    records = RECORDS.replace("{Number: ORD-2}", "{Number: ORD-2, Nunbers: 5, Rank: 2}")
    found = reported(folder({**files, "records.yaml": records}))
    assert [one for one in found if one.startswith("Usr")] == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            "[{Number: a}, {Nunber: b}, {Number: c}]",
            "records.yaml:1:17 E107 no other record of `Order` has `Nunber`; did you mean `Number`?",
        ),
        (
            "[{Number: a}, {Number: b, ID: c}]",
            "records.yaml:1:28 E107 no other record of `Order` has `ID`; did you mean `Id`?",
        ),
        (
            "[{Total: 1, Number: a}, {Totl: 1, Number: b}]",
            "records.yaml:1:27 E107 no other record of `Order` has `Totl`; did you mean `Total`?",
        ),
        ("[{Phone: a}, {Phone2: b}]", None),
        ("[{Phone: a}, {PhoneHome: b}]", None),
        ("[{Name: a}, {Phone: b}, {Mail: c}]", None),
        ("[{Number: a}, {Number: a, Numbers: b}]", None),
        ("[{Number: a}, {Number: b}, {Nunber: c}, {Nunber: d}]", None),
        ("[{Name: a, Code: b}]", None),
        ("[]", None),
    ],
)
def test_a_column_of_one_record_that_all_others_call_otherwise_is_reported(
    folder: Folder, rows: str, expected: str | None
) -> None:
    found = reported(folder({"records.yaml": f"Order: {rows}"}))
    assert [one.split(" ", 1)[1] for one in found] == ([expected.split(" ", 1)[1]] if expected else [])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("UsrB.process.yml", "UsrB.process.yaml"),
        ("UsrB.yaml", "UsrB.process.yaml"),
        ("UsrB.yml", "UsrB.process.yaml"),
        ("UsrB.process.yaml.txt", "UsrB.process.yaml"),
        ("UsrB.Process.YAML", "UsrB.process.yaml"),
        ("records.yml", "records.yaml"),
        ("record.yaml", "records.yaml"),
    ],
)
def test_a_file_that_is_not_read_for_its_name_is_reported(folder: Folder, name: str, meant: str) -> None:
    (found,) = reported(folder({name: "runner: 1\nprocess: UsrB\n"}))
    assert found.startswith(f"{name} E100 ")
    assert found.endswith(f"; rename it to `{meant}`")


def test_files_that_are_for_others_are_left_alone(folder: Folder) -> None:
    files = {"notes.txt": "process: x", "other.yaml": "{", "a.job.yaml": "steps: []", ".UsrB.process.yaml.swp": "x"}
    assert reported(folder(files)) == []


def test_a_folder_with_warnings_is_served(folder: Folder) -> None:
    with served(folder({"UsrB.yaml": "runner: 1\nprocess: UsrB\n"})) as url:
        assert url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("ID", ["Id"], "Id"),
        ("Orders", ["Order"], "Order"),
        ("Nunber", ["Number"], "Number"),
        ("order_id", ["OrderId"], "OrderId"),
        ("Number", ["Number"], None),
        ("Number1", ["Number2"], None),
        ("Phone", ["PhoneHome"], None),
        ("title", ["name"], None),
        ("Cty", ["Key"], None),
        ("Contat", ["Contact"], "Contact"),
        ("Acount", ["Account"], "Account"),
        ("Conatct", ["Contact"], "Contact"),
        ("OwnerID", ["OwnerId"], "OwnerId"),
        ("UsrStatsu", ["UsrStatus"], "UsrStatus"),
        ("Contract", ["Contact"], None),
        ("UsrContract", ["UsrContact"], None),
        ("ContractId", ["ContactId"], None),
        ("Project", ["Product"], None),
        ("Account", ["Amount"], None),
        ("OwnerId", ["OrderId"], None),
        ("CreatedBy", ["CreatedOn"], None),
        ("ModifiedBy", ["ModifiedOn"], None),
        ("State", ["Stage"], None),
        ("Booking", ["Backlog"], None),
    ],
)
def test_a_typo_is_nearer_than_a_suggestion(word: str, known: list[str], near: str | None) -> None:
    assert typo_of(word, known) == near
