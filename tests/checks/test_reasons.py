"""Why an expectation is not met, beyond its values: what comes nearest, and how two values differ."""

import pytest
from bounded import bounded
from hypothesis import given
from hypothesis import strategies as st

from runner.checks.check import Seen, check
from runner.checks.shown import MOST
from runner.expressions.evaluate import Scope
from runner.foundation.values import Json, JsonObject
from runner.job.model import Expectation, SchemaExpectation
from runner.secrets.redact import Secrets

SMOKES: Json = [{"Name": f"Smoke {number}", "Score": number} for number in range(12)]
LOREM = "lorem ipsum " * 200
ALIKE = "they differ in characters that look alike or cannot be seen"


def known(**names: Json) -> Seen:
    """What an expectation is held against, where no secret is known."""
    return Seen(scope=Scope(names=names), holds_secret=lambda _: False)


def reason(that: str, *, message: str | None = None, **names: Json) -> str:
    """What is said of an expectation that is not met, where no secret is known."""
    _, trouble = check(Expectation(that=that, message=message), known(**names))
    assert trouble is not None
    assert len(trouble.message) <= MOST + 20
    return trouble.message


def why(that: str, **names: Json) -> str:
    """The same without its beginning and without the values."""
    return reason(that, message=None, **names).partition(" is false: ")[2].partition("; `")[0]


@pytest.mark.parametrize(
    "that",
    [
        'vars.contact in result | map(attribute="Name")',
        'result | selectattr("Name", "eq", vars.contact) | list | length > 0',
        'result | selectattr("Name", "equalto", vars.contact) | list | length == 1 and vars.contact',
    ],
)
def test_the_nearest_record_of_a_list_is_reported(that: str) -> None:
    said = reason(that, result=SMOKES, vars={"contact": "Smoke 12"})
    assert 'no record of `result` has Name == "Smoke 12"; nearest: "Smoke 1" at [1]' in said
    assert '`vars.contact` is "Smoke 12"' in said


def test_a_record_that_was_not_found_is_reported_where_the_expression_breaks_for_it() -> None:
    said = reason('(result | selectattr("Name", "eq", "Smok 3") | first).Score == 3', result=SMOKES)
    assert 'the list is empty; no record of `result` has Name == "Smok 3"; nearest: "Smoke 3" at [3]' in said


@pytest.mark.parametrize(
    ("that", "expected"),
    [
        ('result | select("eq", 13) | list | length > 0', "no item of `result` is 13; nearest: 12 at [1]"),
        ("13 in result", "no item of `result` is 13; nearest: 12 at [1]"),
        ("-5 in result", "no item of `result` is -5; nearest: 3 at [2]"),
        ('"zebra" in result', 'no item of `result` is "zebra" among 4'),
        (
            '"SMOKE" in result',
            'no item of `result` is "SMOKE"; nearest: "smoke" at [3] (they differ in upper and lower',
        ),
        ("null_free[0] in result", "no item of `result` is [1] among 4"),
        ('result | select("gt", 100) | list | length > 0', "no item of `result` is > 100; the largest: 12 at [1]"),
        ('result | select("lt", 0) | list | length > 0', "no item of `result` is < 0; the smallest: 3 at [2]"),
        ('result | select("mapping") | list | length > 0', "no item of `result` is mapping"),
        ('result | select("match", "x") | list | length > 0', 'no item of `result` is match "x" among 4'),
    ],
)
def test_the_nearest_of_a_list_of_plain_values_is_reported(that: str, expected: str) -> None:
    result: Json = ["11", "12", "3", "smoke"] if "SMOKE" in that or "match" in that else [11, 12, 3, 4]
    assert why(that, result=result, null_free=[[1]]).startswith(expected)


