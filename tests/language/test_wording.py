import pytest

from runner.language import schema
from runner.reading import load
from runner.reading.document import Document

JOB = "runner: 1\nname: a\n"


def linted(text: str, name: str = "job") -> list[tuple[str, str, str | None]]:
    document = load.load("a.yaml", text.encode())
    assert isinstance(document, Document), document
    return [(problem.code, problem.message, problem.hint) for problem in schema.check(document, name)]


def step(text: str) -> str:
    """A job whose only step holds `text`, on its fourth line."""
    return f"{JOB}steps:\n  - {{{text}}}\n"


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("tags: smoke", "E106", "`tags` must be a list, not a text", "write a list: `tags: [smoke]`"),
        ("tags: [5]", "E106", "a tag must be a text, not a number", "put it in quotes"),
        (
            "vars: [a]",
            "E106",
            "`vars` must be a record, not a list",
            'for example `vars: {contact: "Smoke {{ run.id }}"}`',
        ),
        (
            "defaults: {retry: {max_attempts: '5'}}",
            "E106",
            "`max_attempts` must be a whole number, not a text",
            "write `5` without quotes",
        ),
        ("defaults: {retry: {max_attempts: 2.5}}", "E106", "`max_attempts` must be a whole number, not 2.5", None),
        (
            "inputs: {a: {secret: yes}}",
            "E106",
            "`secret` must be true or false, not a text",
            "write `true`: `yes` is a text",
        ),
        (
            "finally: {}",
            "E106",
            "`finally` must be a list, not a record",
            "begin each item of the list with `-`",
        ),
        (
            "outputs: {a: [x]}",
            "E106",
            "`a` must be a text, true or false or a number, not a list",
            'for example `a: "result[0].Id"`',
        ),
        ("runner: 2", "E107", "`runner` must be 1, not 2", None),
        (
            "name: My Job",
            "E107",
            "`name` cannot be `My Job`",
            "write `my-job`: small letters, digits, `.`, `_` and `-`, beginning with a letter or a digit",
        ),
        ("tags: [a b]", "E107", "a tag cannot be `a b`", "write `a-b`: one word, without blanks and parentheses"),
        (
            "defaults: {verify: lgo}",
            "E107",
            "`verify` must be `auto`, `log` or `none`, not `lgo`",
            "did you mean `log`?",
        ),
        (
            "defaults: {verify: false}",
            "E107",
            "`verify` must be `auto`, `log` or `none`, not false",
            "did you mean `none`?",
        ),
        ("defaults: {retry: {factor: 0.5}}", "E107", "`factor` must be at least 1, not 0.5", None),
        ("defaults: {retry: {jitter: 2}}", "E107", "`jitter` must be at most 1, not 2", None),
        (
            "outputs: {a-b: x}",
            "E107",
            "`a-b` cannot be a name in `outputs`",
            "write `a_b`: letters, digits and `_`, not beginning with a digit",
        ),
        ("vars: {'': x}", "E107", "a name in `vars` is empty", None),
        ("vars: {a: }", "E108", "`a` has no value", "write a value, or leave it out"),
        ("tags: [~]", "E108", "this `-` has no value", "write a value, or leave it out"),
        ("defaults: {retry: {on: []}}", "E108", "`on` is empty", "for example `on: [expectation]`"),
        ("target: ''", "E108", "`target` is empty", "for example `target: sandbox`"),
    ],
)
def test_a_wrong_value_is_reported_with_what_is_wanted(text: str, code: str, message: str, hint: str | None) -> None:
    key = text.partition(":")[0]
    rest = {"runner": "runner: 1", "name": "name: a", "steps": "steps: [{pause: 1s}]", key: text}

    assert linted("\n".join(rest.values()) + "\n") == [(code, message, hint)]


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("execute: UsrX", "E106", "`execute` must be a record, not a text", "write `execute: {process: UsrX}`"),
        ("execute: {process: ''}", "E108", "`process` is empty", "for example `process: UsrAddContact`"),
        (
            "execute: {process: X}, expect: result > 0",
            "E106",
            "`expect` must be a list, not a text",
            "write a list: `- result > 0`",
        ),
        (
            "execute: {process: X}, expect: []",
            "E108",
            "`expect` is empty",
            'for example `expect: ["result | length > 0"]`',
        ),
        ("execute: {process: X}, if: 5", "E106", "`if` must be a text or true or false, not a number", None),
        (
            "execute: {process: X}, expect: [{that: a, schema: {}}]",
            "E107",
            "`that` and `schema` do not go together",
            "make two expectations of it",
        ),
        (
            "elements: [{uid: {7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11}}]",
            "E113",
            "YAML reads an id in braces as a record",
            "write `7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11` without the braces",
        ),
        ("query: {entity: A, top: 0}", "E107", "`top` must be at least 1, not 0", None),
    ],
)
def test_a_wrong_value_in_a_step_is_reported_with_what_is_wanted(
    text: str, code: str, message: str, hint: str | None
) -> None:
    found = linted(step(text))

    assert [(said, because) for said, because, _ in found] == [(code, message)]
    assert hint in (None, found[0][2])


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("30", "`30` has no unit: write `30s`, or `30ms` if it counts milliseconds"),
        ("1.5", "`1.5` has no unit: write `1.5s`, or `1.5ms` if it counts milliseconds"),
        ("'30'", "`30` has no unit: write `30s`, or `30ms` if it counts milliseconds"),
        ("5000", "`5000` has no unit: write `5000s`, or `5000ms` if it counts milliseconds"),
        ("'2500'", "`2500` has no unit: write `2500s`, or `2500ms` if it counts milliseconds"),
        ("300", "`300` has no unit: write `300s`, or `300ms` if it counts milliseconds"),
        ("5 min", "write `5m`"),
        ("10 Seconds", "write `10s`"),
        ("2d", "write `48h`"),
        ("1 week", "write `168h`"),
        ("0s", "write more than zero, for example `500ms`, `30s`, `5m` or `1h`"),
        ("-5", "write more than zero, for example `500ms`, `30s`, `5m` or `1h`"),
        ("5 parsecs", "use the units `ms`, `s`, `m` and `h`, for example `500ms`, `30s`, `5m` or `1h`"),
        ("1,5s", "write `1.5s`"),
        ("m", "write one number with its unit, for example `500ms`, `30s`, `5m` or `1h`"),
        ("PT5M", "write one number with its unit, for example `500ms`, `30s`, `5m` or `1h`"),
        ("true", "for example `500ms`, `30s`, `5m` or `1h`"),
        ("'{{ vars.t }}'", "write the duration out: no template is read here"),
    ],
)
def test_what_is_no_duration_is_reported_how_to_write_it(written: str, hint: str) -> None:
    ((code, _, said),) = linted(f"{JOB}steps: [{{pause: 1s}}]\ntimeout: {written}\n")

    assert (code, said) == ("E114", hint)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("{url: x, username: u}", "unknown key `username` in `a`", "`username` belongs in `auth`"),
        ("{url: x, execute_method: GET}", "`execute_method` must be `get` or `post`, not `GET`", "did you mean `get`?"),
        (
            "{url: x, rate: 5 a second}",
            "`rate` cannot be `5 a second`",
            "use a whole number, `/`, and `s`, `m` or `h`: `5/s`",
        ),
    ],
)
def test_a_mistake_in_a_target_is_reported_once(text: str, message: str, hint: str) -> None:
    assert [said[1:] for said in linted(f"runner: 1\ntargets: {{a: {text}}}\n", "targets")] == [(message, hint)]


