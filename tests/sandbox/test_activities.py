"""Activities over a store, without a server: waits are only asked for, so nothing here takes time."""

from collections.abc import Iterator
from itertools import count

import pytest

from runner.catalogue.kinds import KINDS
from runner.catalogue.model import Kind, Parameter
from runner.foundation.values import Json, JsonObject
from runner.sandbox.activities import Surroundings, carry_out
from runner.sandbox.doubles import (
    Activity,
    Background,
    Deed,
    Delay,
    Delete,
    Double,
    Fail,
    Insert,
    Park,
    Select,
    Set,
    Update,
)
from runner.sandbox.store import Instance, InstanceStatus, Store

PARAMETERS = {
    "Name": Kind.TEXT,
    "Key": Kind.GUID,
    "Count": Kind.INTEGER,
    "Found": Kind.RECORDS,
}
ANNA, BORIS = "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"
PROCESS = "bbbbbbbb-0000-0000-0000-000000000001"
NOW = "2026-01-31T09:00:00.0000000Z"


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    """A store with two contacts, a clock that stands still, and ids that count."""
    numbers = count(1)
    store = Store({"Contact": ("Id", "Name", "Age")})
    store.fill({"Contact": [{"Id": ANNA, "Name": "Anna"}, {"Id": BORIS, "Name": "Boris", "Age": 42}]})
    yield Surroundings(
        store=store,
        now=lambda: NOW,
        new_id=lambda: f"cccccccc-0000-0000-0000-{next(numbers):012}",
    )
    store.close()


def double_of(*deeds: Deed | tuple[str, Deed]) -> Double:
    """A double that does `deeds`; one with a text before it has that as its condition."""
    activities = [
        Activity(deed=deed[1], condition=deed[0], line=number)
        if isinstance(deed, tuple)
        else Activity(deed=deed, line=number)
        for number, deed in enumerate(deeds, 1)
    ]
    parameters = {code: Parameter(kind=kind) for code, kind in PARAMETERS.items()}
    return Double(
        code="UsrTest", caption="Test", file="t.process.yaml", parameters=parameters, activities=tuple(activities)
    )


def begun(surroundings: Surroundings, **given: Json) -> None:
    parameters: JsonObject = {code: KINDS[kind].empty for code, kind in PARAMETERS.items()}
    surroundings.store.begin(
        Instance(
            id=PROCESS,
            code="UsrTest",
            caption="Test",
            schema_id=PROCESS,
            owner=PROCESS,
            started=NOW,
            parameters=parameters | given,
        )
    )


def outcome(surroundings: Surroundings, *deeds: Deed | tuple[str, Deed], **given: Json) -> Instance:
    """The process after a double of `deeds` was carried out, its waits passed over."""
    begun(surroundings, **given)
    list(carry_out(double_of(*deeds), surroundings, process_id=PROCESS))
    process = surroundings.store.process(PROCESS)
    assert process is not None
    return process


def test_a_double_without_activities_is_done_at_once(surroundings: Surroundings) -> None:
    process = outcome(surroundings)
    assert process.status is InstanceStatus.DONE
    assert process.completed == NOW


def test_values_that_are_set_see_those_set_before_them(surroundings: Surroundings) -> None:
    values: dict[str, Json] = {"Count": "{{ parameters.Name | length }}", "Name": "{{ parameters.Count + 1 }} letters"}
    assert outcome(surroundings, Set(values=values), Name="Anna").parameters["Name"] == "5 letters"


def test_a_value_that_does_not_fit_its_parameter_fails_the_process(surroundings: Surroundings) -> None:
    process = outcome(surroundings, Set(values={"Count": "{{ parameters.Name }}"}), Name="many")
    assert process.status is InstanceStatus.ERROR
    assert process.error == 't.process.yaml:1: "many" is not an integer'


def test_select_keeps_the_records_that_the_condition_is_true_of(surroundings: Surroundings) -> None:
    process = outcome(surroundings, Select(entity="Contact", where='row.Name == "Boris"', into="Found"))
    assert process.parameters["Found"] == [{"Id": BORIS, "Name": "Boris", "Age": 42}]


def test_select_without_a_condition_finds_all_and_absent_columns_are_null(surroundings: Surroundings) -> None:
    process = outcome(surroundings, Select(entity="Contact", where=None, into="Found"))
    assert process.parameters["Found"] == [
        {"Id": ANNA, "Name": "Anna", "Age": None},
        {"Id": BORIS, "Name": "Boris", "Age": 42},
    ]


def test_insert_gives_the_new_id_and_keeps_the_types_of_values(surroundings: Surroundings) -> None:
    insert = Insert(entity="Contact", values={"Name": "{{ parameters.Name }}", "Age": 7}, into="Key")
    process = outcome(surroundings, insert, Name="Clara")
    made: JsonObject = {"Id": process.parameters["Key"], "Name": "Clara", "Age": 7}
    assert surroundings.store.records("Contact")[-1] == made


def test_an_id_can_be_given_once(surroundings: Surroundings) -> None:
    process = outcome(surroundings, Insert(entity="Contact", values={"Id": ANNA.upper()}))
    assert process.status is InstanceStatus.ERROR
    assert process.error is not None
    assert "already" in process.error


def test_update_changes_the_right_records_and_sees_each_as_row(surroundings: Surroundings) -> None:
    update = Update(entity="Contact", where=f'row.Id == "{ANNA}"', values={"Name": "{{ row.Name }} Moore"})
    outcome(surroundings, update)
    assert [row["Name"] for row in surroundings.store.records("Contact")] == ["Anna Moore", "Boris"]


