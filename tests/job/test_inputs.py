from collections.abc import Callable

import pytest

from runner.foundation.problems import Problem, Span
from runner.foundation.values import Json, pointer
from runner.job import build, inputs
from runner.job.inputs import Given, Origin, from_file, parse_option, supplied
from runner.job.model import Case, Job
from runner.reading.document import Document
from runner.reading.load import load

DECLARED = """
  phone: {type: string, default: none}
  limit: {type: integer, minimum: 1, maximum: 10, default: 3}
  ratio: {type: number, default: 0.5}
  flag: {type: boolean, default: false}
  list: {type: array, items: {type: string}, default: []}
  free: {default: null}
  town: {type: [string, "null"], default: null}
"""


def document(text: str, *, file: str = "in.yaml") -> Document:
    loaded = load(file, text.encode())
    assert isinstance(loaded, Document), loaded
    return loaded


def job(declared: str = DECLARED) -> Job:
    return build.job(document(f"name: one\ninputs:{declared}\nsteps: [{{execute: {{process: A}}}}]"))


def given(*options: str, file: str = "") -> dict[str, Given]:
    from_options = [parse_option(option, read_file=nothing_to_read, stdin=silence) for option in options]
    written = from_file(document(file)) if file else {}
    assert isinstance(written, dict)
    return {**written, **dict(pair for pair in from_options if isinstance(pair, tuple))}


def nothing_to_read(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def silence() -> str:
    return ""


def values(declared: str, *options: str, file: str = "", environment: dict[str, str] | None = None) -> dict[str, Json]:
    found, problems = supplied(job(declared), given=given(*options, file=file), environment=environment or {})
    assert problems == ()
    return found


def errors(declared: str, *options: str, file: str = "", environment: dict[str, str] | None = None) -> list[str]:
    _, problems = supplied(job(declared), given=given(*options, file=file), environment=environment or {})
    return [f"{problem.code} {problem.message}" for problem in problems]


def test_what_nobody_gives_has_its_default() -> None:
    assert values(DECLARED) == {
        "phone": "none",
        "limit": 3,
        "ratio": 0.5,
        "flag": False,
        "list": [],
        "free": None,
        "town": None,
    }


def test_an_option_comes_before_the_file_and_that_before_the_environment() -> None:
    environment = {
        "CREATIO_RUNNER_INPUT_LIMIT": "7",
        "CREATIO_RUNNER_INPUT_PHONE": "7",
        "CREATIO_RUNNER_INPUT_FLAG": "true",
    }

    found = values(DECLARED, "limit=9", file="{limit: 8, phone: '8'}", environment=environment)

    assert (found["limit"], found["phone"], found["flag"]) == (9, "8", True)


def test_a_case_comes_after_the_environment_and_before_the_default() -> None:
    case = Case(name="short", inputs={"limit": 1, "phone": "1", "flag": True, "list": ["1"]})
    environment = {"CREATIO_RUNNER_INPUT_LIMIT": "7", "CREATIO_RUNNER_INPUT_FLAG": "false"}

    found, problems = supplied(job(), given=given("phone=9"), environment=environment, case=case)

    assert problems == ()
    assert found == {"phone": "9", "limit": 7, "ratio": 0.5, "flag": False, "list": ["1"], "free": None, "town": None}


def test_a_null_of_a_case_is_a_value() -> None:
    found, problems = supplied(
        job("\n  a: {default: 1}"), given={}, environment={}, case=Case(name="one", inputs={"a": None})
    )

    assert (found, problems) == ({"a": None}, ())


def test_an_input_that_a_case_leaves_out_is_reported_with_the_name_of_the_run() -> None:
    _, problems = supplied(job("\n  a: {type: string}"), given={}, environment={}, case=Case(name="one", inputs={}))

    assert [problem.message for problem in problems] == ["job `one[one]`: input `a` is required"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("phone=1", "1"),
        ("phone=", ""),
        ("phone=a=b", "a=b"),
        ("phone=null", "null"),
        ("town=Lindau (Bodensee)", "Lindau (Bodensee)"),
        ("town=123", "123"),
        ("town=", ""),
        ("town=null", None),
        ("limit=5", 5),
        ("ratio=1e-1", 0.1),
        ("flag=true", True),
        ('list=["a"]', ["a"]),
        ('free={"a": [1]}', {"a": [1]}),
        ('free="a"', "a"),
        (r'free="\ud83d\ude00"', "😀"),
    ],
)
def test_a_text_is_taken_as_it_is_for_a_string_and_read_as_json_for_all_else(option: str, value: Json) -> None:
    assert values(DECLARED, option)[option.partition("=")[0]] == value