@pytest.mark.parametrize(
    ("that", "found", "said"),
    [
        ("result != 0", "0", '`!=` compares the text "0" with the number 0'),
        ("not (result == 1)", "1.0", '`==` compares the text "1.0" with the number 1'),
        ('result != "5"', 5, '`!=` compares the number 5 with the text "5"'),
        ("result != false", 0, "`!=` compares the number 0 with the boolean false"),
        ("[1, {'a': true}] == [1, {'a': result}]", 1, "`==` compares the boolean true with the number 1"),
        ("result not in [1]", True, "`in` compares the boolean true with the number 1"),
        ("result is not false", "no", '`false` compares the text "no" with the boolean false'),
        ("[result] != [0]", "0,00", '`!=` compares the text "0,00" with the number 0'),
        ("{'a': result} != {'a': 1000}", "1 000", '`!=` compares the text "1 000" with the number 1000'),
        ("result != false", "False", '`!=` compares the text "False" with the boolean false'),
        ("result is not false", "false", '`false` compares the text "false" with the boolean false'),
        ("0 not in result", ["a", "0"], '`in` compares the number 0 with the text "0"'),
        ("result | select('ne', 2) | list", ["2"], '`ne` compares the text "2" with the number 2'),
        ("result | rejectattr('a', 'eq', 2) | list", [{"a": "2"}], '`eq` compares the text "2" with the number 2'),
    ],
)
def test_a_text_that_spells_a_number_or_a_boolean_is_compared_with_none(that: str, found: Json, said: str) -> None:
    assert f"cannot be evaluated: {said}: they are never equal" in reason(that, result=found)


@pytest.mark.parametrize("that", ["result | reject | list == []", "result | select | list | length == 1"])
def test_a_text_that_spells_a_boolean_is_not_chosen_for_being_true(that: str) -> None:
    assert 'cannot be evaluated: a value is the text "false", not a boolean' in reason(that, result=["false"])


@pytest.mark.parametrize("that", ['result != "5"', "result != none", "result not in [1, [], none]", "result != 1"])
def test_other_values_of_two_kinds_are_not_equal(that: str) -> None:
    others: JsonObject = {'result != "5"': [], "result != 1": "a 1"}
    value = others.get(that, "x")
    assert check(Expectation(that=that), known(result=value))[1] is None


@pytest.mark.parametrize(
    "that",
    [
        "result[0] < result[1]",
        "result[1] >= result[0]",
        "result | max == result[1]",
        "result | min == result[0]",
        "(result | sort)[1] == result[1]",
        "result | select('gt', result[0]) | list | length == 1",
    ],
)
@pytest.mark.parametrize("texts", [["9", "10"], ["99999999999999.99", "123456789012345.678"], [" -2", "-1.5e0"]])
def test_texts_that_spell_numbers_are_put_in_the_order_of_these(that: str, texts: list[Json]) -> None:
    assert check(Expectation(that=that), known(result=texts))[0].passed


def test_other_texts_are_put_in_the_order_of_their_letters() -> None:
    that = 'result[0] < result[1] and result | max == "B 9" and result | groupby(0) | length == 2'
    assert check(Expectation(that=that), known(result=["A 10", "B 9"]))[0].passed


@pytest.mark.parametrize("value", ["yes", 5])
def test_a_list_that_has_a_value_of_the_same_kind_may_have_others(value: Json) -> None:
    that = Expectation(that='result not in [false, "false", 0]')
    assert check(that, known(result=value))[0].passed


def test_what_is_equal_is_found_beside_what_is_of_another_kind() -> None:
    assert check(Expectation(that='result in [0, "0"]'), known(result="0"))[0].passed


def test_an_empty_list_is_called_empty() -> None:
    assert why('"a" in result', result=[]) == 'no item of `result` is "a": it is empty'


def test_records_whose_flag_is_never_true() -> None:
    said = why('result | selectattr("Active") | list | length > 0', result=[{"Active": False}])
    assert said == "no record of `result` has a true `Active`"


