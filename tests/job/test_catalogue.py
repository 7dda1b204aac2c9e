"""A job against the processes of its target."""

import pytest

from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, Process
from runner.documents.load import load
from runner.job.outline import outline
from runner.job.rules.catalogue import check
from runner.raw import record


def parameter(direction: Direction) -> Parameter:
    return Parameter(kind=Kind.TEXT, direction=direction)


ADD = Process(
    code="UsrAdd",
    parameters={
        "ContactName": parameter(Direction.IN),
        "ContactId": parameter(Direction.OUT),
        "Both": parameter(Direction.BOTH),
        "Own": parameter(Direction.INTERNAL),
    },
)
CATALOGUE = Catalogue(
    name="target `here`",
    processes={
        "UsrAdd": ADD,
        "UsrPing": Process(code="UsrPing"),
        "UsrDark": Process(code="UsrDark", parameters=None, elements=None),
        "UsrOdd": Process(code="UsrOdd", parameters={"Odd": parameter(Direction.UNKNOWN)}),
    },
)


def told(action: str) -> list[str]:
    document = load("a.job.yaml", f"runner: 1\nname: a\nsteps:\n  - {action}\n".encode())
    assert not isinstance(document, tuple)
    return [
        f"{problem.code} {problem.span.column if problem.span else 0} {problem.message}; {problem.hint}"
        for problem in check(document, outline(record(document.data)), CATALOGUE)
    ]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("execute: {process: UsrAdd, parameters: {ContactName: x, Both: 1}, result: Both}", []),
        ("run: {process: UsrAdd, results: [ContactId, Both]}", []),
        ("execute: {process: UsrDark, parameters: {Any: x}, result: Thing}", []),
        ("execute: {process: UsrOdd, parameters: {Odd: x}, result: Odd}", []),
        ("execute: {process: UsrAd}", ["E144 24 target `here` has no process `UsrAd`; did you mean `UsrAdd`?"]),
        (
            "execute: {process: Elsewhere}",
            ["E144 24 target `here` has no process `Elsewhere`; it has `UsrAdd`, `UsrDark`, `UsrOdd`, `UsrPing`"],
        ),
        (
            "execute: {process: UsrAdd, parameters: {contactname: x}}",
            ["E145 45 `UsrAdd` has no parameter `contactname`; did you mean `ContactName`?"],
        ),
        (
            "execute: {process: UsrAdd, parameters: {ContactId: x}}",
            ["E145 45 `UsrAdd` gives `ContactId`, and does not take it; it takes `Both`, `ContactName`"],
        ),
        (
            "run: {process: UsrAdd, results: [ContactName]}",
            ["E146 38 `UsrAdd` takes `ContactName`, and does not give it; it gives `Both`, `ContactId`"],
        ),
        (
            "execute: {process: UsrAdd, parameters: {Own: x}}",
            ["E145 45 `UsrAdd` keeps `Own` to itself; it takes `Both`, `ContactName`"],
        ),
        ("execute: {process: UsrPing, result: X}", ["E146 41 `UsrPing` has no parameter `X`; it gives no results"]),
    ],
)
def test_what_the_target_does_not_have_is_told_at_its_place(action: str, expected: list[str]) -> None:
    assert told(action) == expected


def test_steps_that_undo_others_are_looked_at_too() -> None:
    alone, listed = "run: {process: Nope}", "- execute: {process: UsrAdd, parameters: {Z: 1}, result: Z}"

    assert [told_of[:4] for told_of in told(f"{{pause: 1s, undo: {{{alone}}}}}")] == ["E144"]
    assert [told_of[:4] for told_of in told(f"pause: 1s\n    undo:\n      {listed}")] == ["E145", "E146"]


def test_final_steps_are_looked_at_too_and_shapes_that_are_wrong_are_not() -> None:
    source = b"runner: 1\nname: a\nsteps: [1, {execute: 2}]\nfinally:\n  - execute: {process: Nope, parameters: [x]}\n"
    document = load("a.job.yaml", source)
    assert not isinstance(document, tuple)
    assert [problem.code for problem in check(document, outline(record(document.data)), CATALOGUE)] == ["E144"]
