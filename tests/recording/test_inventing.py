"""Invented values are of the types of the real ones, belong together as these did, and tell nothing of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.catalogue.kinds import fits
from runner.catalogue.model import Direction, Kind, Parameter
from runner.foundation.values import Json, compact
from runner.recording.inventing import Inventor

ID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
REAL: dict[Kind, Json] = {
    Kind.TEXT: "John Smith",
    Kind.INTEGER: 4711,
    Kind.DECIMAL: 12.25,
    Kind.MONEY: "1250.90",
    Kind.GUID: ID,
    Kind.LOOKUP: ID.upper(),
    Kind.DATETIME: "1987-04-05T10:11:12Z",
    Kind.DATE: "1987-04-05",
    Kind.TIME: "18:45:00",
    Kind.UNKNOWN: "john@smith.example",
}


def parameter_of_kind(kind: Kind) -> Parameter:
    return Parameter(kind=kind, direction=Direction.BOTH)


@pytest.mark.parametrize("kind", REAL)
def test_an_invented_value_is_another_of_the_same_type(kind: Kind) -> None:
    invented = Inventor().values({"A": REAL[kind]}, {"A": parameter_of_kind(kind)})["A"]

    assert type(invented) is type(REAL[kind])
    assert invented != REAL[kind]
    assert fits(invented, parameter_of_kind(kind))


def test_one_value_is_invented_once_and_two_values_twice() -> None:
    inventor = Inventor()
    given = inventor.values({"Id": ID, "Name": "Ann", "Sum": "99.90"}, {"Sum": parameter_of_kind(Kind.MONEY)})
    gave = inventor.values({"Id": ID.upper(), "Rows": [{"Name": "Ann"}, {"Name": "Bob"}], "Sum": 99.9}, {})

    assert gave["Id"] == given["Id"]
    assert gave["Rows"] == [{"Name": given["Name"]}, {"Name": "Text 2"}]
    assert str(gave["Sum"]) == given["Sum"]


@pytest.mark.parametrize("value", [None, True, False, "", 0, 0.0, [], {}, "00000000-0000-0000-0000-000000000000"])
def test_what_is_nobodys_data_stays(value: Json) -> None:
    assert Inventor().values({"A": value}, {}) == {"A": value}


def test_json_in_a_text_stays_json_in_a_text() -> None:
    assert Inventor().values({"A": '[{"Name":"Ann","Age":44}]'}, {}) == {"A": '[{"Name":"Text 1","Age":1}]'}
    assert Inventor().values({"A": "[not JSON"}, {}) == {"A": "Text 1"}


def test_a_sentence_of_the_log_keeps_its_words_and_loses_what_names_somebody() -> None:
    inventor = Inventor()
    inventor.values({"Name": "O'Hara", "Id": ID}, {})
    said = f'Contact O\'Hara ({ID}, ann@smith.example) has no order "A-1" and no phone +1 617 440 2498 on 2026-12-31'

    assert inventor.sentence(said) == (
        'Contact Text 1 (00000000-0000-4000-8000-000000000001, person1@example.com) has no order "Text 2"'
        " and no phone +0001 on 0002"
    )
    assert inventor.sentence("It isn't there: 'x'") == "It isn't there: 'Text 3'"


@pytest.mark.slow
@given(st.recursive(st.text(st.characters(codec="utf-8"), min_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_no_real_text_is_left_in_invented_values(value: Json) -> None:
    invented = compact(Inventor().values({"A": value}, {}))
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    kept = ("Text ", "00000", "-01-01", ":00", "person", "[", "{")
    assert all(not isinstance(one, str) or one not in invented or any(part in one for part in kept) for one in texts)
