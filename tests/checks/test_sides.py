"""What an expectation looked for beside what there was, as values."""

from runner.checks.check import LARGEST_SIDE, Seen, check
from runner.expressions.evaluate import Scope
from runner.foundation.values import Json
from runner.job.model import Expectation, Expected, SchemaExpectation
from runner.runs.evidence import Difference


def sides(expected: str | Expected, *, secret: bool = False, **names: Json) -> list[Difference]:
    if isinstance(expected, str):
        expected = Expectation(that=expected)
    done, _ = check(expected, Seen(scope=Scope(names=names), secret=secret))
    return list(done.differences or ())


def test_both_sides_of_a_comparison_are_given_as_values() -> None:
    assert sides("result.Name == 'Ann'", result={"Name": "Bob"}) == [
        Difference(source="result.Name", sign="==", expected="Ann", actual="Bob")
    ]


def test_a_text_that_is_searched_for_in_what_came_is_what_was_expected() -> None:
    found = sides("'y' in result", result="Hello, x")
    assert found == [Difference(source="result", sign="contains", expected="y", actual="Hello, x")]
    found = sides("result in ['a', 'b']", result="c")
    assert found == [Difference(source="result", sign="in", expected=["a", "b"], actual="c")]


def test_what_was_searched_for_is_given_beside_the_nearest_item() -> None:
    found = sides(
        "result | selectattr('Name', '==', 'Smoke 12') | length > 0", result=[{"Name": "x"}, {"Name": "Smoke 1"}]
    )
    expected = Difference(source="result[].Name", sign="==", expected="Smoke 12", actual="Smoke 1", at=1, among=2)
    assert found == [expected]


def test_a_value_that_does_not_fit_its_schema_is_given_with_what_the_schema_wants() -> None:
    found = sides(SchemaExpectation(schema={"properties": {"n": {"maximum": 3}}}), result={"n": 5})
    assert found == [Difference(source="result.n", sign="maximum", expected=3, actual=5)]


def test_three_of_many_differences_are_given() -> None:
    schema: Json = {"items": {"type": "string"}}
    assert isinstance(schema, dict)
    assert len(sides(SchemaExpectation(schema=schema), result=[1, 2, 3, 4])) == 3


def test_nothing_is_given_where_a_value_is_secret_or_the_expectation_is_met() -> None:
    assert sides("result == 'Ann'", secret=True, result="Bob") == []
    assert sides(SchemaExpectation(schema={"type": "string"}), secret=True, result=1) == []
    assert sides("result == 'Ann'", result="Ann") == []


def test_the_first_part_of_large_values_that_differs_is_given_and_a_large_text_is_not() -> None:
    text = "x" * LARGEST_SIDE
    found = sides("result == wanted", result={"a": text, "b": 1}, wanted={"a": text, "b": 2})
    assert found == [Difference(source="result.b", sign="==", expected=2, actual=1)]
    assert sides("result == wanted", result=text, wanted=text + "y") == []
