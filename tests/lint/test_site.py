"""A job against the processes of its target."""

import pytest

from runner.catalogue.literals import doubt
from runner.catalogue.model import Catalogue, Direction, Kind, Parameter, Process, ProcessVersion
from runner.foundation.problems import Severity
from runner.foundation.values import record
from runner.job.outline import outline
from runner.lint.site import check
from runner.reading.load import load


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
        "UsrDark": Process(code="UsrDark", parameters=None, elements=None, unread="no right"),
        "UsrT": Process(
            code="UsrT",
            version=2,
            members=(
                ProcessVersion(code="UsrT", version=1, active=False),
                ProcessVersion(code="UsrV_v1", version=2, active=True),
                ProcessVersion(code="UsrV_old", active=False),
            ),
            parameters={"Level": parameter(Direction.BOTH)},
        ),
        "UsrOdd": Process(code="UsrOdd", parameters={"Odd": parameter(Direction.UNKNOWN)}),
        "UsrVote": Process(code="UsrVote", parameters={"Accepted": parameter(Direction.IN)}),
    },
)


NOT_CHECKED = (
    "E178 24 names of parameters of `UsrDark` were not checked: target `here` does not have them; "
    "check that the user may read the design of the process"
)
LISTED = "`UsrAdd`, `UsrDark`, `UsrOdd`, `UsrPing`, `UsrT`, `UsrVote`"


def linted(action: str, catalogue: Catalogue | None = CATALOGUE) -> list[str]:
    document = load("a.job.yaml", f"runner: 1\nname: a\nsteps:\n  - {action}\n".encode())
    assert not isinstance(document, tuple)
    return [
        f"{problem.code} {problem.span.column if problem.span else 0} {problem.message}; {problem.hint}"
        for problem in check(document, outline(record(document.data)), catalogue)
    ]


def test_what_can_be_no_code_is_reported_where_nobody_knows_what_the_site_has() -> None:
    wrong = 'execute: {process: "UsrAdd ", parameters: {" Name": a, C\u043entact: b}, result: "R\u200b"}'
    assert linted(wrong, None) == [
        "E107 24 `UsrAdd ` cannot be a code; write `UsrAdd`",
        "E107 48 ` Name` cannot be a code; write `Name`",
        (
            "E107 60 `C\u043entact` cannot be a code; write it in Latin letters, as in `UsrAddContact`; "
            "the `\u043e` in `C\u043entact` is a Cyrillic letter"
        ),
        "E107 81 `R\u200b` cannot be a code; write `R`; there is a zero width space (U+200B) in it",
    ]
    assert linted("execute: {process: Add a contact}", None) == [
        "E107 24 `Add a contact` cannot be a code; write its code, which the designer shows as `Code`"
    ]
    assert linted("execute: {process: Usr\u041f\u0440\u043e\u0446\u0435\u0441\u0441, parameters: {a b: 1}}", None) == []


def test_that_an_address_is_no_code_is_reported_once() -> None:
    assert linted("execute: {process: /0/ServiceModel/ProcessEngineService.svc/UsrAdd/Execute}") == []
    assert linted("execute: {process: UsrOther}") != []


def test_what_several_steps_expect_in_the_same_words_is_judged_by_what_each_gives() -> None:
    steps = [
        "{execute: {process: UsrOther, result: Any}, expect: [result.Name == 1, steps.a.outputs.n == 1]}",
        "{id: a, query: {entity: Contact}, expect: [result.Name == 1], outputs: {n: result}}",
        "{execute: {process: UsrOther, result: Any}, expect: [result.Name == 1, steps.a.outputs.n == 1]}",
    ]
    assert [line.partition(";")[0] for line in linted("\n  - ".join(steps), None)] == [
        "E173 48 `result` is a list, and has no `Name`",
        "E177 76 `steps.a.outputs.n` is a list, `1` a number: they are never equal",
    ]


