import pytest
from msgspec.structs import replace

from runner.checks.check import Seen, check
from runner.checks.shown import shown
from runner.expressions.evaluate import Scope
from runner.foundation.values import Json, JsonObject
from runner.job.model import Expectation, SchemaExpectation
from runner.runs.events import Check, Trouble


def held(that: str, *, message: str | None = None, **names: Json) -> tuple[Check, Trouble | None]:
    return check(Expectation(that=that, message=message), Seen(scope=Scope(names=names)))


def checked(that: str, *, message: str | None = None, **names: Json) -> tuple[str, str, str]:
    """Code, message and hint of an expectation that is not met."""
    done, trouble = held(that, message=message, **names)
    assert trouble is not None
    assert replace(done, differences=()) == Check(that=that.strip(), passed=False, message=trouble.message)
    return trouble.code, trouble.message, trouble.hint or ""


def test_an_expectation_that_is_met_says_nothing() -> None:
    assert held(" result.Score >= 10\n", result={"Score": 10}) == (Check(that="result.Score >= 10", passed=True), None)


def test_a_failed_expectation_shows_the_values_of_its_names() -> None:
    expected = ("E201", "`result.Score >= 10` is false: `result.Score` is 7", "")
    assert checked("result.Score >= 10", result={"Score": 7}) == expected


def test_a_failed_expectation_shows_what_was_compared() -> None:
    code, message, _ = checked("result | length > 3", result=[1, 2])
    assert (code, message) == ("E201", "`result | length > 3` is false: `result | length` is 2, `result` is [1,2]")


@pytest.mark.parametrize(
    ("that", "message"),
    [
        ("ok", "`ok` is false"),
        ("ok and n == 5", "`ok and n == 5` is false: its part `ok` is false; `n` is 5"),
    ],
)
def test_a_boolean_that_is_false_says_so_once(that: str, message: str) -> None:
    _, trouble = held(that, ok=False, n=5)
    assert trouble is not None
    assert trouble.message == message


def test_a_message_of_the_author_is_before_the_values() -> None:
    code, message, _ = checked("n == 1", message="no {{ what }}, sorry.\n", n=2, what="luck")
    assert (code, message) == ("E201", "no luck, sorry: `n` is 2")


def test_a_message_that_cannot_be_rendered_does_not_hide_the_failure() -> None:
    assert checked("n == 1", message="no {{ what.x }}", n=2, what=None)[1] == "no {{ what.x }}: `n` is 2"
    assert checked("n == 1", message="{{ n }}", n=2)[1] == "2: `n` is 2"


@pytest.mark.parametrize(
    ("that", "message", "hint"),
    [
        (
            "result.Score >= 9",
            (
                "`result.Score >= 9` cannot be evaluated: `>=` compares two numbers or two texts, "
                'not a text with a number; `result.Score` is "10"'
            ),
            "`| int`",
        ),
        (
            "result.Scroe >= 9",
            "`result.Scroe >= 9` cannot be evaluated: `result.Scroe` has no value: `result` has no key `Scroe`",
            "did you mean `Score`?",
        ),
        (
            "result.flag",
            '`result.flag` gives a text, not a boolean; `result.flag` is "false"',
            'result.flag == "false"',
        ),
        ("result | lenght", "`result | lenght` cannot be evaluated: unknown filter `lenght`", "`length`"),
    ],
)
def test_an_expectation_that_cannot_be_evaluated_is_not_met(that: str, message: str, hint: str) -> None:
    code, said, hinted = checked(that, result={"Score": "10", "flag": "false"})
    assert (code, said) == ("E202", message)
    assert hint in hinted


def test_a_result_that_does_not_fit_its_schema_is_reported_by_its_places() -> None:
    expected = SchemaExpectation(schema={"type": "array", "items": {"required": ["Id"]}})
    assert check(expected, Seen(scope=Scope(names={"result": [{"Id": 1}]}))) == (
        Check(that='result fits {"type":"array","items":{"required":["Id"]}}', passed=True),
        None,
    )
    done, trouble = check(expected, Seen(scope=Scope(names={"result": [{"Id": 1}, {}, {}, {}, {}]})))
    assert trouble is not None
    assert (done.passed, trouble.code) == (False, "E201")
    assert trouble.message.startswith("`result` does not fit its schema: `result[1]` (the key `Id` is missing)")
    assert trouble.message.endswith("and 1 more")


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"required": ["Id"], "properties": {"Id": {"type": "string"}}}, "E202"),
        ({"minItems": 1}, "E202"),
        ({"type": "object", "required": ["Id"]}, "E201"),
        ({"type": ["object", "null"], "required": ["Id"]}, None),
        ({"enum": [None, 1]}, None),
    ],
)
def test_a_null_is_not_what_a_schema_of_records_or_lists_expects(schema: JsonObject, code: str | None) -> None:
    _, trouble = check(SchemaExpectation(schema=schema), Seen(scope=Scope(names={"result": None})))
    assert (trouble and trouble.code) == code


def test_a_schema_may_have_a_message_of_its_own() -> None:
    expected = SchemaExpectation(schema={"type": "string"}, message="no text but {{ result }}")
    _, trouble = check(expected, Seen(scope=Scope(names={"result": 5})))
    assert trouble is not None
    assert trouble.message.startswith("no text but 5: `result` (")


def test_nothing_of_a_secret_step_is_shown() -> None:
    scope = Scope(names={"result": "hush"})
    for expected in (
        Expectation(that="result == 'x'"),
        Expectation(that="result == 'x'", message="got {{ result }}"),
        Expectation(that="result > 1"),
        SchemaExpectation(schema={"type": "number"}),
        SchemaExpectation(schema=False, message="{{ result }}"),
    ):
        done, trouble = check(expected, Seen(scope=scope, secret=True))
        assert trouble is not None
        assert "hush" not in f"{done} {trouble}"
    done, _ = check(Expectation(that="result == 'x'", message="not so"), Seen(scope=scope, secret=True))
    assert done.message == "not so"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ("x", '"x"'),
        ("x" * 121, "a text of 121 characters"),
        ("x" * 4096, "a text of 4,096 characters"),
        ([], "[]"),
        ({"a": [1, {"b": None}]}, '{"a":[1,{"b":null}]}'),
        (["x" * 4096], "[⟨4,096 characters⟩]"),
        ({"a": "x" * 119, "b": 1, "c": 2}, '{"a":"' + "x" * 119 + '",…} (3 keys)'),
    ],
)
def test_a_value_is_shown_whole_or_with_its_size(value: Json, text: str) -> None:
    assert shown(value) == text


def test_the_first_items_of_a_long_list_are_shown_and_how_many_there_are() -> None:
    text = shown(list(range(100_000)))
    assert text.startswith("[0,1,2,3,")
    assert text.endswith(",…] (100,000 items)")
    assert len(text) < 200


def test_no_text_is_ever_shown_in_part() -> None:
    secret = "0123456789" * 5
    for filler in range(130):
        text = shown(["x" * filler, secret, {secret: secret}])
        assert secret[:10] not in text.replace(secret, "")


def test_a_deep_value_is_shown_too() -> None:
    value: Json = []
    for _ in range(10_000):
        value = [value]
    assert shown(value).startswith("[[[[")
