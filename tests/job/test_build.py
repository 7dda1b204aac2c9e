import pytest

from runner.foundation.values import Json
from runner.job import build
from runner.job.actions import (
    Cancel,
    Change,
    Confirm,
    Decode,
    Element,
    Elements,
    Execute,
    Failures,
    IncludedJob,
    Pause,
    Query,
    Run,
    Signal,
    Wait,
    WaitFor,
)
from runner.job.model import (
    Action,
    Case,
    Expectation,
    Input,
    Job,
    OnFailure,
    Retry,
    RetryOn,
    SchemaExpectation,
    Step,
    StepEffect,
    Undo,
    Until,
    Verify,
)
from runner.reading.document import Document
from runner.reading.load import load

GUID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"


def job(text: str) -> Job:
    loaded = load("one.job.yaml", text.encode())
    assert isinstance(loaded, Document), loaded
    return build.job(loaded)


def step(text: str, *, before: str = "") -> Step:
    return job(f"{before}\nname: one\nsteps:\n  - {text}").steps[0]


def test_a_whole_job_becomes_records() -> None:
    built = job("""
runner: 1
name: contact-smoke
description: A contact can be read back.
help: Ask the CRM team.
tags: [smoke, contacts]
target: sandbox
inputs:
  phone: {type: string, default: "+1", description: Phone of the contact}
  token: {type: string, minLength: 8, secret: true}
  note: {default: null}
vars: {contact: "Smoke {{ run.id }}", limit: 3}
steps:
  - execute: {process: UsrAddContact, parameters: {Name: "{{ vars.contact }}", Fax: null}}
finally:
  - id: cleanup
    element: "{{ vars.contact }}"
outputs: {contact: vars.contact, one: 1, yes: true}
""")

    assert built == Job(
        name="contact-smoke",
        file="one.job.yaml",
        description="A contact can be read back.",
        help="Ask the CRM team.",
        tags=("smoke", "contacts"),
        target="sandbox",
        inputs=(
            Input(
                name="phone",
                schema={"type": "string", "description": "Phone of the contact"},
                required=False,
                default="+1",
                description="Phone of the contact",
            ),
            Input(name="token", schema={"type": "string", "minLength": 8}, secret=True),
            Input(name="note", schema={}, required=False),
        ),
        vars={"contact": "Smoke {{ run.id }}", "limit": 3},
        steps=(
            Step(
                condition="success()",
                effect=StepEffect.ONCE,
                action=Execute(process="UsrAddContact", parameters={"Name": "{{ vars.contact }}", "Fax": None}),
                line=14,
            ),
        ),
        final_steps=(
            Step(
                id="cleanup",
                condition="always()",
                effect=StepEffect.IDEMPOTENT,
                action=Element(which="{{ vars.contact }}"),
                line=16,
            ),
        ),
        outputs={"contact": "vars.contact", "one": "1", "yes": "true"},
    )


def test_a_step_keeps_what_it_says_itself() -> None:
    built = step("""
    id: read
    name: Read
    help: Rights?
    if: false
    execute: {process: A, result: R, required: true, decode: text, until: started}
    effect: read
    retry: {max_attempts: 5, initial: 500ms, factor: 1, max: 5s, jitter: 0, on: [expectation, refused]}
    timeout: 1.5m
    verify: log
    expect: [true, result, {that: 1, message: no}, {schema: {type: array}, message: no}, {schema: true}]
    outputs: {a: result.a, b: 2.5}
    secret: true
    on_failure: ignore
""")

    assert built == Step(
        id="read",
        name="Read",
        help="Rights?",
        condition="false",
        effect=StepEffect.READ,
        retry=Retry(
            max_attempts=5,
            initial=0.5,
            factor=1.0,
            max=5.0,
            jitter=0.0,
            on=frozenset({RetryOn.EXPECTATION, RetryOn.REFUSED}),
        ),
        timeout=90.0,
        follow=90.0,
        verify=Verify.LOG,
        expect=(
            Expectation(that="true"),
            Expectation(that="result"),
            Expectation(that="1", message="no"),
            SchemaExpectation(schema={"type": "array"}, message="no"),
            SchemaExpectation(schema=True),
        ),
        outputs={"a": "result.a", "b": "2.5"},
        secret=True,
        on_failure=OnFailure.IGNORE,
        action=Execute(
            process="A", result="R", required=True, decode=Decode.TEXT, until=Until.STARTED, says_until=True
        ),
        line=5,
    )


def test_defaults_fill_in_what_a_step_does_not_say_key_by_key() -> None:
    before = """
defaults:
  timeout: 30s
  retry: {max_attempts: 9, initial: 2s, on: [unanswered]}
  verify: none
  on_failure: continue
"""
    filled = step("execute: {process: A}\n    retry: {max_attempts: 2, on: [not_sent]}", before=before)
    silent = step("execute: {process: A}", before=before)

    assert (filled.timeout, filled.verify, filled.on_failure) == (30.0, Verify.NONE, OnFailure.CONTINUE)
    assert filled.retry == Retry(max_attempts=2, initial=2.0, on=frozenset({RetryOn.NOT_SENT}))
    assert silent.retry == Retry(max_attempts=9, initial=2.0, on=frozenset({RetryOn.UNANSWERED}))


