"""Expressions made to take all memory, all time, or what is not theirs.

Those that expressions have no words for are refused when they are read, before anything is worked out. Those that are
legal end in an error, soon and with little memory.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bounded import bounded

from runner.expressions.errors import EvaluationError
from runner.expressions.evaluate import Scope, evaluate
from runner.expressions.parse import TemplateProblem, expression, template
from runner.foundation.values import Json

pytestmark = pytest.mark.slow

MOST_MEMORY = 300 << 20


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("'a' * 10**9", "E125"),
        ("'a' * 1000000000", "E125"),
        ("[0] * 1000000000", "E125"),
        ("2**(2**33)", "E125"),
        ("'a' | center(10**9)", "E124"),
        ("'a' | center(1000000000)", "E124"),
        ("'{:>999999999}'.format(1)", "E125"),
        ("'%999999999d' % 1", "E125"),
        ("'%999999999d' | format(1)", "E124"),
        ("lipsum(n=1000000)", "E124"),
        ("range(1000000000)", "E124"),
        ("cycler(1, 2)", "E124"),
        ("joiner('a')", "E124"),
        ("namespace(a=1)", "E124"),
        ("dict(a=1)", "E124"),
        ("''.__class__.__mro__", "E125"),
        ("a.__class__.__mro__[1].__subclasses__()", "E125"),
        ("a.__init__.__globals__", "E125"),
        ("self.__init__", "E125"),
        ("self._TemplateReference__context.environ()", "E125"),
        ("request.application.__globals__", "E125"),
        ("config.items()", "E125"),
        ("[].append(1)", "E125"),
        ("a.append(a)", "E125"),
        ("a.update({})", "E125"),
        ("'a' | indent(1000000000)", "E124"),
        ("'a' | wordwrap(1)", "E124"),
        ("a | batch(1000000000)", "E124"),
        ("a | slice(1000000000)", "E124"),
        ("{} | xmlattr", "E124"),
        ("a | tojson", "E124"),
        ("a | safe", "E124"),
        ("a | pprint", "E124"),
        ("a | attr('__class__')", "E124"),
        ("a | map('attr', '__class__')", "E124"),
        ("a | random", "E124"),
        ("a | urlize", "E124"),
        ("a | filesizeformat", "E124"),
        ("caller()", "E124"),
        ("super()", "E124"),
        ("(" * 5000 + "1" + ")" * 5000, "E120"),
        ("[" * 5000 + "]" * 5000, "E120"),
        ("- " * 4000 + "1", "E120"),
        ("not " * 2400 + "true", "E120"),
        ("1 if 1 else " * 800 + "1", "E120"),
        ("+".join("1" * 1000), "E120"),
        ("1" + " | abs" * 1000, "E120"),
        ("a" + "['x']" * 1000 + " + 1", "E120"),
        ("9" * 5000, "E120"),
        ("'a' is match('(a{1000}){1000}')", "E120"),
        ("'" + "a" * 20_000 + "'", "E120"),
    ],
)
def test_what_expressions_have_no_words_for_is_refused_when_it_is_read(text: str, code: str) -> None:
    with bounded(), pytest.raises(TemplateProblem) as caught:
        expression(text)
    assert caught.value.finding.code == code
    with pytest.raises(TemplateProblem):
        template("{{ " + text + " }}")


def test_loops_and_statements_in_a_template_are_plain_text() -> None:
    text = "{% for a in range(1000000000) %}x{% endfor %}{% set a = 1 %}{# a #}{% include '/etc/passwd' %}"
    assert template(text).is_plain


LARGE = "a" * (1 << 20)
ROWS: Json = [{"n": index} for index in range(100_000)]


@contextmanager
def little_memory() -> Iterator[None]:
    """Whoever asks for more than `MOST_MEMORY` beyond what there is gets a MemoryError."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MOST_MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def shared(depth: int) -> Json:
    value: Json = "x"
    for _ in range(depth):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    "text",
    [
        "large ~ large",
        "large + large",
        " ~ ".join(["large"] * 1000),
        "[" + ", ".join(["large ~ ''"] * 800) + "]",
        "[" + ", ".join(["rows[1:]"] * 900) + "] | length",
        "large | replace('a', large)",
        "large | replace('', large)",
        "large | replace('a', 'aa') | length",
        "large | list | map('replace', 'a', large)",
        "large | list | join(large)",
        "large | regex_replace('a', 'aa')",
        "large | regex_replace('a(.*b)?', '')",
        "large | regex_replace('', '-')",
        "large | list | map('regex_search', large)",
        "large | list | select('in', large | list)",
        "large | list | select('in', rows) | length",
        "rows | select('in', rows) | length",
        "rows | map('json') | map('replace', 'n', large)",
        "large | urlencode ~ large | upper",
        "large | b64encode",
        "'ß' | replace('ß', '\\u00df') ~ (large | replace('a', 'ß') | upper)",
        "doubled",
        "[doubled, doubled]",
        "doubled | json",
        "doubled ~ ''",
        "{'a': doubled} | urlencode",
        "rows | groupby('n')",
        "[" + ", ".join(["rows"] * 500) + "] | map('sort', attribute='n') | length",
        "[" + ", ".join(["rows"] * 500) + "] | map('list') | length",
        "[" + ", ".join(["nested"] * 800) + "] | map('from_json') | length",
        "9223372036854775807 * 9223372036854775807",
        "9223372036854775807 + 1",
        "1e308 * 1e308",
        "-9223372036854775807 - 2",
        "1 / 0",
        "a | map(attribute='__class__')",
        "a | map(attribute='append')",
        "a | sum(start=a)",
        "'a' | int(0, 99)",
        "1 | round(1000000000)",
        "10 | round(-1000000000, 'ceil')",
        "large ~ '1' | int",
        "self",
        "request.environ",
        "config ~ ''",
        "a[1000000000]",
        "a['__class__']",
        "a['append']",
        "large['__class__']",
    ],
)
def test_what_is_legal_ends_in_an_error_soon_and_with_little_memory(text: str) -> None:
    nested = "[" + "[]," * 300_000 + "1]"
    names: dict[str, Json] = {"a": [[1]], "large": LARGE, "rows": ROWS, "doubled": shared(60), "nested": nested}
    scope = Scope(names=names)
    parsed = expression(text)
    with bounded(), little_memory(), pytest.raises(EvaluationError):
        evaluate(parsed, scope)
