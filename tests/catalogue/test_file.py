"""The catalogue file: written and read back, the same whoever writes it, and mistakes reported at their places."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runner.catalogue.model import (
    Catalogue,
    Direction,
    Kind,
    Parameter,
    Process,
    ProcessElement,
    ProcessVersion,
    Pulled,
)
from runner.catalogue.read import catalogue_in, read_catalogue
from runner.catalogue.write import catalogue_text
from runner.language.schema import check
from runner.reading.load import load
from runner.reports import mistakes

UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
ROWS = Parameter(kind=Kind.RECORDS, direction=Direction.OUT, items={"Name": Kind.TEXT, "Id": Kind.GUID})
ADD = Process(
    code="UsrAdd",
    caption="Add: a contact #1",
    version=2,
    parameters={
        "Rows": ROWS,
        "Owner": Parameter(kind=Kind.LOOKUP, direction=Direction.IN, lookup="16be3651-8fe2-4159-8dd0-a803d4683dd3"),
        "Bare": Parameter(kind=Kind.RECORDS, direction=Direction.UNKNOWN),
    },
    elements=(ProcessElement(uid=UID, name="Approve", kind="UserTask", also=("Согласовать", "Freigeben")),),
)
OLD = Process(
    code="UsrOld", caption="yes", why_not="it is disabled", parameters=None, elements=None, unread="no answer"
)
SITE = Catalogue(
    name="x",
    processes={"UsrOld": OLD, "UsrAdd": ADD},
    site="https://staging.example.com",
    pulled=Pulled(at="2026-01-31T09:00:00Z", by="alice"),
)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_kinds = st.sampled_from(Kind)
_parameters = st.builds(
    Parameter,
    kind=_kinds,
    direction=st.sampled_from(Direction),
    items=st.dictionaries(_texts, _kinds, max_size=2),
    lookup=st.one_of(st.none(), _texts),
    caption=_texts,
).map(lambda made: made if made.kind in (Kind.RECORDS, Kind.UNKNOWN) else replace(made, items={}))
_flags = st.one_of(st.none(), st.booleans())
_members = st.lists(
    st.builds(
        ProcessVersion,
        code=_texts,
        uid=st.one_of(st.none(), _texts),
        version=st.one_of(st.none(), st.integers(0, 9)),
        active=_flags,
        enabled=_flags,
    ),
    max_size=2,
    unique_by=lambda member: member.code,
).map(tuple)
_processes = st.builds(
    Process,
    code=st.just("set below"),
    caption=_texts,
    version=st.one_of(st.none(), st.integers(0, 9)),
    why_not=st.one_of(st.none(), _texts),
    traced=_flags,
    members=_members,
    parameters=st.one_of(st.none(), st.dictionaries(_texts, _parameters, max_size=2)),
    elements=st.one_of(st.none(), st.just(()), st.just(ADD.elements)),
    unread=st.one_of(st.none(), _texts),
)


def read_back(text: str) -> Catalogue:
    document = load("staging.catalog.yaml", text.encode())
    assert not isinstance(document, tuple), mistakes.text(document)
    assert mistakes.text(check(document, "catalog")) == ""
    return catalogue_in(document)


def test_the_file_reads_as_people_write() -> None:
    lines = catalogue_text(SITE).splitlines()

    assert [line[:2] for line in lines[:2]] == ["# ", "# "]
    assert lines[2:] == [
        "runner: 1",
        "site: https://staging.example.com",
        'pulled: {at: "2026-01-31T09:00:00Z", by: alice}',
        "processes:",
        "  UsrAdd:",
        '    caption: "Add: a contact #1"',
        "    version: 2",
        "    runnable: true",
        "    parameters:",
        "      Bare: {type: records, direction: unknown, items: {}}",
        "      Owner: {type: lookup, direction: in, lookup: 16be3651-8fe2-4159-8dd0-a803d4683dd3}",
        "      Rows: {type: records, direction: out, items: {Id: guid, Name: text}}",
        "    elements:",
        f'      {UID}: {{name: Approve, also: ["Согласовать", Freigeben], type: UserTask}}',
        "  UsrOld:",
        '    caption: "yes"',
        "    runnable: false",
        "    why_not: it is disabled",
        "    unread: no answer",
    ]


def test_the_hint_pulls_anew_for_the_target_or_into_the_file_that_the_command_names() -> None:
    document = load("other.yaml", catalogue_text(SITE).encode())
    assert not isinstance(document, tuple)
    assert "`runner catalog pull -t NAME --out other.yaml`" in str(catalogue_in(document).hint)
    assert "`runner catalog pull -t staging`" in str(catalogue_in(document, target="staging").hint)


def test_versions_and_captions_are_in_the_file() -> None:
    members = (
        ProcessVersion(code="UsrAdd", uid=UID, version=1, active=False, enabled=True),
        ProcessVersion(code="UsrAdd_v1", version=2, active=True),
    )
    element = ProcessElement(uid=UID, name="UserTask1", caption="Approve: now", kind="UserTask")
    parameters = {"Name": Parameter(kind=Kind.TEXT, direction=Direction.BOTH, caption="Full name")}
    add = Process(code="UsrAdd", version=2, traced=True, members=members, parameters=parameters, elements=(element,))

    lines = catalogue_text(replace(SITE, processes={"UsrAdd": add})).splitlines()

    assert lines[lines.index("    version: 2") :] == [
        "    version: 2",
        "    traced: true",
        "    runnable: true",
        "    members:",
        f"      UsrAdd: {{uid: {UID}, version: 1, active: false, enabled: true}}",
        "      UsrAdd_v1: {version: 2, active: true}",
        "    parameters:",
        "      Name: {type: text, direction: both, caption: Full name}",
        "    elements:",
        f'      {UID}: {{name: UserTask1, caption: "Approve: now", type: UserTask}}',
    ]


def test_a_catalogue_of_packages_names_its_folders(tmp_path: Path) -> None:
    file = tmp_path / "git.catalog.yaml"
    file.write_text(catalogue_text(replace(SITE, site="", packages=("src/packages", "more: packages"))))

    found = read_catalogue(file, name="git.catalog.yaml")

    assert isinstance(found, Catalogue)
    assert (found.packages, found.site) == (("src/packages", "more: packages"), "")
    assert "runner catalog build" in str(found.hint)


def test_a_process_that_cannot_be_started_is_one_also_where_nobody_wrote_why(tmp_path: Path) -> None:
    file = tmp_path / "x.catalog.yaml"
    file.write_text(catalogue_text(SITE).replace("    why_not: it is disabled\n", ""))
    read = read_catalogue(file, name="x")
    assert isinstance(read, Catalogue)
    assert read.processes["UsrOld"].why_not == "the catalogue does not say why"


def test_the_order_in_which_a_site_answers_changes_nothing() -> None:
    parameters = ADD.parameters or {}
    turned = replace(ADD, parameters={code: parameters[code] for code in reversed(list(parameters))})

    assert catalogue_text(replace(SITE, processes={"UsrAdd": turned, "UsrOld": OLD})) == catalogue_text(SITE)


@pytest.mark.slow
@given(st.dictionaries(_texts, _processes, max_size=3), _texts)
def test_what_is_written_reads_back_whatever_a_site_calls_its_things(processes: dict[str, Process], user: str) -> None:
    named = {code: replace(process, code=code) for code, process in processes.items()}
    site = replace(SITE, processes=named, pulled=Pulled(at="2026-01-31T09:00:00Z", by=user))
    text = catalogue_text(site)

    assert all(character.isprintable() or character == "\n" for character in text)
    found = read_back(text)
    assert (dict(found.processes), found.site, found.pulled) == (named, site.site, site.pulled)
    assert catalogue_text(found) == text


def test_a_site_without_processes_has_a_file_too() -> None:
    assert dict(read_back(catalogue_text(replace(SITE, processes={}))).processes) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("runner: 1\nsite: x\nproceses: {}\n", "3:1: error[E104]: unknown key `proceses` in a catalogue"),
        (
            "runner: 1\nsite: x\nprocesses: {A: {runnable: true, parameters: {B: {type: strng, direction: in}}}}\n",
            "3:56: error[E107]",
        ),
        ("runner: 1\nsite: x\nprocesses:\n\tA: 1\n", "4:1: error[E101]"),
        ("<<<<<<< HEAD\nrunner: 1\n", "error[E10"),
    ],
)
def test_a_mistake_in_the_file_is_reported_with_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "staging.catalog.yaml"
    file.write_text(text)

    found = read_catalogue(file, name="staging.catalog.yaml")

    assert isinstance(found, tuple)
    assert sentence in mistakes.text(found)
