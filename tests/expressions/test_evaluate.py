from collections.abc import Callable

import pytest

from runner.expressions.errors import EvaluationError
from runner.expressions.evaluate import Scope, boolean, evaluate, render
from runner.expressions.parse import expression, target_template, template
from runner.foundation.values import Json

WorkedOut = Callable[..., Json]
Refused = Callable[..., EvaluationError]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("7 / 2", 3.5),
        ("7 // 2", 3),
        ("-7 % 3", 2),
        ("- 7 + +1", -6),
        ("1.5 - 1", 0.5),
        ("'a' + 'b'", "ab"),
        ("[1] + [2]", [1, 2]),
        ("'a' ~ 1 ~ true ~ [1, 'b']", 'a1true[1,"b"]'),
        ("1 < 2 <= 2 < 3", True),
        ("1 < 2 > 5", False),
        ("'a' < 'b'", True),
        ("1 == 1.0", True),
        ("[1, {'a': true}] == [1.0, {'a': true}]", True),
        ("'a' != none", True),
        ("1 in [true, 1.0]", True),
        ("'b' in 'abc'", True),
        ("'k' in {'k': none}", True),
        ("'x' not in ['y']", True),
        ("not ''", True),
        ("'' or 'b'", "b"),
        ("0 and (1 / 0)", 0),
        ("true or (1 / 0)", True),
        ("'y' if [] else 'n'", "n"),
        ("[1, 2, 3][1:]", [2, 3]),
        ("'abcdef'[-2:]", "ef"),
        ("[1, 2, 3][::-1]", [3, 2, 1]),
        ("'abc'[0]", "a"),
        ("(1, 2)", [1, 2]),
        ("()", []),
        ("{'a': {'b': 1}}.a['b']", 1),
        ("{'a': 1}['a']", 1),
        ("'a' 'b'", "ab"),
        ("None is none and True", True),
        ("0x1F + 1_000", 1031),
        ("-9223372036854775807 - 1", -(2**63)),
        ("uuid('x')", "uuid of x"),
    ],
)
def test_an_expression_gives_its_value(text: str, value: Json, worked_out: WorkedOut) -> None:
    found = worked_out(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["r == {'Id': r.Id, 'N': 2}", "[r.Id, 1] == [r.Id, 2]", "[r.Id, 1] in [[r.Id, 2]]"])
def test_the_same_id_beside_what_differs_is_no_mistake(text: str, worked_out: WorkedOut) -> None:
    assert worked_out(text, r={"Id": "410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01", "N": 1}) is False


@pytest.mark.parametrize(
    "text",
    [
        *("'n/a' != 5", "'' != 5", "'none' != [1]", "'' != {}", "'A1' not in [1]", "'2026-01-31' != 0"),
        *("'410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01' != 0", "'410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01' not in [0, none]"),
    ],
)
def test_a_text_in_place_of_a_number_or_a_list_is_another_value(text: str, worked_out: WorkedOut) -> None:
    assert worked_out(text) is True