def test_a_text_is_meant_where_all_that_an_input_may_be_are_texts() -> None:
    assert values("\n  mode: {enum: [full, part]}", "mode=part") == {"mode": "part"}
    assert values("\n  mode: {enum: [full, 5]}", "mode=5") == {"mode": 5}


@pytest.mark.parametrize("written", ["5", "'5'", "[5]"])
def test_values_of_a_file_are_taken_as_they_are(written: str) -> None:
    expected: dict[str, Json] = {"5": 5, "'5'": "5", "[5]": [5]}
    assert values(DECLARED, file=f"free: {written}")["free"] == expected[written]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("limit=ten", "E132 input `limit`: `ten` is not a whole number"),
        ("limit=0", "E132 input `limit`: 0 is less than 1"),
        ("flag=yes", "E132 input `flag`: `yes` is not true or false"),
        ("free=hello", "E132 input `free`: `hello` is not JSON, and the input's type is not `string`"),
        ("free=NaN", "E132 input `free`: `NaN` is not JSON, and the input's type is not `string`"),
        ("free=1e999", "E132 input `free`: `1e999` is not JSON, and the input's type is not `string`"),
        (
            "free=9223372036854775808",
            "E132 input `free`: `9223372036854775808` is not JSON, and the input's type is not `string`",
        ),
        (r'free=["a\ud800"]', r'E132 input `free`: `["a\ud800"]` has half of a surrogate pair, which cannot be sent'),
        (
            r'list=[{"\udc00": 1}]',
            r'E132 input `list`: `[{"\udc00": 1}]` has half of a surrogate pair, which cannot be sent',
        ),
        (
            "ratio=99999999999999.99",
            "E132 input `ratio`: `99999999999999.99` has more digits than a number keeps, and would be rounded",
        ),
        ("ratio=", "E132 input `ratio`: `` is not a number"),
        ("list=a,b", "E132 input `list`: `a,b` is not a list, written as JSON"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(option: str, message: str) -> None:
    assert errors(DECLARED, option) == [message]


def test_an_integer_beyond_64_bits_is_refused() -> None:
    assert values(DECLARED, f"free={2**63 - 1}")["free"] == 2**63 - 1
    assert errors(DECLARED, f"free={2**63}")[0].startswith("E132 ")


@pytest.mark.parametrize("depth", [10_000, 200_000])
def test_a_value_may_be_as_deep_as_it_likes(depth: int) -> None:
    (message,) = errors(DECLARED, "free=" + "[" * depth)
    assert message.startswith("E132 ")


def test_a_mistake_of_a_file_is_in_the_file() -> None:
    _, problems = supplied(job(), given=given(file="limit: 3\nlist: [a, 1]"), environment={})

    assert [(problem.code, problem.file, pointer(problem.path)) for problem in problems] == [
        ("E132", "in.yaml", "/list/1")
    ]


def test_a_mistake_of_a_file_comes_with_the_value_as_it_is_wanted() -> None:
    declared = " {limit: {type: integer}}"
    _, problems = supplied(job(declared), given=given(file='limit: "5"'), environment={})

    assert [problem.hint for problem in problems] == ["write `5` without quotes"]


def test_an_input_without_default_must_be_given() -> None:
    assert errors("\n  a: {type: string}\n  b: {type: string, secret: true}") == [
        "E130 job `one`: input `a` is required",
        "E130 job `one`: input `b` is required",
    ]


SECRET = "\n  token: {type: string, minLength: 3, secret: true}\n  pin: {type: integer, secret: true, default: 0}"


def test_a_secret_is_refused_on_the_command_line() -> None:
    assert errors(SECRET, "token=hunter2", "pin=77") == [
        "E133 input `token` is secret: other people can read a command line",
        "E133 input `pin` is secret: other people can read a command line",
    ]


def test_a_secret_may_come_from_the_environment_or_a_file() -> None:
    assert values(SECRET, file="token: hunter2", environment={"CREATIO_RUNNER_INPUT_PIN": "77"}) == {
        "token": "hunter2",
        "pin": 77,
    }


def test_an_empty_secret_is_refused() -> None:
    assert errors(SECRET, environment={"CREATIO_RUNNER_INPUT_TOKEN": ""}) == ["E134 input `token` is secret, and empty"]
    assert errors("\n  a: {type: string, secret: true, default: ''}") == ["E134 input `a` is secret, and empty"]


@pytest.mark.parametrize("declared", ["{type: string}", "{type: string, secret: true}", "{type: integer}"])
def test_what_a_pipeline_left_of_a_variable_that_it_does_not_know_is_no_value(declared: str) -> None:
    one = job(f"\n  key: {declared}")
    for text in ("$(PARTNER_KEY)", "$(partner.key) "):
        _, problems = supplied(one, given={}, environment={"CREATIO_RUNNER_INPUT_KEY": text})
        assert [problem.message for problem in problems] == [
            "input `key` has no value: Azure Pipelines leaves `$(NAME)` where it knows no variable NAME"
        ]
    value = "$(PARTNER_KEY)"
    assert supplied(job("\n  key: {type: string}"), given=given(file=f"key: {value}"), environment={}) == (
        {"key": value},
        (),
    )


def test_a_template_is_no_value_of_an_input_but_may_be_a_part_of_one() -> None:
    declared = "\n  key: {type: string}\n  all: {type: array}"
    assert errors(declared, file="key: '{{ env.KEY }}'\nall: []") == ["E122 input `key`: no template is read here"]
    assert errors(
        declared, environment={"CREATIO_RUNNER_INPUT_KEY": "{{x}}\n", "CREATIO_RUNNER_INPUT_ALL": '["{{x}}"]'}
    ) == [
        "E122 input `key`: no template is read here",
        "E122 input `all`: no template is read here",
    ]
    assert values(declared, file="key: 'Dear {{name}}'\nall: []")["key"] == "Dear {{name}}"


def test_a_value_that_a_vault_has_encrypted_is_none_but_may_be_spoken_of() -> None:
    vault = "$ANSIBLE_VAULT;1.1;AES256\n6231\n"
    one = job("\n  key: {type: string, secret: true}")
    found = parse_option("key=@vault.yml", read_file=lambda _name: vault, stdin=silence)
    assert isinstance(found, tuple)
    _, (problem,) = supplied(one, given=dict([found]), environment={})
    assert problem.message == "input `key` is still encrypted by a vault"
    assert problem.hint == "decrypt it first, as in `ansible-vault view FILE | runner … -i key=@-`"
    plain = values("\n  key: {type: string}", file="key: It begins with $ANSIBLE_VAULT;")
    assert plain == {"key": "It begins with $ANSIBLE_VAULT;"}


def test_an_environment_of_postman_is_called_that() -> None:
    text = (
        '{"id": "1", "name": "dev", "values": [{"key": "a", "value": "b"}], "_postman_variable_scope": "environment"}'
    )
    found = from_file(document(text, file="env.json"))
    assert isinstance(found, Problem)
    assert found.message == "this is an environment of Postman"


def test_no_message_shows_a_secret() -> None:
    environment = {"CREATIO_RUNNER_INPUT_TOKEN": "zz", "CREATIO_RUNNER_INPUT_PIN": "zzz"}
    _, problems = supplied(job(SECRET), given={}, environment=environment)

    assert [problem.code for problem in problems] == ["E132", "E132"]
    assert not any("zz" in f"{problem.message} {problem.hint}" for problem in problems)


def test_the_name_in_the_environment_is_in_capitals() -> None:
    assert values("\n  someName: {type: string}", environment={"CREATIO_RUNNER_INPUT_SOMENAME": "a"}) == {
        "someName": "a"
    }


def test_what_no_selected_job_knows_is_refused_with_the_nearest_name() -> None:
    found = inputs.unknown(given("phne=1", "other=1", file="limt: 3"), {"phone", "limit", "other"})

    assert [(problem.message, problem.hint, problem.file, problem.excerpt) for problem in found] == [
        ("no selected job knows an input `limt`", "did you mean `limit`?", "in.yaml", "limt: 3"),
        ("no selected job knows an input `phne`", "did you mean `phone`?", None, None),
    ]
    assert found[0].span == Span(1, 1, 1, 5)


def test_an_input_that_is_like_no_other_comes_with_those_that_there_are() -> None:
    (of_many,) = inputs.unknown(given("zzzzz=1"), {"b", "a"})
    (of_none,) = inputs.unknown(given("zzzzz=1"), ())

    assert (of_many.hint, of_none.hint) == ("the inputs are `a`, `b`", "no selected job has inputs")


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("flag=yes", "write `true`"),
        ("free=a", "declare `type: string` in the job, or give JSON: a text in double quotes"),
        ("limit=a", "it was given on the command line"),
        ("limit=99", "it was given on the command line"),
    ],
)
def test_a_value_that_does_not_fit_comes_with_advice(option: str, hint: str) -> None:
    _, problems = supplied(job(), given=given(option), environment={})
    assert [problem.hint for problem in problems] == [hint]


