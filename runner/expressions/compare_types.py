"""Comparisons by types: which break for sure, which have a known outcome, and how to bring two sides together."""

from jinja2 import nodes

from runner.expressions.operators import COMPARISONS
from runner.expressions.type_check import TypeCheck, TypedPart, reading_hint
from runner.expressions.typed import (
    A_TEXT,
    BOOLEAN,
    LIST,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    in_words,
    many_in_words,
)
from runner.foundation.sentences import begun
from runner.foundation.suggestions import did_you_mean


def compare_types(left: TypedPart, operator: str, right: TypedPart, check: TypeCheck) -> None:
    """Report a comparison that breaks for sure, or whose outcome is known; `operator` is Jinja's word for it."""
    always = "true" if operator in ("ne", "notin") else "false"
    if operator in ("eq", "ne"):
        _check_equality(left, right, check, always=always)
    elif operator in ("in", "notin"):
        _check_in(left, right, check, always=always)
    elif not left.type.kinds & right.type.kinds & (NUMBER | TEXT) and not _is_null(left, right):
        message = f"`{COMPARISONS[operator].sign}` compares two numbers or two texts, and {sides(left, right)}"
        check.report("E174", message, hint=_together(left, right))


def sides(left: TypedPart, right: TypedPart) -> str:
    return f"`{left.source}` is {in_words(left.type)}, `{right.source}` {in_words(right.type)}"


def _is_null(*parts: TypedPart) -> bool:
    return any(part.type.kinds == NULL for part in parts)


def _check_equality(left: TypedPart, right: TypedPart, check: TypeCheck, *, always: str) -> None:
    if not left.type.kinds & right.type.kinds and not _is_null(left, right):
        hint = _together(left, right) or f"this comparison is always {always}"
        check.report("E177", f"{sides(left, right)}: they are never equal", hint=hint)
    else:
        _check_words(left, right.written, check)
        _check_words(right, left.written, check)


def _check_words(part: TypedPart, text: str | None, check: TypeCheck) -> None:
    """Report a text that is known to be one of several, and is compared with another."""
    words = part.type.words
    if words is None or text is None or text in words or part.type.kinds & ~(TEXT | NULL):
        return
    hint = did_you_mean(text, words) or f"it is one of {begun(sorted(words))}"
    check.report("E177", f"`{part.source}` is never `{text}`", hint=hint)


def _check_in(left: TypedPart, right: TypedPart, check: TypeCheck, *, always: str) -> None:
    inner, container = left.type, right.type
    if not container.may_be(LIST | TEXT | RECORD):
        message = f"`in` looks into a list, a text or a record, and `{right.source}` is {in_words(container)}"
        check.report("E174", message)
    elif container.kinds != NULL and not container.kinds & LIST and not inner.may_be(TEXT):
        message = f"`in` looks for a text in {in_words(container)}, and `{left.source}` is {in_words(inner)}"
        check.report("E174", message)
    elif not container.kinds & ~(LIST | NULL) and container.item and not inner.kinds & container.item.kinds:
        message = f"`{right.source}` holds {many_in_words(container.item)}, and never {in_words(inner)}"
        hint = _together(left, TypedPart(type=container.item))
        hint = hint or _column_hint(left, right, sign="not in" if always == "true" else "in")
        check.report("E177", message, hint=hint or f"this comparison is always {always}")
    elif isinstance(right.node, nodes.List) and inner.words is not None:
        texts = [TypedPart(type=A_TEXT, node=node).written for node in right.node.items]
        if texts and all(text is not None and text not in inner.words for text in texts):
            _check_words(left, texts[0], check)


def _column_hint(left: TypedPart, right: TypedPart, *, sign: str) -> str | None:
    """How a text is searched for in a column of records."""
    items = right.type.of_items
    if left.type.kinds != TEXT or items.kinds & ~NULL != RECORD:
        return None
    column = "Name" if "Name" in (items.fields or {}) else "KEY"
    return f'write `{left.source} {sign} {right.source} | map(attribute="{column}")`'


def _together(left: TypedPart, right: TypedPart) -> str | None:
    """How the two sides could be brought together."""
    text, other = (left, right) if left.type.kinds & TEXT else (right, left)
    if not text.type.kinds & TEXT:
        hints = (hint(*pair) for hint in (_number_in, _as_boolean) for pair in ((left, right), (right, left)))
        return next(filter(None, hints), None)
    if text.type.form is not None or text.type.note is not None:
        return text.type.note
    if other.type.kinds & ~NULL == RECORD:
        return _name_in(other, text.written)
    bare = (text.written or "").strip().casefold()
    is_other = other.type.kinds & NUMBER and _is_number(bare)
    if is_other or (other.type.kinds & BOOLEAN and bare in ("true", "false")):
        return f"write `{bare}` without quotes"
    return reading_hint(text.type) if other.type.kinds & NUMBER and text.written is None else None


def _number_in(whole: TypedPart, other: TypedPart) -> str | None:
    """What of a list or a record may be compared with a number."""
    if not other.type.kinds & NUMBER or whole.node is None:
        return None
    if not whole.type.kinds & ~(LIST | NULL):
        return f"write `{whole.source} | length` for how many it holds"
    fields = list(whole.type.fields or {})
    return f"write `{whole.source}.{fields[0]}`" if whole.type.kinds & RECORD and len(fields) == 1 else None


def _as_boolean(part: TypedPart, other: TypedPart) -> str | None:
    number = other.constant
    if part.type.kinds & ~NULL != BOOLEAN or isinstance(number, bool) or number not in (0, 1):
        return None
    return f"write `{'true' if number else 'false'}`"


def _name_in(whole: TypedPart, text: str | None) -> str | None:
    """What of a record may be compared with a text: of a step its status, where it is a word for a status."""
    fields = whole.type.fields or {}
    is_status = "status" in fields and f"`{text}`" in (fields["status"].note or "")
    keys = ("status",) if is_status else ("name", "Name", "result")
    key = next((key for key in keys if key in fields), None)
    return f"write `{whole.source}.{key}`" if key and whole.node is not None else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text[-1].isdigit()
