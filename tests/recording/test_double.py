"""Whatever a site calls its things and says of them: what is recorded is valid as it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalogue.model import Direction, Kind, Parameter, Process
from runner.foundation.values import Json
from runner.language.schema import check
from runner.reading.load import load
from runner.recording.double import double, invented
from runner.recording.job import job
from runner.recording.model import Passed, Recorded
from runner.reports import mistakes
from runner.sandbox import build, rules
from runner.sandbox.doubles import Fail, Park

ID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
ODD = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["{{", "${{ x }}", "# no", "a: b", "yes", "run.id", "{{{", "parameters.A", '"', "\n", "007"]
)
NAMED = ODD.filter(lambda text: bool(text) and "{{" not in text)
KINDS = st.sampled_from(Kind)
PARAMETERS = st.builds(
    Parameter,
    kind=KINDS,
    direction=st.sampled_from(Direction),
    items=st.dictionaries(NAMED, st.sampled_from([Kind.TEXT, Kind.INTEGER, Kind.UNKNOWN]), max_size=2),
    caption=ODD,
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | ODD | st.sampled_from([ID, "2026-01-01", "18:45:00", 1.5]),
    lambda inner: st.lists(st.dictionaries(NAMED, inner, max_size=2), max_size=2),
    max_leaves=4,
)
PASSED = st.builds(
    Passed,
    id=st.sampled_from([ID, None]),
    uid=st.sampled_from([ID, ID.replace("7", "8"), None]),
    caption=ODD,
    kind=st.sampled_from(["UserTask", "StartEvent", "ExclusiveGateway", ""]),
    status=st.sampled_from(["done", "running", "error", "cancelled", ID, None]),
    executed=st.booleans(),
    given=st.dictionaries(ODD, VALUES, max_size=1),
    seconds=st.sampled_from([None, 0.0, 3.0, 7200.0]),
)
CODES = st.sampled_from(["A", "B", "C"])


@st.composite
def recordings(draw: st.DrawFn) -> Recorded:
    return Recorded(
        id=ID,
        process=Process(
            code=draw(st.sampled_from(["UsrX", "Mit Leerzeichen", "Ж"])),
            parameters=draw(st.dictionaries(CODES, PARAMETERS)),
            elements=(),
        ),
        status=draw(st.sampled_from(["done", "running", "error", "cancelled", ID, None])),
        error=draw(st.none() | ODD),
        seconds=draw(st.sampled_from([None, 0.0, 61.5])),
        way=tuple(draw(st.lists(PASSED, max_size=4))),
        given=draw(st.none() | st.dictionaries(CODES, VALUES)),
        results=draw(st.none() | st.dictionaries(CODES, VALUES)),
        in_background=draw(st.booleans()),
        unseen=tuple(draw(st.lists(ODD, max_size=2))),
    )


@pytest.mark.slow
@given(recordings(), st.booleans())
def test_the_double_and_the_job_are_valid_whatever_was_seen(run: Recorded, keeps: bool) -> None:  # noqa: FBT001
    run = run if keeps else invented(run)
    (new,) = double(run)
    document = load("a.process.yaml", new.text.encode())
    assert not isinstance(document, tuple), mistakes.text(document)
    found = (*check(document, "process"), *rules.check(document))
    assert mistakes.text(found) == "", new.text
    build.double(document)

    written = load("a.job.yaml", job(run).encode())
    assert not isinstance(written, tuple), mistakes.text(written)
    assert mistakes.text(check(written, "job")) == "", job(run)


def recorded(*way: Passed, status: str = "done", error: str | None = None) -> list[object]:
    process = Process(code="UsrX", parameters={}, elements=())
    (new,) = double(Recorded(id=ID, process=process, status=status, error=error, way=way))
    document = load("a.process.yaml", new.text.encode())
    assert not isinstance(document, tuple), mistakes.text(document)
    return [activity.deed for activity in build.double(document).activities]


def test_an_element_that_a_call_of_ours_executed_waits_however_fast_that_was() -> None:
    quick = Passed(uid=ID, caption="Approve", kind="UserTask", status="done", executed=True, seconds=0.0)
    assert recorded(quick) == [Park(uid=ID, caption="Approve")]


def test_a_result_that_its_columns_do_not_take_is_left_out_and_said() -> None:
    rows = Parameter(kind=Kind.RECORDS, direction=Direction.OUT, items={"Count": Kind.INTEGER, "Odd": Kind.UNKNOWN})
    process = Process(code="UsrX", parameters={"Rows": rows}, elements=())
    good, bad, gone = (
        Recorded(id=ID, process=process, status="done", results={"Rows": [{"Count": count, odd: "x"}]})
        for count, odd in ((3, "Odd"), ("many", "Odd"), (3, "Even"))
    )
    assert "    Rows: [{Count: 3, Odd: x}]\n" in double(good)[0].text
    for each in (bad, gone):
        assert "# Left out: the value of Rows, which its type does not take.\n" in double(each)[0].text


def test_an_id_of_an_element_goes_only_into_a_parameter_that_takes_it() -> None:
    parked = Passed(id=ID, uid=ID, status="running")
    for kind, written in ((Kind.GUID, f"{{uid: {ID}, into: A}}"), (Kind.INTEGER, f"{{uid: {ID}}}")):
        process = Process(code="UsrX", parameters={"A": Parameter(kind=kind)}, elements=())
        (new,) = double(Recorded(id=ID, process=process, status="running", results={"A": ID}, way=(parked,)))
        assert f"- element: {written}\n" in new.text


def test_an_element_that_no_name_leads_to_alone_is_said_and_the_job_ends_before_it() -> None:
    process = Process(code="UsrX", parameters={}, elements=())
    first = Passed(id="1", uid=ID.replace("7", "8"), caption="Read", kind="UserTask", status="done", executed=True)
    again = Passed(id="2", uid=ID, caption="Approve", kind="UserTask", status="done", executed=True)
    lines = job(Recorded(id=ID, process=process, status="done", way=(first, again, again))).splitlines()

    steps = [line for line in lines if "wait:" in line or "element:" in line]
    of = '"{{ steps.start.process_id }}"'
    assert steps == [f"    element: {{of: {of}, name: Read}}", f"    wait: {{process_id: {of}, for: parked}}"]
    assert lines.count("  # Not written: a step that executes Approve: no name leads to it alone.") == 2


def test_a_failure_with_a_long_trace_is_cut_and_said() -> None:
    process = Process(code="UsrX", parameters={}, elements=())
    (new,) = double(Recorded(id=ID, process=process, status="error", error="x" * 5000))
    assert f"- fail: {'x' * 4000}\n  # Left out: the rest of the text, 1000 characters.\n" in new.text


def test_starts_and_ends_are_no_elements_of_a_double() -> None:
    assert recorded(Passed(uid=ID, caption="Start", kind="StartEvent", status="done")) == []


def test_a_process_fails_at_the_last_element_that_did() -> None:
    first = Passed(uid=ID, caption="Try", kind="ScriptTask", status="error")
    last = Passed(uid=ID.replace("7", "8"), caption="Try again", kind="ScriptTask", status="error")
    assert recorded(first, last, status="error", error="no") == [
        Park(uid=ID, caption="Try", waits=False),
        Fail(text="no", uid=last.uid, caption="Try again"),
    ]
