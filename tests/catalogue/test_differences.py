"""Two catalogues held against each other, and what of it matters to whom."""

from msgspec.structs import replace

from runner.catalogue.differences import About, CatalogueDifference, Use, differences, drifts
from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, Process, ProcessElement, ProcessVersion
from runner.reports.drift import sentence

UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
NAME = Parameter(kind=Kind.TEXT, direction=Direction.IN)
ROWS = Parameter(kind=Kind.RECORDS, direction=Direction.OUT, items={"Id": Kind.GUID})
ADD = Process(
    code="UsrAdd",
    caption="Add",
    version=1,
    parameters={"Name": NAME, "Rows": ROWS},
    elements=(ProcessElement(uid=UID, name="Approve", kind="UserTask"),),
)
OTHER = Process(code="UsrOther")


def site(*processes: Process) -> Catalogue:
    return Catalogue(name="x", processes={process.code: process for process in processes})


def changes(before: Catalogue, after: Catalogue) -> list[str]:
    return [sentence(one, before="then", after="now") for one in differences(before, after)]


def test_nothing_is_reported_where_nothing_differs() -> None:
    assert changes(site(ADD, OTHER), site(OTHER, replace(ADD))) == []


def test_processes_come_and_go() -> None:
    assert changes(site(ADD), site(OTHER)) == ["`UsrAdd`: only in then", "`UsrOther`: only in now"]


def test_every_part_of_a_process_is_checked() -> None:
    parameters = {
        "Name": replace(NAME, direction=Direction.BOTH),
        "Rows": replace(ROWS, items={"Id": Kind.GUID, "Name": Kind.TEXT}),
        "New": Parameter(kind=Kind.LOOKUP, lookup="here"),
    }
    elements = (ProcessElement(uid=UID, name="Approve it", kind="UserTask"),)
    after = replace(
        ADD, caption="Add it", version=2, why_not="it is disabled", parameters=parameters, elements=elements
    )

    assert changes(site(ADD), site(after)) == [
        "`UsrAdd`: can be started in then, cannot be started: it is disabled in now",
        "`UsrAdd`: its caption: Add in then, Add it in now",
        "`UsrAdd`: its version: 1 in then, 2 in now",
        "`UsrAdd`: parameter `Name`: text, in in then, text, both in now",
        "`UsrAdd`: parameter `New`: only in now, lookup of here, in",
        "`UsrAdd`: parameter `Rows`: records (Id guid), out in then, records (Id guid, Name text), out in now",
        f"`UsrAdd`: element `{UID}`: Approve, UserTask in then, Approve it, UserTask in now",
    ]


def versions(*, active: int) -> tuple[ProcessVersion, ...]:
    codes = enumerate(("UsrAdd", "UsrAdd_v1"), 1)
    return tuple(ProcessVersion(code=code, version=number, active=number == active) for number, code in codes)


def test_which_version_acts_is_reported_of_each_and_matters_to_whoever_starts_it() -> None:
    uses = (Use(process="UsrAdd", about=About.PROCESS, place="b:1"),)
    before = site(replace(ADD, version=1, members=versions(active=1)))
    after = site(replace(ADD, version=2, members=versions(active=2)))

    assert changes(before, after) == [
        "`UsrAdd`: its version: 1 in then, 2 in now",
        "`UsrAdd`: version `UsrAdd`: version 1, active in then, version 1, not active in now",
        "`UsrAdd`: version `UsrAdd_v1`: version 2, not active in then, version 2, active in now",
    ]
    assert all(drift.places == ("b:1",) for drift in drifts(differences(before, after), uses))


def test_captions_are_reported_where_both_sides_know_them() -> None:
    element = replace((ADD.elements or ())[0], caption="Approve")
    before = replace(ADD, elements=(element,), parameters={"Name": replace(NAME, caption="Full name")})
    after = replace(before, elements=(replace(element, caption="Approve it"),))

    assert changes(site(before), site(after)) == [
        f"`UsrAdd`: its caption of element `{UID}`: Approve in then, Approve it in now",
    ]
    old = replace(before, elements=ADD.elements, parameters={"Name": NAME})
    assert changes(site(old), site(before)) == [
        "`UsrAdd`: its captions of parameters: not known in then, known in now",
        "`UsrAdd`: its captions of elements: not known in then, known in now",
    ]


def test_a_part_that_is_gone_is_reported_with_what_it_was() -> None:
    after = replace(ADD, parameters={"Name": NAME}, elements=())

    assert changes(site(ADD), site(after)) == [
        "`UsrAdd`: parameter `Rows`: only in then, records (Id guid), out",
        f"`UsrAdd`: element `{UID}`: only in then, Approve, UserTask",
    ]


def test_what_could_not_be_read_is_one_difference_and_no_loss_of_every_parameter() -> None:
    after = replace(ADD, parameters=None)

    assert changes(site(ADD), site(after)) == ["`UsrAdd`: its parameters: known in then, not known in now"]


def test_what_matters_to_jobs_comes_first_with_the_places() -> None:
    uses = (
        Use(process="UsrAdd", about=About.PROCESS, place="b:1"),
        Use(process="UsrAdd", about=About.PARAMETER, name="Rows", place="b:2"),
        Use(process="UsrAdd", about=About.PARAMETER, name="Rows", place="b:2"),
        Use(process="", about=About.ELEMENT, name=UID, place="b:3"),
        Use(process="UsrOther", about=About.PROCESS, place="b:4"),
    )
    parameters = {"Name": replace(NAME, kind=Kind.INTEGER), "New": NAME}
    after = site(replace(ADD, caption="new", parameters=parameters, elements=()))

    found = drifts(differences(site(ADD, OTHER), after), uses)

    assert [(drift.difference.about, drift.difference.name, drift.places) for drift in found] == [
        (About.PARAMETER, "Rows", ("b:2",)),
        (About.ELEMENT, UID, ("b:3",)),
        (About.PROCESS, "", ("b:4",)),
        (About.NOTE, "caption", ()),
        (About.PARAMETER, "Name", ()),
        (About.PARAMETER, "New", ()),
    ]


def test_a_process_that_can_be_started_no_more_matters_to_whoever_starts_it() -> None:
    uses = (Use(process="UsrAdd", about=About.PROCESS, place="b:1"),)
    after = site(replace(ADD, why_not="it is disabled"))

    (drift,) = drifts(differences(site(ADD), after), uses)

    assert drift.places == ("b:1",)


def test_a_new_thing_matters_to_nobody() -> None:
    uses = (Use(process="UsrAdd", about=About.PROCESS, place="b:1"),)
    new = CatalogueDifference(process="UsrAdd", about=About.PROCESS, before=None, after="there")

    assert drifts([new], uses)[0].places == ()


def test_an_element_matters_to_whoever_names_it_by_its_code_or_its_caption() -> None:
    own = ProcessElement(uid=UID, name="UserTask1", kind="UserTask", caption="Approve it")
    before = site(replace(ADD, elements=(own,)))
    uses = tuple(
        Use(process="UsrAdd", about=About.ELEMENT, name=name, place=name)
        for name in ("usertask1", "approve it", "other")
    )
    gone = drifts(differences(before, site(replace(ADD, elements=()))), uses)
    assert {place for drift in gone for place in drift.places} == {"usertask1"}
    renamed = site(replace(ADD, elements=(replace(own, caption="Sign it"),)))
    assert {place for drift in drifts(differences(before, renamed), uses) for place in drift.places} == {"approve it"}
