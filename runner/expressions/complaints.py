"""What goes wrong in an expression for sure, and what each kind of operation wants of the types that it meets.

Behind `default` and `is defined` a field that is never there is told only where it is another one with a slip, and as a
warning: whoever asks expects that it may be missing. Behind a test that asks what a value is, nothing is certain, and
nothing is said; behind one that asks whether it is there, nothing is said of that value.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from jinja2 import nodes

from runner.expressions.operators import COMPARISONS
from runner.expressions.source import written
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
)
from runner.foundation.problems import Finding
from runner.foundation.sentences import begun
from runner.foundation.suggestions import did_you_mean, slip, suggest

_NUMBER_OF_A_TURN = ("item", "index")
"""A key of each turn elsewhere; here it is a name of its own."""
_OF_A_STEP = ("process_id", "status", "attempts", "seconds", "outputs")
"""Keys of a step beside its result."""
_SIZES = ("length", "size", "count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A part of an expression and its type. `said` is what messages call it, where that is not its source."""

    type: Type
    node: nodes.Node | None = None
    said: str = ""

    @property
    def source(self) -> str:
        """Made when a message needs it: mostly none does."""
        return self.said if self.node is None else written(self.node)

    @property
    def written(self) -> str | None:
        """The text that it is, where it is one that is written out."""
        is_text = isinstance(self.node, nodes.Const) and isinstance(self.node.value, str)
        return self.node.value if is_text and isinstance(self.node, nodes.Const) else None


@dataclass(slots=True, kw_only=True)
class Inferring:
    """One expression whose type is looked for. `names` are the types of what it may use, `line` is how far it is.

    `guarded`: how many tests that ask what a value is stand before. `asked`: the values of which a test before asks
    whether they are there. `expects_absence`: how many `default` or `is defined` stand behind. `may_fail`: how many
    `not` or `or` stand around, in which a test that is never true is as good as any.
    """

    names: Mapping[str, Type]
    complaints: list[Finding] = field(default_factory=list)
    line: int = 0
    guarded: int = 0
    asked: tuple[str, ...] = ()
    expects_absence: int = 0
    may_fail: int = 0

    def complain(
        self, code: str, message: str, *, hint: str | None = None, part: str | None = None, warning: bool = False
    ) -> Type:
        """Keep a complaint; what comes of it is unknown, so that nothing else is said of it."""
        if not self.guarded:
            warning = warning or (code == "E173" and self.expects_absence > 0)
            found = Finding(code=code, message=message, hint=hint, part=part, line=self.line, warning=warning)
            self.complaints.append(found)
        return UNKNOWN

    def wants(self, kinds: int, of: Side, why: str, *, hint: str | None = None) -> bool:
        """Whether a value may be one of `kinds`; else it is told, with `why`: what takes what."""
        if of.type.may_be(kinds):
            return True
        self.complain("E174", f"{why}, and `{of.source}` is {in_words(of.type)}", hint=hint)
        return False

    @contextmanager
    def behind_a_guard(self, *, is_one: bool, asked: tuple[str, ...] = ()) -> Iterator[None]:
        before = self.asked
        self.guarded += is_one
        self.asked += asked
        try:
            yield
        finally:
            self.guarded -= is_one
            self.asked = before

    @contextmanager
    def where_tests_may_fail(self, *, is_so: bool = True) -> Iterator[None]:
        self.may_fail += is_so
        try:
            yield
        finally:
            self.may_fail -= is_so

    def is_asked(self, part: str) -> bool:
        """Whether a test before asks for `part`, or for something in it."""
        return any(one == part or one.startswith((f"{part}.", f"{part}[")) for one in self.asked)

    @contextmanager
    def expecting_absence(self, *, is_so: bool = True) -> Iterator[None]:
        self.expects_absence += is_so
        try:
            yield
        finally:
            self.expects_absence -= is_so


