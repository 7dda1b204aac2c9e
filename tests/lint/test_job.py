"""Rules of a whole job, as `CODE path`; how each mistake reads is in `tests/wrong/`."""

import pytest
from msgspec.structs import replace

from runner.foundation.problems import Problem, Severity
from runner.foundation.values import pointer, record
from runner.job.outline import outline
from runner.lint import job as rules
from runner.lint import site
from runner.reading.document import Document
from runner.reading.load import load

GUID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
OWN = "a value of your own is an input or a var, as `inputs.zzz`"


def document(text: str, *, file: str = "one.job.yaml") -> Document:
    loaded = load(file, text.encode())
    assert isinstance(loaded, Document), loaded
    return loaded


def linted(text: str, *, reported: tuple[Problem, ...] = ()) -> list[str]:
    problems = rules.check(document(text), reported=reported)
    return [f"{problem.code} {pointer(problem.path)}" for problem in problems]


def steps(text: str) -> str:
    return f"runner: 1\nname: one\nsteps:\n{text}"


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("inputs.b", "E126"),
        ("inputs.b | default(1)", "E126"),
        ("inputs.b is defined", "E126"),
        ("vars.b", "E126"),
        ("run.name", "E126"),
        ("target.password", "E126"),
        ("case.inputs", "E126"),
        ("steps.b.result", "E126"),
        ("steps[0].result", "E126"),
        ("item", "E126"),
        ("process", "E126"),
        ("outputs.x", "E126"),
        ("steps.own.result", "E127"),
        ("steps.later.result", "E127"),
        ("steps.early.reslt", "E128"),
        ("steps.early.outputs.b", "E128"),
        ("steps.early.outputs.b is defined", "E128"),
        ("steps.early.turns", "E128"),
        ("steps | length", "E125"),
        ("steps[inputs.a].result", "E125"),
        ("steps.early[inputs.a]", "E125"),
        ("failure()", "E124"),
        ("always()", "E124"),
    ],
)
def test_a_name_that_is_not_known_is_reported_with_its_code(expression: str, code: str) -> None:
    text = f"""
inputs: {{a: {{type: string}}}}
steps:
  - id: early
    execute: {{process: A}}
    outputs: {{a: "1"}}
  - id: own
    execute: {{process: A, result: A}}
    expect: ['{expression}']
  - id: later
    execute: {{process: A}}
"""
    assert linted(text) == [f"{code} /steps/1/expect/0"]


INNER = """
inputs: {a: {type: integer}, b: {default: 1}, s: {type: string, secret: true, default: abc}, odd: 3}
steps: [{execute: {process: A}}]
outputs: {x: "1", y: "2"}
"""


def problems_of_including(text: str) -> list[str]:
    """`text` with a job in the place of each of its `job` steps."""
    loaded = document(text)
    data, inner = loaded.data, document(INNER).data
    assert isinstance(data, dict)
    assert isinstance(inner, dict)
    known = outline(data)
    included = {step.path: outline(inner) for step in known.steps if "job" in step.fields}
    problems = rules.check(loaded, job=replace(known, included=included))
    return [f"{problem.code} {pointer(problem.path)}" for problem in problems]