def test_the_part_of_an_and_is_shown_that_is_false() -> None:
    said = why('result | length == 12 and result[0].Name == "x" and result | length > 0', result=SMOKES)
    assert said == 'its part `result[0].Name == "x"` is false'


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ([], "x", 'a list is not the text "x"'),
        ("x" * 500, 1, "a text of 500 characters is not the number 1"),
        ("Smoke ", "Smoke", "they differ in blanks at an end only: at character 6 U+0020 (space) is not its end"),
        ("Smo ke", "Smoke", "they differ in blanks only: at character 4 U+0020 (space) is not `k`"),
        ("SMOKE", "smoke", "they differ in upper and lower case only: at character 1 `S` is not `s`"),
        (
            "Smoke\u00a0A",
            "Smoke A",
            "they differ in blanks only: at character 6 U+00A0 (no-break space) is not U+0020 (space)",
        ),
        ("Smoke\u200bA", "SmokeA", f"{ALIKE}: at character 6 U+200B (zero width space) is not `A`"),
        ("a\u0308", "ä", f"{ALIKE}: at character 1 `a` is not U+00E4 (latin small letter a with diaeresis)"),
        ("a\nb", "a b", "they differ in blanks only: at character 2 U+000A (\\n) is not U+0020 (space)"),
        ("a", "b", ""),
        (1, 2, ""),
        (None, 2, ""),
        ("x" * 50 + "a", "x" * 50 + "b", "they differ from character 51 on"),
        ([1, 2], [1, 2, 3], "there are 2 items, and 3 were expected"),
        ([1, 2, 3], [1, 5, 3], "at `result[1]` 2 is not 5"),
        ([{"a": "x "}], [{"a": "x"}], 'at `result[0].a` "x " is not "x", and they differ in blanks at an end'),
        ({"a": 1, "b": 2}, {"a": 1}, "the key `b` was not expected"),
        ({"a": 1}, {"a": 1, "b": 2}, "the key `b` is missing"),
        ({"a": 1, "c": 1}, {"a": 1, "b": 2}, "the key `b` is missing, and the key `c` was not expected"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "at `result.a.b` 1 is not 2"),
    ],
)
def test_two_values_that_are_not_equal_are_kept_apart(value: Json, wanted: Json, expected: str) -> None:
    said = reason("result == vars.x", result=value, vars={"x": wanted})
    rest = said.removeprefix("`result == vars.x` is false: ")
    assert rest.startswith(expected) if expected else rest.startswith("`result` is ")


def test_the_differing_part_of_long_texts_is_shown_with_its_place() -> None:
    said = reason("result == vars.x", result=f"{LOREM}here it ends.{LOREM}", vars={"x": f"{LOREM}there it is:{LOREM}"})
    assert (
        "they differ from character 2,401 on: "
        '"…lorem ipsum here it ends.…" against "…lorem ipsum there it is:…"; `result` is a text of 4,813 characters'
    ) in said


def test_a_long_differing_part_is_shown_by_its_beginning() -> None:
    said = reason("result == vars.x", result=f"a{LOREM}", vars={"x": "b" * 300})
    assert '"alorem ipsum' in said
    assert '…" (and 2,361 characters more) against "bbb' in said


def test_a_line_break_in_what_is_shown_is_written_as_in_json() -> None:
    assert r'"…lorem ipsum \nx…" against' in reason(
        "result == vars.x", result=f"{LOREM}\nx{LOREM}", vars={"x": LOREM * 2}
    )


@pytest.mark.parametrize(
    ("that", "result", "expected"),
    [
        ('"abc" in result', "x" * 500 + "ABC", "it is there in another case, at character 501"),
        ('"Nmae" in result', {"Name": 1}, "the nearest key is `Name`"),
        ('"Nmae" in result', "x", ""),
    ],
)
def test_what_is_not_in_a_text_or_record_is_reported_where_it_is_near(that: str, result: Json, expected: str) -> None:
    said = why(that, result=result)
    assert said.startswith(expected) if expected else said.startswith("`result` is")


