from collections.abc import Callable

import pytest

from runner.expressions.errors import EvaluationError
from runner.expressions.filters.tests import TESTS
from runner.foundation.values import Json

OF_THE_LANGUAGE = (
    "defined undefined none string number integer float boolean true false mapping sequence odd even "
    "in eq ne lt le gt ge equalto match == != < <= > >= lessthan greaterthan"
)


def test_the_tests_are_those_of_the_language() -> None:
    assert TESTS.keys() == set(OF_THE_LANGUAGE.split())


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a is defined", True),
        ("r.x is defined", False),
        ("r.x is not defined", True),
        ("r.x is undefined", True),
        ("none is none", True),
        ("0 is none", False),
        ("'a' is string", True),
        ("1 is string", False),
        ("1.5 is number", True),
        ("true is number", False),
        ("1 is integer", True),
        ("true is integer", False),
        ("1.0 is integer", False),
        ("1.0 is float", True),
        ("true is boolean", True),
        ("0 is boolean", False),
        ("true is true", True),
        ("false is false", True),
        ("{} is mapping", True),
        ("[] is mapping", False),
        ("[] is sequence", True),
        ("'a' is sequence", False),
        ("3 is odd", True),
        ("-3 is odd", True),
        ("4 is even", True),
        ("1 is in [1, 2]", True),
        ("'a' is in('abc')", True),
        ("1 is eq 1.0", True),
        ("1 is ne 2", True),
        ("1 is lt 2", True),
        ("2 is le 2", True),
        ("1 is gt 2", False),
        ("2 is ge 2", True),
        ("1 is lessthan 2", True),
        ("1 is greaterthan 2", False),
        ("[{'a': 1}, {'a': 2}] | selectattr('a', '==', 2) | list == [{'a': 2}]", True),
        ("[{'a': 1}, {'a': 2}] | rejectattr('a', '!=', 2) | list == [{'a': 2}]", True),
        ("[1, 2, 3] | select('>=', 2) | reject('>', 2) | list == [2]", True),
        ("[1, 2, 3] | select('<=', 2) | reject('<', 2) | list == [2]", True),
        ("'contact-7' is match('contact-\\d')", True),
        ("'a contact-7' is match('contact-\\d')", False),
        ("'ab' is match('a$')", False),
    ],
)
def test_a_test_answers(text: str, *, answer: bool, worked_out: Callable[..., Json]) -> None:
    assert worked_out(text, a=None, r={}) is answer


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'a' is odd", "`odd` asks about a whole number, not a text"),
        ("true is even", "`even` asks about a whole number, not a boolean"),
        ("'1' is lt 2", "`lt` compares two numbers or two texts"),
        ("1 is match('a')", "`match` takes a text, not a number"),
        ("'a' is match(1)", "`match` takes a pattern, not a number"),
        ("1 is in 2", "`in` looks into a list, a text or a record"),
        ("r.x is string", "`r.x` has no value"),
    ],
)
def test_a_test_says_what_it_cannot_answer(text: str, message: str, refused: Callable[..., EvaluationError]) -> None:
    assert message in refused(text, r={}).message
