import json
import subprocess
import sys
from pathlib import Path

import pytest
from bounded import bounded
from examples import some
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.explanations.read import titles
from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.language import schema
from runner.reading import load
from runner.reading.document import Document

JOB = "runner: 1\nname: a\n"


def document(text: str) -> Document:
    read = load.load("a.yaml", text.encode("utf-8", "surrogatepass"))
    assert isinstance(read, Document), read
    return read


def problems(text: str, name: str = "job") -> list[Problem]:
    return list(schema.check(document(text), name))


def linted(text: str, name: str = "job") -> list[tuple[str, str, str | None]]:
    return [(problem.code, problem.message, problem.hint) for problem in problems(text, name)]


def step(text: str) -> str:
    """A job whose only step holds `text`, on its fourth line."""
    return f"{JOB}steps:\n  - {{{text}}}\n"


def marked(problem: Problem) -> str:
    """The characters that the problem's place marks."""
    span, excerpt = problem.span, problem.excerpt
    assert span is not None
    assert excerpt is not None
    return excerpt[span.column - 1 : span.end_column - 1 if span.end_line == span.line else None]


def test_a_valid_job_has_no_problems() -> None:
    assert problems(step("execute: {process: UsrX}")) == []


# places


@pytest.mark.parametrize(
    ("text", "line", "mark"),
    [
        ("steps:\n  - execute: {process: X}\n    retry:\n      attemps: 3\n", 6, "attemps"),
        ("steps:\n  - execute: {process: X}\n    timeout: 30\n", 5, "30"),
        ("steps:\n  - execute:\n      result: A\n", 4, "execute"),
        ("steps:\n  - name: x\n    help: y\n", 4, "name: x"),
        ("steps:\n  - execute: {process: X}\n    run: {process: X}\n", 5, "run"),
        ("steps: [{pause: 1s}]\nvars:\n", 4, "vars"),
        ("steps: [{pause: 1s}]\noutputs: {a-b: x}\n", 4, "a-b"),
        ("steps: [{pause: 1s}]\ntags: [a, 5]\n", 4, "5"),
        ("description: no steps\n", 1, "runner: 1"),
    ],
)
def test_a_problem_is_reported_at_the_key_or_value_itself(text: str, line: int, mark: str) -> None:
    (problem,) = problems(JOB + text)

    assert problem.file == "a.yaml"
    assert problem.span is not None
    assert (problem.span.line, marked(problem)) == (line, mark)


def test_all_mistakes_are_reported_in_one_pass_in_the_order_of_the_file() -> None:
    text = "outputs: {a: }\nrunner: 2\ntags: x\nsteps:\n  - pause: 5\n  - pasue: 5s\nname: A\n"

    assert [(problem.span.line if problem.span else 0, problem.code) for problem in problems(text)] == [
        (1, "E108"),
        (2, "E107"),
        (3, "E106"),
        (5, "E114"),
        (6, "E104"),
        (7, "E107"),
    ]


# unknown keys


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("retry: {attemps: 3}", "unknown key `attemps` in `retry`", "did you mean `max_attempts`?"),
        ("when: x", "unknown key `when` in a step", "did you mean `if`?"),
        (
            "register: x",
            "unknown key `register` in a step",
            "write `outputs: {x: result}`; later steps use `steps.ID.outputs.x`",
        ),
        (
            "continue_on_error: true",
            "unknown key `continue_on_error` in a step",
            "write `on_failure: ignore` for `true`, and nothing for `false`",
        ),
        ("onFailure: stop", "unknown key `onFailure` in a step", "did you mean `on_failure`?"),
        ("expects: [x]", "unknown key `expects` in a step", "did you mean `expect`?"),
        ("zebra: 1", "unknown key `zebra` in a step", None),
        ("'retry:{on': 1", "unknown key `retry:{on` in a step", "put a space after `retry:`"),
        (
            "retry: {zebra: 1}",
            "unknown key `zebra` in `retry`",
            "known here: `max_attempts`, `initial`, `factor`, `max`, `jitter`, `on`",
        ),
        ("max_attempts: 3", "unknown key `max_attempts` in a step", "`max_attempts` belongs in `retry`"),
        ("parmeters: {A: 1}", "unknown key `parmeters` in a step", "`parameters` belongs in `execute`"),
        ("retry: {timeout: 5s}", "unknown key `timeout` in `retry`", "`timeout` belongs beside `retry`, not in it"),
        ("vars: {a: 1}", "unknown key `vars` in a step", "`vars` belongs to the job itself"),
        (
            "exec: {process: Y}",
            "unknown key `exec` in a step",
            "write both as one `execute`, or leave one out: `exec` means the same",
        ),
    ],
)
def test_an_unknown_key_is_reported_with_a_suggestion(text: str, message: str, hint: str | None) -> None:
    assert linted(step(f"execute: {{process: X}}, {text}")) == [("E104", message, hint)]


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("tasks", "steps"),
        ("stages", "steps"),
        ("hosts", "target"),
        ("runs-on", "target"),
        ("env", "vars"),
        ("teardown", "finally"),
        ("matrix", "cases"),
    ],
)
def test_a_word_of_a_neighbour_leads_to_ours(key: str, ours: str) -> None:
    assert ("E104", f"unknown key `{key}` in a job", f"did you mean `{ours}`?") in linted(f"{JOB}{key}: x\n")


