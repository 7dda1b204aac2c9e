"""Pulling a catalogue: which questions a site is asked, and what is made of its answers."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalogue.design import TYPES
from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, ProcessElement, ProcessVersion, Pulled
from runner.catalogue.read import catalogue_in
from runner.catalogue.write import catalogue_text
from runner.foundation.values import Json
from runner.language.schema import check
from runner.project.pulling import Found, NoAnswerError, PatientReader, pull, version_of
from runner.reading.load import load
from runner.runs.events import Trouble
from runner.service.calls import Answered, Call, CallFailed, Ending, FailureKind, QueryCall, ReadSchema
from runner.service.gate import OPEN, Gate

TEXT, GUID, LOOKUP, RECORDS = (
    next(key for key, known in TYPES.items() if known is kind)
    for kind in (Kind.TEXT, Kind.GUID, Kind.LOOKUP, Kind.RECORDS)
)
NO_PARTS: list[Json] = []
REFUSED = CallFailed(kind=FailureKind.REFUSED, trouble=Trouble(code="E205", message="no"))
UNANSWERED = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E305", message="no answer in time"))


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 9), st.text(max_size=3)),
    lambda part: st.one_of(st.lists(part, max_size=2), st.dictionaries(st.text(max_size=3), part, max_size=2)),
    max_leaves=3,
)
_LISTED = (
    *("Id", "UId", "Name", "Caption", "Enabled", "IsActiveVersion", "HasStartEvent", "Version"),
    *("VersionParentUId", "IsProcessTracing"),
)
_rows = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(_LISTED, _json)), max_size=3)
_part = st.one_of(
    _json,
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("name", "uId", "dataValueType", "direction", "itemProperties", "typeName"), _json)
    ),
)
_reported = st.one_of(
    _json,
    st.fixed_dictionaries({}, optional=dict.fromkeys(("parameters", "flowElements"), st.lists(_part, max_size=3))),
)


def designed(parameters: list[Json] | None = NO_PARTS, elements: list[Json] = NO_PARTS) -> Answered:
    """What a site answers of a process with this design."""
    design: Json = {"parameters": parameters, "flowElements": elements}
    return Answered(value={"schema": {"metaData": {"metaData": {"schema": design}}}})


def row(code: str, *, key: str = "", **more: Json) -> dict[str, Json]:
    whole: dict[str, Json] = {"Id": key or f"id-{code}", "UId": f"uid-{code}", "Name": code, "Caption": f"About {code}"}
    return {**whole, "Enabled": True, "IsActiveVersion": True, "HasStartEvent": True, "Version": 1, **more}


@dataclass
class Site:
    """A site that answers by what it is asked."""

    rows: list[dict[str, Json]]
    answer: Callable[[str], Ending] = lambda _key: designed()
    schemas: list[Json] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    listed: list[int] = field(default_factory=list)

    def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
        assert seconds > 0
        assert gate is OPEN
        if isinstance(call, ReadSchema):
            self.asked.append(call.schema_id)
            return self.answer(call.schema_id)
        assert isinstance(call, QueryCall)
        if call.entity == "SysSchema":
            self.asked.append(call.filter or "")
            return Answered(value={"records": self.schemas, "next": None})
        assert (call.entity, call.orderby) == ("VwProcessLib", ("Name", "Id"))
        at = int(call.next or 0)
        page: Json = list(self.rows[at : at + 2])
        return Answered(value={"records": page, "next": str(at + 2) if at + 2 < len(self.rows) else None})

    def pull(self) -> Found:
        return pull(PatientReader(caller=self, wait=self.waited.append), listed=self.listed.append)


def unless(keys: Collection[str], failed: CallFailed) -> Callable[[str], Ending]:
    """Answers with nothing, but fails for these ids."""
    return lambda key: failed if key in keys else designed()


def test_every_page_of_the_library_is_read_and_every_process_asked_for() -> None:
    site = Site([row("C"), row("A"), row("B")])

    found = site.pull()

    assert list(found.processes) == ["A", "B", "C"]
    assert sorted(site.asked) == ["id-A", "id-B", "id-C"]
    assert site.listed == [3]
    assert (found.processes["A"].caption, found.processes["A"].version) == ("About A", 1)
    assert found.odd == ()


def test_parameters_and_elements_are_those_that_the_site_shows() -> None:
    ids = [f"{number}0000000-0000-0000-0000-000000000000" for number in (2, 1)]
    columns: Json = [{"name": "Id", "dataValueType": GUID}]
    rows: Json = {"name": "Rows", "dataValueType": RECORDS, "direction": 1, "itemProperties": columns}
    owner: Json = {"name": "Owner", "dataValueType": LOOKUP, "direction": 0, "referenceSchemaUId": "x"}
    elements: list[Json] = [
        {"uId": uid, "name": name, "typeName": f"X.ProcessSchema{kind}"}
        for uid, name, kind in zip(ids, "BA", ("UserTask", "Start"), strict=True)
    ]

    process = Site([row("A")], lambda _: designed([rows, owner], elements)).pull().processes["A"]

    assert process.parameters == {
        "Rows": Parameter(kind=Kind.RECORDS, direction=Direction.OUT, items={"Id": Kind.GUID}),
        "Owner": Parameter(kind=Kind.LOOKUP, direction=Direction.IN, lookup="x"),
    }
    assert process.elements == (
        ProcessElement(uid=ids[0], name="B", kind="UserTask"),
        ProcessElement(uid=ids[1], name="A", kind="Start"),
    ), "in the order of the design"
    assert process.unread is None


def test_the_active_version_is_taken_else_the_last() -> None:
    rows = [
        row("A", key="a1", Version=1, IsActiveVersion=False),
        row("A", key="a2", Version=2),
        row("A", key="a3", Version=3, IsActiveVersion=False),
        row("B", key="b2", Version=2, IsActiveVersion=False),
        row("B", key="b1", Version=1, IsActiveVersion=False),
    ]
    site = Site(rows)

    found = site.pull()

    assert sorted(site.asked) == ["a2", "b2"]
    assert found.processes["A"].why_not is None
    assert found.processes["B"].why_not == "none of its versions is active"


@pytest.mark.parametrize(
    ("column", "why"), [("Enabled", "it is disabled"), ("HasStartEvent", "it has no plain start event")]
)
def test_a_process_that_cannot_be_started_is_kept_with_the_reason(column: str, why: str) -> None:
    assert Site([{**row("A"), column: False}]).pull().processes["A"].why_not == why


def test_a_column_that_the_library_does_not_have_speaks_against_nothing() -> None:
    process = Site([{"Id": "1", "Name": "A"}]).pull().processes["A"]

    assert (process.why_not, process.version, process.caption) == (None, None, "")


def test_where_the_id_of_the_row_is_refused_that_of_the_design_is_tried() -> None:
    site = Site([row("A")], unless(["id-A"], REFUSED))

    found = site.pull()

    assert site.asked == ["id-A", "uid-A"]
    assert found.processes["A"].parameters == {}
    assert found.odd == ()


def test_a_process_that_the_site_refuses_to_show_is_kept_as_unknown_and_reported() -> None:
    found = Site([row("A"), row("B")], unless(["id-A", "uid-A"], REFUSED)).pull()

    assert (found.processes["A"].parameters, found.processes["A"].elements) == (None, None)
    assert found.processes["A"].unread == "the site did not give it in full"
    assert found.processes["B"].unread is None
    assert found.odd == (("A", "the site does not give it: no"),)


def test_the_first_of_two_refusals_is_reported() -> None:
    second = CallFailed(kind=FailureKind.REFUSED, trouble=Trouble(code="E205", message="no such design"))

    found = Site([row("A")], lambda key: second if key == "uid-A" else REFUSED).pull()

    assert found.odd == (("A", "the site does not give it: no"),)


def test_what_was_odd_in_an_answer_is_handed_on() -> None:
    found = Site([row("A")], lambda _: designed(None)).pull()

    assert found.odd == (("A", "its metadata does not list its parameters"),)
    assert (found.processes["A"].parameters, found.processes["A"].elements) == (None, ())
    assert found.processes["A"].unread is not None


def test_a_question_that_is_not_answered_is_asked_again_after_a_while() -> None:
    answers: Iterator[Ending] = iter([UNANSWERED, UNANSWERED, designed()])
    site = Site([row("A")], lambda _: next(answers))

    assert site.pull().processes["A"].unread is None
    assert site.waited == [1.0, 2.0]


def test_a_site_that_does_not_answer_in_the_end_gives_no_catalogue_at_all() -> None:
    site = Site([row("A"), row("B")], unless(["id-A", "uid-A"], UNANSWERED))

    with pytest.raises(NoAnswerError, match="no answer in time"):
        site.pull()
    assert site.asked.count("id-A") == 3
    assert site.waited == [1.0, 2.0], "not once more, for nothing"


def test_a_design_that_the_site_breaks_at_is_unread_and_the_others_are_there() -> None:
    broken = CallFailed(kind=FailureKind.UNANSWERED, trouble=Trouble(code="E309", message="no"), status=500)
    found = Site([row("A"), row("B")], unless(["id-A", "uid-A"], broken)).pull()

    assert (found.processes["A"].unread is None, found.processes["B"].unread) == (False, None)
    assert found.odd == (("A", "the site does not give it: no"),)


def test_a_failure_that_repeating_cannot_mend_is_not_repeated() -> None:
    lost = CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code="E303", message="refused"), final=True)
    site = Site([row("A")], lambda _: lost)

    with pytest.raises(NoAnswerError):
        site.pull()
    assert (site.asked, site.waited) == (["id-A"], [])


def test_a_server_that_asks_for_patience_gets_it_within_bounds() -> None:
    later = CallFailed(kind=FailureKind.NOT_SENT, trouble=Trouble(code="E310", message="later"), retry_after=3600)
    answers: Iterator[Ending] = iter([later, designed()])
    site = Site([row("A")], lambda _: next(answers))

    site.pull()

    assert site.waited == [30.0]


def family(*, active: str = "UsrAdd_v1") -> list[dict[str, Json]]:
    """A root, and a version that has a parameter which the root lacks."""
    root = row("UsrAdd", IsActiveVersion=active == "UsrAdd", VersionParentUId="00000000-0000-0000-0000-000000000000")
    member = row("UsrAdd_v1", Version=2, IsActiveVersion=active == "UsrAdd_v1", VersionParentUId="UID-UsrAdd")
    return [member, root, row("UsrOther")]


def signed(key: str) -> Ending:
    """A signature with one parameter, which is called by the id of the version that was asked for."""
    return designed([{"name": f"Of_{key}", "dataValueType": TEXT, "direction": 0}])


def test_a_family_is_listed_under_the_code_of_its_root_with_what_the_active_version_takes() -> None:
    site = Site(family(), signed)

    found = site.pull().processes

    assert list(found) == ["UsrAdd", "UsrOther"]
    assert sorted(site.asked) == ["id-UsrAdd_v1", "id-UsrOther"], "one question for each process"
    assert site.listed == [2]
    assert (found["UsrAdd"].version, found["UsrAdd"].why_not, {*found["UsrAdd"].takes}) == (
        2,
        None,
        {"Of_id-UsrAdd_v1"},
    )
    assert found["UsrAdd"].members == (
        ProcessVersion(code="UsrAdd", uid="uid-usradd", version=1, active=False, enabled=True),
        ProcessVersion(code="UsrAdd_v1", uid="uid-usradd_v1", version=2, active=True, enabled=True),
    )
    assert found["UsrOther"].members == ()


def test_where_the_root_is_the_active_one_its_own_signature_counts() -> None:
    found = Site(family(active="UsrAdd"), signed).pull().processes["UsrAdd"]

    assert (found.version, {*found.takes}) == (1, {"Of_id-UsrAdd"})


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("Enabled", "it is disabled"),
        ("IsActiveVersion", "none of its versions is active"),
        ("HasStartEvent", "it has no plain start event"),
    ],
)
def test_a_family_of_which_no_version_can_be_started_says_why(column: str, why: str) -> None:
    member, *rest = family()

    assert Site([{**member, column: False}, *rest]).pull().processes["UsrAdd"].why_not == why


def test_a_version_whose_root_nobody_sees_is_itself() -> None:
    (member,) = Site(family()[:1]).pull().processes.values()

    assert (member.code, member.why_not, member.members) == ("UsrAdd_v1", None, ())


@pytest.mark.parametrize("active", [True, False])
def test_a_root_that_the_library_hides_is_found_among_all_schemas(*, active: bool) -> None:
    hidden: list[Json] = [{"UId": "UID-UsrAdd", "Name": "UsrAdd"}]
    versions = [{**row, "IsActiveVersion": active} for row in family()[:1]]
    site = Site(versions, signed, schemas=hidden)

    found = site.pull().processes

    assert site.asked == ["UId eq uid-usradd", "id-UsrAdd_v1"]
    assert {code: {*each.takes} for code, each in found.items()} == {"UsrAdd": {"Of_id-UsrAdd_v1"}}
    assert [(each.code, each.active) for each in found["UsrAdd"].members] == [("UsrAdd", False), ("UsrAdd_v1", active)]
    assert found["UsrAdd"].why_not == (None if active else "none of its versions is active")


def test_a_hidden_root_that_cannot_be_read_is_said_of_its_version() -> None:
    class Closed(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
            is_of_all = isinstance(call, QueryCall) and call.entity == "SysSchema"
            return REFUSED if is_of_all else Site.perform(self, call, seconds, gate=gate)

    found = Closed(family()[:1], signed).pull()

    assert [*found.processes] == ["UsrAdd_v1"]
    ((code, sentence),) = found.odd
    assert (code, sentence.startswith("it is a version of a process that the library hides")) == ("UsrAdd_v1", True)


def test_versions_that_point_at_each_other_in_a_circle_end_nothing() -> None:
    rows = [row("A", VersionParentUId="uid-B"), row("B", VersionParentUId="uid-A"), row("C", VersionParentUId="uid-C")]

    assert "C" in Site(rows).pull().processes


@pytest.mark.parametrize(("traced", "known"), [(True, True), (False, False), (None, None)])
def test_whether_elements_are_logged_is_that_of_the_active_version(traced: Json, known: object) -> None:
    member, *rest = family()

    assert Site([{**member, "IsProcessTracing": traced}, *rest]).pull().processes["UsrAdd"].traced is known


def test_a_library_that_cannot_be_read_ends_it() -> None:
    class Closed(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
            del call, seconds, gate
            return REFUSED

    with pytest.raises(
        NoAnswerError, match=r"^the library of processes \(VwProcessLib\) cannot be read: no$"
    ) as failed:
        Closed([]).pull()
    assert "jobs run without a catalogue, too; `runner catalog build`" in (failed.value.trouble.hint or "")


def test_a_library_that_shows_nothing_gives_no_catalogue() -> None:
    site = Site([])

    with pytest.raises(NoAnswerError, match="shows none at all"):
        site.pull()
    assert site.listed == []


@pytest.mark.parametrize("status", [400, 500, 501])
def test_a_library_without_one_of_the_columns_is_asked_for_all_that_it_has(status: int) -> None:
    class Older(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
            assert gate is OPEN
            if isinstance(call, QueryCall) and "HasStartEvent" in call.select:
                return CallFailed(kind=FailureKind.REFUSED, trouble=REFUSED.trouble, status=status)
            return Site.perform(self, call, seconds)

    assert list(Older([row("A"), row("B"), row("C")]).pull().processes) == ["A", "B", "C"]


def test_pages_that_lead_in_a_circle_give_no_catalogue() -> None:
    class Circle(Site):
        def perform(self, call: Call, seconds: float, *, gate: Gate = OPEN) -> Ending:
            del seconds, gate
            assert isinstance(call, QueryCall)
            following = "2" if call.next == "1" else "1"
            return Answered(value={"records": [row("A")], "next": following})

    with pytest.raises(NoAnswerError, match="the pages of `VwProcessLib` have no end"):
        Circle([]).pull()


@pytest.mark.slow
@given(_rows, _reported)
def test_whatever_a_site_shows_is_a_catalogue_or_reported(rows: list[dict[str, Json]], drawn: Json) -> None:
    site = Site(rows, lambda _: Answered(value={"schema": {"metaData": {"metaData": {"schema": drawn}}}}))
    try:
        found = site.pull()
    except NoAnswerError:
        assert not any(isinstance(one.get("Name"), str) and one["Name"] for one in rows)
        return

    text = catalogue_text(Catalogue(name="x", processes=found.processes, pulled=Pulled(at="now", by="me")))
    document = load("x.catalog.yaml", text.encode())
    assert not isinstance(document, tuple)
    assert check(document, "catalog") == ()
    assert dict(catalogue_in(document).processes) == found.processes


def test_a_boolean_is_no_number_of_a_version() -> None:
    assert version_of({"Name": "UsrAdd", "Version": False}).number is None
    assert version_of({"Name": "UsrAdd", "Version": 2}).number == 2