def member(of: Side, key: str, state: Inferring) -> Type:
    """The type of a key of a value."""
    one = of.type
    if state.asked and state.is_asked(f"{of.source}.{key}"):
        return (one.fields or {}).get(key, UNKNOWN)
    if not one.may_be(RECORD):
        if state.expects_absence and key not in (one.of_items.fields or {}):
            return UNKNOWN
        message = f"`{of.source}` is {in_words(one)}, and has no `{key}`"
        return state.complain("E173", message, hint=_key_hint(of, key), part=f"{of.source}.{key}")
    if one.called == key and key not in (one.fields or {}) and not state.expects_absence:
        message = f"`{of.source}` is `{key}` itself, and hardly has a `{key}` of its own"
        return state.complain("E173", message, hint=_is_it(of, key), part=f"{of.source}.{key}", warning=True)
    if one.fields is None or key in one.fields or not one.closed:
        return (one.fields or {}).get(key, UNKNOWN)
    return lacking(of, key, state, message=f"`{of.source}` has no `{key}`", part=f"{of.source}.{key}")


def _key_hint(of: Side, key: str) -> str | None:
    if of.type.called == key:
        return _is_it(of, key)
    if (of.source, key) == _NUMBER_OF_A_TURN:
        return "write `index`"
    is_field = key in (of.type.of_items.fields or {})
    if key.casefold() in _SIZES and of.type.kinds & (LIST | TEXT) and not is_field:
        return f"write `{of.source} | length`"
    if of.type.kinds & LIST and key == "value" and not is_field:
        return f"leave `.value` out: `{of.source}` is the list itself"
    if of.type.kinds & LIST and key.isdecimal():
        return f"write `{of.source}[{key}]`, without quotes"
    if not of.type.kinds & LIST:
        return None
    fields = sorted(of.type.of_items.fields or {})
    if fields and not is_field:
        near = suggest(key, fields)
        if near is None:
            return f"its records have {begun(fields)}, as in `{of.source}[0].{fields[0]}`"
        key = near
    return f'write `{of.source}[0].{key}`, or `{of.source} | map(attribute="{key}")`'


def _is_it(of: Side, key: str) -> str:
    return f"leave `.{key}` out: `{of.source}` is the value of `{key}`"


def lacking(of: Side, key: str, state: Inferring, *, message: str, part: str) -> Type:
    """Tell of a field that a record does not have."""
    known = sorted(of.type.fields or {})
    if state.expects_absence and slip(key, known) is None:
        return UNKNOWN
    near = suggest(key, known)
    near = "index" if (of.source, key) == _NUMBER_OF_A_TURN else near
    if near is None and key in _OF_A_STEP and of.source.startswith("steps.") and of.source.endswith(".result"):
        near = f"{of.source.removesuffix('.result')}.{key}"
    hint = f"did you mean `{near}`?" if near else of.type.note or f"it has {begun(known) or 'no fields'}"
    return state.complain("E173", message, hint=hint, part=part)


def item(of: Side, state: Inferring) -> Type:
    """The type of what stands behind a number in `[ ]`."""
    one = of.type
    if not one.may_be(LIST | TEXT):
        message = (
            f"`{of.source}` is {in_words(one)}: a number in `[ ]` takes an item of a list or a character of a text"
        )
        return state.complain("E174", message)
    if not one.kinds & TEXT:
        return one.of_items
    return UNKNOWN if one.kinds & LIST else A_TEXT


def compare(left: Side, sign: str, right: Side, state: Inferring) -> None:
    """Tell of a comparison that breaks for sure, or whose outcome is known; `sign` is Jinja's word for it."""
    if sign in ("eq", "ne"):
        _same(left, right, state, always="true" if sign == "ne" else "false")
    elif sign in ("in", "notin"):
        _contained(left, right, state, always="true" if sign == "notin" else "false")
    elif not left.type.kinds & right.type.kinds & (NUMBER | TEXT) and not _is_null(left, right):
        message = f"`{COMPARISONS[sign].sign}` compares two numbers or two texts, and {sides(left, right)}"
        state.complain("E174", message, hint=_together(left, right))


def sides(left: Side, right: Side) -> str:
    return f"`{left.source}` is {in_words(left.type)}, `{right.source}` {in_words(right.type)}"


def reading_hint(one: Type) -> str | None:
    """What to do with a text where a number is wanted; of a list its length is meant as often."""
    if one.kinds & TEXT:
        return "`| int` and `| float` read a text as a number"
    return "`| length` counts the items of a list" if one.kinds & LIST else None


def _is_null(*found: Side) -> bool:
    return any(side.type.kinds == NULL for side in found)