@pytest.mark.parametrize(
    ("expression", "is_known"),
    [
        ("steps.one.result.x", True),
        ("steps.one.result['y']", True),
        ("steps.one.result", True),
        ("steps.one.result[inputs.key]", True),
        ("steps.one.result.x.anything", True),
        ("steps.one.result.z", False),
        ("steps.one.result.z is defined", False),
        ("steps.one.result[0]", False),
        ("steps.one.outputs.own", True),
        ("steps.one.outputs.x", False),
        ("steps.many.result[0].x", True),
        ("steps.many.result[-1].z", False),
        ("steps.many.result[0]", True),
        ("steps.many.result[inputs.key]", True),
        ("steps.many.result | map(attribute='z')", True),
        ("steps.many.result.x", False),
        ("steps.many.turns[0].result.x", True),
        ("steps.many.turns[0].result.z", False),
        ("steps.many.turns[0]", True),
        ("steps.many.turns[0].turns", False),
        ("steps.many.outputs.own[0]", True),
        ("steps.many.outputs.own.x", False),
        ("steps.many.turns[0].outputs.own", True),
        ("steps.many.turns[0].outputs.x", False),
        ("steps.many.turns.x", False),
        ("steps.many.seconds > 1 and steps.many.status == 'passed'", True),
    ],
)
def test_what_an_included_job_gives_is_known_by_its_outputs(expression: str, *, is_known: bool) -> None:
    text = f"""
inputs: {{key: {{type: string}}}}
steps:
  - id: one
    job: {{file: inner.job.yaml, inputs: {{a: 1}}}}
    outputs: {{own: result.x}}
  - id: many
    for_each: [1, 2]
    job: {{file: inner.job.yaml, inputs: {{a: "{{{{ item }}}}"}}}}
    outputs: {{own: result.y}}
  - execute: {{process: A, parameters: {{A: "{{{{ {expression} }}}}"}}}}
"""
    assert problems_of_including(text) == ([] if is_known else ["E128 /steps/2/execute/parameters/A"])


def test_an_included_job_is_held_against_its_own_expectations_too() -> None:
    text = """
steps:
  - job: {file: inner.job.yaml, inputs: {a: 1}}
    expect: [result.x is defined, result.z is defined]
    outputs: {x: result.x, z: result.z}
"""
    assert problems_of_including(text) == ["E128 /steps/0/expect/1", "E128 /steps/0/outputs/z"]


@pytest.mark.parametrize(
    ("inputs", "codes"),
    [
        ("{a: 1}", []),
        ("{a: 1.0, b: null}", []),
        ('{a: "{{ run.id }}"}', []),
        ('{a: 1, b: {x: ["{{ run.id }}"]}}', []),
        ("{a: 1, odd: x}", []),
        ("{}", ["E130 /steps/0/job/inputs"]),
        ("{b: 1}", ["E130 /steps/0/job/inputs"]),
        ("{a: x}", ["E132 /steps/0/job/inputs/a"]),
        ("{a: null}", ["E132 /steps/0/job/inputs/a"]),
        ("{a: 1, z: 1}", ["E131 /steps/0/job/inputs/z"]),
        (
            "{aa: 1, b: 2, c: 3}",
            ["E130 /steps/0/job/inputs", "E131 /steps/0/job/inputs/aa", "E131 /steps/0/job/inputs/c"],
        ),
        ("{a: 1, s: hidden}", ["E107 /steps/0/job/inputs/s"]),
        ("{a: 1, s: ''}", ["E107 /steps/0/job/inputs/s", "E134 /steps/0/job/inputs/s"]),
    ],
)
def test_what_is_handed_in_is_held_against_the_inputs_of_the_included_job(inputs: str, codes: list[str]) -> None:
    assert problems_of_including(steps(f"  - job: {{file: inner.job.yaml, inputs: {inputs}}}")) == codes


def test_an_undo_of_turns_sees_one_turn() -> None:
    text = """
steps:
  - id: many
    for_each: [1, 2]
    job: {file: inner.job.yaml, inputs: {a: 1}}
    outputs: {own: result.x}
    undo: {execute: {process: U, parameters: {A: "{{ steps.many.result.x }} {{ steps.many.outputs.own.key }}"}}}
"""
    assert problems_of_including(text) == []


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("result.x", None),
        ("result.z", "E128"),
        ("outputs.own", None),
        ("outputs", None),
        ("outputs.x", "E128"),
        ("steps.many.outputs.own.key", None),
        ("steps.many.outputs.x", "E128"),
        ("steps.many.status", None),
        ("steps.many.turns", "E128"),
        ("steps.many.turns[0].status", "E128"),
        ("process_status", "E128"),
        ("attempts", "E126"),
        ("index", None),
        ("steps.late.status", "E127"),
    ],
)
def test_an_undo_sees_what_the_turn_had_that_it_undoes(expression: str, code: str | None) -> None:
    text = f"""
steps:
  - id: many
    for_each: [1, 2]
    job: {{file: inner.job.yaml, inputs: {{a: 1}}}}
    outputs: {{own: result.x}}
    undo: {{execute: {{process: U, parameters: {{A: "{{{{ {expression} }}}}"}}}}}}
  - id: late
    pause: 1s
"""
    path = "/steps/0/undo/execute/parameters/A"
    assert problems_of_including(text) == ([f"{code} {path}"] if code else [])


