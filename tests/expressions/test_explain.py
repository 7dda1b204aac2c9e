import pytest

from runner.expressions.evaluate import Scope
from runner.expressions.explain import values_seen
from runner.expressions.parse import expression
from runner.foundation.values import Json

NAMES: dict[str, Json] = {
    "result": [{"Name": "a"}, {"Name": "b"}],
    "vars": {"contact": "c", "key": "Name"},
    "steps": {"read": {"status": "passed"}},
}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("steps.read.status", {"steps.read.status": "passed"}),
        ("steps.read.nope", {}),
        ("nope", {}),
        ("1 == 2", {}),
        ("result | length > 5", {"result | length": 2, "result": NAMES["result"]}),
        (
            "vars.contact in result | map(attribute='Name')",
            {'result | map(attribute="Name")': ["a", "b"], "vars.contact": "c", "result": NAMES["result"]},
        ),
        ("not (result | first).Name == vars['contact']", {"(result | first).Name": "a", "vars.contact": "c"}),
        ("result[0][vars.key] == 'x'", {"result[0][vars.key]": "a"}),
        ("result.x | default(1) == 2 and vars.contact", {"result.x | default(1)": 1, "vars.contact": "c"}),
        ("uuid(vars.contact) == 'x'", {"uuid(vars.contact)": "U", "vars.contact": "c"}),
        ("result | first is string", {"result | first": {"Name": "a"}, "result": NAMES["result"]}),
        ("result | length > 'x'", {"result | length": 2, "result": NAMES["result"]}),
    ],
)
def test_the_sides_of_comparisons_and_the_names_are_shown_with_their_values(text: str, seen: dict[str, Json]) -> None:
    found = {
        each.source: each.value
        for each in values_seen(expression(text), Scope(names=NAMES, functions={"uuid": lambda _: "U"}))
    }
    assert {source: value for source, value in found.items() if source in seen} == seen
    assert set(found) - set(seen) <= {"result"}