def test_a_misspelt_key_is_not_a_missing_one_as_well() -> None:
    assert linted("runner: 1\nnam: a\nsteps: [{exceute: {proces: X}}]\n") == [
        ("E104", "unknown key `nam` in a job", "did you mean `name`?"),
        ("E104", "unknown key `exceute` in a step", "did you mean `execute`?"),
    ]


def test_keys_that_are_not_indented_far_enough_are_no_empty_action() -> None:
    assert linted(f"{JOB}steps:\n  - execute:\n    process: X\n") == [
        ("E104", "unknown key `process` in a step", "`process` belongs in `execute`: indent it further")
    ]


def test_an_expectation_as_the_key_of_its_message_is_answered_with_both_keys() -> None:
    ((code, _, hint),) = linted(step("execute: {process: X}, expect: [result > 5: too few]"))

    assert code == "E104"
    assert hint == 'write `{that: "result > 5", message: "too few"}`'


def test_an_expression_that_yaml_makes_a_record_is_to_be_quoted() -> None:
    ((code, _, hint),) = linted(step('execute: {process: X}, expect: [result == "a: b"]'))

    assert code == "E104"
    assert hint == "put all of it in quotes, if it is a text: YAML reads `: ` as the end of a key"


# missing keys


@pytest.mark.parametrize(
    ("text", "name", "message", "hint"),
    [
        (step("execute: {result: A}"), "job", "`execute` needs `process`", "for example `process: UsrAddContact`"),
        (step("elements: [{parameters: {}}]"), "job", "an element needs `of` and `name`", None),
        (step("pause: 1s, expect: [{message: x}]"), "job", "an expectation needs `that` or `schema`", None),
        ("name: a\nsteps: [{pause: 1s}]\n", "job", "a job needs `runner`", "for example `runner: 1`"),
        ("description: x\n", "job", "a job needs `runner`, `name` and `steps`", "for example `runner: 1`"),
        ("runner: 1\ntargets: {a: {}}\n", "targets", "`a` needs `url` or `sandbox`", None),
        ("runner: 1\ntargets: {a: {url: x, auth: {username: u}}}\n", "targets", "`auth` needs `password`", None),
        ("runner: 1\ntargets: {a: {url: x, auth: {client_id: u}}}\n", "targets", "`auth` needs `client_secret`", None),
        ("runner: 1\ntargets: {a: {url: x, auth: {}}}\n", "targets", "`auth` needs `username` and `password`", None),
        ("runner: 1\n", "process", "a double needs `process`", "for example `process: UsrOnboardContact`"),
        ("runner: 1\nprocess: X\nparameters: {A: {}}\n", "process", "`A` needs `type`", "for example `type: text`"),
    ],
)
def test_missing_keys_are_reported_together(text: str, name: str, message: str, hint: str | None) -> None:
    ((code, said, helped),) = linted(text, name)

    assert (code, said) == ("E105", message)
    assert hint in (None, helped)


def test_a_misspelt_half_of_a_sign_in_is_one_mistake() -> None:
    text = "runner: 1\ntargets: {a: {url: x, auth: {client_idd: u, client_secrt: p}}}\n"

    assert [hint for _, _, hint in linted(text, "targets")] == [
        "did you mean `client_id`?",
        "did you mean `client_secret`?",
    ]


# the one action of a step


def test_a_step_without_an_action_is_answered_with_the_actions() -> None:
    ((code, message, hint),) = linted(step("name: x"))

    assert (code, message) == ("E110", "this step has no action")
    assert hint is not None
    assert hint.startswith("write exactly one of `execute`, `element`")


def test_two_actions_in_a_step_are_named() -> None:
    assert linted(step("execute: {process: X}, pause: 1s, run: {process: X}")) == [
        (
            "E110",
            "a step has one action, and here are 3: `execute`, `pause` and `run`",
            "make several steps of it, each with a `-`",
        )
    ]


def test_an_unknown_key_in_place_of_an_action_is_reported_once() -> None:
    ((code, message, hint),) = linted(step("id: x, shell: ls"))

    assert (code, message) == ("E104", "unknown key `shell` in a step")
    assert hint is not None
    assert hint.endswith("which call the service: no shell is run here")


def test_a_known_key_in_the_wrong_place_does_not_hide_that_the_action_is_missing() -> None:
    assert [code for code, _, _ in linted(step("vars: {a: 1}"))] == ["E110", "E104"]