@pytest.mark.parametrize("that", ["1 < result < 5", "result != 9", "not result == 9", "result is string", "result > 9"])
def test_where_the_values_say_it_all_nothing_is_added(that: str) -> None:
    assert reason(that, result=9).endswith("is false: `result` is 9")


def test_the_first_comparison_of_a_chain_that_is_false_is_reported() -> None:
    assert why("vars.a == result == vars.b", result="x", vars={"a": "x", "b": "x "}) == (
        "they differ in blanks at an end only: at character 2 its end is not U+0020 (space)"
    )


def test_a_schema_is_not_met_at_the_path_in_the_value() -> None:
    schema: JsonObject = {"items": {"properties": {"Score": {"type": "number"}}}}
    result: Json = [{"Score": 1}, {"Score": "2"}]
    _, trouble = check(SchemaExpectation(schema=schema), Seen(scope=Scope(names={"result": result})))
    assert trouble is not None
    assert trouble.message == '`result` does not fit its schema: `result[1].Score` ("2" is not a number)'


@pytest.mark.parametrize(
    "that",
    [
        'result | selectattr("Name", "eq", "Contact nmber 9999 of many") | list | length > 0',
        '"Contact nmber 9999 of many" in result | map(attribute="Name")',
        "result == vars.other",
    ],
)
def test_ten_thousand_records_are_explained_without_delay(that: str) -> None:
    records: Json = [{"Name": f"Contact number {number} of many"} for number in range(10_000)]
    other: Json = [{"Name": f"Contact number {number} of many"} for number in range(9_999)]
    with bounded():
        said = reason(that, result=records, vars={"other": other})
    assert "Contact number 9999 of many" in said or "there are 10,000 items, and 9,999 were expected" in said


def test_a_message_stays_within_its_bound_however_long_its_parts_are() -> None:
    long = "x" * 5000
    for that in (f'result == "{long[:900]}"', f'result == "y" or {" or ".join(["result == vars.x"] * 40)}'):
        reason(that, result=long, vars={"x": ["z" * 110, 1]})
    assert reason("result == 1", message="got {{ result }}", result=long).startswith("got xxx")


def test_a_long_message_with_a_secret_in_it_is_not_shown_in_part() -> None:
    expected = Expectation(that="result == 1", message="got {{ result }}")
    _, trouble = check(expected, Seen(scope=Scope(names={"result": "x" * 5000}), holds_secret=lambda _: True))
    assert trouble is not None
    assert trouble.message.startswith("a message of 5,004 characters: ")


@pytest.mark.slow
@given(before=st.text(max_size=300), after=st.text(max_size=300), other=st.text(max_size=700), cut=st.integers(1, 25))
def test_a_secret_in_a_text_is_shown_whole_or_not_at_all(before: str, after: str, other: str, cut: int) -> None:
    secret = "Zq7!kPw#9vLm2$xTbN4&hRj6"
    secrets = Secrets()
    secrets.add("password", secret)
    names: Json = {"x": before + secret[:cut] + other, "y": [before + secret + after]}
    for that in ("result == vars.x", "vars.x == result", "vars.x in vars.y", "vars.x in result", "result in [vars.x]"):
        scope = Scope(names={"result": before + secret + after, "vars": names})
        done, trouble = check(Expectation(that=that), Seen(scope=scope, holds_secret=secrets.appears_in))
        if trouble is None or cut > 20:
            continue
        shown = secrets.mask(f"{done.message} {trouble.message} {trouble.hint}")
        assert secret[cut : cut + 4] not in shown


def test_the_beginning_of_a_long_text_that_lacks_something_is_shown() -> None:
    text = "Dear customer, " + "x" * 4985

    assert f'`result` is "{text[:80]}…" (5,000 characters)' in reason('"order" in result', result=text)
    assert "a text of 5,000 characters" in reason("result == vars.x", result=text, vars={"x": f"{text}!"})
