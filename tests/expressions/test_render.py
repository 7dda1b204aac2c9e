from collections.abc import Callable

import pytest

from runner.expressions.errors import EvaluationError
from runner.expressions.evaluate import Scope, render, render_value
from runner.expressions.parse import template
from runner.foundation.values import Json

Rendered = Callable[..., Json]


@pytest.mark.parametrize("value", [True, 7, 1.5, "x", None, [1, {"a": None}], {"a": [True]}, "1_000", "{{ a }}"])
def test_an_expression_alone_keeps_the_type_of_its_value(value: Json, rendered: Rendered) -> None:
    found = rendered("{{ a }}", a=value)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("{{ a }}!", "x!"),
        ("{{ a }}{{ a }}", "xx"),
        ("{{ a }}\n", "x\n"),
        (" {{ a }}", " x"),
        ("{{ yes }},{{ n }},{{ f }}", "true,7,1.5"),
        ("-{{ l }}{{ r }}", '-[1,"é"]{"k":null}'),
        ("{{ nothing | default('') }}.", "."),
        ('{{ "{{" }} and }}', "{{ and }}"),
        ("{% if a %}{{ a }}{# b #}", "{% if a %}x{# b #}"),
        ("a\r\n{{ a }}\r\n\n", "a\r\nx\r\n\n"),
        ("{{ a }}\\n", "x\\n"),
    ],
)
def test_inside_other_text_values_are_written_as_json(text: str, written: str, rendered: Rendered) -> None:
    names: dict[str, Json] = {"a": "x", "yes": True, "n": 7, "f": 1.5, "l": [1, "é"], "r": {"k": None}, "nothing": None}
    assert rendered(text, **names) == written


def test_null_inside_other_text_is_an_error_that_says_what_to_write(rendered: Rendered) -> None:
    with pytest.raises(EvaluationError, match=r"`a\.b` is null") as caught:
        rendered("x {{ a.b }}", a={"b": None})
    assert caught.value.hint == 'write `{{ a.b | default("") }}` for nothing in its place'
    assert rendered('x {{ a.b | default("") }}', a={"b": None}) == "x "


def test_every_text_inside_a_value_is_rendered_and_no_key(rendered: Rendered) -> None:
    value = {"{{ a }}": ["{{ a }}", 1, None, {"k": "<{{ a }}>"}], "plain": "x"}
    assert rendered(value, a=2) == {"{{ a }}": [2, 1, None, {"k": "<2>"}], "plain": "x"}


def test_a_value_without_templates_is_given_back_itself() -> None:
    value: Json = {"a": ["x" * 2_000_000, {"b": None}]}
    assert render_value(value, Scope(names={})) is value


def test_what_is_rendered_has_at_most_a_mebibyte(rendered: Rendered) -> None:
    large = "x" * (1 << 20)
    assert rendered("{{ a }}", a=large) == large
    for value in ("{{ a }}.", "{{ a }}{{ a }}", ["{{ a }}"], {"k": "{{ a }}", "l": "{{ a }}"}):
        with pytest.raises(EvaluationError, match=r"(larger|more) than 1 MiB"):
            rendered(value, a=large)
    with pytest.raises(EvaluationError, match="larger than 1 MiB"):
        rendered("{{ a }}", a=large + "x")
    with pytest.raises(EvaluationError, match="larger than 1 MiB"):
        rendered("{{ a }} €", a="€" * 349_525)


def test_values_that_double_and_double_are_stopped() -> None:
    value: Json = "x" * 100_000
    for _ in range(3):
        value = render_value(["{{ a }}", "{{ a }}"], Scope(names={"a": value}))
    with pytest.raises(EvaluationError, match="more than 1 MiB"):
        render_value(["{{ a }}", "{{ a }}"], Scope(names={"a": value}))


def test_a_plain_template_is_its_text() -> None:
    assert render(template("a }} b"), Scope(names={})) == "a }} b"
