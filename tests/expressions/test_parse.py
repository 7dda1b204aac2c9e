from collections.abc import Callable
from typing import SupportsIndex

import pytest

from runner.expressions.conditions import always_true, condition_mistakes
from runner.expressions.evaluate import Scope, evaluate
from runner.expressions.explain import false_parts
from runner.expressions.infer import expression_type, template_type
from runner.expressions.parse import (
    Name,
    TemplateProblem,
    expression,
    expressions_in,
    target_template,
    template,
    texts_in,
)
from runner.expressions.typed import A_NUMBER, A_TEXT
from runner.foundation.values import Json


def paths(text: str) -> list[tuple[str | int, ...]]:
    return [name.path for name in expression(text).names]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("result", ("result",)),
        ("steps.read.outputs.contact_id", ("steps", "read", "outputs", "contact_id")),
        ("result[0].Id", ("result", 0, "Id")),
        ("result[-1]", ("result", -1)),
        ("""result["@odata.count"]['a b']""", ("result", "@odata.count", "a b")),
        ("  result.Id\n", ("result", "Id")),
        ("result.items.in", ("result", "items", "in")),
    ],
)
def test_a_plain_path_is_read_without_a_tree(text: str, path: tuple[str | int, ...]) -> None:
    parsed = expression(text)
    assert parsed.path == path
    assert parsed.tree is None
    assert [name.path for name in parsed.names] == [path]


@pytest.mark.parametrize("text", ["true", "none", "True", "1", "a.0", "a.__metadata", "é.b", "a . b", "(a)"])
def test_what_only_looks_like_a_path_goes_to_the_parser(text: str) -> None:
    assert expression(text).path is None


def test_names_are_known_as_far_as_they_are_written_out() -> None:
    assert paths("steps[vars.which].result[0] == inputs['a b'].c") == [
        ("steps",),
        ("vars", "which"),
        ("inputs", "a b", "c"),
    ]
    assert [name.dynamic for name in expression("steps[vars.which].result").names] == [True, False]
    assert paths("result[1:].x") == [("result",)]
    assert paths("(result | first).Id") == [("result",)]
    assert paths("a.0.b ~ a[-1].b") == [("a", 0, "b"), ("a", -1, "b")]


def test_names_behind_default_and_defined_are_names_too() -> None:
    assert paths("vars.x | default(inputs.y)") == [("vars", "x"), ("inputs", "y")]
    assert paths("steps.a.result is defined") == [("steps", "a", "result")]


def test_names_in_every_corner_are_found() -> None:
    text = "{'k': [a, b]}[c] if d else -e + f(g) ~ (h | join(i, attribute=j)) and not k is in(l) or m[n:o:p]"
    with pytest.raises(TemplateProblem, match="unknown function `f`"):
        expression(text)
    found = paths(text.replace("f(g)", "uuid(g)"))
    assert sorted(path[0] for path in found if isinstance(path[0], str)) == list("abcdeghijklmnop")


def test_a_name_used_twice_on_one_line_is_one() -> None:
    assert paths("a.b + a.b") == [("a", "b")]


def test_lines_are_those_of_the_text() -> None:
    assert expression("\n\n a.b").names == (Name(("a", "b"), 2),)
    assert [name.line for name in expression("a and\nb and\n  c").names] == [0, 1, 2]
    parsed = template("x\n{{ a }}\n{{\n b }} and {{ c\n| default(d) }}")
    assert [(name.path[0], name.line) for name in parsed.names] == [("a", 1), ("b", 3), ("c", 3), ("d", 4)]


@pytest.mark.parametrize(
    ("text", "line", "name"),
    [
        ("\n{{ a }}\n{{ b | nope }}", 2, "nope"),
        ("\n{{ a }}\n{{\n\nb.c() }}", 4, "c"),
        ("a\n${{ b }}", 1, "${{"),
        ("{{ a }}\n{{ nope(1) }}", 1, "nope"),
        ("{{ a }}\n{{ always(1) }}", 1, "always"),
        ("{{ a }}\n{{ b is\nnope }}", 1, "nope"),
        ("{{ a }}\n{{ b\n== c d }}", 2, "d"),
        ("{{ a }}\n{{ b\n&& c }}", 2, "&&"),
        ("{{ a }}\n{{ b + 1\n* 'x' }}", 2, "*"),
        ("a\n\n{{ b == 'c }}", 2, "'"),
    ],
)
def test_the_line_of_a_problem_is_that_of_the_text(text: str, line: int, name: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        template(text)
    assert (caught.value.finding.line, caught.value.finding.part) == (line, name)


def test_brackets_and_keys_nest_as_deep_as_anyone_writes() -> None:
    assert expression("(" * 32 + "a" + ")" * 32).names == (Name(("a",), 0),)
    assert expression("a + " * 60 + "a").names == (Name(("a",), 0),)
    assert len(expression("a.b + x" + ".y" * 60).names) == 2
    with pytest.raises(TemplateProblem, match="nested more than 32 deep"):
        expression("(" * 33 + "a" + ")" * 33)
    with pytest.raises(TemplateProblem, match="nested more than 200 deep"):
        expression("a + " * 201 + "a")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        " or ".join(f'a == "x{number}"' for number in range(190)),
        " and ".join(["a == 1"] * 190),
        " + ".join(["1"] * 190) + " == a",
        "1" + " | abs" * 190 + " == a",
        "not " * 100 + "(a == 1)",
        "a" + "".join(f" if a == {number} else a" for number in range(150)),
    ],
)
def test_as_many_terms_as_anyone_joins_are_read_typed_worked_out_and_explained(text: str) -> None:
    names: dict[str, Json] = {"a": 2}
    scope = Scope(names=names)
    parsed = expression(text)

    expression_type(parsed, {"a": A_NUMBER})
    condition_mistakes(parsed, {"a": A_NUMBER})
    assert parsed.tree is not None
    always_true(parsed.tree, given=())
    evaluate(parsed, scope)
    false_parts(parsed, scope)


