"""Durations as people write them: `500ms`, `30s`, `5m`, `1h`. Never a bare number, never zero, at most a year."""

from runner.foundation.lazy import lazy_pattern

_WRITTEN = lazy_pattern(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
LONGEST = 365 * 24 * 3600.0  # a year. Systems cannot wait much longer at once, and nobody means to.

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float | None:
    """Seconds of a written duration, or None where `text` is none: no unit, zero, too long, or anything else."""
    value = _any(text)
    return value if value is not None and 0 < value <= LONGEST else None


def is_too_long(text: str) -> bool:
    """Whether `text` is a duration but for its being longer than `LONGEST`."""
    return (_any(text) or 0) > LONGEST


def is_zero(text: str) -> bool:
    """Whether `text` is a duration but for its being zero."""
    return _any(text) == 0


def _any(text: str) -> float | None:
    found = _WRITTEN.fullmatch(text)
    return None if found is None else float(found[1]) * _SECONDS[found[2]]


def format_duration(value: float) -> str:
    """The shortest form that a person reads at a glance: `21 ms`, `1.5 s`, `2 min 5 s`."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:  # noqa: PLR2004  a minute
        return f"{value:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
