"""A site against packages in git: what the site lacks of what they say, and nothing that they leave open."""

import pytest
from msgspec.structs import replace

from runner.catalogue.differences import changed, missing
from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, Process, ProcessElement, ProcessVersion
from runner.reports.drift import sentence

UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
ROOT = ProcessVersion(code="UsrAdd", uid="u1", version=1, active=False, enabled=True)
ACTIVE = ProcessVersion(code="UsrAdd_v1", uid="u2", version=2, active=True, enabled=True)
UNKNOWN = Parameter(kind=Kind.UNKNOWN, direction=Direction.UNKNOWN)
BARE = Parameter(kind=Kind.RECORDS, direction=Direction.OUT)
ADD = Process(
    code="UsrAdd",
    caption="Add",
    version=2,
    traced=True,
    members=(ROOT, ACTIVE),
    parameters={
        "Name": Parameter(kind=Kind.TEXT, direction=Direction.BOTH),
        "Rows": Parameter(kind=Kind.RECORDS, direction=Direction.OUT, items={"Id": Kind.GUID}),
    },
    elements=(ProcessElement(uid=UID, name="Task1", kind="UserTask", caption="Approve"),),
)


def of(*processes: Process) -> Catalogue:
    return Catalogue(name="x", processes={process.code: process for process in processes})


def differences(said: Process, *site: Process) -> list[str]:
    return [sentence(one, before="then", after="now") for one in missing(of(said), of(*site))]


@pytest.mark.parametrize(
    "said",
    [
        ADD,
        replace(ADD, caption="Other", traced=None),
        replace(ADD, version=None),
        replace(ADD, members=(replace(ROOT, enabled=None), replace(ACTIVE, active=None, version=None))),
        replace(ADD, parameters=None, elements=None),
        replace(ADD, parameters={**(ADD.parameters or {}), "Rows": BARE}),
        replace(ADD, parameters={**(ADD.parameters or {}), "Name": UNKNOWN}),
        replace(ADD, elements=(ProcessElement(uid=UID, name="Task1", kind="unknown", caption="Freigeben"),)),
    ],
)
def test_what_packages_leave_open_and_captions_are_no_drift(said: Process) -> None:
    assert differences(said, ADD) == []


def test_what_a_file_of_an_earlier_version_does_not_hold_is_no_change() -> None:
    old = replace(
        ADD,
        traced=None,
        parameters={code: replace(one, direction=Direction.UNKNOWN) for code, one in (ADD.parameters or {}).items()},
        elements=tuple(replace(one, caption="") for one in ADD.elements or ()),
    )
    assert changed(of(old), of(ADD)) == ()
    assert [
        sentence(one, before="then", after="now")
        for one in changed(of(old), of(replace(ADD, caption="New"), Process(code="Base")))
    ] == [
        "`Base`: only in now",
        "`UsrAdd`: its caption: Add in then, New in now",
    ]


def test_processes_that_only_the_site_has_are_no_drift() -> None:
    assert differences(ADD, ADD, Process(code="Base"), Process(code="Abc")) == []


def test_a_process_that_the_site_lacks_is() -> None:
    assert differences(ADD, Process(code="Base")) == ["`UsrAdd`: only in then"]


@pytest.mark.parametrize(
    ("site", "sentences"),
    [
        (
            replace(ADD, version=1, members=(replace(ROOT, active=True), replace(ACTIVE, active=False))),
            [
                "`UsrAdd`: its version: 2 in then, 1 in now",
                "`UsrAdd`: version `UsrAdd`: version 1, not active in then, version 1, active in now",
                "`UsrAdd`: version `UsrAdd_v1`: version 2, active in then, version 2, not active in now",
            ],
        ),
        (
            replace(ADD, version=1, members=()),
            [
                "`UsrAdd`: its version: 2 in then, 1 in now",
                "`UsrAdd`: version `UsrAdd`: only in then, version 1, not active",
                "`UsrAdd`: version `UsrAdd_v1`: only in then, version 2, active",
            ],
        ),
        (
            replace(ADD, members=(ROOT, ACTIVE, ProcessVersion(code="UsrAdd_v2", version=3, active=False))),
            ["`UsrAdd`: version `UsrAdd_v2`: only in now, version 3, not active"],
        ),
        (
            replace(ADD, why_not="it is disabled"),
            ["`UsrAdd`: can be started in then, cannot be started: it is disabled in now"],
        ),
        (
            replace(ADD, parameters={"Name": Parameter(kind=Kind.INTEGER, direction=Direction.BOTH)}),
            [
                "`UsrAdd`: parameter `Name`: text, both in then, integer, both in now",
                "`UsrAdd`: parameter `Rows`: only in then, records (Id guid), out",
            ],
        ),
        (replace(ADD, elements=()), [f"`UsrAdd`: element `{UID}`: only in then, Task1, UserTask"]),
        (replace(ADD, parameters=None), ["`UsrAdd`: its parameters: known in then, not known in now"]),
    ],
)
def test_what_the_site_has_otherwise_is_drift(site: Process, sentences: list[str]) -> None:
    assert differences(ADD, site) == sentences