def test_all_that_is_unknown_in_one_text_is_found_at_once() -> None:
    with pytest.raises(TemplateProblem) as caught:
        template("{{ a | lenght > 0 and null }}{{ b.foo() }} {{ c | uper }}")
    found = (caught.value, *caught.value.others)
    assert [str(one) for one in found] == [
        "unknown filter `lenght`",
        "unknown name `null`",
        "`.foo()`: values have no methods",
        "unknown filter `uper`",
    ]
    assert [name.path for name in caught.value.names] == [("a",), ("c",)]


def test_functions_are_known_after_parsing() -> None:
    assert expression("failure() or always()").functions == {"failure", "always"}
    assert expression("result").functions == frozenset()
    assert template("{{ uuid('a') }}-{{ b }}").functions == {"uuid"}


def test_a_targets_file_knows_file_and_nothing_of_jobs() -> None:
    parsed = target_template("{{ file('/run/secrets/' ~ env.NAME) }}")
    assert parsed.functions == {"file"}
    assert [name.path for name in parsed.names] == [("env", "NAME")]
    with pytest.raises(TemplateProblem, match="unknown function `uuid`"):
        target_template("{{ uuid('a') }}")
    with pytest.raises(TemplateProblem, match="unknown function `file`") as caught:
        template("{{ file('a') }}")
    assert "targets file" in str(caught.value.finding.hint)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("plain {% if x %} {# no #} }} text", ["plain {% if x %} {# no #} }} text"]),
        ("{{ a }}", ["a"]),
        ("{{a}}{{ b }}", ["a", "b"]),
        (" {{ a }}\n", [" ", "a", "\n"]),
        ("""it's {{ "}}" ~ '{{' }} there""", ["it's ", """"}}" ~ '{{'""", " there"]),
        ("{{ {'a': {'b': 1}} }}}", ["{'a': {'b': 1}}", "}"]),
        ("{{{'a': 1}}}", ["{'a': 1}"]),
        ("$ {{ a }}", ["$ ", "a"]),
        (r"{{ 'it\'s }}' }}", [r"'it\'s }}'"]),
    ],
)
def test_a_template_is_cut_at_its_braces(text: str, parts: list[str]) -> None:
    assert [part if isinstance(part, str) else part.text for part in template(text).parts] == parts


def test_a_template_without_braces_is_plain() -> None:
    assert template("a }} b").is_plain
    assert not template("{{ a }}").is_plain


def test_a_text_is_parsed_once() -> None:
    assert expression("a.b > 1") is expression("a.b > 1")
    assert template("{{ a }}!") is template("{{ a }}!")


def test_a_constant_expression_is_known_as_such() -> None:
    assert expression("1 + 1").is_constant
    assert not expression("always()").is_constant
    assert not expression("a").is_constant


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("'result.Score' >= 10", True),
        ("result and 'a' == 'b'", True),
        ("result.Score >= 10", False),
        ("true", False),
        ("result == 'a'", False),
        ("[1 == 1, result]", True),
        ("uuid('a') == 'b'", False),
    ],
)
def test_a_comparison_of_constants_is_noticed(text: str, *, constant: bool) -> None:
    assert bool(expression(text).constants) is constant


def test_every_text_with_braces_inside_a_value_is_found_with_its_path() -> None:
    value: Json = {"a": ["x", "{{ b }}", {"{{ key }}": "{{ c }}d"}], "n": 1, "z": None}
    assert list(texts_in(value)) == [(("a", 1), "{{ b }}"), (("a", 2, "{{ key }}"), "{{ c }}d")]
    assert [(path, parsed.text) for path, parsed in expressions_in(value)] == list(texts_in(value))


def test_an_escape_that_is_none_keeps_its_backslash(worked_out: Callable[[str], Json]) -> None:
    assert worked_out(r"'\d\1\b\.\\'") == r"\d\1\b\." + "\\"
    assert worked_out(r"'\n\t\x41\u00e9\'\U0001F600\U00110000'") == "\n\tAé'😀\\U00110000"


def test_two_halves_of_a_character_become_one_and_a_lone_half_is_replaced(worked_out: Callable[[str], Json]) -> None:
    assert worked_out(r"'\ud83d\ude00'") == "😀"
    assert worked_out(r"'\ud83d'") == "\ufffd"


class Counted(str):
    """A text that counts the characters in which somebody counts lines."""

    __slots__ = ("looked_at",)
    looked_at: int

    def count(self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /) -> int:
        first, last, _ = slice(start, end).indices(len(self))
        self.looked_at += max(0, last - first)
        return super().count(sub, start, end)


def test_the_lines_of_a_text_are_counted_once_however_many_expressions_it_holds() -> None:
    text = Counted("{{ 1 }}\n{{ a }} " * 2_000)
    text.looked_at = 0

    assert template(text).names[-1].line == 2_000
    assert text.looked_at <= len(text)


def test_a_finding_is_on_the_line_of_its_part_whatever_comes_before() -> None:
    names = {"a": A_TEXT}

    _, in_expression = expression_type(expression("\n\n  a\n - 1"), names)
    _, in_template = template_type(template("x {{ a }}\ny {{\n a - 1 }}"), names)

    assert [finding.line for finding in (*in_expression, *in_template)] == [2, 2]


def test_a_worker_that_lives_for_weeks_remembers_a_bounded_number_of_texts() -> None:
    memories = (expression.cache_info(), template.cache_info(), target_template.cache_info())
    assert None not in [memory.maxsize for memory in memories]