def test_in_an_undo_each_step_has_a_result_of_its_own_and_keeps_the_outputs_of_the_one_it_undoes() -> None:
    text = """
steps:
  - id: outer
    job: {file: inner.job.yaml, inputs: {a: 1}}
    outputs: {own: result.x}
    undo:
      - for_each: result.x
        query: {entity: "A", filter: "B eq {{ item }}"}
        if: result.x == 1
        expect: ['result[0].z == outputs.own', outputs.z == 1, item == index]
      - job: {file: inner.job.yaml, inputs: {a: "{{ result.z }}"}}
"""
    assert problems_of_including(text) == [
        "E128 /steps/0/undo/0/expect/1",
        "E128 /steps/0/undo/1/job/inputs/a",
    ]


def test_an_undo_under_finally_is_warned_of_and_read_all_the_same() -> None:
    text = steps("  - pause: 1s\nfinally:\n  - pause: 1s\n    undo: {element: '{{ nothing }}'}")
    found = rules.check(document(text))

    assert [(problem.code, problem.severity) for problem in found] == [
        ("E107", Severity.WARNING),
        ("E126", Severity.ERROR),
    ]


@pytest.mark.parametrize(
    ("undo", "refused"),
    [
        ("{execute: {process: A}}", True),
        ("[{execute: {process: A}}]", True),
        ("[{execute: {process: A}, effect: read}]", False),
        ("[{execute: {process: A}, retry: {on: [not_sent]}}]", False),
        ("{query: {entity: A}}", False),
    ],
)
def test_the_retry_of_the_defaults_is_held_against_the_effect_of_an_undo(undo: str, *, refused: bool) -> None:
    text = "defaults: {retry: {on: [refused]}}\n" + steps(f"  - pause: 1s\n    undo: {undo}")

    assert linted(text) == (["E112 /defaults/retry/on/0"] if refused else [])


def test_nothing_is_reported_of_a_job_that_could_not_be_read() -> None:
    text = """
steps:
  - id: a
    job: {file: inner.job.yaml, inputs: {anything: 1}}
  - if: steps.a.result.anything == 1
    pause: 1s
"""
    assert linted(text) == []


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("select: Id", []),
        ("select: 'Id, Account/Name, *'", []),
        ("select: [Id, Имя]", []),
        ("orderby: Name", []),
        ("orderby: 'Account/Name desc, Name asc'", []),
        ("select: 'Id, '", ["select"]),
        ("select: Name desc", ["select"]),
        ("select: [Id, '1', a b]", ["select/1", "select/2"]),
        ("orderby: [Name DESC, 'Name  asc', Name, Name desc first]", ["orderby/0", "orderby/1", "orderby/3"]),
        ("orderby: ','", ["orderby"]),
    ],
)
def test_columns_of_a_query_are_codes_and_paths(query: str, paths: list[str]) -> None:
    assert linted(steps(f"  - query: {{entity: A, {query}}}")) == [f"E107 /steps/0/query/{path}" for path in paths]