def test_what_is_listed_twice_is_reported_at_its_second_place() -> None:
    text = "runner: 1\nname: a\nneeds: [b, c, b]\nsteps: [{run: {process: A, results: [A, B, A]}}]\n"

    assert linted(text) == [("E111", f"`{name}` is listed twice", "write it once") for name in ("b", "A")]


def test_a_password_that_is_a_number_is_not_repeated_in_the_message() -> None:
    text = "runner: 1\ntargets: {a: {url: x, auth: {username: u, password: 73519}}}\n"

    assert linted(text, "targets") == [("E106", "`password` must be a text, not a number", "put it in quotes")]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "parameters: {A: {type: text, items: {}}}",
            "`items` is not allowed here",
            "write `items` for `type: records` only",
        ),
        ("parameters: {A: text}", "`A` must be a record, not a text", "write `A: {type: text}`"),
        ("activities: [{background: yes}]", "`background` must be true, not `yes`", "write `true`: `yes` is a text"),
        ("faults: [{fault: slow, seconds: 0}]", "`seconds` must be more than 0, not 0", None),
    ],
)
def test_a_mistake_in_a_double_is_reported_once(text: str, message: str, hint: str | None) -> None:
    assert [said[1:] for said in linted(f"runner: 1\nprocess: X\n{text}\n", "process")] == [(message, hint)]
