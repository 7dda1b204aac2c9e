"""The type check of an expression: what goes wrong in it for sure, as findings.

After `default` and `is defined` a field that is never there is reported only where it is another field with a typo, and
as a warning: whoever asks expects that it may be missing. After a test that asks what a value is, nothing is certain,
and nothing is reported; after a test that asks whether it is there, nothing is reported of that value.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from jinja2 import nodes
from msgspec import Struct, field
from msgspec.structs import replace

from runner.expressions.operators import COMPARISONS
from runner.expressions.source import dotted, written
from runner.expressions.typed import (
    A_TEXT,
    BOOLEAN,
    LIST,
    NULL,
    NUMBER,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    in_words,
    many_in_words,
    text_of,
)
from runner.foundation import hints
from runner.foundation.foreign_dates import foreign_moment
from runner.foundation.guids import is_guid
from runner.foundation.lazy import lazy_pattern
from runner.foundation.near_misses import folded
from runner.foundation.problems import Finding
from runner.foundation.sentences import begun
from runner.foundation.suggestions import likely_typo, near_or_listed, suggest
from runner.foundation.values import Path

_ITEM_INDEX = ("item", "index")
"""A key of each turn elsewhere; here it is a name of its own."""
_STEP_KEYS = ("process_id", "status", "attempts", "seconds", "outputs")
"""Keys of a step beside its result."""
_SIZES = ("length", "size", "count")
_FORMS = {
    "guid": lazy_pattern(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "datetime": lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].+"),
    "date": lazy_pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*"),
    "time": lazy_pattern(r"[0-9]{2}:[0-9]{2}.*"),
}
_NAMES = ("case.name", "target.name")
"""Of these each is known; other words may be listed for several jobs."""
_DAYS = ("date", "datetime")
_FOREIGN_DAY = lazy_pattern(r"[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4}")


class TypedPart(Struct, frozen=True, kw_only=True):
    """A part of an expression and its type. Without a `node` it is at a plain `path`, or messages call it `label`."""

    type: Type
    node: nodes.Node | None = None
    path: Path = ()
    label: str = ""

    @property
    def source(self) -> str:
        """Made when a message needs it: mostly none does."""
        if self.node is not None:
            return written(self.node)
        return dotted(self.path) if self.path else self.label

    @property
    def constant(self) -> object:
        return self.node.value if isinstance(self.node, nodes.Const) else None

    @property
    def written(self) -> str | None:
        """The text that it is, where it is a text that is written out."""
        return self.constant if isinstance(self.constant, str) else None


class TypeCheck(Struct, kw_only=True):
    """The state of a check. `names` are the types of what the expression may use, `line` is how far the check is.

    `guarded`: how many tests before ask what a value is. `asked`: the values of which a test before asks whether they
    are there. `expects_absence`: how many `default` or `is defined` follow. `may_fail`: how many `not` or `or` are
    around, in which a test that is never true is as good as any.
    """

    names: Mapping[str, Type]
    findings: list[Finding] = field(default_factory=list)
    line: int = 0
    guarded: int = 0
    asked: tuple[str, ...] = ()
    expects_absence: int = 0
    may_fail: int = 0

    @contextmanager
    def within(
        self, *, guard: bool = False, asked: tuple[str, ...] = (), expects_absence: bool = False, may_fail: bool = False
    ) -> Iterator[None]:
        """A part of the expression before or around which this is the case."""
        before = self.guarded, self.asked, self.expects_absence, self.may_fail
        self.guarded += guard
        self.asked += asked
        self.expects_absence += expects_absence
        self.may_fail += may_fail
        try:
            yield
        finally:
            self.guarded, self.asked, self.expects_absence, self.may_fail = before

    def report(
        self, code: str, message: str, *, hint: str | None = None, part: str | None = None, warning: bool = False
    ) -> Type:
        """Add a finding; the type of what comes of it is unknown, so that nothing else is reported of it."""
        if not self.guarded:
            warning = warning or (code == "E173" and self.expects_absence > 0)
            found = Finding(code=code, message=message, hint=hint, part=part, line=self.line, warning=warning)
            self.findings.append(found)
        return UNKNOWN

    def require(self, kinds: int, part: TypedPart, why: str, *, hint: str | None = None) -> bool:
        """Whether a value may be of `kinds`; else that is reported, with `why`: what takes what."""
        if part.type.may_be(kinds):
            return True
        self.report("E174", f"{why}, and `{part.source}` is {in_words(part.type)}", hint=hint)
        return False

    def is_asked(self, source: str) -> bool:
        """Whether a test before asks for `source`, or for something in it."""
        return any(each == source or each.startswith((f"{source}.", f"{source}[")) for each in self.asked)


def member_type(part: TypedPart, key: str, check: TypeCheck) -> Type:
    """The type of a key of a value."""
    whole = part.type
    has_key = whole.fields is not None and key in whole.fields
    is_itself = whole.called == key and not has_key and not check.expects_absence
    may_have_key = whole.may_be(RECORD) and (whole.fields is None or has_key or not whole.closed) and not is_itself
    if may_have_key or (check.asked and check.is_asked(f"{part.source}.{key}")):
        return field_type(whole, key)
    source = part.source
    if not whole.may_be(RECORD):
        if check.expects_absence and key not in (whole.any_item.fields or {}):
            return UNKNOWN
        message = f"`{source}` is {in_words(whole)}, and has no `{key}`"
        return check.report("E173", message, hint=_key_hint(part, key), part=f"{source}.{key}")
    if is_itself:
        message = f"`{source}` is `{key}` itself, and hardly has its own `{key}`"
        return check.report("E173", message, hint=_itself(source, key), part=f"{source}.{key}", warning=True)
    return missing_key(part, key, check, message=f"`{source}` has no `{key}`", source=f"{source}.{key}")


def field_type(whole: Type, key: str) -> Type:
    """The type of a field that a record may have. An `Id` is a GUID everywhere in Creatio, so no quote is in it."""
    found = (whole.fields or {}).get(key, UNKNOWN)
    return replace(found, plain=True) if found is UNKNOWN and key == "Id" else found


def _key_hint(part: TypedPart, key: str) -> str | None:
    whole, source = part.type, part.source
    fields = whole.any_item.fields or {}
    if whole.called == key:
        return _itself(source, key)
    if (source, key) == _ITEM_INDEX:
        return "write `index`"
    if key.casefold() in _SIZES and whole.kinds & (LIST | TEXT) and key not in fields:
        return f"write `{source} | length`"
    if not whole.kinds & LIST:
        return None
    if key == "value" and key not in fields:
        return f"leave `.value` out: `{source}` is the list itself"
    if key.isdecimal():
        return f"write `{source}[{key}]`, without quotes"
    if fields and key not in fields:
        known = sorted(fields)
        near = suggest(key, known)
        if near is None:
            return f"its records have {begun(known)}, as in `{source}[0].{known[0]}`"
        key = near
    return f'write `{source}[0].{key}`, or `{source} | map(attribute="{key}")`'


def _itself(source: str, key: str) -> str:
    return f"leave `.{key}` out: `{source}` is the value of `{key}`"


def missing_key(part: TypedPart, key: str, check: TypeCheck, *, message: str, source: str) -> Type:
    """Report a field that a record does not have."""
    known = sorted(part.type.fields or {})
    if check.expects_absence and likely_typo(key, known) is None:
        return UNKNOWN
    near = "index" if (part.source, key) == _ITEM_INDEX else suggest(key, known)
    if near is None and key in _STEP_KEYS and part.source.startswith("steps.") and part.source.endswith(".result"):
        near = f"{part.source.removesuffix('.result')}.{key}"
    hint = f"did you mean `{near}`?" if near else part.type.note or f"it has {begun(known) or 'no fields'}"
    if near in known and part.type.note:  # the job itself names its fields, so that either may be the typo
        hint = f"the job asks for `{near}`: write the same name in both places, as the site has it"
    return check.report("E173", message, hint=hint, part=source)


def item_type(part: TypedPart, check: TypeCheck) -> Type:
    """The type of what a number in `[ ]` takes."""
    whole = part.type
    if not whole.may_be(LIST | TEXT):
        what = "a number in `[ ]` takes an item of a list or a character of a text"
        return check.report("E174", f"`{part.source}` is {in_words(whole)}: {what}")
    if not whole.kinds & TEXT:
        return whole.any_item
    return UNKNOWN if whole.kinds & LIST else text_of([whole])


def reading_hint(given: Type) -> str | None:
    """What to do with a text where a number is wanted; of a list its length is wanted as often."""
    if given.kinds & TEXT:
        return "`| int` and `| float` read a text as a number"
    return "`| length` counts the items of a list" if given.kinds & LIST else None


def needs_number(part: TypedPart, why: str, check: TypeCheck) -> None:
    check.require(NUMBER, part, why, hint=reading_hint(part.type))


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
    else:
        for part, text in ((left, right.written), (right, left.written)):
            if part.type.form in _DAYS and text is not None and _FOREIGN_DAY.match(text):
                day = foreign_moment(text)[0]
                message = f"texts are compared letter by letter, and `{text}` does not begin with its year"
                hint = f'write `"{day}"`' if day else 'write the year first, as in `"2026-12-31"`'
                check.report("E177", message, hint=hint)


def sides(left: TypedPart, right: TypedPart) -> str:
    return f"`{left.source}` is {in_words(left.type)}, `{right.source}` {in_words(right.type)}"


def _is_null(*parts: TypedPart) -> bool:
    return any(part.type.kinds == NULL for part in parts)


def _check_equality(left: TypedPart, right: TypedPart, check: TypeCheck, *, always: str) -> None:
    if not left.type.kinds & right.type.kinds and not _is_null(left, right):
        hint = _together(left, right) or f"compare what can be equal: this comparison is always {always}"
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
    """Report what `| lower` or `| upper` gives, compared with a text of the other case."""
    name = part.node.name if isinstance(part.node, nodes.Filter) else ""
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
        hint = _together(left, TypedPart(type=container.item))
        hint = hint or _column_hint(left, right, sign="not in" if always == "true" else "in")
        check.report("E177", message, hint=hint or f"compare what can be equal: this comparison is always {always}")
    elif isinstance(right.node, nodes.List):
        texts = [TypedPart(type=A_TEXT, node=node).written for node in right.node.items]
        are_wrong = bool(texts) and all(text is not None and text not in (inner.words or ()) for text in texts)
        for text in texts if inner.vocabulary or left.source in _NAMES else texts[:are_wrong]:
            _check_words(left, text, check)
        if are_wrong and all(text and _has_other_form(inner, text) for text in texts):
            _other_form(left, texts[0] or "", check, compared=f"{left.source}[:10] in")
    elif inner.vocabulary and right.written is not None and right.written not in (inner.words or ()):
        message = f"`in` looks for a part of the text `{right.written}`, and `{left.source}` is one word"
        listed = ", ".join(f'"{word}"' for word in right.written.replace(",", " ").split())
        check.report("E177", message, hint=f"write a list: `in [{listed}]`", part=right.written, warning=True)


def _column_hint(left: TypedPart, right: TypedPart, *, sign: str) -> str | None:
    """How a text is searched for in a column of records."""
    items = right.type.any_item
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