@pytest.mark.parametrize(
    ("written", "severity"),
    [
        ("Name eq {{ inputs.a | odata }}", None),
        ("Name eq 'it''s' and Code eq {{ inputs.a | odata }}", None),
        ("Id eq {{ inputs.a }}", None),
        ("Name eq 'Smoke {{ run.id }}'", None),
        ("Name eq '{{ inputs.a }}'", "warning"),
        ("Name eq '{{ run.id }} {{ inputs.a }}'", "warning"),
        ("Name eq 'it''s {{ inputs.a }}'", "warning"),
        ("Name eq '{{ inputs.a|odata }}'", "error"),
    ],
)
def test_a_value_between_the_quotes_of_a_filter_is_reported(written: str, severity: Severity | None) -> None:
    text = "inputs: {a: {type: string}}\n" + steps(f'  - query: {{entity: A, filter: "{written}"}}')
    read = document(text)
    problems = (*rules.check(read), *site.check(read, outline(record(read.data)), None))

    assert [(problem.code, problem.severity) for problem in problems] == ([("E107", severity)] if severity else [])


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("timeout: 8761h", "/timeout"),
        ("cleanup_timeout: 525601m", "/cleanup_timeout"),
        ("defaults: {timeout: 99999999999999999999h}", "/defaults/timeout"),
        ("defaults: {retry: {initial: 9000h}}", "/defaults/retry/initial"),
        ("steps: [{pause: 9000h}]", "/steps/0/pause"),
        ("steps: [{pause: 1s, timeout: 9000h, retry: {max: 9000h}}]", "/steps/0/timeout"),
        (f"steps: [{{wait: {{process_id: {GUID}, max_every: 9000h}}}}]", "/steps/0/wait/max_every"),
    ],
)
def test_nobody_waits_for_longer_than_a_year(line: str, path: str) -> None:
    assert f"E114 {path}" in linted(line)


@pytest.mark.parametrize("line", ["timeout: 8760h", "steps: [{pause: 365.0h, retry: {max: 8760h}, timeout: 1ms}]"])
def test_a_year_can_be_waited_for(line: str) -> None:
    assert not any(problem.startswith("E114") for problem in linted(line))


@pytest.mark.parametrize(
    ("step", "paths"),
    [
        ("pause: 1s\n    retry: {max_attempts: 2}", ["retry"]),
        ("confirm: a\n    retry: {max_attempts: 2}\n    verify: log", ["retry", "verify"]),
        ("query: {entity: A}\n    retry: {max_attempts: 2}\n    verify: none", ["verify"]),
        (f"element: {GUID}\n    verify: auto", []),
        ("run: {process: A}\n    retry: {max_attempts: 2}\n    verify: log", []),
        ("execute: {process: A}\n    verify: none", []),
    ],
)
def test_a_key_that_an_action_does_not_heed_is_a_warning(step: str, paths: list[str]) -> None:
    problems = rules.check(document(steps(f"  - {step}")))

    assert [(pointer(problem.path), problem.severity) for problem in problems] == [
        (f"/steps/0/{path}", Severity.WARNING) for path in paths
    ]


def test_what_the_defaults_say_is_no_key_of_a_step() -> None:
    assert linted("defaults: {retry: {max_attempts: 2}, verify: log}\n" + steps("  - pause: 1s")) == []


def test_keys_inside_values_are_not_judged() -> None:
    text = """
vars: {a: {b: 1}}
steps:
  - id: a
    execute: {process: A, result: A}
    outputs: {x: result.x}
  - if: steps.a.result.any.thing[3] == vars.a.c and steps.a.outputs.x.y == run.id.z
    execute: {process: A}
"""
    assert linted(text) == []


def test_steps_of_an_undo_are_known_in_their_own_list_only_and_in_its_order() -> None:
    text = """
steps:
  - id: a
    execute: {process: A}
    undo:
      - if: steps.v.status == "passed"
        execute: {process: U}
      - id: v
        execute: {process: V}
  - id: b
    if: steps.v.status == "passed"
    execute: {process: B}
    undo:
      - if: steps.v.status == "passed" or steps.c.status == "passed"
        execute: {process: B}
  - id: c
    execute: {process: C}
"""
    assert linted(text) == [
        "E127 /steps/0/undo/0/if",
        "E126 /steps/1/if",
        "E126 /steps/1/undo/0/if",
        "E127 /steps/1/undo/0/if",
    ]


