import pytest

from runner.catalogue.kinds import KINDS, CannotReadError, read
from runner.catalogue.model import Kind, Parameter
from runner.foundation.values import Json

READ: list[tuple[Kind, Json, Json]] = [
    (Kind.TEXT, " as it is ", " as it is "),
    (Kind.TEXT, 5, "5"),
    (Kind.TEXT, "half \ud83d", "half �"),
    (Kind.INTEGER, "-42", -42),
    (Kind.INTEGER, 7.0, 7),
    (Kind.DECIMAL, "99.99", 99.99),
    (Kind.MONEY, "1e3", 1000.0),
    (Kind.MONEY, 3, 3),
    (Kind.BOOLEAN, "True", True),
    (Kind.BOOLEAN, "false", False),
    (Kind.BOOLEAN, True, True),
    (Kind.GUID, "7D8F6F3E-5A52-4B8F-9A54-2B6F0F8C1A11", "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"),
    (Kind.LOOKUP, None, "00000000-0000-0000-0000-000000000000"),
    (Kind.DATETIME, "2026-12-31T23:59:59Z", "2026-12-31T23:59:59Z"),
    (Kind.DATETIME, "2026-12-31T23:59:59+02:00", "2026-12-31T21:59:59Z"),
    (Kind.DATETIME, "2026-12-31 23:59", "2026-12-31T23:59:00Z"),
    (Kind.DATETIME, "2026-12-31 23:59 Z", "2026-12-31T23:59:00Z"),
    (Kind.DATETIME, "2026-12-31", "2026-12-31T00:00:00Z"),
    (Kind.DATETIME, " 2026-12-31\n", "2026-12-31T00:00:00Z"),
    (Kind.INTEGER, " 5 ", 5),
    (Kind.DECIMAL, " 1.5\n", 1.5),
    (Kind.MONEY, 3 * 19.9, 59.7),
    (Kind.DECIMAL, "0.123456789", 0.12345679),
    (Kind.BOOLEAN, " true ", True),
    (Kind.DATE, "2026-12-31", "2026-12-31"),
    (Kind.TIME, "18:45", "18:45:00"),
    (Kind.RECORDS, '[{"a": 1}]', [{"a": 1}]),
    (Kind.RECORDS, [], []),
]

REFUSED: list[tuple[Kind, Json]] = [
    (Kind.INTEGER, "4.5"),
    (Kind.INTEGER, "99999999999999999999"),
    (Kind.INTEGER, True),
    (Kind.INTEGER, "٤"),
    (Kind.DECIMAL, "1,5"),
    (Kind.DECIMAL, "nan"),
    (Kind.DECIMAL, "1e999"),
    (Kind.BOOLEAN, "yes"),
    (Kind.BOOLEAN, 1),
    (Kind.GUID, "{7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11}"),
    (Kind.GUID, 1),
    (Kind.DATETIME, "2026-02-30"),
    (Kind.DATETIME, "20261231"),
    (Kind.INTEGER, "  "),
    (Kind.INTEGER, "1 2"),
    (Kind.GUID, " 7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"),
    (Kind.DATETIME, "2026-13-31T00:00:00Z"),
    (Kind.DATETIME, "0001-01-01T00:00:00+12:00"),
    (Kind.DATE, "20261231"),
    (Kind.DATE, "2026-12-31T00:00:00"),
    (Kind.TIME, "25:00:00"),
    (Kind.RECORDS, "{}"),
    (Kind.RECORDS, "[1]"),
    (Kind.RECORDS, "[" * 100_000),
    (Kind.RECORDS, '[{"a": NaN}]'),
]


@pytest.mark.parametrize(("kind", "given", "held"), READ)
def test_a_value_is_read_by_the_type_of_its_parameter(kind: Kind, given: Json, held: Json) -> None:
    read_value = read(given, Parameter(kind=kind))
    assert read_value == held
    assert type(read_value) is type(held)


@pytest.mark.parametrize(("kind", "given"), REFUSED, ids=lambda value: str(value)[:20])
def test_a_value_that_its_type_does_not_take_is_refused(kind: Kind, given: Json) -> None:
    with pytest.raises(CannotReadError):
        read(given, Parameter(kind=kind))


@pytest.mark.parametrize("kind", Kind)
def test_nothing_and_an_empty_text_are_the_empty_value_of_every_type(kind: Kind) -> None:
    parameter = Parameter(kind=kind)
    assert read(None, parameter) == read("", parameter) == KINDS[kind].empty
    assert read(KINDS[kind].empty, parameter) == KINDS[kind].empty


def test_records_keep_the_columns_that_are_declared_and_no_others() -> None:
    parameter = Parameter(kind=Kind.RECORDS, items={"Id": Kind.GUID, "Rank": Kind.INTEGER})
    assert read('[{"Rank": "3", "Other": 1}]', parameter) == [{"Id": KINDS[Kind.GUID].empty, "Rank": 3}]


def test_a_column_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(CannotReadError, match='"x" is not an integer'):
        read([{"Rank": "x"}], Parameter(kind=Kind.RECORDS, items={"Rank": Kind.INTEGER}))