def test_a_value_from_the_environment_says_from_which_variable() -> None:
    _, problems = supplied(job(), given={}, environment={"CREATIO_RUNNER_INPUT_LIMIT": "0"})
    assert [problem.hint for problem in problems] == ["it was given in the environment as `CREATIO_RUNNER_INPUT_LIMIT`"]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("a=1", Given(value="1", origin=Origin.COMMAND_LINE)),
        ("a=", Given(value="", origin=Origin.COMMAND_LINE)),
        ("a=@file", Given(value="line 1\nline 2", origin=Origin.FILE)),
        ("a=@windows", Given(value="a", origin=Origin.FILE)),
        ("a=@-", Given(value="piped", origin=Origin.STDIN)),
    ],
)
def test_an_option_gives_a_text_or_the_content_of_a_file(option: str, expected: Given) -> None:
    files = {"file": "line 1\nline 2\n", "windows": "a\r\n"}

    assert parse_option(option, read_file=files.__getitem__, stdin=lambda: "piped\n") == ("a", expected)


def fails(error: Exception) -> Callable[[str], str]:
    def read(_path: str) -> str:
        raise error

    return read


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ("phone", OSError(), "`-i phone` gives no value"),
        ("=1", OSError(), "`-i ` gives no value"),
        ("a=@b", FileNotFoundError(2, "No such file"), "input `a`: `b` cannot be read: No such file"),
        ("a=@b", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "input `a`: `b` cannot be read: it is not UTF-8"),
    ],
)
def test_an_option_that_cannot_be_used_is_a_problem(option: str, error: Exception, message: str) -> None:
    problem = parse_option(option, read_file=fails(error), stdin=silence)

    assert isinstance(problem, Problem)
    assert problem.message == message


@pytest.mark.parametrize("text", ["[]", "just text", ""])
def test_an_inputs_file_is_a_record(text: str) -> None:
    problem = from_file(document(text))

    assert isinstance(problem, Problem)
    assert problem.code == "E106"
