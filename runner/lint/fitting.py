"""Whether a value, or what a template gives, can be of its parameter's type. The forms that the service takes are [M].

What is surely wrong is an error, what only some servers read a warning.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import Final

from msgspec.structs import replace

from runner.catalogue.kinds import KINDS
from runner.catalogue.literals import doubt, may_hold
from runner.catalogue.model import Kind, Parameter
from runner.expressions.typed import ANYTHING, LIST, NULL, NUMBER, RECORD, TEXT, Type, in_words
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.suggestions import near_or_listed
from runner.foundation.values import Json, ValuePath, as_text, compact, is_number, kind_of, leaves

_LONGEST: Final = 40
_MOST_LISTED: Final = 4
_NAME = lazy_pattern(r"(?:inputs|vars|steps|case|run|target|item|result|outputs)(?:\.\w+|\[-?\d+\])+")
_WHOLE = lazy_pattern(r"\{\{\s*(inputs|vars|run|target|case|steps(?:\.\w+)?)\s*\}\}")
_A_NUMBER = lazy_pattern(r"[+-]?\.?[0-9][0-9A-Za-z.+-]*")
_THOUSANDS = lazy_pattern(r"-?[0-9]{1,3}(?:\.000)+")
_PHONE_OR_CODE = lazy_pattern(r"\+[0-9]+|-?0[0-9]+")
_SHORTER: Final = {
    Kind.DATE: "cut the day out of it with `[:10]`",
    Kind.TIME: "cut the time of day out of it with `[11:19]`",
}
_STARTED: Final = frozenset({"process_id", "of"})
_A_START: Final = "write `{{ steps.ID.process_id }}`, with the id of the step that starts the process"
_WRAPPERS: Final = frozenset({"value", "displayvalue"})


class Misfit(Finding, frozen=True, kw_only=True):
    code: str = "E171"


def has_own_hint(misfit: Misfit) -> bool:
    """Whether the hint has the value as it must be written, and is no example."""
    return misfit.hint not in (None, *(facts.example for facts in KINDS.values()))


def unfit_type(name: str, taker: Parameter, given: Type, *, source: str) -> Misfit | None:
    """Why a parameter never takes what the template `source` gives, None where it may take it."""
    found = _unfit_kind(name, taker.kind, given, source=source)
    return found if found is None or not taker.is_exact else replace(found, warning=False)


def _unfit_kind(name: str, kind: Kind, given: Type, *, source: str) -> Misfit | None:
    kinds, form, facts = given.kinds & ~NULL, given.form, KINDS[kind]
    if kind is Kind.TEXT and (whole := _WHOLE.fullmatch(source)):
        hint = f"write `{{{{ {whole[1]}.{'result' if 'steps.' in whole[1] else 'NAME'} }}}}`, or `| json` for all of it"
        return Misfit(message=f"`{name}` takes a text, and `{source}` is a record", hint=hint, warning=True)
    if facts.takes is None or not kinds:
        return None
    takes, own = f"`{name}` takes {facts.called}, and `{source}`", _own_key(name, given, source)
    if not kinds & facts.takes:
        return Misfit(
            message=f"{takes} is {in_words(given)}",
            hint=own
            or (_only_part(kind, given, source) if name not in _STARTED else None)
            or _part_hint(kind, given, source)
            or (_A_START if name in _STARTED else facts.example),
        )
    if kind is Kind.BOOLEAN and kinds == NUMBER:
        return Misfit(message=f"{takes} is a number", hint="compare it, as in `{{ NAME > 0 }}`", warning=True)
    if kinds != TEXT:
        return None
    if form is not None and form not in facts.forms:
        return Misfit(message=f"{takes} is {'a GUID' if form == 'guid' else f'a {form}'}", hint=own or facts.example)
    if form == "datetime" and kind in _SHORTER:
        message = f"{takes} is a datetime: not every server reads it as {facts.called}"
        return Misfit(message=message, hint=_SHORTER[kind], warning=True)
    if given.words and all(_is_never(kind, word) for word in given.words):
        return Misfit(message=f"{takes} is {_listed(given.words)}", hint=own or facts.example)
    if given.holds is not None and not may_hold(kind, given.holds):
        return Misfit(message=f"{takes} holds {_shown(given.holds.strip())}", hint=own or facts.example)
    return None


def _is_never(kind: Kind, text: str) -> bool:
    found = doubt(kind, text) if text else None
    return found is not None and found.is_certain


def _listed(words: Collection[str]) -> str:
    return " or ".join(f"`{word}`" for word in sorted(words)[:_MOST_LISTED]) + (
        " or …" if len(words) > _MOST_LISTED else ""
    )


def _own_key(name: str, given: Type, source: str) -> str | None:
    """`process_id: "{{ steps.a }}"`: the record has a key with the name of the parameter."""
    name = "process_id" if name in _STARTED else name
    is_single = name == "process_id" and not given.kinds & (LIST | RECORD)
    if is_single and (step := re.match(r"\{\{\s*steps\.\w+(?=[.\[])", source)):
        return f"write `{step[0]}.process_id }}}}`"
    is_there = name in (given.fields or {}) and _is_template_of_a_name(source)
    return f"write `{source[:-2].rstrip()}.{name} }}}}`" if is_there else None


def _only_part(kind: Kind, given: Type, source: str) -> str | None:
    """The only value of a record that fits, as of the results that a `run` asks for."""
    if given.kinds & ~NULL != RECORD or not _is_template_of_a_name(source):
        return None
    fit = [key for key, each in (given.fields or {}).items() if _unfit_kind(key, kind, each, source=source) is None]
    return f"write `{source[:-2].rstrip()}.{fit[0]} }}}}`" if len(fit) == 1 else None


def _part_hint(kind: Kind, given: Type, source: str) -> str | None:
    """The part of a record to give for an id; of a list, an item, or each."""
    if given.kinds & ~NULL == LIST and kind is not Kind.RECORDS and _is_template_of_a_name(source):
        name, items = source[2:-2].strip(), given.any_item
        if not items.kinds & (KINDS[kind].takes or ANYTHING):
            return _part_hint(kind, items, f"{{{{ {name}[0] }}}}")
        return f"write `{{{{ {name}[0] }}}}`, or `for_each: {name}` and `{{{{ item }}}}`"
    if kind not in (Kind.GUID, Kind.LOOKUP) or given.kinds & ~NULL != RECORD or not _is_template_of_a_name(source):
        return None
    is_known = given.fields is None or "Id" in given.fields
    return f"write `{source[:-2].rstrip()}.Id }}}}`" if is_known else None


def _is_template_of_a_name(source: str) -> bool:
    return re.fullmatch(r"\{\{\s*[\w.\[\]]+\s*\}\}", source) is not None


def unfit_records(name: str, parameter: Parameter, given: Type, *, source: str) -> Iterator[Misfit]:
    """Fields of the records that the template `source` gives, which the parameter's records do not have."""
    fields = given.any_item.fields
    if parameter.kind is not Kind.RECORDS or not parameter.items or fields is None or not given.kinds & LIST:
        return
    for key in fields:
        if key not in parameter.items:
            message = f"the records of `{name}` have no `{key}`, which `{source}` holds"
            yield Misfit(code="E173", message=message, hint=near_or_listed(key, parameter.items, has="they have"))


