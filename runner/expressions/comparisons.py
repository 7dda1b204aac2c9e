"""The type check of comparisons: what breaks, and what is known to be true or false always."""

from jinja2 import nodes

from runner.expressions.operators import COMPARISONS
from runner.expressions.type_check import TypeCheck, TypedPart, field_hint, reading_hint, sides
from runner.expressions.typed import A_TEXT, BOOLEAN, LIST, NULL, NUMBER, RECORD, TEXT, Type, in_words, many_in_words
from runner.foundation import hints
from runner.foundation.foreign_dates import BEGINS_WITH_DAY, foreign_moment
from runner.foundation.lazy import lazy_pattern
from runner.foundation.suggestions import folded, near_or_listed, suggest
from runner.foundation.values import is_guid

_FORMS = {
    "guid": lazy_pattern(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "datetime": lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+"),
    "date": lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*"),
    "time": lazy_pattern(r"[0-9]{2}:[0-9]{2}.*"),
}
_NAMES = ("case.name", "target.name")  # of these each is known; other words may be listed for several jobs
_DAYS = ("date", "datetime")


def compare_types(left: TypedPart, operator: str, right: TypedPart, check: TypeCheck) -> None:
    """Report a comparison that surely breaks, or has a known outcome; `operator` is Jinja's word."""
    always = "true" if operator in ("ne", "notin") else "false"
    if operator in ("eq", "ne"):
        _check_equality(left, right, check, always=always)
    elif operator in ("in", "notin"):
        _check_in(left, right, check, always=always)
    elif not left.type.kinds & right.type.kinds & (NUMBER | TEXT) and not _is_null(left, right):
        message = f"`{COMPARISONS[operator].sign}` compares two numbers or two texts, and {sides(left, right)}"
        check.report("E174", message, hint=_together(left, right))
    else:
        for part, text in ((left, right.written), (right, left.written)):
            if part.type.form in _DAYS and text is not None and BEGINS_WITH_DAY.match(text):
                day = foreign_moment(text)[0]
                message = f"texts are compared letter by letter, and `{text}` does not begin with its year"
                hint = f'write `"{day}"`' if day else 'write the year first, as in `"2026-12-31"`'
                check.report("E177", message, hint=hint)


def _is_null(*parts: TypedPart) -> bool:
    return any(part.type.kinds == NULL for part in parts)


def _check_equality(left: TypedPart, right: TypedPart, check: TypeCheck, *, always: str) -> None:
    if not left.type.kinds & right.type.kinds and not _is_null(left, right):
        hint = (
            _together(left, right)
            or field_hint(left)
            or field_hint(right)
            or f"compare what can be equal: this is always {always}"
        )
        check.report("E177", f"{sides(left, right)}: they are never equal", hint=hint)
    else:
        for part, text in ((left, right.written), (right, left.written)):
            _check_words(part, text, check)
            _check_case(part, text, check)
            if text and _has_other_form(part.type, text):
                sign = "!=" if always == "true" else "=="
                _other_form(part, text, check, compared=f"{part.source}[:10] {sign}")


def _has_other_form(given: Type, text: str) -> bool:
    """Whether the texts of this type are all of a form that `text` is not of: `A` is no GUID."""
    return given.form in _FORMS and not given.kinds & ~(TEXT | NULL | RECORD) and not _FORMS[given.form].fullmatch(text)


def _other_form(part: TypedPart, text: str, check: TypeCheck, *, compared: str) -> None:
    form = part.type.form
    day = foreign_moment(text)[0] or (text if _FORMS["date"].fullmatch(text) else None)
    hint = "compare it with the GUID of a record" if form == "guid" else None
    if day is not None and form in _DAYS:
        hint = f'write `"{day}"`' if form == "date" else f'write `{compared} "{day}"`'
    message = f"`{part.source}` is a {'GUID' if form == 'guid' else form}, and `{text}` is none: they are never equal"
    check.report("E177", message, hint=hint or "compare what can be equal")


def _check_case(part: TypedPart, text: str | None, check: TypeCheck) -> None:
    """Report an id, or what `| lower` or `| upper` gives, compared with a text of the other case."""
    name = part.node.name if isinstance(part.node, nodes.Filter) else ""
    if text and "guid" in (part.type.form, part.type.any_item.form) and is_guid(text) and text != text.lower():
        check.report("E177", f"an id has no capital letters, and `{text}` has", hint=f"write `{text.lower()}`")
    if text is None or name not in ("lower", "upper"):
        return
    right = text.lower() if name == "lower" else text.upper()
    if text != right:
        kind = "capital" if name == "lower" else "small"
        check.report("E177", f"`{part.source}` has no {kind} letters, and `{text}` has", hint=f"write `{right}`")


def _check_words(part: TypedPart, text: str | None, check: TypeCheck) -> None:
    """Report a text that is known to be a word of several, and is compared with another."""
    words = part.type.words
    if words is None or text is None or text in words or part.type.kinds & ~(TEXT | NULL):
        return
    vocabulary = part.type.vocabulary
    if (vocabulary and is_guid(text)) or text.startswith("clio:"):  # a status without a word of ours, a target of clio
        return
    others = hints.words("expressions", vocabulary) if vocabulary else {}
    near = others.get(folded(text)) or suggest(text, words) or others.get(suggest(text, others) or "")
    hint = f"did you mean `{near}`?" if near else near_or_listed(text, words, has="it is one of")
    check.report(
        "E177", f"`{part.source}` is never `{text}`", hint=hint, part=text, warning=part.source == "target.name"
    )


def _check_in(left: TypedPart, right: TypedPart, check: TypeCheck, *, always: str) -> None:
    _check_case(right, left.written, check)
    inner, container = left.type, right.type
    if not container.may_be(LIST | TEXT | RECORD):
        message = f"`in` looks into a list, a text or a record, and `{right.source}` is {in_words(container)}"
        check.report("E174", message)
    elif container.kinds != NULL and not container.kinds & LIST and not inner.may_be(TEXT):
        message = f"`in` looks for a text in {in_words(container)}, and `{left.source}` is {in_words(inner)}"
        check.report("E174", message)
    elif not container.kinds & ~(LIST | NULL) and container.item and not inner.kinds & container.item.kinds:
        message = f"`{right.source}` holds {many_in_words(container.item)}, and never {in_words(inner)}"
        hint = _together(left, TypedPart(type=container.item)) or f"compare what can be equal: this is always {always}"
        check.report("E177", message, hint=hint)
    elif isinstance(right.node, nodes.List):
        texts = [TypedPart(type=A_TEXT, node=node).written for node in right.node.items]
        are_wrong = bool(texts) and all(text is not None and text not in (inner.words or ()) for text in texts)
        for text in texts:
            _check_case(left, text, check)
        for text in texts if inner.vocabulary or left.source in _NAMES else texts[:are_wrong]:
            _check_words(left, text, check)
        if are_wrong and all(text and _has_other_form(inner, text) for text in texts):
            _other_form(left, texts[0] or "", check, compared=f"{left.source}[:10] in")
    elif inner.vocabulary and right.written is not None and right.written not in (inner.words or ()):
        message = f"`in` looks for a part of the text `{right.written}`, and `{left.source}` is one word"
        listed = ", ".join(f'"{word}"' for word in right.written.replace(",", " ").split())
        check.report("E177", message, hint=f"write a list: `in [{listed}]`", part=right.written, warning=True)


def _together(left: TypedPart, right: TypedPart) -> str | None:
    """How the two sides could be brought together."""
    text, other = (left, right) if left.type.kinds & TEXT else (right, left)
    if not text.type.kinds & TEXT:
        has_number = (left.type.kinds | right.type.kinds) & NUMBER
        return (reading_hint(left.type) or reading_hint(right.type)) if has_number else None
    if text.type.form is not None or text.type.note is not None:
        return text.type.note
    if other.type.kinds & ~NULL == RECORD:
        return _name_in(other, text.written)
    bare = (text.written or "").strip().casefold()
    is_other = other.type.kinds & NUMBER and _is_number(bare)
    if is_other or (other.type.kinds & BOOLEAN and bare in ("true", "false")):
        return f"write `{bare}` without quotes"
    return reading_hint(text.type) if other.type.kinds & NUMBER and text.written is None else None


def _name_in(whole: TypedPart, text: str | None) -> str | None:
    """What of a record may be compared with a text: of a step its status, where it is a word for a status."""
    fields = whole.type.fields or {}
    is_status = "status" in fields and text in (fields["status"].words or ())
    keys = ("status",) if is_status else ("name", "Name", "result")
    key = next((key for key in keys if key in fields), None)
    return f"write `{whole.source}.{key}`" if key and whole.node is not None else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text[-1].isdigit()