def test_only_the_own_timeout_of_a_step_bounds_following() -> None:
    preset = step("execute: {process: A}", before="defaults: {timeout: 30s}")
    own = step("execute: {process: A}\n    timeout: 2s", before="defaults: {timeout: 30s}")

    assert (preset.timeout, preset.follow) == (30.0, 600.0)
    assert (own.timeout, own.follow) == (2.0, 2.0)


def test_an_execute_is_followed_until_it_is_done_where_a_result_is_asked_for() -> None:
    asked, plain = step("execute: {process: A, result: R}").action, step("execute: {process: A}").action

    assert isinstance(asked, Execute)
    assert isinstance(plain, Execute)
    assert (asked.until, plain.until) == (Until.DONE, Until.STARTED)


def test_elements_with_parameters_happen_once_and_others_may_be_repeated() -> None:
    with_values = step(f"elements: [{GUID}, {{uid: {GUID}, parameters: {{A: 1}}}}]")
    without = step(f"elements: [{GUID}, {{uid: {GUID}}}]")

    assert with_values.action == Elements(items=(Element(which=GUID), Element(which=GUID, parameters={"A": 1})))
    assert without.action == Elements(items=(Element(which=GUID), Element(which=GUID)))
    assert (with_values.effect, without.effect) == (StepEffect.ONCE, StepEffect.IDEMPOTENT)
    assert step(f"element: {{uid: {GUID}, parameters: {{}}}}").effect is StepEffect.ONCE


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("run: {process: A}", Run(process="A", until=Until.DONE)),
        (
            "run: {process: A, parameters: {B: 1}, results: [C, D], until: started}",
            Run(process="A", parameters={"B": 1}, results=("C", "D"), until=Until.STARTED),
        ),
        (f"wait: {{process_id: {GUID}}}", Wait(process_id=GUID, wanted=WaitFor.COMPLETED, every=1.0, max_every=10.0)),
        (
            f"wait: {{process_id: {GUID}, for: parked, every: 500ms, max_every: 2m}}",
            Wait(process_id=GUID, wanted=WaitFor.PARKED, every=0.5, max_every=120.0),
        ),
        (f"cancel: {{process_id: {GUID}}}", Cancel(process_id=GUID)),
        ("failures: {processes: [A]}", Failures(processes=("A",), since="run", seconds=0.0, at_most=0)),
        (
            "failures: {processes: [A, B*], since: x, for: 10m, at_most: 2}",
            Failures(processes=("A", "B*"), since="x", seconds=600.0, at_most=2),
        ),
        (
            "signal: {insert: {entity: Lead, values: {Name: A}}, starts: UsrQ}",
            Signal(change=Change.INSERT, entity="Lead", values={"Name": "A"}, starts="UsrQ", until=Until.DONE),
        ),
        (
            f"signal: {{insert: {{entity: Lead, values: {{Id: {GUID}}}}}}}",
            Signal(change=Change.INSERT, entity="Lead", id=GUID),
        ),
        (
            f"signal: {{update: {{entity: Lead, id: {GUID}, values: {{A: null}}}}, starts: UsrQ, until: started}}",
            Signal(
                change=Change.UPDATE, entity="Lead", id=GUID, values={"A": None}, starts="UsrQ", until=Until.STARTED
            ),
        ),
        (f"signal: {{delete: {{entity: Lead, id: {GUID}}}}}", Signal(change=Change.DELETE, entity="Lead", id=GUID)),
        ("query: {entity: A}", Query(entity="A", top=100)),
        (
            "query: {entity: A, filter: B eq 1, select: [C, 'D, E'], orderby: 'F desc,G', top: 7.0}",
            Query(entity="A", filter="B eq 1", select=("C", "D", "E"), orderby=("F desc", "G"), top=7),
        ),
        ("confirm: Go on?", Confirm(text="Go on?")),
        ("pause: 1.5m", Pause(seconds=90.0)),
    ],
)
def test_an_action_becomes_a_record(written: str, action: Action) -> None:
    assert step(written).action == action


@pytest.mark.parametrize(
    ("written", "every", "longest"),
    [
        ("every: 30s", 30.0, 30.0),
        ("max_every: 500ms", 0.5, 0.5),
        ("every: 2s", 2.0, 10.0),
        ("max_every: 1m", 1.0, 60.0),
    ],
)
def test_the_pause_of_a_wait_that_is_not_written_goes_along_with_the_other(
    written: str, every: float, longest: float
) -> None:
    action = step(f"wait: {{process_id: {GUID}, {written}}}").action

    assert isinstance(action, Wait)
    assert (action.every, action.max_every) == (every, longest)


