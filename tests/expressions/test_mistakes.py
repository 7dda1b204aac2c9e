"""Every mistake has its code, its words and, where one helps, its hint."""

import pytest
from bounded import bounded

from runner.expressions.parse import TemplateProblem, expression, template
from runner.foundation.problems import Finding


def problem_of(text: str) -> Finding:
    with pytest.raises(TemplateProblem) as caught:
        expression(text)
    return caught.value.finding


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("", "E120", "is empty", ""),
        ("a b", "E120", "`b` is not expected here", "operator may be missing"),
        ("a +", "E120", "nothing follows `+`", ""),
        ("a and", "E120", "nothing follows `and`", ""),
        ("a == and", "E120", "a value is missing before or after `and`", ""),
        ("(a", "E120", "`(` is never closed", ""),
        ("[a, (b]", "E120", "`(` is not closed before `]`", ""),
        ("a)", "E120", "`)` closes nothing", ""),
        ("a == 'b", "E120", "the text that begins with `'` has no end", ""),
        ('a == "b', "E120", 'the text that begins with `"` has no end', ""),
        ("a = 1", "E120", "`=` is not", "`==`"),
        ("a === 1", "E120", "`===` is not", "`==`"),
        ("a !== 1", "E120", "`!==` is not", "`!=`"),
        ("a <> 1", "E120", "`<>` is not", "`!=`"),
        ("a => 1", "E120", "`=>` is not", "`>=`"),
        ("a && b", "E120", "`&&` is not", "`and`"),
        ("a || b", "E120", "`||` is not", "`or`"),
        ("!a", "E120", "`!` is not", "`not`"),
        ("a ?? b", "E120", "`??` is not", "default"),
        ("a?.b", "E120", "`?.` is not", "default"),
        ("a ? b : c", "E120", "`?` is not", "… if … else …"),
        ("a AND b", "E120", "`AND` is not", "`and`"),
        ("a contains b", "E120", "`contains` is not", "`b in a`"),
        ("a eq b", "E120", "`eq` is not", "`==`"),
        ("a^2", "E125", "there is no `^`", ""),
        ("a += 1", "E125", "`+=` would change a value", ""),
        ("$a", "E120", "`$` is not part of a name", "leave it out"),
        ("a.@odata.count", "E120", "`@` is not part of a name", '["@odata.count"]'),
        ("a # b", "E120", "`#` begins no comment", ""),
        ("`a`", "E120", "backticks", "write `'…'`"),
        ("\u201ca\u201d", "E120", "begins no text", "straight quotes, `'` or `\"`"),
        ("a; b", "E120", "`;` is not known", ""),
        ("a is defined if b else c", "E120", "the `if` is taken for an argument", "in parentheses"),
        ("a and and b", "E120", "`and and`: write it once", ""),
        ("a\0b", "E120", "control character", ""),
        ("a²", "E120", "a character that no name can have", ""),
        ("a\x07", "E120", r"`\x07` is not expected here", ""),
        ("a.b.", "E120", "nothing follows `.`", ""),
        ("a[1,2]", "E125", "one key or number", "[0][1]"),
        ("a" * 10_001, "E120", "at most 10,000 characters", ""),
        ("99999999999999999999", "E120", "integers have 64 bits", ""),
        ("9" * 5000, "E120", "integers have 64 bits", ""),
        ("1e999", "E120", "too large", ""),
        ("a == 99999999999999.99", "E120", "`99999999999999.99` has more digits than a number keeps", "in quotes"),
        ("a > -1234567890_1234567.8", "E120", "would be rounded", "in quotes"),
        ("{{ a }}", "E121", "`{{ }}` in a bare expression", "leave out"),
        ("a == '{{ b }}' ~ {{ c }}", "E121", "`{{ }}` in a bare expression", "leave out"),
        ("a == '{{ inputs.mode }}'", "E121", "is plain text", "write `inputs.mode`, without"),
        ('a != "No {{ run.id }}!"', "E121", "is plain text", 'write `"No " ~ run.id ~ "!"`'),
        ("a }}", "E121", "`}}` without `{{`", "without braces"),
        ("${{ a }}", "E123", "`${{` is of another language", "leave out"),
        ("a == ${{ b }}", "E123", "`${{` is of another language", "leave out"),
        ("$ {{ a }}", "E121", "`{{ }}` in a bare expression", "leave out"),
        ("a | lenght", "E124", "unknown filter `lenght`", "`length`"),
        ("a | tojson", "E124", "unknown filter `tojson`", "`a | json`"),
        ("a | xyzzy", "E124", "unknown filter `xyzzy`", ""),
        ("a | string.upper", "E124", "unknown filter `string.upper`", ""),
        ("a | defined", "E124", "unknown filter `defined`", "it is a test"),
        ("a | map('uper')", "E124", "unknown filter `uper`", "`upper`"),
        ("a | select('defind')", "E124", "unknown test `defind`", "`defined`"),
        ("a | selectattr('x', 'equal', 1)", "E124", "unknown test `equal`", '`"eq"`'),
        ("a is null", "E124", "unknown test `null`", "`none`"),
        ("a is empty", "E124", "unknown test `empty`", "length == 0"),
        ("len(a.b)", "E124", "unknown function `len`", "`a.b | length`"),
        ("upper(a)", "E124", "unknown function `upper`", "it is a filter: write `a | upper`"),
        ("defined(a)", "E124", "unknown function `defined`", "it is a test: write `a is defined`"),
        ("now()", "E124", "unknown function `now`", "run.started_at"),
        ("alway()", "E124", "unknown function `alway`", "`always`"),
        ("range(3)", "E124", "unknown function `range`", "there is none"),
        ("a.upper()", "E125", "`.upper()`: values have no methods", "`a | upper`"),
        ("a.b.toUpperCase()", "E125", "values have no methods", "`a.b | upper`"),
        ("a.contains('x')", "E125", "values have no methods", '`"x" in a`'),
        ("a.join(',')", "E125", "values have no methods", '`a | join(",")`'),
        ("a.frobnicate()", "E125", "values have no methods", "value | filter"),
        ("(a | first)()", "E125", "cannot be called", ""),
        ("'a'.length", "E125", '`"a"` has no keys', '`"a" | length`'),
        ("a.__class__", "E125", "never anything of Python", '["__class__"]'),
        ("a ** 2", "E125", "there is no `**`", "`*`"),
        ("'a' * 3", "E125", "`*` takes numbers only", ""),
        ("'%s' % a", "E125", "`%` takes numbers only", "`~`"),
        ("a | join(*b)", "E125", "`*` and `**` before an argument", ""),
        ("{1: 2}", "E125", "`1` is no key", "texts"),
        ("[x for x in a]", "E125", "no loops", "map"),
        ("for x in a", "E125", "no loops", "map"),
        ("if a", "E125", "`if` begins no expression", "leave the word out"),
        ("lambda x: x", "E125", "`lambda` begins no expression", ""),
        ("{% if a %}", "E125", "statements", ""),
        ("null", "E126", "unknown name `null`", "`none`"),
        ("a == undefined", "E126", "unknown name `undefined`", "is undefined"),
        ("success", "E126", "`success` is a function", "`success()`"),
        ("uuid.x", "E126", "`uuid` is a function", '`uuid("…")`'),
        ("always(1)", "E120", "`always()` takes no argument", ""),
        ("uuid()", "E120", "`uuid()` takes 1 argument", ""),
        ("uuid(1)", "E120", "`uuid()` takes a text", ""),
        ("uuid(label='a')", "E120", "`uuid()` takes 1 argument", ""),
        ("a | upper(1)", "E120", "`upper` takes no argument, here are 1", ""),
        ("a | replace('b')", "E120", "`replace` needs its argument `new`", ""),
        ("a | replace('b', old='c')", "E120", "`replace` takes 2 to 3 arguments", ""),
        ("a | default(defualt=1)", "E120", "`default` has no argument `defualt`", ""),
        ("a | map", "E120", "`map` needs a filter", ""),
        ("a | map('upper', attribute='b')", "E120", "`upper` has no argument `attribute`", ""),
        ("a | map(attribute='b', foo=1)", "E120", "`map` has no argument `foo`", ""),
        ("a | map(b)", "E125", "written out in quotes", ""),
        ("a | selectattr", "E125", "the name of a key, a test and a value", ""),
        ("a | select(test='odd')", "E125", "the name of a test and a value", ""),
        ("a | map('replace', 'b')", "E120", "`replace` needs its argument `new`", ""),
        ("a is odd(1)", "E120", "`odd` takes no argument", ""),
        ("a is eq(other=1)", "E120", "without a name", ""),
        ("a is match('(?=b)')", "E120", "no look-ahead", "RE2"),
        ("a | select('match', '[')", "E120", "missing ]", "RE2"),
        ("a | regex_replace('b', '\\\\1')", "E120", "has 0", "RE2"),
        ("a | map('regex_search', '*')", "E120", "no argument for repetition", "RE2"),
        ("NOT a", "E120", "`NOT` is not", "`not`"),
        ("a not == 5", "E120", "`not ==` is not", "`!=`"),
        ("not == a", "E120", "`not ==` is not", "`!=`"),
        ("assert a == 5", "E125", "`assert` begins no expression", "leave the word out"),
        ("a between 1 and 5", "E120", "`between` is not", "`1 <= a and a <= 5`"),
        ("a.b startsWith 'N'", "E120", "`startsWith` is not", '`a.b is match("^N")`'),
        ("a ends_with 'N'", "E120", "`ends_with` is not", '`a is match(".*N$")`'),
        ("a startswith '['", "E120", "`startswith` is not", "`a is match(…)`"),
        ("a.b like '%N%'", "E120", "`like` is not", '`a.b is match("…")`'),
        ("a like 'N%'", "E120", "`like` is not", '`a is match("…")`'),
        ("a not like '%N'", "E120", "`like` is not", '`a is not match("…")`'),
        ("a not contains 'N'", "E120", "`contains` is not", '`"N" not in a`'),
        ("a does not contains 'N'", "E120", "`contains` is not", '`"N" not in a`'),
        ("a Like 'N'", "E120", "`Like` is not", "match"),
        ("a in 'b', 'c'", "E120", "a list needs `[ ]`", '`in ["b", "c"]`'),
        ("a > 25,0", "E120", "written with a dot", "`25.0`"),
        ("a.some(x => x > 1)", "E125", "hold no functions", "choose among the items"),
        (
            "a.Any(x => x.Amount > 0)",
            "E125",
            "no functions",
            '`a | selectattr("Amount", "gt", 0)`, then `| first` or `| length > 0`',
        ),
        ("a.every(x => x.B.C == 'd')", "E125", "no functions", '`a | rejectattr("B.C", "eq", "d") | length == 0`'),
        ("a.find(x => x.B == 1).C", "E125", "no functions", '`a | selectattr("B", "eq", 1)`, then `| first`'),
        ("a.map(x => x.B)", "E125", "no functions", '`a | map(attribute="B")`'),
        ("$.Total > 0", "E120", "`$.Total` is a path of JSONPath", "`result.Total`"),
        ("$[0].Name == 'a'", "E120", "`$[0].Name` is a path", "`result[0].Name`"),
        ("result[*].Total", "E120", "is a path of JSONPath", '`result | map(attribute="Total")`'),
        ("$.items[*] == 1", "E120", "is a path of JSONPath", "`result.items`"),
        ("a[?(@.State=='New')]", "E120", "is a path of JSONPath", '`a | selectattr("State", "eq", "New")`'),
        ("f'Lab {a.b} x'", "E120", "is of Python", "`~`"),
        ("a != 410a0000-0000-0000-0000-00000000000a", "E120", "a GUID needs quotes", '"410a0000'),
        ("a != 00000000-0000-0000-0000-000000000000", "E120", "a GUID needs quotes", '"00000000'),
        ("a > 2026-12-31", "E120", "a date needs quotes", '`"2026-12-31"`'),
        ("a > 2026-01-05T10:00:00Z", "E120", "a date needs quotes", '`"2026-01-05T10:00:00Z"`'),
        ("a > 31.12.2026", "E120", "a date needs quotes", '`"31.12.2026"`'),
        ("a > 12/31/2026", "E120", "a date needs quotes", '`"12/31/2026"`'),
        ("a == 617-440-2498", "E120", "a phone number needs quotes", '`"617-440-2498"`'),
        ("a == 10:30", "E120", "a time needs quotes", '`"10:30"`'),
        ("a is match('/^New$/i')", "E120", "slashes around the pattern", '`"(?i)^New$"`'),
        ("a | select('item.Total > 0')", "E125", "in its own place", '`select("gt", 5)`'),
        ("a.startswith('x')", "E125", "values have no methods", '`a is match("^x")`'),
        ("env.get('X')", "E125", "values have no methods", "`env.X`"),
        ("pm.response.json().Total", "E125", "values have no methods", "`result` in its place"),
        ("pm.expect(a.B).to.equal(25)", "E125", "values have no methods", "`… == …`"),
        ("expect(a).not.toBe('x')", "E125", "values have no methods", "`… != …`"),
        ("expect(a).not.to.be.above(5)", "E125", "values have no methods", "`… > …`"),
        ("expect(a).to.include('x')", "E125", "values have no methods", "`… in …`"),
        ("expect(a).toHaveLength(2)", "E125", "values have no methods", "`… | length == 2`"),
        ("Guid.NewGuid()", "E125", "values have no methods", '`uuid("label")`'),
        ("'a {}'.format(b)", "E125", "values have no methods", "`~`"),
        ("today()", "E124", "unknown function `today`", "run.started_at"),
        ("error()", "E124", "unknown function `error`", "`failure()`"),
        ("a | upcase", "E124", "unknown filter `upcase`", "`a | upper`"),
        ("a | date", "E124", "unknown filter `date`", "a moment is a text"),
        ("a | ternary(1, 2)", "E124", "unknown filter `ternary`", "… if … else …"),
        ("a | dict2items", "E124", "unknown filter `dict2items`", "`a | items`"),
        ("a is exist", "E124", "unknown test `exist`", "`defined`"),
        ("a is instance(int)", "E124", "unknown test `instance`", "`is integer`"),
    ],
)
def test_a_mistake_is_reported_in_words(text: str, code: str, message: str, hint: str) -> None:
    problem = problem_of(text)
    assert message in problem.message
    assert problem.code == code
    assert hint in (problem.hint or "")


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("a {{ b", "E120", "`{{` is never closed", "close it"),
        ("{{ b 'c }} d", "E120", "the text that begins with `'` has no end", ""),
        ("{{ (b }}", "E120", "`(` is not closed before `}`", ""),
        ("{{ }}", "E120", "is empty", ""),
        ("{{}}", "E120", "is empty", ""),
        ("{{- b }}", "E120", "`{{-` is not known", "blank before a minus"),
        ("{{ b -}}", "E120", "`-}}` is not known", "blanks around"),
        ("{{+ b }}", "E120", "`{{+` is not known", ""),
        ("{{-}}", "E120", "`{{-` is not known", ""),
        ("$${{ b }}", "E123", "`${{` is of another language", "leave out the `$`"),
        ("{{ 'R-{{ item }}' }}", "E121", "is plain text", "write `'R-' ~ item`"),
        ("{{ a {{ b }} }}", "E121", "`{{` inside `{{ }}`", "inner braces"),
        ("{{ a | nope }}", "E124", "unknown filter `nope`", ""),
        ("{{ a }} {{ b.c() }}", "E125", "no methods", ""),
    ],
)
def test_a_mistake_in_a_template_is_reported_in_words(text: str, code: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        template(text)
    assert message in str(caught.value)
    assert caught.value.finding.code == code
    assert hint in (caught.value.finding.hint or "")


def test_a_keyword_argument_is_not_taken_for_a_comparison() -> None:
    assert "`foo` is not expected here" in problem_of("a | map(attribute='b') foo").message


def test_what_is_inside_a_text_is_no_mistake() -> None:
    assert "`b` is not expected here" in problem_of("a == '&& || ! = ?' b").message
    expression("""'"{{" not in result' in result""")


def test_two_unclosed_brackets_blame_the_inner_one() -> None:
    assert problem_of("a([b").part == "["


@pytest.mark.parametrize(
    "text",
    [
        "a == '410a0000-0000-0000-0000-00000000000a'",
        "a > '2026-12-31' and b < \"31.12.2026\"",
        "a - 12 - 31",
        "2026 - 12 - 31",
        "a[2026-1:]",
        "a / 12 / 2026",
        "a is match('/New/')",
        "a is match('/[^$]/')",
        "a | regex_search('^/path/$')",
        "a[10:30]",
        "{'a': 10}['a'] == 10.5",
        "contains == startswith",
        "between - between and len > size",
    ],
)
def test_what_only_looks_like_a_piece_of_another_language_is_read(text: str) -> None:
    expression(text)


def test_a_piece_of_another_language_is_searched_for_within_bounds() -> None:
    for text in ("a." * 4990 + "a b", "a " * 4990, "$." * 4900, "x in " + "a," * 4900, "a between 1 and " * 600):
        with bounded():
            assert problem_of(text).code == "E120"