def _same(left: Side, right: Side, state: Inferring, *, always: str) -> None:
    if not left.type.kinds & right.type.kinds and not _is_null(left, right):
        hint = _together(left, right) or f"this comparison is always {always}"
        state.complain("E177", f"{sides(left, right)}: they are never equal", hint=hint)
    else:
        _one_of_words(left, right, state)
        _one_of_words(right, left, state)


def _one_of_words(of: Side, other: Side, state: Inferring) -> None:
    """Tell of a text that is known to be one of several, and is compared with none of them."""
    words, text = of.type.words, other.written
    if words is None or text is None or text in words or of.type.kinds & ~(TEXT | NULL):
        return
    hint = did_you_mean(text, words) or f"it is one of {begun(sorted(words))}"
    state.complain("E177", f"`{of.source}` is never `{text}`", hint=hint)


def _contained(left: Side, right: Side, state: Inferring, *, always: str) -> None:
    inner, container = left.type, right.type
    if not container.may_be(LIST | TEXT | RECORD):
        message = f"`in` looks into a list, a text or a record, and `{right.source}` is {in_words(container)}"
        state.complain("E174", message)
    elif container.kinds != NULL and not container.kinds & LIST and not inner.may_be(TEXT):
        message = f"`in` looks for a text in {in_words(container)}, and `{left.source}` is {in_words(inner)}"
        state.complain("E174", message)
    elif not container.kinds & ~(LIST | NULL) and container.item and not inner.kinds & container.item.kinds:
        message = f"`{right.source}` holds {many_in_words(container.item)}, and never {in_words(inner)}"
        hint = _together(left, Side(type=container.item)) or _among_fields(
            left, right, sign="not in" if always == "true" else "in"
        )
        state.complain("E177", message, hint=hint or f"this comparison is always {always}")
    elif isinstance(right.node, nodes.List):
        _one_of_words_in(left, right.node, state)


def _one_of_words_in(of: Side, container: nodes.List, state: Inferring) -> None:
    """Of a list in which no text is one that the value can be, the first is told."""
    texts = [Side(type=A_TEXT, node=node) for node in container.items]
    if of.type.words is not None and texts and all(one.written not in (None, *of.type.words) for one in texts):
        _one_of_words(of, texts[0], state)


def _among_fields(left: Side, right: Side, *, sign: str) -> str | None:
    """How a text is looked for in a column of records."""
    fields = right.type.of_items.fields
    if left.type.kinds != TEXT or right.type.of_items.kinds & ~NULL != RECORD:
        return None
    column = "Name" if "Name" in (fields or {}) else "KEY"
    return f'write `{left.source} {sign} {right.source} | map(attribute="{column}")`'


def _together(left: Side, right: Side) -> str | None:
    """How the two sides could be brought together."""
    text, other = (left, right) if left.type.kinds & TEXT else (right, left)
    if not text.type.kinds & TEXT:
        return _in_it(left, right) or _in_it(right, left) or _as_boolean(left, right) or _as_boolean(right, left)
    if text.type.form is not None or text.type.note is not None:
        return text.type.note
    if other.type.kinds & ~NULL == RECORD:
        return _name_in_it(other, text.written)
    meant = (text.written or "").strip().casefold()
    if other.type.kinds & NUMBER and _is_number(meant):
        return f"write `{meant}` without quotes"
    if other.type.kinds & BOOLEAN and meant in ("true", "false"):
        return f"write `{meant}` without quotes"
    return reading_hint(text.type) if other.type.kinds & NUMBER and text.written is None else None


def _in_it(whole: Side, other: Side) -> str | None:
    """What of a list or a record may be compared with a number."""
    if not other.type.kinds & NUMBER or whole.node is None:
        return None
    if not whole.type.kinds & ~(LIST | NULL):
        return f"write `{whole.source} | length` for how many it holds"
    fields = list(whole.type.fields or {})
    return f"write `{whole.source}.{fields[0]}`" if whole.type.kinds & RECORD and len(fields) == 1 else None


def _as_boolean(of: Side, other: Side) -> str | None:
    number = other.node.value if isinstance(other.node, nodes.Const) else None
    if of.type.kinds & ~NULL != BOOLEAN or isinstance(number, bool) or number not in (0, 1):
        return None
    return f"write `{'true' if number else 'false'}`"


def _name_in_it(whole: Side, text: str | None) -> str | None:
    """What of a record may be compared with a text: of a step its status, where it is a word for one."""
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
