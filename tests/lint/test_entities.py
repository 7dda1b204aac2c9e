"""A query against the entities and columns of a sandbox."""

import pytest

from runner.catalogue.model import Catalogue, Entity
from runner.foundation.values import record
from runner.job.outline import outline
from runner.lint.site import check
from runner.reading.load import load

ORDER = Entity(
    columns=frozenset({"Id", "Number", "StatusId", "Total", "Paid"}),
    paths=frozenset({"Id", "Number", "StatusId", "Status/Id", "Total", "Paid"}),
)
OWN_COLUMN = "write `StatusId`: `select` takes columns of the entity itself"
CATALOGUE = Catalogue(name="target `here`", processes={}, entities={"Order": ORDER, "SysProcessLog": None})


def linted(query: str, catalogue: Catalogue = CATALOGUE) -> list[str]:
    document = load("a.job.yaml", f"runner: 1\nname: a\nsteps:\n  - query: {query}\n".encode())
    assert not isinstance(document, tuple)
    return [
        f"{problem.code} {problem.span.column if problem.span else 0} {problem.message}; {problem.hint}"
        for problem in check(document, outline(record(document.data)), catalogue)
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{entity: Orders}", ["E147 21 target `here` has no entity `Orders`; did you mean `Order`?"]),
        ("{entity: order}", ["E147 21 target `here` has no entity `order`; did you mean `Order`?"]),
        (
            "{entity: Invoice}",
            ["E147 21 target `here` has no entity `Invoice`; it has `Order`, `SysProcessLog`"],
        ),
        (
            "{entity: Order, select: [Nmber, Id, Totl], orderby: Totl desc}",
            [
                "E147 37 `Order` has no column `Nmber`; did you mean `Number`?",
                "E147 48 `Order` has no column `Totl`; did you mean `Total`?",
                "E147 64 `Order` has no column `Totl`; did you mean `Total`?",
            ],
        ),
        ("{entity: Order, select: Status/Id}", [f"E147 36 `Order` has no column `Status/Id`; {OWN_COLUMN}"]),
        (
            "{entity: Order, filter: \"Nmber eq 'x'\"}",
            ["E147 36 `Order` has no column `Nmber`; did you mean `Number`?"],
        ),
        (
            "{entity: Order, filter: \"contains (Nmber, 'x')\"}",
            ["E147 36 `Order` has no column `Nmber`; did you mean `Number`?"],
        ),
        ("{entity: Order, filter: Total gt 1 and EQ()}", []),
        (
            "{entity: Order, filter: Number eq Smoke}",
            ["E147 36 `Order` has no column `Smoke`; put a text in quotes: `'…'`"],
        ),
        (
            "{entity: Order, filter: \"contains(Nmber, 'x') and Total gt {{ vars.x }}\"}",
            ["E147 36 `Order` has no column `Nmber`; did you mean `Number`?"],
        ),
    ],
)
def test_what_the_sandbox_does_not_have_is_reported_at_its_place(query: str, expected: list[str]) -> None:
    assert linted(query) == expected


def test_columns_that_every_entity_has_are_listed_last() -> None:
    columns = frozenset({"CreatedById", "CreatedOn", "ModifiedOn", "Name"})
    catalogue = Catalogue(name="x", processes={}, entities={"Note": Entity(columns=columns, paths=columns)})
    last = "it has `Name`, `CreatedById`, `CreatedOn`, `ModifiedOn`"
    assert linted("{entity: Note, select: Zzz}", catalogue) == [f"E147 35 `Note` has no column `Zzz`; {last}"]


@pytest.mark.parametrize(
    "query",
    [
        "{entity: Order, select: 'Id, Number', orderby: ['Status/Id desc', Total]}",
        "{entity: Order, select: '*'}",
        "{entity: Order, filter: \"Status/Id eq null and StatusId ne null and not (Number eq 'Nmber')\"}",
        '{entity: Order, filter: "{{ vars.column }} eq 5 and Usr{{ vars.column }} eq true and Number eq TRUE"}',
        '{entity: Order, filter: "{{ broken"}',
        "{entity: SysProcessLog, select: Anything, filter: Whatever eq 1}",
        "{entity: Order, filter: \"Total gt 0 and Number eq '0' and Total lt '{{ run.id }}'\"}",
        "[Order]",
    ],
)
def test_what_the_sandbox_has_or_nobody_can_know_is_not_reported(query: str) -> None:
    assert linted(query) == []


def test_a_column_that_a_signal_changes_is_marked_where_its_name_is() -> None:
    document = load(
        "a.job.yaml",
        b"runner: 1\nname: a\nsteps:\n  - signal: {insert: {entity: Order, values: {Nmber: A}}, starts: UsrA}\n",
    )
    assert not isinstance(document, tuple)
    found = check(document, outline(record(document.data)), CATALOGUE)
    problem = next(problem for problem in found if problem.code == "E147")
    assert problem.span is not None
    assert (problem.span.column, problem.span.end_column) == (47, 52)


def test_no_entities_of_a_site_are_known() -> None:
    assert linted("{entity: Orders, select: Nmber}", Catalogue(name="staging", processes={})) == []


def test_another_process_can_be_written_where_the_target_is_a_sandbox() -> None:
    sandbox = Catalogue(name="target `here`", processes={}, doubles="specs/sandbox")
    document = load("a.job.yaml", b"runner: 1\nname: a\nsteps:\n  - execute: {process: UsrX}\n")
    assert not isinstance(document, tuple)
    (problem,) = check(document, outline(record(document.data)), sandbox)
    assert problem.hint
    assert problem.hint.startswith("it has none; or write `specs/sandbox/UsrX.process.yaml`: `runner catalog doubles` ")


@pytest.mark.parametrize("function", ["Lines/any(o: o/Sum gt 5)", "round(Total) eq 5", "Total div 2 eq 1"])
def test_what_only_a_site_evaluates_is_warned_of(function: str) -> None:
    (warned,) = linted(f'{{entity: Order, filter: "{function}"}}')
    assert "the sandbox refuses this filter" in warned
    assert "a site may know it" in warned
