"""Columns as `$select` and `$orderby` list them."""

from typing import Final

from runner.foundation.lazy import lazy_pattern

_PATH: Final = r"[^\W\d]\w*(?:/[^\W\d]\w*)*|\*"
_COLUMN: Final = lazy_pattern(_PATH)
_ORDER: Final = lazy_pattern(rf"({_PATH})(?: (asc|desc))?")


def listed(text: str) -> tuple[str, ...]:
    """What is between the commas, without the blanks around it; empty where a comma separates nothing."""
    return tuple(part.strip() for part in text.split(","))


def is_column(text: str) -> bool:
    """Whether this is a column, a path to a column, or `*`."""
    return _COLUMN.fullmatch(text) is not None


def order_of(text: str) -> tuple[str, bool] | None:
    """The column of `Name desc`, and whether it is descending; None where this is no part of an `$orderby`."""
    found = _ORDER.fullmatch(text)
    return None if found is None else (found[1], found[2] == "desc")
