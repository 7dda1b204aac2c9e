"""Names of entities, and what an address of the OData service has of them."""

from typing import Final

from runner.foundation.lazy import lazy_pattern

_NAME: Final = lazy_pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_V3: Final = lazy_pattern(r"EntityDataService\.svc/(\w+?)(?:Collection)?(?:[(?/]|\Z)")
_LAST: Final = lazy_pattern(r"(?:\A|/)([A-Za-z_]\w*)(?:\([^()/]*\))?(?:/\$count)?/?(?:\?.*)?\Z")


def is_entity(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def entity_in(address: str) -> str | None:
    """`Contact` of `/0/odata/Contact(…)?$filter=…`, also where the address is cut at its start."""
    found = _OF_V3.search(address) or _LAST.search(address)
    return found[1] if found and found[1] != "odata" else None
