"""Durations as people write them: `500ms`, `30s`, `5m`, `1h`. Never a bare number, never zero, at most a year."""

from runner.foundation.lazy import lazy_pattern

_WRITTEN = lazy_pattern(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
LONGEST = 365 * 24 * 3600.0
"""A year. Systems cannot wait much longer at once, and nobody means to."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float | None:
    """Seconds of a written duration, or None where `text` is none: no unit, zero, too long, or anything else."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    value = float(found[1]) * _SECONDS[found[2]]
    return value if 0 < value <= LONGEST else None


def is_too_long(text: str) -> bool:
    """Whether `text` is a duration but for its being longer than `LONGEST`."""
    found = _WRITTEN.fullmatch(text)
    return found is not None and float(found[1]) * _SECONDS[found[2]] > LONGEST


def is_zero(text: str) -> bool:
    """Whether `text` is a duration but for its being zero."""
    found = _WRITTEN.fullmatch(text)
    return found is not None and float(found[1]) == 0


def written(value: float) -> str:
    """The shortest form that a person reads at a glance: `21 ms`, `1.5 s`, `2 min 5 s`."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:  # noqa: PLR2004  a minute
        return f"{value:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
