"""Numbers as people and spreadsheets write them: `1 000,50`, `1'000.50`, `(100)`, `+5`."""

from runner.foundation.lazy import lazy_pattern

_WRITTEN = lazy_pattern(
    r"(?P<opens>\(?)(?P<sign>[+-]?)"
    r"(?:(?P<groups>[0-9]{1,3}(?P<by>[,.'\u2019 \u00a0\u202f])[0-9]{3}(?:(?P=by)[0-9]{3})*)|(?P<digits>[0-9]+))"
    r"(?P<rest>[,.][0-9]+)?(?P<closes>\)?)"
)
_AMBIGUOUS = lazy_pattern(r"[0-9]{1,3}[,.][0-9]{3}")


def plain_number(text: str) -> str | None:
    """`text` as JSON writes the number; None where it is none, is written so, or may be two numbers, as `1,000`."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None or bool(found["opens"]) != bool(found["closes"]) or (found["opens"] and found["sign"]):
        return None
    groups, by, rest = found["groups"], found["by"], found["rest"] or ""
    if rest[:1] == by or (groups and not rest and _AMBIGUOUS.fullmatch(groups)):
        return None
    whole = (groups.replace(by, "") if groups else found["digits"]).lstrip("0") or "0"
    is_less = found["sign"] == "-" or found["opens"]
    plain = f"{'-' * bool(is_less)}{whole}{rest.replace(',', '.')}"
    return None if plain == text.strip() else plain