def test_a_step_of_an_undo_does_not_know_itself_yet() -> None:
    text = """
steps:
  - execute: {process: A}
    undo: [{id: u, if: steps.u.status == "passed", execute: {process: U}}]
"""
    assert linted(text) == ["E127 /steps/0/undo/0/if"]


def test_an_undo_knows_the_turns_of_its_own_step_only() -> None:
    text = """
steps:
  - execute: {process: A}
    undo: {execute: {process: U, parameters: {A: "{{ item }}"}}}
  - for_each: [1]
    execute: {process: A}
    undo: {execute: {process: U, parameters: {A: "{{ item }}"}}}
"""
    assert linted(text) == ["E126 /steps/0/undo/execute/parameters/A"]


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("inputs.phoen", "did you mean `inputs.phone`?"),
        ("inputs.zzz", "use what the job has under `inputs`: `fax`, `phone`"),
        ("vars.zzz", "declare it, as in `vars: {zzz: …}`: the job has no vars"),
        ("input.phone", "did you mean `inputs`?"),
        ("phone", "did you mean `inputs.phone`?"),
        ("early", "did you mean `steps.early`?"),
        ("zzz", f"known here: `inputs`, `vars`, `steps`, `run`, `target`, `case`; {OWN}"),
        ("run.uid", "did you mean `run.id`?"),
        ("target.zzz", "keys of `target`: `name`, `url`"),
        ("steps.erly.status", "did you mean `steps.early`?"),
        ("steps.latr.status", "did you mean `steps.later`?"),
        ("steps.zzz.status", "use a step above: `early`, `joined`"),
        (
            "steps.early.zzz",
            "keys of a step: `result`, `outputs`, `status`, `process_id`, `attempts`, `seconds`, `turns`",
        ),
        ("steps.early.kept", "did you mean `outputs.kept`?"),
        ("steps.early.outputs.kep", "did you mean `kept`?"),
        ("steps.joined.outputs.kept", "what an included job gives is `steps.joined.result.NAME`"),
        (
            "process_status",
            "`process_status` is known in `expect` and `outputs` of its own step; elsewhere write `steps.ID.status`",
        ),
        ("index", "write it in the step with `for_each` itself, and not in its `if`"),
        (
            "env.HOME",
            "the environment is read in targets only: declare an input `NAME`, which CREATIO_RUNNER_INPUT_NAME gives",
        ),
    ],
)
def test_an_unknown_name_comes_with_the_likely_name(expression: str, hint: str) -> None:
    text = f"""
inputs: {{phone: {{type: string}}, fax: {{type: string}}}}
steps:
  - id: early
    execute: {{process: A, result: A}}
    outputs: {{kept: result}}
  - id: joined
    job: {{file: other.job.yaml}}
  - if: '{expression}'
    execute: {{process: A}}
  - id: later
    execute: {{process: A}}
"""
    assert [problem.hint for problem in rules.check(document(text))] == [hint]


def test_a_var_is_answered_with_the_names_known_to_vars() -> None:
    (problem,) = rules.check(document("vars: {a: '{{ zzz }}'}"))
    assert problem.hint == f"known here: `inputs`, `vars`, `run`, `target`, `case`; {OWN}"


def test_a_name_in_a_block_is_reported_on_its_own_line() -> None:
    text = """
steps:
  - execute:
      process: A
      parameters:
        A: |
          one {{ run.id }}
          two {{ run.ids }}
          three {{ run["ids"] }}
"""
    spans = [problem.span for problem in rules.check(document(text)) if problem.span]

    assert [(span.line, span.column, span.end_column) for span in spans] == [(8, 18, 25), (9, 25, 28)]


def test_an_if_does_not_know_the_item_of_its_loop() -> None:
    assert linted(steps("  - {for_each: [1], if: item == 1, execute: {process: A}}")) == ["E126 /steps/0/if"]


def test_job_outputs_know_final_steps_but_no_result() -> None:
    text = """
steps: [{execute: {process: A}}]
finally: [{id: f, execute: {process: A}}]
outputs: {a: steps.f.status, b: result}
"""
    assert linted(text) == ["E126 /outputs/b"]