def test_a_dot_is_a_key_never_an_attribute(worked_out: WorkedOut) -> None:
    record: Json = {"items": 1, "keys": 2, "in": 3, "class": {"0": 4}, "@odata.count": 5}
    assert worked_out("r.items + r.keys", r=record) == 3
    assert worked_out("r.in", r=record) == 3
    assert worked_out("r.class['0']", r=record) == 4
    assert worked_out("r['@odata.count']", r=record) == 5
    assert worked_out("r['it' ~ 'ems']", r=record) == 1
    assert worked_out("l[0].a ~ l[-1].a ~ l.1.a", l=[{"a": "x"}, {"a": "y"}]) == "xyy"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("result.Nmae", "`result.Nmae` has no value: `result` has no key `Nmae`", "did you mean `Name`?"),
        ("result.Zzz ~ ''", "`result` has no key `Zzz`", "its keys are `Name`, `Owner`, `list`, `empty`"),
        ("result.Owner.Name", "`result.Owner.Name` has no value: `result.Owner` is null", ""),
        ("result.Name.first ~ ''", "`result.Name` is a text", ""),
        ("result.list.length", "a list has no keys", "write `result.list | length`"),
        ("result.list.Id", "`result.list` is a list", 'write `result.list[0]`, or `result.list | map(attribute="Id")`'),
        ("result.list[5].Id", "`result.list` has 2 items", ""),
        ("result.list[2]", "`result.list` has 2 items", "the first is `[0]`"),
        ("result.list[-3] ~ ''", "`result.list` has 2 items", ""),
        ("result.Name[1] ~ ''", "`result.Name` has 1 character", ""),
        ("result.empty.x", "`result.empty` is an empty record", ""),
        ("result['a' ~ 'b'].c.d ~ ''", '`result["a" ~ "b"]` has no value', ""),
        ("nowhere.a", "there is no `nowhere` here", ""),
        ("reslt.a", "there is no `reslt` here; `result` is near", ""),
        ("(result.list | select('gt', 5) | first).x", "`first` has nothing to give: the list is empty", ""),
        ("'a' if false", '`"a" if false` has no `else`', ""),
        ("result.list[none]", "takes a key or a number, not null", ""),
        ("result.list[true]", "takes a key or a number, not a boolean", ""),
        ("'10' >= 9", "`>=` compares two numbers or two texts, not a text with a number", "`| int`"),
        ("none < 1", "not null with a number", ""),
        (
            "'410A6E1C-5F3A-4B7E-9D21-0A1B2C3D4E01' != '410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01'",
            '`!=` compares ids that differ in small and capital letters only: "410A',
            "`| lower`",
        ),
        (
            "'410A6E1C-5F3A-4B7E-9D21-0A1B2C3D4E01' not in ['x', '410a6e1c-5f3a-4b7e-9d21-0a1b2c3d4e01']",
            "`in` compares ids that differ",
            "`| lower`",
        ),
        ("'0 USD' != 0", '`!=` compares the text "0 USD" with the number 0: they are never equal', "`| int`"),
        ("'\u22125' is ne(0)", "they are never equal", "`| int`"),
        (
            "result.list != '[]'",
            '`!=` compares the list [1,2] with the text "[]": they are never equal',
            "`| from_json`",
        ),
        ("' {}' not in [result.empty]", "with the record {}: they are never equal", "`| from_json`"),
        ("'n/a' >= '10'", '`>=` compares "n/a" and "10" letter by letter, and not each is a number', "`| float`"),
        ("'9,5' < '10,0'", '`<` compares "9,5" and "10,0" letter by letter', "`| replace"),
        ("'' < '100'", "not each is a number", ""),
        ("'8.1.2' < '8.1.10'", "not each is a number", ""),
        ("['9,5', '10,5'] | max", "`max` compares", ""),
        ("'8.1.2' < '8.1.10'", "letter by letter", "`| regex_search("),
        ("'9 USD' > '10 USD'", "their numbers are not of the same length", "`| float`"),
        ("'10:00' < '9:30'", "their numbers are not of the same length", ""),
        ("'$9' >= '$10'", "their numbers are not of the same length", ""),
        ("'error' > '2025-01-01'", "not each begins with its year", "2026-12-31"),
        ("'' <= '2026-01-31T23:59:59Z'", "not each begins with its year", ""),
        ("'10' < '2026-01-31'", "not each begins with its year", ""),
        ("'2026-01-31T12:00:00' >= '2026-01-31T10:00:00.000Z'", "not each has a time zone", "`[:10]`"),
        ("'31.01.2025 10:00' >= '2026-01-31'", "letter by letter, and not each begins with its year", "2026-12-31"),
        ("true < 2", "not a boolean with a number", ""),
        ("1 in 'abc'", "`in` looks for a text in a text, not for a number", ""),
        ("1 in 5", "`in` looks into a list, a text or a record, not into a number", ""),
        ("1 / 0", "`/` by zero", ""),
        ("1 % 0", "`%` by zero", ""),
        ("1 + 'a'", "`+` adds two numbers, two texts or two lists, not a number and a text", "`~`"),
        ("true + 1", "not a boolean and a number", ""),
        ("result.Name * 3", "`*` takes two numbers, not a text and a number", ""),
        ("-result.Name", "`-` takes a number, not a text", ""),
        ("9223372036854775807 + 1", "integers have 64 bits", ""),
        ("1e308 * 10", "too large", ""),
        ("1e308 // 1e-308 * 1", "too large", ""),
        ("result.Owner[1:]", "`[:]` cuts a list or a text, not null", ""),
        ("result.list['a':]", "`[:]` takes whole numbers, not a text", ""),
        ("result.list[::0]", "must not be 0", ""),
        ("{result.Owner: 1}", "the keys of a record are texts, not null", ""),
        ("uuid(result.list)", "`uuid()` takes a text, not a list", ""),
        ("success()", "`success()` is not known here", ""),
        ("'a' ~ result.Owner", "null cannot be put into a text", '`| default("")`'),
    ],
)
def test_what_cannot_be_worked_out_is_reported_in_words(text: str, message: str, hint: str, refused: Refused) -> None:
    error = refused(text, result={"Name": "x", "Owner": None, "list": [1, 2], "empty": {}})
    assert message in error.message
    assert hint in (error.hint or "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'9' < '10.5'", True),
        ("'2026-01-31T10:30:00+03:00' < '2026-01-31T09:00:00Z'", True),
        ("'2026-01-31T09:00:00.900Z' > '2026-01-31T09:00:00Z'", True),
        ("['2026-01-31T10:30:00+03:00', '2026-01-31T09:00:00Z'] | max", "2026-01-31T09:00:00Z"),
        ("'2026-01-31' >= '2026' and 'b' > 'a'", True),
        ("'8.1.2' >= '8.1.2' and '2026.11.30' < '2026.12.01' and '9,5' > '8,5'", True),
        ("'2026-01-31T12:00:00Z' >= '2026-01-31' and '2026-03-01' > '2026-02'", True),
        ("'2026-01-31T12:00:00' > '2026-01-31T11:59:00.5' and '09:30' < '10:00'", True),
        ("'7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11' < '77777f3e-5a52-4b8f-9a54-2b6f0f8c1a11'", False),
        ("['9,5', '10,5', 'a'] | sort | first", "10,5"),
    ],
)
def test_texts_are_put_in_order_by_what_they_say(text: str, value: Json, worked_out: WorkedOut) -> None:
    assert worked_out(text) == value