@pytest.mark.parametrize(("name", "severity"), [("ContactName", Severity.WARNING), ("Own", Severity.ERROR)])
@pytest.mark.parametrize("asked", ["run: {process: UsrAdd, results: [%s]}", "execute: {process: UsrAdd, result: %s}"])
def test_the_value_of_a_parameter_that_is_only_taken_may_be_asked_for(
    asked: str, name: str, severity: Severity
) -> None:
    document = load("a.job.yaml", f"runner: 1\nname: a\nsteps:\n  - {asked % name}\n".encode())
    assert not isinstance(document, tuple)

    (problem,) = check(document, outline(record(document.data)), CATALOGUE)

    assert (problem.code, problem.severity) == ("E146", severity)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("execute: {process: UsrAdd, parameters: {ContactName: x, Both: 1}, result: Both}", []),
        ("run: {process: UsrAdd, results: [ContactId, Both]}", []),
        ("execute: {process: UsrDark, parameters: {Any: x}}", [NOT_CHECKED]),
        ("run: {process: UsrDark, results: [Thing]}", [NOT_CHECKED.replace("E178 24", "E178 20")]),
        ("execute: {process: UsrDark}", []),
        ("signal: {insert: {entity: Lead, values: {A: 1}}, starts: UsrDark}", []),
        ("execute: {process: UsrOdd, parameters: {Odd: x}, result: Odd}", []),
        ("execute: {process: UsrAd}", ["E144 24 target `here` has no process `UsrAd`; did you mean `UsrAdd`?"]),
        (
            "execute: {process: Elsewhere}",
            [f"E144 24 target `here` has no process `Elsewhere`; it has {LISTED}"],
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
        (
            "execute: {process: UsrVote, parameters: {Accept: x}}",
            ["E145 46 `UsrVote` has no parameter `Accept`; did you mean `Accepted`?"],
        ),
        ("execute: {process: UsrPing, result: X}", ["E146 41 `UsrPing` has no parameter `X`; it gives no results"]),
    ],
)
def test_what_the_target_does_not_have_is_reported_at_its_place(action: str, expected: list[str]) -> None:
    assert linted(action) == expected


def test_steps_that_undo_others_are_checked_too() -> None:
    alone, listed = "run: {process: Nope}", "- execute: {process: UsrAdd, parameters: {Z: 1}, result: Z}"

    assert [problem[:4] for problem in linted(f"{{pause: 1s, undo: {{{alone}}}}}")] == ["E144"]
    assert [problem[:4] for problem in linted(f"pause: 1s\n    undo:\n      {listed}")] == ["E145", "E146"]


def test_final_steps_are_checked_too_and_shapes_that_are_wrong_are_not() -> None:
    source = b"runner: 1\nname: a\nsteps: [1, {execute: 2}]\nfinally:\n  - execute: {process: Nope, parameters: [x]}\n"
    document = load("a.job.yaml", source)
    assert not isinstance(document, tuple)
    assert [problem.code for problem in check(document, outline(record(document.data)), CATALOGUE)] == ["E144"]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("9" * 5000, "an integer has 32 bits: at most 2147483647"),
        ("-2147483649", "an integer has 32 bits: at least -2147483648"),
        ("-2147483648", None),
        ("0" * 5000, None),
    ],
    ids=["thousands of digits", "below the least", "the least", "thousands of zeros"],
)
def test_an_integer_in_a_text_may_have_any_number_of_digits(written: str, hint: str | None) -> None:
    found = doubt(Kind.INTEGER, written)

    assert (found and found.hint) == hint


def test_a_job_calls_a_process_by_the_code_of_its_root() -> None:
    assert linted("run: {process: UsrT, parameters: {Level: 1}, results: [Level]}") == []


def test_a_call_of_a_version_is_warned_of_with_the_code_of_the_root() -> None:
    hint = "call the process by its own code, `UsrT`"
    assert linted("run: {process: UsrV_v1, parameters: {Level: 1}}") == [
        f"E148 20 `UsrV_v1` is version 2 of `UsrT`: it is active now, and another may be later; {hint}"
    ]
    assert linted("execute: {process: UsrV_old}") == [
        "E148 24 `UsrV_old` is a version of `UsrT`: a call of it most probably runs the active version, 2; " + hint
    ]


def test_what_a_version_is_given_is_held_against_the_active_one() -> None:
    codes = [line.partition(" ")[0] for line in linted("run: {process: UsrV_old, parameters: {Seats: 1}}")]
    assert codes == ["E148", "E145"]


def test_a_pattern_of_failures_that_no_process_matches_is_an_error() -> None:
    assert linted('failures: {processes: ["Usr*", UsrPing, UsrPin, "Sys*"]}') == [
        "E198 45 target `here` has no process that fits `UsrPin`; did you mean `UsrPing`?",
        f"E198 53 target `here` has no process that fits `Sys*`; it has {LISTED}",
    ]


def test_a_caption_that_many_processes_have_leads_to_none_of_them() -> None:
    same = {code: Process(code=code, caption="Approve an order") for code in map("UsrP{}".format, range(6))}
    document = load("f.yaml", b"steps: [{execute: {process: Approve an order}}]")
    assert not isinstance(document, tuple)
    (found,) = check(document, outline(record(document.data)), Catalogue(name="target `here`", processes=same))
    assert found.hint is not None
    assert found.hint.startswith("6 processes have this caption: write the code, as `UsrP0`, `UsrP1`")
