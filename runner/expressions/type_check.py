"""The type check of an expression: what surely goes wrong in it, as findings.

After `default` and `is defined` only a typo of a field is reported, as a warning. After a test of what a value is
nothing is certain; after a test of whether it is there nothing is reported of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from jinja2 import nodes
from msgspec import Struct, field
from msgspec.structs import replace

from runner.expressions.source import dotted, source_text
from runner.expressions.typed import LIST, NUMBER, RECORD, TEXT, UNKNOWN, Type, in_words, text_of
from runner.foundation.problems import Finding
from runner.foundation.sentences import listed
from runner.foundation.suggestions import likely_typo, suggest
from runner.foundation.values import ValuePath

_ITEM_INDEX = ("item", "index")  # a key of each turn elsewhere; here it is a name of its own
_STEP_KEYS = ("process_id", "status", "attempts", "seconds", "outputs")  # keys of a step beside its result
_SIZES = ("length", "size", "count")


class TypedPart(Struct, frozen=True, kw_only=True):
    """A part of an expression and its type. Without a `node` it is at a plain `path`, or messages call it `label`."""

    type: Type
    node: nodes.Node | None = None
    path: ValuePath = ()
    label: str = ""

    @property
    def source(self) -> str:
        """Made when a message needs it: mostly none does."""
        if self.node is not None:
            return source_text(self.node)
        return dotted(self.path) if self.path else self.label

    @property
    def constant(self) -> object:
        return self.node.value if isinstance(self.node, nodes.Const) else None

    @property
    def written(self) -> str | None:
        """The text that it is, where it is a text that is written out."""
        return self.constant if isinstance(self.constant, str) else None


class TypeCheck(Struct, kw_only=True):
    """The state of a check."""

    names: Mapping[str, Type]
    findings: list[Finding] = field(default_factory=list)
    line: int = 0  # that the check has reached
    guarded: int = 0  # tests before that ask what a value is
    asked: tuple[str, ...] = ()  # values that a test before asks for
    expects_absence: int = 0  # how many `default` or `is defined` follow
    may_fail: int = 0  # how many `not` or `or` are around

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
        """Add a finding; the type of the result is unknown, so that nothing else is reported of it."""
        if not self.guarded:
            warning = warning or (code == "E173" and self.expects_absence > 0)
            found = Finding(code=code, message=message, hint=hint, part=part, line=self.line, warning=warning)
            self.findings.append(found)
        return UNKNOWN

    def require(self, kinds: int, part: TypedPart, why: str, *, hint: str | None = None) -> bool:
        """Whether a value may be of `kinds`; else it is reported, with `why`."""
        if part.type.may_be(kinds):
            return True
        self.report("E174", f"{why}, and `{part.source}` is {in_words(part.type)}", hint=hint)
        return False

    def is_asked(self, source: str) -> bool:
        """Whether a test before asks for `source`, or for something in it."""
        return any(each == source or each.startswith((f"{source}.", f"{source}[")) for each in self.asked)


def member_type(part: TypedPart, key: str, check: TypeCheck) -> Type:
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
    if key in whole.beside:
        return f"write `run` in place of `execute`, and `results: [{whole.called}, {key}]`: `execute` gives one value"
    if key.casefold() in _SIZES and whole.kinds & (LIST | TEXT) and key not in fields:
        return f"write `{source} | length`"
    if not whole.kinds & LIST:
        return None
    if key in ("value", "d", "rows") and key not in fields:
        return f"leave `.{key}` out: `{source}` is the list itself"
    if key.isdecimal():
        return f"write `{source}[{key}]`, without quotes"
    if fields and key not in fields:
        known = sorted(fields)
        near = suggest(key, known)
        if near is None:
            return f"its records have {listed(known)}, as in `{source}[0].{known[0]}`"
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
    hint = f"did you mean `{near}`?" if near else part.type.note or f"it has {listed(known) or 'no fields'}"
    if near in known and part.type.note:  # the job itself names its fields, so that either may be the typo
        hint = f"the job asks for `{near}`: write the same name in both places, as the site has it"
    return check.report("E173", message, hint=hint, part=source)


def item_type(part: TypedPart, check: TypeCheck) -> Type:
    """The type of an item by a number in `[ ]`."""
    whole = part.type
    if not whole.may_be(LIST | TEXT):
        what = "a number in `[ ]` takes an item of a list or a character of a text"
        return check.report("E174", f"`{part.source}` is {in_words(whole)}: {what}", hint=field_hint(part))
    if not whole.kinds & TEXT:
        return whole.any_item
    return UNKNOWN if whole.kinds & LIST else text_of([whole])


def field_hint(part: TypedPart) -> str | None:
    """What to write of a record whose keys are known, as of the results that a `run` asks for."""
    fields = sorted(part.type.fields or {}) if part.type.kinds == RECORD else []
    return (
        f"write {'' if len(fields) == 1 else 'one of its values, as '}`{part.source}.{fields[0]}`" if fields else None
    )


def reading_hint(given: Type) -> str | None:
    """What to do with a text where a number is wanted; of a list its length is wanted as often."""
    if given.kinds & TEXT:
        return "`| int` and `| float` read a text as a number"
    return "`| length` counts the items of a list" if given.kinds & LIST else None


def needs_number(part: TypedPart, why: str, check: TypeCheck) -> None:
    check.require(NUMBER, part, why, hint=reading_hint(part.type))


def sides(left: TypedPart, right: TypedPart) -> str:
    return f"`{left.source}` is {in_words(left.type)}, `{right.source}` {in_words(right.type)}"