def unfit_value(name: str, parameter: Parameter, value: Json) -> Iterator[Misfit]:
    """What is wrong with a value that is written out; templates are passed over, also inside."""
    if (template := _braces_lost(value)) is not None:
        message = (
            f"`{name}` takes {KINDS[parameter.kind].called}, and this is a record: YAML has taken the braces for one"
        )
        yield Misfit(message=message, hint=f'write `"{template}"`')
    elif parameter.kind is Kind.RECORDS:
        yield from _records(name, parameter, value)
    else:
        found = _scalar(name, parameter, value)
        if found is not None:
            yield found


def misread_numbers(
    name: str, parameter: Parameter | None, value: Json, *, written: Callable[[ValuePath], str]
) -> Iterator[Misfit]:
    """Numbers to YAML, for texts, that are sent as other texts than they are in the file.

    `written` gives what is in the file. Where `parameter` is unknown, a number may be a text that has a `+` or zeros
    first.
    """
    for path, number in leaves(value):
        if not is_number(number):
            continue
        text, sent, called = written(path), compact(number), str(path[-1]) if path else name
        taker = column_of(parameter, called) if parameter is not None and path else parameter
        if text == sent:
            continue
        if parameter is None and _PHONE_OR_CODE.fullmatch(text):
            message = f"`{text}` for `{called}` is a number to YAML"
            hint = f'put it in quotes if it is a text: `"{text}"`'
        elif taker is not None and taker.kind is Kind.TEXT and _A_NUMBER.fullmatch(text):
            message = f"`{called}` takes a text, and `{text}` is a number to YAML"
            hint = f'put it in quotes: `"{text}"`'
        elif taker is not None and taker.kind is Kind.INTEGER and _THOUSANDS.fullmatch(text):
            message = f"`{called}` takes an integer, and the point in `{text}` begins a fraction"
            hint = f"write `{text.replace('.', '')}`"
        else:
            continue
        yield Misfit(message=f"{message}: `{sent}` would be sent", hint=hint, path=path, warning=parameter is None)