def test_a_key_of_what_is_missing_is_missing_too(worked_out: WorkedOut) -> None:
    assert worked_out("a.b.c.d | default('x')", a={}) == "x"
    assert worked_out("a.b.c is undefined and a.b is not defined", a={"b": None}) is False
    assert worked_out("a.b.c is undefined", a={"b": None}) is True


def test_the_scope_says_why_a_known_path_has_no_value() -> None:
    scope = Scope(
        names={"steps": {"read": {"status": "skipped"}}},
        missing={("steps", "read", "result"): "step `read` has no result: it was skipped"},
    )
    for text in (
        "steps.read.result.Id",
        "steps.read.result[0].Id",
        "steps['read'].result ~ ''",
        "1 + steps.read.result.n",
    ):
        with pytest.raises(EvaluationError, match="it was skipped"):
            evaluate(expression(text), scope)
    assert evaluate(expression("steps.read.result.Id | default('none')"), scope) == "none"
    with pytest.raises(EvaluationError, match="no key `outputs`"):
        evaluate(expression("steps.read.outputs.Id"), scope)


def test_a_condition_gives_a_boolean_or_an_error() -> None:
    scope = Scope(names={"a": "false", "b": False, "n": None})
    assert boolean(expression("b"), scope) is False
    assert boolean(expression("a == 'false'"), scope) is True
    for text, hint in (("a", 'a == "false"'), ("n", "compare"), ("1", "compare"), ("a or b", "compare the text")):
        with pytest.raises(EvaluationError, match="not a boolean") as caught:
            boolean(expression(text), scope)
        assert hint in str(caught.value.hint)