def test_an_undo_has_one_action_or_a_list_of_steps() -> None:
    undo = "execute: {process: X}, undo: "

    assert linted(step(undo + "{execute: {process: Y}}")) == []
    assert linted(step(undo + "[{execute: {process: Y}, retry: {}}]")) == []
    assert [message for _, message, _ in linted(step(undo + "{}"))] == ["this `undo` has no action"]
    assert linted(step(undo + "{execute: {process: Y}, retry: {}}")) == [
        ("E104", "unknown key `retry` in `undo`", "a step may have `retry`: make a list of steps of it")
    ]


def test_what_the_included_job_has_of_its_own_cannot_be_beside_it() -> None:
    assert linted(step("job: {file: a.yaml}, retry: {}, effect: read, timeout: 5s")) == [
        ("E107", "`retry` is not allowed here", "leave it out: the steps of the included job have their own `retry`"),
        ("E107", "`effect` is not allowed here", "leave it out: the steps of the included job have their own `effect`"),
    ]


def test_an_activity_has_one_action_as_well() -> None:
    text = "runner: 1\nprocess: X\nactivities:\n  - if: x\n  - {delay: 1s, fail: no}\n"

    assert [(code, message) for code, message, _ in linted(text, "process")] == [
        ("E110", "this activity has no action"),
        ("E110", "an activity has one action, and here are 2: `delay` and `fail`"),
    ]


# any document at all


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "E108", "there is nothing in this file"),
        ("[]", "E106", "a job must be a record, not a list"),
        ("5", "E106", "a job must be a record, not 5"),
        ("just text", "E106", "a job must be a record, not a text"),
    ],
)
def test_a_file_that_is_no_record_at_all_is_reported_as_that(text: str, code: str, message: str) -> None:
    assert [said[:2] for said in linted(text)] == [(code, message)]


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4)
)
KEYS = st.sampled_from(["runner", "name", "steps", "inputs", "vars", "execute", "process", "undo", "retry", "timeout"])
MORE = st.sampled_from(
    ["expect", "that", "targets", "auth", "url", "sandbox", "activities", "parameters", "set", "job"]
)
ANYTHING: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | MORE | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["job", "targets", "process"])
@given(data=ANYTHING)
@settings(max_examples=some(80), deadline=None)
def test_a_document_of_any_shape_has_problems_with_places_and_known_codes(name: str, data: Json) -> None:
    read = load.load("a.yaml", json.dumps(data).encode())
    if not isinstance(read, Document):
        return

    found = schema.check(read, name)

    assert found
    assert all(problem.code in titles() and problem.span and problem.message for problem in found)
    assert len({(problem.path, problem.span) for problem in found}) == len(found)


def test_text_from_nowhere_in_a_key_does_no_harm() -> None:
    found = problems('"\\u202e\\u0000": 1\n"a\\nb": 2\n')

    assert [problem.code for problem in found] == ["E104", "E105", "E104"]


@pytest.mark.slow
def test_a_file_that_is_wrong_all_over_is_reported_in_a_moment() -> None:
    keys = "".join(f"  key_{number}_that_nobody_knows: 1\n" for number in range(20_000))
    items = "".join("  - 1\n" for _ in range(20_000))
    text = f"{JOB}defaults:\n{keys}steps:\n{items}"
    read = document(text)

    with bounded():
        found = schema.check(read, "job")

    assert 0 < len(found) <= 100


# what it costs


LONG = JOB + "steps:\n" + "".join(
    f"""
  - id: step_{number}
    name: Read the contacts back
    execute:
      process: UsrGetAllContacts
      parameters: {{ContactName: "{{{{ vars.contact }}}}", Limit: {number}}}
      result: ContactList
    effect: read
    retry: {{max_attempts: 5, initial: 500ms, max: 5s, on: [expectation]}}
    expect:
      - result | length > 0
      - that: vars.contact in result
        message: the new contact is not in the list
    outputs: {{first: result}}
"""
    for number in range(1_000)
)  # fmt: skip


@pytest.mark.slow
def test_one_wrong_step_among_a_thousand_is_explained_in_a_moment() -> None:
    read = document(LONG.replace("process: UsrGetAllContacts", "proces: UsrGetAllContacts", 1))

    with bounded():
        (problem,) = schema.check(read, "job")

    assert problem.message == "unknown key `proces` in `execute`"


@pytest.mark.slow
def test_no_hints_are_read_for_a_file_without_mistakes() -> None:
    program = f"""
import sys
from runner.reading import load
from runner.language import schema
assert schema.check(load.load("a", b{step("execute: {process: X}")!r}), "job") == ()
from runner.foundation import hints
print(hints.table.cache_info().currsize)
"""
    root = Path(__file__).parents[2]

    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)

    assert done.stdout == "0\n"