def column_of(parameter: Parameter, name: str) -> Parameter | None:
    """The column of a parameter's records as what takes a value, if known."""
    kind = parameter.items.get(name)
    return None if kind is None else Parameter(kind=kind, is_exact=parameter.is_exact)


def _braces_lost(value: Json) -> str | None:
    """The template that `{ vars.contact }` is without its outer braces."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, inner),) = value.items()
        return f"{{{{ {key} }}}}" if inner is None and _NAME.fullmatch(key) else None
    return None


def _scalar(name: str, taker: Parameter, value: Json) -> Misfit | None:
    """Null leaves a parameter out, an empty text is the type's empty value, and a template has a type of its own."""
    kind = taker.kind
    if value is None or value == "" or (isinstance(value, str) and "{{" in value):
        return None
    if kind is Kind.TEXT:  # as JSON, a record is as good a text as any, but not a text that is written as others do
        if not isinstance(value, dict) or "value" not in (keys := {*map(str.casefold, value)}) or not keys <= _WRAPPERS:
            return None
        message = f"`{name}` takes a text, and a record is sent as JSON, keys and all"
        return Misfit(message=message, hint="write the value alone", warning=True)
    found = doubt(kind, value)
    if found is None:
        return None
    if found.is_certain or (taker.is_exact and found.is_refused):
        return Misfit(message=f"`{name}` takes {KINDS[kind].called}, not {_shown(value)}", hint=found.hint)
    message = f"`{name}` takes {KINDS[kind].called}, and not every server reads {_shown(value)} as one"
    return Misfit(message=message, hint=found.hint, warning=True)


def _records(name: str, parameter: Parameter, value: Json) -> Iterator[Misfit]:
    if isinstance(value, str) and value.strip()[:1] == "[" and "{{" not in value:
        yield from _records_in_text(name, parameter, value)
        return
    if value is None or (isinstance(value, str) and ("{{" in value or not value.strip())):
        return
    if not isinstance(value, list):
        yield Misfit(message=f"`{name}` takes a list of records, not {_shown(value)}", hint=KINDS[Kind.RECORDS].example)
        return
    for index, row in enumerate(value):
        if isinstance(row, dict):
            yield from _fields(name, parameter, row, index)
        elif not isinstance(row, str) or "{{" not in row:
            is_read = isinstance(row, str) and not parameter.is_exact  # as lists of other things are [?]
            message = f"`{name}` takes records, not {_shown(row)}"
            yield Misfit(
                message=message,
                hint=f"write a record: `{{{next(iter(parameter.items), 'CODE')}: …}}`",
                path=(index,),
                warning=is_read,
            )


def _records_in_text(name: str, parameter: Parameter, text: str) -> Iterator[Misfit]:
    """Records that are written as JSON in a text: the first problem is enough."""
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        message = f"`{name}` takes a list of records, and this text is no JSON"
        yield Misfit(message=message, hint=KINDS[Kind.RECORDS].example)
        return
    found = (replace(each, path=(), at_key=False) for each in _records(name, parameter, value))
    yield from islice(found, 1)


def _fields(name: str, parameter: Parameter, written: Mapping[str, Json], index: int) -> Iterator[Misfit]:
    known = parameter.items
    for key, value in written.items():
        if (column := column_of(parameter, key)) is not None:
            found = _scalar(key, column, value)
            if found is not None:
                yield replace(found, path=(index, key))
        elif known:
            message, hint = f"the records of `{name}` have no `{key}`", near_or_listed(key, known, has="they have")
            yield Misfit(code="E173", message=message, hint=hint, path=(index, key), at_key=True)


def _shown(value: Json) -> str:
    if isinstance(value, list | dict):
        return kind_of(value)
    text = as_text(value)
    return f"`{text}`" if len(text) <= _LONGEST and text.isprintable() else kind_of(value)
