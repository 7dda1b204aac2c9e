"""Names of entities and columns, as addresses and options of the OData service have them."""

from typing import Final

from runner.foundation.lazy import lazy_pattern

_ENTITY: Final = lazy_pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_V3: Final = lazy_pattern(r"EntityDataService\.svc/(\w+?)(?:Collection)?(?:[(?/]|\Z)")
_LAST: Final = lazy_pattern(r"(?:\A|/)([A-Za-z_]\w*)(?:\([^()/]*\))?(?:/\$count)?/?(?:\?.*)?\Z")
_PATH: Final = r"[^\W\d]\w*(?:/[^\W\d]\w*)*|\*"
_COLUMN: Final = lazy_pattern(_PATH)
_ORDER: Final = lazy_pattern(rf"({_PATH})(?: (asc|desc))?")


def is_entity(name: str) -> bool:
    return _ENTITY.fullmatch(name) is not None


def entity_in(address: str) -> str | None:
    """`Contact` of `/0/odata/Contact(…)?$filter=…`, also where the address is cut at its start."""
    found = _OF_V3.search(address) or _LAST.search(address)
    return found[1] if found and found[1] != "odata" else None


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