def test_delete_takes_away_the_right_records(surroundings: Surroundings) -> None:
    outcome(surroundings, Delete(entity="Contact", where="row.Age == none"))
    assert [row["Name"] for row in surroundings.store.records("Contact")] == ["Boris"]


def test_an_activity_is_done_only_where_its_condition_is_true(surroundings: Surroundings) -> None:
    process = outcome(surroundings, ('parameters.Name == "x"', Fail(text="no")), ("true", Set(values={"Count": 1})))
    assert process.status is InstanceStatus.DONE
    assert process.parameters["Count"] == 1


def test_a_failure_ends_the_process_with_its_text_and_what_its_parameters_hold(surroundings: Surroundings) -> None:
    after = Set(values={"Count": 2})
    process = outcome(surroundings, Set(values={"Count": 1}), Fail(text="No {{ parameters.Name }}"), after, Name="Anna")
    assert (process.status, process.error, process.parameters["Count"]) == (InstanceStatus.ERROR, "No Anna", 1)


def test_an_expression_that_breaks_fails_the_process_and_says_where(surroundings: Surroundings) -> None:
    process = outcome(surroundings, Set(values={}), Set(values={"Name": "{{ parameters.Found[0].Name }}"}))
    assert process.status is InstanceStatus.ERROR
    assert process.error is not None
    assert process.error.startswith("t.process.yaml:2: ")


def test_a_delay_only_asks_to_wait_and_what_was_done_before_can_be_seen_meanwhile(surroundings: Surroundings) -> None:
    begun(surroundings)
    double = double_of(Set(values={"Count": 1}), Delay(seconds=2.5), Set(values={"Count": 2}))
    running = carry_out(double, surroundings, process_id=PROCESS)
    assert next(running) == Delay(seconds=2.5)
    meanwhile = surroundings.store.process(PROCESS)
    assert meanwhile is not None
    assert (meanwhile.status, meanwhile.parameters["Count"]) == (InstanceStatus.RUNNING, 1)
    assert list(running) == []
    after = surroundings.store.process(PROCESS)
    assert after is not None
    assert (after.status, after.parameters["Count"]) == (InstanceStatus.DONE, 2)


def test_a_process_that_is_under_way_in_the_background_only_says_so(surroundings: Surroundings) -> None:
    begun(surroundings)
    double = double_of(Set(values={"Count": 1}), Background(), Set(values={"Count": 2}))
    running = carry_out(double, surroundings, process_id=PROCESS)
    assert next(running) == Background()
    assert surroundings.store.is_running(PROCESS)
    assert list(running) == []
    after = surroundings.store.process(PROCESS)
    assert after is not None
    assert (after.status, after.parameters["Count"]) == (InstanceStatus.DONE, 2)


def test_a_process_that_was_cancelled_while_it_waited_does_nothing_more(surroundings: Surroundings) -> None:
    begun(surroundings)
    running = carry_out(double_of(Delay(seconds=1), Set(values={"Count": 2})), surroundings, process_id=PROCESS)
    next(running)
    surroundings.store.end(PROCESS, status=InstanceStatus.CANCELLED, completed=NOW)
    assert list(running) == []
    after = surroundings.store.process(PROCESS)
    assert after is not None
    assert (after.status, after.parameters["Count"]) == (InstanceStatus.CANCELLED, 0)


def test_an_element_parks_the_process_and_what_follows_is_done_from_there(surroundings: Surroundings) -> None:
    uid = "dddddddd-0000-0000-0000-000000000001"
    deeds = (Park(uid=uid, into="Key", caption="Approve"), Set(values={"Count": 1}))
    process = outcome(surroundings, *deeds)
    assert (process.status, process.completed, process.parameters["Count"]) == (InstanceStatus.RUNNING, None, 0)
    element = surroundings.store.element(str(process.parameters["Key"]))
    assert element is not None
    assert (element.uid, element.caption, element.process_id, element.position) == (uid, "Approve", PROCESS, 0)

    list(carry_out(double_of(*deeds), surroundings, process_id=PROCESS, start=element.position + 1))
    ended = surroundings.store.process(PROCESS)
    assert ended is not None
    assert (ended.status, ended.parameters["Count"]) == (InstanceStatus.DONE, 1)


def test_the_id_of_a_design_names_no_element_and_each_time_it_has_one_of_its_own(surroundings: Surroundings) -> None:
    uid = "dddddddd-0000-0000-0000-000000000001"
    begun(surroundings)
    for _ in range(3):
        list(carry_out(double_of(Park(uid=uid)), surroundings, process_id=PROCESS))
    reached = surroundings.store.elements(PROCESS)
    assert (surroundings.store.element(uid), {one.uid for one in reached}, len({one.id for one in reached})) == (
        None,
        {uid},
        3,
    )
    assert surroundings.store.element(reached[0].id) == reached[0]
    assert surroundings.store.take(reached[0], completed=NOW)
    assert not surroundings.store.take(reached[0], completed=NOW)
    assert surroundings.store.waiting(PROCESS) == 2


def test_uuid_is_the_same_for_the_same_label_and_process(surroundings: Surroundings) -> None:
    values: dict[str, Json] = {"Key": '{{ uuid("a") }}', "Name": '{{ uuid("a") == parameters.Key }} {{ run.id }}'}
    assert outcome(surroundings, Set(values=values)).parameters["Name"] == f"true {PROCESS}"
