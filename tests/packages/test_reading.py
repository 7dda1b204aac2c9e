"""Packages in git → a catalogue: whatever form their files have, and whatever is wrong with some of them."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from bounded import bounded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from packages_on_disk import INTEGER, LOOKUP, RECORDS, TEXT, RawStep, uid

from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, ProcessElement, ProcessVersion
from runner.catalogue.read import catalogue_in
from runner.catalogue.write import catalogue_text
from runner.explanations.read import titles
from runner.foundation.problems import Severity
from runner.foundation.values import Json
from runner.language.schema import check
from runner.packages.reading import Packages, read_packages
from runner.reading.load import load
from runner.reports import mistakes

ADD = RawStep(
    code="UsrAddTours",
    caption="Add tours",
    parameters={"Seats": (INTEGER, 0), "Guide": (LOOKUP, None), "Found": (RECORDS, 1), "Inner": (TEXT, 3)},
    elements={"Task2": "UserTask", "Task1": "UserTask", "StartEvent1": "StartEvent", "Lane1": "Lane"},
    flows=(("StartEvent1", "Task1", 0), ("Task1", "Task2", 0)),
    captions={
        "Parameters.Seats.Caption": "How many seats",
        "BaseElements.Task1.Caption": "Call the &lt;guide&gt;",
        "BaseElements.Task2.Caption": "Book",
    },
    properties={"IsActiveVersion": "True", "IsTracing": "False", "Version": "1", "Tag": "Business Process"},
)


def read(*folders: Path) -> Packages:
    with contextlib.chdir(folders[0].parent):
        return read_packages(folders)


def processes(*folders: Path) -> Catalogue:
    found = read(*folders)
    assert mistakes.text(found.problems) == ""
    return found.catalogue


@pytest.mark.parametrize("is_long", [False, True], ids=["short keys", "long keys"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "byte order mark"])
def test_a_process_is_read_in_both_forms_with_and_without_a_mark(tmp_path: Path, mark: str, *, is_long: bool) -> None:
    replace(ADD, is_long=is_long, mark=mark).write(tmp_path / "packages" / "UsrTours")

    process = processes(tmp_path / "packages").processes["UsrAddTours"]

    assert (process.caption, process.version, process.why_not, process.traced) == ("Add tours", 1, None, False)
    assert process.parameters == {
        "Seats": Parameter(kind=Kind.INTEGER, direction=Direction.IN, caption="How many seats"),
        "Guide": Parameter(kind=Kind.LOOKUP, direction=Direction.BOTH, lookup=uid("Contact")),
        "Found": Parameter(kind=Kind.RECORDS, direction=Direction.OUT),
        "Inner": Parameter(kind=Kind.TEXT, direction=Direction.INTERNAL),
    }
    assert process.elements == (
        ProcessElement(uid=ADD.element_id("StartEvent1"), name="StartEvent1", kind="StartEvent"),
        ProcessElement(uid=ADD.element_id("Task1"), name="Task1", kind="UserTask", caption="Call the <guide>"),
        ProcessElement(uid=ADD.element_id("Task2"), name="Task2", kind="UserTask", caption="Book"),
    ), "in the order in which the process comes to them"


@pytest.mark.parametrize("part", [".", "UsrTours", "UsrTours/Schemas", "UsrTours/Schemas/UsrAddTours", "../"])
def test_a_workspace_packages_one_of_them_and_a_schema_may_be_named(tmp_path: Path, part: str) -> None:
    ADD.write(tmp_path / "packages" / "UsrTours")

    assert list(read_packages([tmp_path / "packages" / part]).catalogue.processes) == ["UsrAddTours"]


def test_the_folder_in_which_one_is_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ADD.write(tmp_path / "UsrTours")
    for here in (folder, folder.parent, tmp_path / "UsrTours", tmp_path):
        monkeypatch.chdir(here)
        assert list(read_packages([Path()]).catalogue.processes) == ["UsrAddTours"]


def test_a_family_is_listed_under_the_code_of_its_root(tmp_path: Path) -> None:
    replace(ADD, properties={"IsActiveVersion": "False", "Version": "1"}).write(tmp_path / "a" / "One")
    member = RawStep(
        code="UsrAddTours_v1",
        parent="UsrAddTours",
        parameters={"Level": (TEXT, 0)},
        properties={"IsActiveVersion": "True", "Version": "2", "Enabled": "True"},
    )
    member.write(tmp_path / "a" / "Another")

    (process,) = processes(tmp_path / "a").processes.values()

    assert (process.code, process.version, set(process.takes)) == ("UsrAddTours", 2, {"Level"})
    assert process.members == (
        ProcessVersion(code="UsrAddTours", uid=uid("UsrAddTours"), version=1, active=False),
        ProcessVersion(code="UsrAddTours_v1", uid=uid("UsrAddTours_v1"), version=2, active=True, enabled=True),
    )
    assert [set(process.in_version(number).parameters or {}) for number in (1, 2)] == [set(ADD.parameters), {"Level"}]


@pytest.mark.parametrize(
    ("process", "why"),
    [
        (replace(ADD, properties={"Enabled": "False"}), "it is disabled"),
        (replace(ADD, properties={"IsActiveVersion": "false"}), "none of its versions is active"),
        (replace(ADD, elements={"StartSignal1": "StartSignalEvent"}, flows=()), "it has no plain start event"),
        (replace(ADD, properties={}), None),
    ],
)
def test_what_cannot_be_started_says_why(tmp_path: Path, process: RawStep, why: str | None) -> None:
    process.write(tmp_path / "a")
    assert processes(tmp_path / "a").processes["UsrAddTours"].why_not == why


def test_only_processes_are_read_of_all_that_a_package_holds(tmp_path: Path) -> None:
    ADD.write(tmp_path / "a")
    replace(ADD, code="UsrPage", manager="ClientUnitSchemaManager").write(tmp_path / "a")
    (tmp_path / "a" / "Data").mkdir()
    (tmp_path / "a" / "descriptor.json").write_text("no JSON")
    (tmp_path / "a" / "Schemas" / "notes.txt").write_text("x")
    (tmp_path / "a" / "Schemas" / ".git").mkdir()

    assert list(processes(tmp_path / "a").processes) == ["UsrAddTours"]


def test_captions_of_the_usual_culture_are_taken_else_of_the_first(tmp_path: Path) -> None:
    names = {"BaseElements.Task1.Caption": "Rufen"}
    replace(ADD, culture="de-DE", captions=names).write(tmp_path / "a")
    assert (processes(tmp_path / "a").processes["UsrAddTours"].elements or ())[1].caption == "Rufen"
    ADD.write(tmp_path / "a")
    assert (processes(tmp_path / "a").processes["UsrAddTours"].elements or ())[1].caption == "Call the <guide>"


def test_a_process_without_resources_has_no_captions_and_no_problem(tmp_path: Path) -> None:
    replace(ADD, captions={}).write(tmp_path / "a")
    assert [one.caption for one in processes(tmp_path / "a").processes["UsrAddTours"].elements or ()] == ["", "", ""]


Breaking = Callable[[Path], object]
BROKEN: list[tuple[str, Breaking, str]] = [
    ("metadata.json", lambda file: file.write_text('{\n  "MetaData": {,'), "it is no JSON"),
    ("metadata.json", lambda file: file.write_bytes(b"\xff\xfe{"), "it is not UTF-8"),
    ("metadata.json", lambda file: file.write_text("[]"), "it holds no record"),
    ("metadata.json", lambda file: file.write_text('{"MetaData": {"Item": 1}}'), "it holds no design"),
    ("metadata.json", lambda file: file.write_text("[" * 100_000), "too deep"),
    ("metadata.json", lambda file: file.write_text('{"a": ' + "1" * 9999 + "}"), "a number too long"),
    ("metadata.json", lambda file: file.unlink(), "No such file"),
    ("properties.json", lambda file: file.write_text(""), "it is no JSON"),
    ("descriptor.json", lambda file: file.write_text("{"), "it is no JSON"),
]


@pytest.mark.parametrize(("name", "breaks", "why"), BROKEN, ids=[f"{name}: {why}" for name, _, why in BROKEN])
def test_a_broken_file_is_a_warning_with_its_place_and_the_others_are_read(
    tmp_path: Path, *, name: str, breaks: Breaking, why: str
) -> None:
    folder = ADD.write(tmp_path / "a")
    replace(ADD, code="UsrOther").write(tmp_path / "a")
    breaks(folder / name)

    found = read(tmp_path / "a")

    (problem,) = found.problems
    assert (problem.code, problem.severity) == ("E191", Severity.WARNING)
    assert problem.file == f"a/Schemas/UsrAddTours/{name}"
    assert why in problem.message
    assert found.catalogue.processes["UsrOther"].unread is None
    if name == "descriptor.json":
        assert "UsrAddTours" not in found.catalogue.processes
    elif name == "metadata.json":
        process = found.catalogue.processes["UsrAddTours"]
        assert (process.parameters, process.elements) == (None, None), "it is there, and nothing is held against it"
        assert process.unread is not None


def test_the_place_of_a_mistake_in_json_is_reported(tmp_path: Path) -> None:
    folder = ADD.write(tmp_path / "a")
    (folder / "metadata.json").write_text('\ufeff{\n  "MetaData": {,\n}}', encoding="utf-8")

    (problem,) = read(tmp_path / "a").problems

    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == (2, 16)


@pytest.mark.parametrize(
    "text", ["<Resources><Item", "", '<!DOCTYPE r [<!ENTITY a "b">]><r><Item Name="x" Value="&a;"/></r>', "\0"]
)
def test_broken_resources_are_a_warning_and_only_captions_are_missing(tmp_path: Path, text: str) -> None:
    ADD.write(tmp_path / "a")
    (tmp_path / "a" / "Resources" / "UsrAddTours.Process" / "resource.en-US.xml").write_text(text)

    found = read(tmp_path / "a")

    assert [problem.code for problem in found.problems] == ["E191"]
    assert found.catalogue.processes["UsrAddTours"].takes == {"Seats", "Guide"}


def test_the_copy_that_was_changed_last_is_read(tmp_path: Path) -> None:
    replace(ADD, parameters={"New": (TEXT, 0)}, changed=1790000000000).write(tmp_path / "b")
    ADD.write(tmp_path / "a")

    found = read(tmp_path / "a", tmp_path / "b")

    assert set(found.catalogue.processes["UsrAddTours"].takes) == {"New"}
    (problem,) = found.problems
    assert (problem.code, problem.file) == ("E196", "a/Schemas/UsrAddTours/metadata.json")
    assert "b/Schemas/UsrAddTours/metadata.json" in problem.message


def test_a_folder_that_is_named_twice_or_linked_in_a_circle_is_read_once(tmp_path: Path) -> None:
    ADD.write(tmp_path / "a" / "One")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")

    assert list(processes(tmp_path / "a", tmp_path / "a" / "One").processes) == ["UsrAddTours"]


def test_where_there_are_no_packages_it_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name, code in (("empty", "E191"), ("none", "E100"), ("file", "E100")):
        (problem,) = read(tmp_path / name).problems
        assert (problem.code, problem.severity) == (code, Severity.ERROR)


def test_a_type_that_is_not_known_is_kept_as_unknown_and_reported(tmp_path: Path) -> None:
    replace(ADD, parameters={"Odd": (uid("odd"), 0)}).write(tmp_path / "a")

    found = read(tmp_path / "a")

    assert (found.catalogue.processes["UsrAddTours"].parameters or {})["Odd"].kind is Kind.UNKNOWN
    assert found.odd == (("UsrAddTours", f"the type of `Odd` `{uid('odd')}` is not known here"),)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.sampled_from(["", "UId", "True", uid("x"), "\ud800"]),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["", "A2", "Name", "L1"]), part),
    max_leaves=6,
)
_KEYS = ["FJ1", "BK4", "BK8", "IJ7", "IJ9", "Parameters", "FlowElements", "A2", "UId", "BL1", "L1", "L12", "CI1", "CI4"]
_SCHEMA = st.recursive(
    _JSON, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), part), max_leaves=20
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schema=_SCHEMA, properties=_JSON, descriptor=_JSON)
def test_whatever_is_in_the_files_it_is_a_catalogue_or_reported(
    tmp_path: Path, schema: Json, properties: Json, descriptor: Json
) -> None:
    folder = ADD.write(tmp_path / "a")
    known: Json = {"Name": "UsrAddTours", "ManagerName": "ProcessSchemaManager", "UId": descriptor, "Caption": ""}
    (folder / "descriptor.json").write_text(json.dumps({"Descriptor": known}))
    (folder / "metadata.json").write_text(json.dumps({"MetaData": {"Schema": schema}}))
    (folder / "properties.json").write_text(json.dumps({"Properties": properties}))

    found = read(tmp_path / "a")

    assert all(problem.code in titles() for problem in found.problems)
    document = load("git.catalog.yaml", catalogue_text(found.catalogue).encode())
    assert not isinstance(document, tuple), mistakes.text(document)
    assert mistakes.text(check(document, "catalog")) == ""
    assert dict(catalogue_in(document).processes).keys() == found.catalogue.processes.keys()


@pytest.mark.slow
def test_ten_thousand_files_are_read_in_bounded_time(tmp_path: Path) -> None:
    """Some 3,300 schemas, a tenth of them processes: a large site's packages."""
    for number in range(300):
        replace(ADD, code=f"UsrProcess{number}", mark="").write(tmp_path / "a" / f"P{number % 30}")
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"Descriptor": {"Name": "x", "ManagerName": "ClientUnitSchemaManager"}}))
    for number in range(3000):
        folder = tmp_path / "a" / f"P{number % 30}" / "Schemas" / f"Page{number}"
        folder.mkdir()
        for name in ("descriptor.json", "metadata.json", "properties.json"):
            (folder / name).hardlink_to(page)
    with bounded():
        found = processes(tmp_path / "a")

    assert len(found.processes) == 300