@pytest.mark.parametrize(
    "line",
    [
        'name: "{{ run.id }}"',
        'description: "{{ run.id }}"',
        'tags: ["{{ run.id }}"]',
        'concurrency: "{{ run.id }}"',
        'inputs: {a: {type: string, description: "{{ run.id }}"}}',
        'defaults: {timeout: "{{ run.id }}"}',
    ],
)
def test_a_template_where_none_is_read_is_refused(line: str) -> None:
    assert [problem[:4] for problem in linted(f"{line}\nsteps: [{{execute: {{process: A}}}}]")] == ["E122"]


def test_braces_in_a_key_are_refused_at_every_depth() -> None:
    text = steps('  - execute: {process: A, parameters: {A: [{"{{ run.id }}": 1}]}}')
    assert linted(text) == ["E122 /steps/0/execute/parameters/A/0/{{ run.id }}"]


@pytest.mark.parametrize("written", [GUID, GUID.upper(), "{{ run.id }}", "a{{ run.id }}"])
def test_an_id_of_an_element_is_a_guid_or_a_template(written: str) -> None:
    text = steps(f"  - element: '{written}'\n  - elements: ['{written}', {{uid: '{written}'}}]")
    assert linted(text) == []


@pytest.mark.parametrize("written", ["x", "", f"{{{GUID}}}", GUID.replace("-", ""), f"{GUID}0", f" {GUID}"])
def test_any_other_id_of_an_element_is_refused_wherever_it_is(written: str) -> None:
    text = steps(f"""
  - element: '{written}'
  - element: {{uid: '{written}'}}
  - elements: ['{written}', {{uid: '{written}'}}]
  - wait: {{process_id: '{written}'}}
""")
    assert linted(text) == [
        "E113 /steps/0/element",
        "E113 /steps/1/element/uid",
        "E113 /steps/2/elements/0",
        "E113 /steps/2/elements/1/uid",
        "E113 /steps/3/wait/process_id",
    ]


def test_an_id_is_there_twice_at_the_second_also_in_finally_and_undo() -> None:
    text = """
steps:
  - id: a
    execute: {process: A}
    undo: [{id: a, execute: {process: A}}]
finally:
  - id: a
    execute: {process: A}
"""
    assert linted(text) == ["E111 /steps/0/undo/0/id", "E111 /finally/0/id"]


@pytest.mark.parametrize(
    ("action", "refused"),
    [
        ("execute: {process: A}", True),
        ("execute: {process: A}\n    effect: idempotent", False),
        ("execute: {process: A}\n    effect: read", False),
        (f"element: {GUID}", False),
        (f"element: {GUID}\n    effect: once", True),
        (f"element: {{uid: {GUID}, parameters: {{A: 1}}}}", True),
        (f"elements: [{GUID}]", False),
        (f"elements: [{GUID}, {{uid: {GUID}, parameters: {{A: 1}}}}]", True),
        ("run: {process: A}", True),
        (f"wait: {{process_id: {GUID}}}", False),
        ("query: {entity: A}", False),
    ],
)
@pytest.mark.parametrize("on", ["refused", "unanswered"])
def test_a_retry_is_held_against_the_effect(action: str, on: str, *, refused: bool) -> None:
    written = linted(steps(f"  - {action}\n    retry: {{on: [not_sent, {on}]}}"))
    preset = linted(f"defaults: {{retry: {{on: [not_sent, {on}]}}}}\n" + steps(f"  - {action}"))

    assert written == (["E112 /steps/0/retry/on/1"] if refused else [])
    assert preset == (["E112 /defaults/retry/on/1"] if refused else [])


def test_a_chain_is_never_started_again() -> None:
    assert linted(steps(f"  - {{elements: [{GUID}], retry: {{on: [expectation]}}}}")) == ["E107 /steps/0/retry/on/0"]


def test_a_step_with_an_own_on_does_not_take_that_of_the_defaults() -> None:
    text = "defaults: {retry: {on: [expectation]}}\n" + steps("  - {execute: {process: A}, retry: {on: [not_sent]}}")
    assert linted(text) == []


