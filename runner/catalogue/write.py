"""`Catalogue` → the text of its file: readable, sorted, the same for the same site, whoever pulls it and when.

Text from outside is written so that it can be shown anywhere: what is no plain word stands in quotes, and characters
that nobody sees stand as escapes. No secret ever gets here: a site's answers hold none.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from runner.catalogue.model import Catalogue, Element, Kind, Member, Parameter, Process
from runner.foundation.values import well_formed

_PLAIN = re.compile(
    r"[A-Za-z_](?:[\w ./()'-]*[\w./()'-])?|https?://[\w./:-]*[\w/-]|\w{8}(?:-\w{4}){3}-\w{12}", re.ASCII
)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for no text."""
_WORD = {True: "true", False: "false"}
_HEAD = """\
# What the site has, as far as jobs need to know it. `runner catalog pull` writes this file, and leaves it as it is
# where the site has not changed. It holds no secret: commit it.
"""
OF_PACKAGES = """\
# What the packages hold, as far as jobs need to know it. `runner catalog build` writes this file, and leaves it as it
# is where the packages have not changed. It holds no secret: commit it.
"""


def written(catalogue: Catalogue) -> str:
    """The text of the file."""
    head = OF_PACKAGES if catalogue.packages else _HEAD
    return head + "".join(f"{line}\n" for line in _lines(catalogue))


def _lines(catalogue: Catalogue) -> Iterator[str]:
    yield "runner: 1"
    if catalogue.packages:
        yield f"packages: [{', '.join(map(as_yaml, catalogue.packages))}]"
    else:
        yield f"site: {as_yaml(catalogue.site)}"
    if catalogue.pulled is not None:
        yield f"pulled: {{at: {_quoted(catalogue.pulled.at)}, by: {as_yaml(catalogue.pulled.by)}}}"
    if not catalogue.processes:
        yield "processes: {}"
        return
    yield "processes:"
    for code in sorted(catalogue.processes):
        yield from _process(catalogue.processes[code])


def _process(process: Process) -> Iterator[str]:
    yield f"  {as_yaml(process.code)}:"
    yield f"    caption: {as_yaml(process.caption)}"
    if process.version is not None:
        yield f"    version: {process.version}"
    if process.traced is not None:
        yield f"    traced: {_WORD[process.traced]}"
    yield f"    runnable: {_WORD[process.why_not is None]}"
    if process.why_not is not None:
        yield f"    why_not: {as_yaml(process.why_not)}"
    if process.unread is not None:
        yield f"    unread: {as_yaml(process.unread)}"
    if process.members:
        yield from _block("members", map(_member, process.members))
    if process.parameters is not None:
        yield from _block("parameters", _parameters(process.parameters))
    if process.elements is not None:
        yield from _block("elements", _elements(process.elements))


def _block(key: str, lines: Iterable[str]) -> Iterator[str]:
    inner = list(lines)
    yield f"    {key}:" if inner else f"    {key}: {{}}"
    yield from (f"      {line}" for line in inner)


def _member(one: Member) -> str:
    """What is not known is left out."""
    known = {"uid": one.uid, "version": one.version, "active": one.active, "enabled": one.enabled}
    return f"{as_yaml(one.code)}: {_flow([(key, _scalar(value)) for key, value in known.items() if value is not None])}"


def _scalar(value: str | int) -> str:
    match value:
        case bool():
            return _WORD[value]
        case int():
            return str(value)
        case str():
            return as_yaml(value)


def _parameters(parameters: Mapping[str, Parameter]) -> Iterator[str]:
    for code in sorted(parameters):
        one = parameters[code]
        fields: list[tuple[str, str]] = [("type", one.kind), ("direction", one.direction)]
        if one.items or one.kind is Kind.RECORDS:
            fields.append(("items", _items(one.items)))
        if one.lookup is not None:
            fields.append(("lookup", as_yaml(one.lookup)))
        if one.caption:
            fields.append(("caption", as_yaml(one.caption)))
        yield f"{as_yaml(code)}: {_flow(fields)}"


def _items(items: Mapping[str, Kind]) -> str:
    return _flow([(as_yaml(name), items[name]) for name in sorted(items)])


def _elements(elements: Iterable[Element]) -> Iterator[str]:
    """In their own order: that in which the process comes to them."""
    for one in elements:
        caption = [("caption", as_yaml(one.caption))] if one.caption else []
        yield f"{as_yaml(one.uid)}: {_flow([('name', as_yaml(one.name)), *caption, ('type', as_yaml(one.kind))])}"


def _flow(fields: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in fields) + "}"


def as_yaml(text: str) -> str:
    """A text from outside as a plain word, or in quotes."""
    is_plain = _PLAIN.fullmatch(text) is not None and text.casefold() not in _WORDS
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    """A text in double quotes, which YAML reads as JSON does."""
    shown = json.dumps(well_formed(text), ensure_ascii=False)
    return "".join(character if character.isprintable() else _escaped(character) for character in shown)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  the basic plane
