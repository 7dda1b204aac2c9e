"""The span of OpenTelemetry that a program was started in, as W3C's Trace Context writes it into `$TRACEPARENT`."""

from collections.abc import Mapping

_LENGTHS = (2, 32, 16, 2)
_HEXADECIMAL = frozenset("0123456789abcdef")
_LATEST = "ff"  # no version may be called so


def traceparent(environment: Mapping[str, str]) -> str | None:
    """The variable's value without what later versions may add; None where there is none, or it is not valid."""
    parts = environment.get("TRACEPARENT", "").strip().split("-")
    known = parts[: len(_LENGTHS)]
    if tuple(map(len, known)) != _LENGTHS or not all(_HEXADECIMAL.issuperset(part) for part in known):
        return None
    version, trace, span, _ = known
    is_void = version == _LATEST or not trace.strip("0") or not span.strip("0")
    return None if is_void else "-".join(known)


def ids_of(parent: str | None) -> tuple[str, str] | None:
    """The ids of the trace and of the span in a value of `traceparent`."""
    if parent is None:
        return None
    _, trace, span, _ = parent.split("-")
    return trace, span
