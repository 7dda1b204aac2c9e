"""A job against the processes of its target."""

import pytest

from runner.documents.load import load
from runner.job.rules.catalogue import Signature, check

CATALOGUE = {
    "UsrAdd": Signature(takes=frozenset({"ContactName", "Both"}), gives=frozenset({"ContactId", "Both"})),
    "UsrPing": Signature(takes=frozenset(), gives=frozenset()),
}


def told(action: str) -> list[str]:
    document = load("a.job.yaml", f"runner: 1\nname: a\nsteps:\n  - {action}\n".encode())
    assert not isinstance(document, tuple)
    return [
        f"{problem.code} {problem.span.column if problem.span else 0} {problem.message}; {problem.hint}"
        for problem in check(document, CATALOGUE, target="here")
    ]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("execute: {process: UsrAdd, parameters: {ContactName: x, Both: 1}, result: Both}", []),
        ("run: {process: UsrAdd, results: [ContactId, Both]}", []),
        ("execute: {process: UsrAd}", ["E144 24 target `here` has no process `UsrAd`; did you mean `UsrAdd`?"]),
        (
            "execute: {process: Elsewhere}",
            ["E144 24 target `here` has no process `Elsewhere`; it has `UsrAdd`, `UsrPing`"],
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
        ("execute: {process: UsrPing, result: X}", ["E146 41 `UsrPing` has no parameter `X`; it gives no results"]),
    ],
)
def test_what_the_target_does_not_have_is_told_at_its_place(action: str, expected: list[str]) -> None:
    assert told(action) == expected


def test_final_steps_are_looked_at_too_and_shapes_that_are_wrong_are_not() -> None:
    source = b"runner: 1\nname: a\nsteps: [1, {execute: 2}]\nfinally:\n  - execute: {process: Nope, parameters: [x]}\n"
    document = load("a.job.yaml", source)
    assert not isinstance(document, tuple)
    assert [problem.code for problem in check(document, CATALOGUE, target="here")] == ["E144"]