def test_a_mistake_of_the_defaults_is_reported_once_and_names_its_steps() -> None:
    text = "defaults: {retry: {on: [refused]}}\n" + steps("""
  - id: a
    execute: {process: A}
  - execute: {process: A}
  - execute: {process: A, result: A}
    effect: read
  - execute: {process: A}
  - id: e
    execute: {process: A}
""")
    (problem,) = rules.check(document(text))

    assert problem.message.endswith(": steps `a`, `2`, `4`, `e`")


def test_three_steps_are_all_named() -> None:
    text = "defaults: {retry: {on: [refused]}}\n" + steps("  - {execute: {process: A}}\n" * 3)
    (problem,) = rules.check(document(text))

    assert problem.message.endswith(": steps `1`, `2`, `3`")


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ("execute: {process: A, parameters: {A: [{B: TEXT}]}}", "execute/parameters/A/0/B"),
        ("element: TEXT", "element"),
        ("element: {uid: TEXT}", "element/uid"),
        (f"element: {{uid: {GUID}, parameters: {{A: TEXT}}}}", "element/parameters/A"),
        ("elements: [TEXT]", "elements/0"),
        ("elements: [{uid: TEXT}]", "elements/0/uid"),
        ("run: {process: A, parameters: {A: TEXT}}", "run/parameters/A"),
        ("wait: {process_id: TEXT}", "wait/process_id"),
        ("query: {entity: A, filter: TEXT}", "query/filter"),
        ("job: {file: a, inputs: {a: TEXT}}", "job/inputs/a"),
        ("confirm: TEXT", "confirm"),
        ("for_each: [TEXT]\n    execute: {process: A}", "for_each/0"),
        ("execute: {process: A}\n    expect: [{that: run.id, message: TEXT}]", "expect/0/message"),
        ("execute: {process: A}\n    undo: {element: TEXT}", "undo/element"),
    ],
)
def test_templates_are_read_at(action: str, path: str) -> None:
    text = steps(f"  - {action}").replace("TEXT", "'{{ nothing }}'")
    assert linted(text) == [f"E126 /steps/0/{path}"]


@pytest.mark.parametrize(
    ("step", "is_followed"),
    [
        ("execute: {process: A, until: done}\n    verify: none", False),
        ("execute: {process: A, until: done}\n    verify: auto", True),
        ("execute: {process: A, until: done, result: A}\n    verify: none", True),
        ("execute: {process: A, until: started}\n    verify: none", True),
        ("execute: {process: A}\n    verify: none", True),
    ],
)
def test_somebody_must_follow_a_process_until_it_is_done(step: str, *, is_followed: bool) -> None:
    assert linted(steps(f"  - {step}")) == ([] if is_followed else ["E107 /steps/0/execute/until"])


def test_verify_of_the_defaults_counts_for_steps_that_say_nothing() -> None:
    text = "defaults: {verify: none}\n" + steps("""
  - execute: {process: A, until: done}
  - execute: {process: A, until: done}
    verify: log
""")
    assert linted(text) == ["E107 /steps/0/execute/until"]


@pytest.mark.parametrize(("expected", "severity"), [("true", "error"), ("'1'", "error"), ("1 == 2", "warning")])
def test_an_expectation_without_names_says_nothing(expected: str, severity: Severity) -> None:
    problems = rules.check(document(steps(f"  - {{execute: {{process: A, result: A}}, expect: [{expected}]}}")))
    assert [(problem.code, problem.severity) for problem in problems] == [("E117", severity)]


@pytest.mark.parametrize("schema", ["{}", "true"])
def test_a_schema_that_fits_all_is_a_warning(schema: str) -> None:
    text = steps(f"  - {{execute: {{process: A, result: A}}, expect: [{{schema: {schema}}}]}}")
    assert [problem.severity for problem in rules.check(document(text))] == [Severity.WARNING]