@pytest.mark.parametrize(
    ("action", "effect"),
    [
        ("run: {process: A}", StepEffect.ONCE),
        (f"wait: {{process_id: {GUID}}}", StepEffect.READ),
        ("query: {entity: A}", StepEffect.READ),
        ("confirm: a", StepEffect.READ),
        ("pause: 1s", StepEffect.READ),
    ],
)
def test_an_action_has_an_effect_of_its_own(action: str, effect: StepEffect) -> None:
    assert step(action).effect is effect


@pytest.mark.parametrize(
    ("action", "takes_preset"),
    [
        ("execute: {process: A}", True),
        (f"element: {GUID}", True),
        (f"elements: [{GUID}]", True),
        ("run: {process: A}", True),
        ("query: {entity: A}", True),
        (f"wait: {{process_id: {GUID}}}", False),
        ("confirm: a", False),
        ("pause: 1s", False),
    ],
)
def test_the_timeout_of_the_defaults_is_of_attempts_alone(action: str, *, takes_preset: bool) -> None:
    preset, own = step(action, before="defaults: {timeout: 30s}"), step(f"{action}\n    timeout: 2s")

    assert step(action).timeout is None
    assert preset.timeout == (30.0 if takes_preset else None)
    assert (preset.follow, own.timeout, own.follow) == (600.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("written", "each"),
    [("inputs.list", "inputs.list"), ("[a, 1, null, {b: '{{ x }}'}]", ["a", 1, None, {"b": "{{ x }}"}]), ("[]", [])],
)
def test_what_a_step_is_carried_out_for_stays_as_it_is_written(written: str, each: Json) -> None:
    assert step(f"for_each: {written}\n    pause: 1s").for_each == each
    assert step("pause: 1s").for_each is None


def test_an_included_job_and_cases_are_handed_in() -> None:
    inner = job("name: inner\nsteps: [{pause: 1s}]")
    document = load("one.job.yaml", b"name: one\nsteps: [{pause: 1s}, {job: {file: x, inputs: {a: 1}}}]")
    assert isinstance(document, Document)

    built = build.job(document, included={("steps", 1): inner}, cases=(Case(name="a", inputs={}),))

    assert built.steps[1].action == IncludedJob(job=inner, inputs={"a": 1})
    assert built.steps[1].effect is StepEffect.READ
    assert built.cases == (Case(name="a", inputs={}),)
    assert job("name: one\nsteps: [{pause: 1s}]").cases is None


def test_a_job_keeps_its_bounds_in_seconds_and_the_name_of_its_lock() -> None:
    bounded = job("name: one\ntimeout: 1.5m\ncleanup_timeout: 500ms\nconcurrency: a lock\nsteps: [{pause: 1s}]")
    free = job("name: one\nsteps: [{pause: 1s}]")

    assert (bounded.timeout, bounded.cleanup_timeout, bounded.concurrency) == (90.0, 0.5, "a lock")
    assert (free.timeout, free.cleanup_timeout, free.concurrency) == (None, 300.0, None)


def test_an_undo_of_one_action_is_one_step_alone() -> None:
    built = step("run: {process: A}\n    undo:\n      execute: {process: B}", before="defaults: {timeout: 5s}")

    assert built.undo == Undo(
        alone=True,
        steps=(Step(condition="always()", effect=StepEffect.ONCE, timeout=5.0, action=Execute(process="B"), line=5),),
    )


def test_an_undo_of_several_steps_keeps_their_order_and_what_they_say() -> None:
    undo = """
    undo:
      - id: first
        if: failure()
        pause: 1s
        on_failure: ignore
      - pause: 2s"""
    built = step(f"pause: 3s{undo}", before="defaults: {on_failure: continue}").undo

    assert built is not None
    assert not built.alone
    assert [(one.id, one.condition, one.on_failure, one.line) for one in built.steps] == [
        ("first", "failure()", OnFailure.IGNORE, 6),
        (None, "always()", OnFailure.CONTINUE, 10),
    ]
    assert step("pause: 1s").undo is None


def test_jobs_in_an_undo_are_handed_in_by_their_own_paths() -> None:
    text = "name: one\nsteps: [{pause: 1s, undo: {job: {file: x}}}]\nfinally: [{pause: 1s, undo: [{job: {file: y}}]}]"
    document = load("one.job.yaml", text.encode())
    assert isinstance(document, Document)
    inner, other = job("name: inner\nsteps: [{pause: 1s}]"), job("name: other\nsteps: [{pause: 1s}]")

    built = build.job(document, included={("steps", 0, "undo"): inner, ("finally", 0, "undo", 0): other})

    undone = [one.undo.steps[0].action for one in (*built.steps, *built.final_steps) if one.undo]
    assert undone == [IncludedJob(job=inner), IncludedJob(job=other)]


def test_an_undo_that_is_an_alias_is_built_as_its_anchor() -> None:
    built = job("name: one\nsteps:\n  - {pause: 1s, undo: &back [{pause: 2s}]}\n  - {pause: 3s, undo: *back}")

    assert built.steps[1].undo == built.steps[0].undo
    assert built.steps[1].undo is not None


def test_a_job_without_steps_in_finally_has_none() -> None:
    assert job("name: one\nsteps: [{execute: {process: A}}]\nfinally: []").final_steps == ()
