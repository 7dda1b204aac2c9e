"""Doubles that are written from a catalogue: valid as they are, whatever the site calls its things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runner.catalogue.doubles import doubles
from runner.catalogue.model import Direction, Kind, Parameter, Process, ProcessElement, ProcessVersion
from runner.language.schema import check
from runner.reading.load import load
from runner.reports import mistakes
from runner.sandbox import build, rules
from runner.sandbox.doubles import Double, Park

UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
OTHER = "b1f0a6a4-8c0e-4f0d-9a3c-51a0b7a5d922"
THIRD = "3c9e2f57-1d64-4e0b-8b1a-6f2d9c4e7a33"
ELEMENTS = (
    ProcessElement(uid="0", name="StartEvent1", kind="StartEvent"),
    ProcessElement(uid=OTHER, name="ReadDataUserTask1", kind="UserTask", caption="Read the guide"),
    ProcessElement(uid=UID, name="ActivityUserTask1", kind="UserTask", caption="Call the guide"),
    ProcessElement(uid=THIRD, name="Gate1", kind="ExclusiveGateway"),
    ProcessElement(uid="1", name="Terminate1", kind="TerminateEvent"),
)
ADD = Process(
    code="UsrAdd",
    caption="Add: tours",
    parameters={
        "Level": Parameter(kind=Kind.INTEGER, direction=Direction.BOTH, caption="How #hard"),
        "Rows": Parameter(kind=Kind.RECORDS, direction=Direction.OUT, items={"Id": Kind.GUID, "Odd": Kind.UNKNOWN}),
        "Bare": Parameter(kind=Kind.RECORDS, direction=Direction.IN),
        "Odd": Parameter(kind=Kind.UNKNOWN, direction=Direction.UNKNOWN),
    },
    elements=ELEMENTS,
)


def read(text: str) -> Double:
    document = load("a.process.yaml", text.encode())
    assert not isinstance(document, tuple), mistakes.text(document)
    assert mistakes.text(check(document, "process")) == "", text
    assert mistakes.text(rules.check(document)) == "", text
    return build.double(document)


def one(process: Process, *executed: str) -> Double:
    (new,) = doubles(process, executed=executed)
    return read(new.text)


def test_a_double_has_the_signature_and_the_elements_in_their_order() -> None:
    (new,) = doubles(ADD)
    waits = "does it wait here for somebody? Then delete this line."

    assert new.text.splitlines()[1:] == [
        "runner: 1",
        "process: UsrAdd",
        'caption: "Add: tours"',
        "parameters:",
        "  Bare: {type: records, direction: in}  # TODO: `items`, its columns with their types",
        '  Level: {type: integer, direction: both}  # "How #hard"',
        "  Odd: {type: text, direction: both}  # TODO: its type is not known, TODO: its direction is not known",
        "  Rows: {type: records, direction: out, items: {Id: guid, Odd: text}}",
        "activities:",
        "  # Read the guide, ReadDataUserTask1, UserTask",
        f"  - element: {{uid: {OTHER}, caption: Read the guide}}",
        f"    if: false  # TODO: {waits}",
        "  # Call the guide, ActivityUserTask1, UserTask",
        f"  - element: {{uid: {UID}, caption: Call the guide}}",
        f"    if: false  # TODO: {waits}",
        "  # TODO: Gate1, ExclusiveGateway: what it does.",
        "  # TODO: what it gives, as in `- set: {Rows: …}`.",
    ]
    first, second = read(new.text).activities
    assert (first.deed, second.deed) == (
        Park(uid=OTHER, caption="Read the guide"),
        Park(uid=UID, caption="Call the guide"),
    )
    assert first.condition == second.condition == "false"


def test_it_waits_at_each_element_that_jobs_execute_and_at_no_other() -> None:
    conditions = {
        activity.deed.uid: activity.condition
        for activity in one(ADD, UID, THIRD).activities
        if isinstance(activity.deed, Park)
    }
    assert conditions == {OTHER: "false", UID: None, THIRD: None}


def test_a_process_of_which_nothing_is_known_has_a_double_too() -> None:
    double = one(replace(ADD, parameters=None, elements=None, caption=""))
    assert (double.parameters, double.activities, double.caption) == ({}, (), "UsrAdd")


def test_the_root_of_a_family_and_the_version_that_acts_have_a_double_each() -> None:
    members = (
        ProcessVersion(code="UsrAdd", version=1, active=False),
        ProcessVersion(code="UsrAdd_v1", version=2, active=True),
        ProcessVersion(code="UsrAdd_v2", version=3, active=False),
    )

    root, acting = (read(new.text) for new in doubles(replace(ADD, version=2, members=members)))

    assert (root.code, root.version, root.of, root.active, dict(root.parameters)) == ("UsrAdd", 1, None, False, {})
    assert (acting.code, acting.version, acting.of, acting.active) == ("UsrAdd_v1", 2, "UsrAdd", True)
    assert set(acting.parameters) == set(ADD.parameters or {})


@pytest.mark.parametrize("numbers", [(None, None), (0, 1), (1, 1), (None, 1), (2, None)])
def test_the_two_never_have_one_number(numbers: tuple[int | None, int | None]) -> None:
    members = (
        ProcessVersion(code="UsrAdd", version=numbers[0], active=False),
        ProcessVersion(code="UsrAdd_v1", version=numbers[1], active=True),
    )
    root, acting = (read(new.text) for new in doubles(replace(ADD, version=None, members=members)))
    assert root.version != acting.version


def test_where_the_root_acts_it_alone_has_a_double() -> None:
    members = (
        ProcessVersion(code="UsrAdd", version=3, active=True),
        ProcessVersion(code="UsrAdd_v1", version=2, active=False),
    )
    double = one(replace(ADD, version=3, members=members))
    assert (double.code, double.version, double.active) == ("UsrAdd", 3, True)


_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: "{{" not in text
)
_guids = st.uuids().map(str)


@pytest.mark.slow
@given(
    code=_texts,
    caption=_texts | st.just(""),
    parameters=st.dictionaries(
        _texts,
        st.builds(
            Parameter,
            kind=st.sampled_from(Kind),
            direction=st.sampled_from(Direction),
            items=st.dictionaries(_texts, st.sampled_from(Kind), max_size=2),
            caption=_texts | st.just(""),
        ),
        max_size=3,
    ),
    elements=st.lists(
        st.builds(
            ProcessElement,
            uid=_guids | _texts,
            name=_texts | st.just(""),
            kind=_texts | st.just("UserTask"),
            caption=_texts,
        ),
        max_size=3,
        unique_by=lambda element: element.uid,
    ),
)
def test_a_double_is_valid_whatever_a_site_calls_its_things(
    code: str, caption: str, parameters: dict[str, Parameter], elements: list[ProcessElement]
) -> None:
    process = Process(code=code, caption=caption, parameters=parameters, elements=tuple(elements))

    double = one(process, *(element.uid for element in elements))

    assert (double.code, set(double.parameters)) == (code, set(parameters))