@pytest.mark.parametrize("text", ["a and b", "a or b", "not a", "not not a", "b if a else b", "b and (a and b)"])
@pytest.mark.parametrize("spelled", ["false", "True", "no", "No", "OFF", "0"])
def test_a_boolean_as_a_text_is_no_answer_to_whether_something_is_true(text: str, spelled: str) -> None:
    scope = Scope(names={"a": spelled, "b": True})
    with pytest.raises(EvaluationError, match=f'`a` is the text "{spelled}", not a boolean') as caught:
        boolean(expression(text), scope)
    assert caught.value.hint == f'compare the text: `a == "{spelled}"`'


def test_a_text_in_place_of_an_empty_one_is_the_default_of_what_may_be_a_word_for_a_boolean(
    refused: Refused, worked_out: WorkedOut
) -> None:
    way = 'country | default("DE", true)'
    assert f"in place of an empty text: `{way}`" in str(refused('country or "DE"', country="no").hint)
    assert [worked_out(way, country=country) for country in ("no", "", "FR")] == ["no", "DE", "FR"]


@pytest.mark.parametrize("text", ["NO", "yes", "1", "On"])
def test_other_words_are_texts_that_take_the_place_of_what_is_not_given(text: str) -> None:
    assert evaluate(expression("a or 'DE'"), Scope(names={"a": text})) == text


def test_functions_are_those_of_the_scope() -> None:
    scope = Scope(names={"env": {"DIR": "/run"}}, functions={"file": lambda path: f"<{path}>"})
    assert render(target_template("{{ file(env.DIR ~ '/s') }}"), scope) == "</run/s>"


def test_a_tests_subject_may_be_absent_only_where_absence_is_asked_for(refused: Refused, worked_out: WorkedOut) -> None:
    assert worked_out("a.b is undefined", a={}) is True
    assert "no value" in refused("a.b is none", a={}).message
    assert "no value" in refused("not a.b", a={}).message
    assert "no value" in refused("a.b or 1", a={}).message
    assert "no value" in refused("[a.b]", a={}).message


def test_values_of_the_scope_are_never_changed(worked_out: WorkedOut) -> None:
    values: Json = [3, 1, 2]
    for text in ("a | sort", "a | reverse", "a + a", "a[::-1]", "a | unique", "a | list"):
        worked_out(text, a=values)
    assert values == [3, 1, 2]


def test_a_deep_value_ends_in_an_error() -> None:
    deep: Json = []
    for _ in range(5000):
        deep = [deep]
    other: Json = []
    for _ in range(5000):
        other = [other]
    scope = Scope(names={"a": deep, "b": other})
    for text in ("a == b", "a | json", "'x' ~ a", "[a] | unique"):
        with pytest.raises(EvaluationError, match="too deep"):
            evaluate(expression(text), scope)
    with pytest.raises(EvaluationError, match="too deep"):
        render(template("x{{ a }}"), scope)


@pytest.mark.parametrize(
    ("message", "hint", "shown"),
    [
        ("`r.a` has no value", "did you mean `b`?", ("`r.a` has no value", None)),
        ("`r.a` is null", "write `a`", ("`r.a` is null", "write `a`")),
        ("`r` has no key `hush`", None, None),
        ("`r` has no key `hu`sh`", None, None),
        ('`r` is "hush"', 'compare it with "hush"', None),
    ],
)
def test_an_error_quotes_nothing_that_is_not_in_the_text_of_a_secret_expression(
    message: str, hint: str | None, shown: tuple[str, str | None] | None
) -> None:
    found = EvaluationError(message, hint=hint).without_values(" r.a ")
    generic = ("`r.a` cannot be worked out; why is not shown, since it works with a secret", None)
    assert (found.message, found.hint) == (shown or generic)