def test_a_default_is_held_against_a_sound_schema_only() -> None:
    text = """
inputs:
  a: {type: integer, default: x}
  b: {type: intger, default: x}
  c: {type: array, items: {type: integer}, default: [1, x]}
  d: {type: string, default: x, secret: false}
steps: [{execute: {process: A}}]
"""
    assert linted(text) == ["E116 /inputs/a/default", "E115 /inputs/b/type", "E116 /inputs/c/default/1"]


def test_a_secret_default_is_shown_nowhere() -> None:
    text = "inputs: {a: {type: string, minLength: 9, secret: true, default: hunter2}}\n" + steps("  - pause: 1s")
    problems = rules.check(document(text))

    assert [problem.code for problem in problems] == ["E107", "E116"]
    assert not any("hunter2" in repr(problem) for problem in problems)


def test_inputs_that_coincide_in_capitals_are_refused_at_the_second() -> None:
    text = "inputs: {phone: {type: string}, fax: {type: string}, PHONE: {type: string}}\n" + steps(
        "  - {execute: {process: A}}"
    )
    assert linted(text) == ["E111 /inputs/PHONE"]


def test_what_was_reported_before_is_not_said_again() -> None:
    text = steps("  - {execute: {process: A}, name: '{{ x }}', wen: ['{{ x }}'], expect: [tru e]}")
    loaded = document(text)
    before = (
        loaded.problem("E106", "no text", path=("steps", 0, "name")),
        loaded.problem("E104", "unknown key", path=("steps", 0, "wen")),
    )
    found = rules.check(loaded, reported=before)

    assert [problem.path for problem in found] == [("steps", 0, "expect", 0)]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "text",
        "",
        "steps: {a: 1}",
        "steps: [1, a, [], null]\nfinally: 3\ninputs: []\nvars: x\noutputs: [a]\ndefaults: []",
        "inputs: {a: 1, b: null}\ndefaults: {retry: {on: x}}",
        "steps: [{expect: {a: 1}, execute: [1], element: 1, elements: {a: 1}, retry: [], outputs: 1, if: {}}]",
        "steps: [{id: 1, effect: [], verify: 1, undo: 3, for_each: 7}, {undo: [1, {undo: {undo: 1}}]}]",
        "steps: [{expect: [{that: 1, message: 2}, {schema: 3}, 4, null, []], retry: {on: [1, {}, x]}}]",
        "steps: [{element: {uid: 1, parameters: 2}, wait: 3, query: 4, job: 5, confirm: 6, pause: 7, run: 8}]",
        "steps: [{execute: {process: 1, required: true, until: 1}, verify: {}, effect: {a: 1}}]",
        "steps: [{run: {results: [1, {}, [1], null]}, wait: {every: 1, max_every: []}, retry: {initial: {}}}]",
        "steps: [{query: {select: 3, orderby: [1, {}, ''], filter: [1]}, pause: [1], timeout: {}, for_each: {}}]",
        "steps: [{query: {filter: '{{ x', select: '{{ x }}'}, job: {file: [1], inputs: [1]}}]\ncases: 3",
    ],
)
def test_no_document_is_too_strange(text: str) -> None:
    rules.check(document(text))


def test_problems_come_in_the_order_of_the_file() -> None:
    text = """
outputs: {a: nothing}
steps:
  - execute: {process: A, parameters: {B: "{{ nothing }}", A: "{{ nothing }}"}}
    retry: {on: [refused]}
    if: nothing
vars: {a: "{{ nothing }}"}
"""
    lines = [problem.span.line for problem in rules.check(document(text)) if problem.span]

    assert lines == [2, 4, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("line", "code"),
    [("{{ vras.y }}", "E126"), ("{{ vars.z }}", "E126"), ("{{ inputs.a }}", "E126")],
)
def test_a_hundred_mistakes_of_a_text_that_repeats_one_are_reported(line: str, code: str) -> None:
    codes = [problem.code for problem in rules.check(document("vars:\n  y: a\n  x: |" + f"\n    {line}" * 300))]

    assert codes.count(code) == 100
