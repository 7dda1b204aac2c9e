"""Whether what a job gives to a parameter can be of its type: what is written out, and what templates give.

Only what is wrong for sure is told. The forms that the service takes were measured [M]; a text that it might take in
some culture or other is passed over.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from runner.catalogue.model import Kind, Parameter
from runner.guids import is_guid, mended
from runner.job.rules.site_types import TAKES
from runner.template.typed import LIST, NULL, TEXT, Type, in_words
from runner.values import Json, Path, compact, kind_of
from runner.words import suggest

_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:[.,][0-9]*)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?")
_LONGEST: Final = 40
_EXAMPLES: Final[Mapping[Kind, str]] = {
    Kind.GUID: "a GUID is 8-4-4-4-12 hexadecimal digits",
    Kind.LOOKUP: "a lookup is given by the GUID of its record",
    Kind.DATETIME: "for example `2026-12-31T23:59:59`",
    Kind.DATE: "for example `2026-12-31`",
    Kind.TIME: "for example `18:45:00`",
    Kind.BOOLEAN: "write `true` or `false`",
    Kind.RECORDS: "write a list: `- {CODE: VALUE}`",
    Kind.DECIMAL: "for example `99.99`",
    Kind.MONEY: "for example `99.99`",
}
_FORMS: Final[Mapping[str, frozenset[Kind]]] = {
    "guid": frozenset({Kind.GUID, Kind.LOOKUP, Kind.TEXT}),
    "datetime": frozenset({Kind.DATETIME, Kind.DATE, Kind.TIME, Kind.TEXT}),
    "date": frozenset({Kind.DATETIME, Kind.DATE, Kind.TEXT}),
    "time": frozenset({Kind.DATETIME, Kind.TIME, Kind.TEXT}),
}
"""The parameters that a text of a certain form may fit."""
_ARTICLES: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "an integer",
    Kind.GUID: "a GUID",
    Kind.RECORDS: "a list of records",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """What does not fit; `path` leads to it within the value. `at_key`: it is the key that is wrong."""

    code: str = "E171"
    message: str
    hint: str | None = None
    path: Path = ()
    at_key: bool = False


def a_kind(kind: Kind) -> str:
    return _ARTICLES.get(kind, f"a {kind}")


def unfit_type(name: str, kind: Kind, given: Type, *, source: str) -> Unfit | None:
    """Why what the template `source` gives is never taken by a parameter, None where it may be."""
    kinds, form = given.kinds & ~NULL, given.form
    if kind not in TAKES or not kinds:
        return None
    if not kinds & TAKES[kind]:
        message = f"`{name}` takes {a_kind(kind)}, and `{source}` is {in_words(given)}"
        return Unfit(message=message, hint=_EXAMPLES.get(kind))
    if kinds == TEXT and form is not None and kind not in _FORMS[form]:
        what = "a GUID" if form == "guid" else f"a {form}"
        return Unfit(message=f"`{name}` takes {a_kind(kind)}, and `{source}` is {what}", hint=_EXAMPLES.get(kind))
    return None


def unfit_records(name: str, parameter: Parameter, given: Type, *, source: str) -> Iterator[Unfit]:
    """Fields of the records that the template `source` gives, which the parameter's records do not have."""
    fields = given.of_items.fields
    if parameter.kind is not Kind.RECORDS or not parameter.items or fields is None or not given.kinds & LIST:
        return
    for key in fields:
        if key not in parameter.items:
            message = f"the records of `{name}` have no `{key}`, which `{source}` holds"
            yield Unfit(code="E173", message=message, hint=_meant(key, parameter.items))


def unfit_value(name: str, parameter: Parameter, value: Json) -> Iterator[Unfit]:
    """What is wrong with a value that is written out. Texts that hold templates are passed over, also inside."""
    if parameter.kind is Kind.RECORDS:
        yield from _records(name, parameter, value)
    else:
        found = _scalar(name, parameter.kind, value)
        if found is not None:
            yield found


def _scalar(name: str, kind: Kind, value: Json) -> Unfit | None:
    """Null leaves a parameter out, an empty text is the type's empty value, and a template has a type of its own."""
    if value is None or value == "" or kind not in _CHECKS or (isinstance(value, str) and "{{" in value):
        return None
    if _CHECKS[kind](value):
        return None
    return Unfit(message=f"`{name}` takes {a_kind(kind)}, not {_shown(value)}", hint=_EXAMPLES.get(kind))


def _records(name: str, parameter: Parameter, value: Json) -> Iterator[Unfit]:
    if value is None or (isinstance(value, str) and ("{{" in value or value.strip()[:1] in ("[", ""))):
        return
    if not isinstance(value, list):
        yield Unfit(message=f"`{name}` takes a list of records, not {_shown(value)}", hint=_EXAMPLES[Kind.RECORDS])
        return
    for index, one in enumerate(value):
        if isinstance(one, dict):
            yield from _fields(name, parameter.items, one, index)
        elif not isinstance(one, str):
            yield Unfit(message=f"`{name}` takes records, not {_shown(one)}", path=(index,))


def _fields(name: str, known: Mapping[str, Kind], written: Mapping[str, Json], index: int) -> Iterator[Unfit]:
    for key, value in written.items():
        if key in known:
            found = _scalar(key, known[key], value)
            if found is not None:
                yield Unfit(message=found.message, hint=found.hint, path=(index, key))
        elif known:
            message = f"the records of `{name}` have no `{key}`"
            yield Unfit(code="E173", message=message, hint=_meant(key, known), path=(index, key), at_key=True)


def _meant(key: str, known: Collection[str]) -> str:
    near = suggest(key, known)
    return f"did you mean `{near}`?" if near else f"they have {', '.join(f'`{one}`' for one in sorted(known))}"


def _shown(value: Json) -> str:
    if isinstance(value, list | dict):
        return kind_of(value)
    text = value if isinstance(value, str) else compact(value)
    return f"`{text}`" if len(text) <= _LONGEST and text.isprintable() else kind_of(value)


def _is_integer(value: Json) -> bool:
    match value:
        case bool():
            return False
        case int():
            return True
        case float():
            return value.is_integer()
        case str():
            return _INTEGER.fullmatch(value) is not None
        case _:
            return False


def _is_number(value: Json) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_boolean(value: Json) -> bool:
    """What a number means for a boolean is not known [?]."""
    if isinstance(value, str):
        return value.strip().casefold() in ("true", "false", "1", "0")
    return isinstance(value, bool | int | float)


def _is_guid(value: Json) -> bool:
    return isinstance(value, str) and (is_guid(value) or mended(value) is not None)


def _is_moment(value: Json) -> bool:
    """A text with a digit in it; a day that looks like ISO 8601 must be one."""
    if not isinstance(value, str) or not any(character.isdigit() for character in value):
        return False
    found = _ISO_DATE.fullmatch(value.strip())
    try:
        return found is None or bool(date(int(found[1]), int(found[2]), int(found[3])))
    except ValueError:
        return False


_CHECKS: Final[Mapping[Kind, Callable[[Json], bool]]] = {
    Kind.INTEGER: _is_integer,
    Kind.DECIMAL: _is_number,
    Kind.MONEY: _is_number,
    Kind.BOOLEAN: _is_boolean,
    Kind.GUID: _is_guid,
    Kind.LOOKUP: _is_guid,
    Kind.DATETIME: _is_moment,
    Kind.DATE: _is_moment,
    Kind.TIME: _is_moment,
}
