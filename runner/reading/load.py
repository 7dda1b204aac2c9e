"""YAML text as a `Document`, or its problems, in a single pass over the parser's events.

The parser's own composer would crash on deep nesting. Read is what means the same to everybody: no tags, no merge keys,
a single document, keys that are texts, values that are JSON.
"""

from collections.abc import Callable
from pathlib import Path
from sys import intern
from typing import NamedTuple, cast

from yaml import events as parsed
from yaml._yaml import CParser
from yaml.error import MarkedYAMLError, YAMLError

from runner.foundation.garbage import collector_rests
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.values import Json, kind_of
from runner.reading import encoding, files, syntax, tabs
from runner.reading.document import Document, looks_like_a_mapping, without_lines, without_text
from runner.reading.mistakes import Mistakes, StopError
from runner.reading.nodes import Trail
from runner.reading.scalars import BEGINNINGS, ScalarError, plain
from runner.reading.source import Complaint, Source

__all__ = ["Document", "load", "read", "read_private"]

DEEPEST = 64
MOST_NODES = 1_000_000  # keys and what aliases stand for included
MOST_TEXT = 2 * encoding.LARGEST_FILE  # characters of the file, and of what its aliases stand for

_PROPERTIES = lazy_pattern(r"(?:(?:&[0-9A-Za-z_-]++|!<[^>\s]*+>|![^\s,\[\]{}]*+)(?:[ \t\r\n]++|#[^\r\n]*+)*+){1,2}+")
_ALIAS: type[object] = parsed.AliasEvent
_SCALAR: type[object] = parsed.ScalarEvent
_SEQUENCE_END: type[object] = parsed.SequenceEndEvent
_MAPPING_START: type[object] = parsed.MappingStartEvent
_MAPPING_END: type[object] = parsed.MappingEndEvent
_STREAM_END: type[object] = parsed.StreamEndEvent


class _Mark:
    """A place as the parser counts it: in characters, without a byte-order mark."""

    index: int


class _Event:
    """What there is in an event of the parser. Only a node has `anchor`; only a scalar has `value` and `style`."""

    start_mark: _Mark
    end_mark: _Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None
    flow_style: bool


class _Anchor(NamedTuple):
    """What an alias refers to. `nodes` and `text` count with aliases expanded; `height` is the depth of nesting."""

    node: int
    value: Json
    nodes: int
    text: int
    height: int


def read(path: Path, *, name: str, with_flaws: bool = False) -> Document | tuple[Problem, ...]:
    """The file at `path`, called `name` in messages. Of a file that is no mapping no problem shows a line."""
    content = files.content(path, name=name)
    if isinstance(content, Problem):
        return (content,)
    found, text = load(name, content, with_flaws=with_flaws), content.decode(errors="replace")
    if isinstance(found, tuple):
        return found if looks_like_a_mapping(text) else without_text(found, text)
    return found if isinstance(found.data, dict | None) else without_lines(found)


def read_private(path: Path, *, name: str) -> Document | tuple[Problem, ...]:
    """The document, of values that may be secret: no problem shows a line."""
    content = files.content(path, name=name, streams=True)
    if isinstance(content, Problem):
        return (content,)
    found = load(name, content)
    return without_text(found, content.decode(errors="replace")) if isinstance(found, tuple) else without_lines(found)


def load(name: str, content: bytes, *, with_flaws: bool = False) -> Document | tuple[Problem, ...]:
    """The document in `content`, None in it for an empty file, or all its problems, in order.

    `with_flaws`: a readable document with mistakes is given all the same, and holds them.
    """
    source = encoding.decode(name, content)
    if isinstance(source, Problem):
        return (source,)
    with collector_rests():
        return _document(source, with_flaws=with_flaws)


def _document(source: Source, *, with_flaws: bool) -> Document | tuple[Problem, ...]:
    text, table = encoding.without_separators(source.text)
    reading = _Reading(source, CParser(text))
    value, complaint = _read(reading)
    if complaint is not None and "escape" in complaint.problem and text.lstrip().startswith(("{", "[", '"')):
        text, pairs = encoding.without_surrogates(text)
        table |= pairs
        reading = _Reading(source, CParser(text))
        value, complaint = _read(reading)
    if complaint is not None and tabs.indents_nothing(text, complaint.at):
        reading = _without_tabs(source, text)
        value, complaint = _read(reading)
    if complaint is not None and "maximum nesting" in complaint.problem:  # libyaml looks ahead and counts, too
        reading.mistakes.report(
            f"lists and records nest deeper than {DEEPEST} here", at=(complaint.at, complaint.at + 1)
        )
    elif complaint is not None:
        reading.mistakes.syntax(complaint)
    if reading.mistakes and not (with_flaws and reading.mistakes.are_passable):
        return reading.mistakes.in_order()
    if table:
        value = encoding.with_separators(value, table)
    return Document(source=source, data=value, places=reading.trail.places(), flaws=reading.mistakes.in_order())


def _read(reading: "_Reading") -> tuple[Json, Complaint | None]:
    """The root, and what the parser complained of, if it did."""
    try:
        return reading.root(), None
    except StopError:
        return None, None
    except MarkedYAMLError as error:
        return None, _complaint(error, reading)
    except YAMLError:
        reading.mistakes.add(syntax.unreadable_character(reading.source))
        return None, None


def _without_tabs(source: Source, text: str) -> "_Reading":
    """Hide tabs that indent nothing, and read once more, perhaps again for those in texts."""
    scout = _Reading(source, CParser(tabs.masked(text)))
    _read(scout)
    return _Reading(source, CParser(tabs.masked(text, scout.trail.leaves())))


def _complaint(error: MarkedYAMLError, reading: "_Reading") -> Complaint:
    trail, text = reading.trail, reading.source.text
    at = error.problem_mark.index if error.problem_mark else len(text)
    return Complaint(
        source=reading.source,
        problem=error.problem or "",
        context=error.context or "",
        at=at,
        opened=error.context_mark.index if error.context_mark else at,
        last=trail.last(),
        bracket=trail.open_bracket(text),
    )


class _Reading:
    """A pass: the data, places and mistakes so far. `depth` counts the lists and records around a value, and itself."""

    def __init__(self, source: Source, parser: CParser) -> None:
        self.source = source
        self.trail = Trail()
        self.mistakes = Mistakes(source)
        self._next = cast("Callable[[], _Event]", parser.get_event)
        self._starts, self._ends = self.trail.starts, self.trail.ends
        self._add_start, self._add_end = self.trail.add_start, self.trail.add_end
        self._anchors: dict[str, _Anchor | None] = {}
        self._texts: dict[str, str] = {}
        self._room = MOST_NODES
        self._room_for_text = MOST_TEXT - len(source.text)
        self._deepest = 0

    def root(self) -> Json:
        self._next()  # the stream begins
        if type(self._next()) is _STREAM_END:
            self._add_start(0)
            self._add_end(0)
            return None
        value = self._value(self._next(), depth=1)
        self._next()  # the document ends
        event = self._next()
        if type(event) is not _STREAM_END:
            at = event.start_mark.index
            self.mistakes.report(
                "a second document begins here: a file holds a single document", at=(at, at + len("---"))
            )
        return value

    def _value(self, event: _Event, *, depth: int) -> Json:
        if type(event) is _SCALAR:
            return self._scalar(event)
        if type(event) is _ALIAS:
            return self._alias(event, depth=depth)
        return self._collection(event, depth=depth)

    def _scalar(self, event: _Event) -> Json:
        self._add_start(event.start_mark.index)
        self._add_end(event.end_mark.index)
        if len(self._starts) > self._room:
            self._stop_for_size()
        text = event.value
        if event.tag is not None or event.anchor is not None:
            return self._scalar_with_properties(event)
        if event.style or text[:1] not in BEGINNINGS:
            return self._texts.setdefault(text, text)
        return self._plain(text)

    def _plain(self, text: str) -> Json:
        try:
            return plain(text)
        except ScalarError as error:
            self.mistakes.pass_over(str(error), at=self.trail.last(), hint="put it in quotes if it is a text")
            return text

    def _scalar_with_properties(self, event: _Event) -> Json:
        node = len(self._starts) - 1
        self._properties(event, node=node)
        value = event.value if event.style else self._plain(event.value)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(node=node, value=value, nodes=1, text=len(event.value), height=0)
        return value

    def _collection(self, event: _Event, *, depth: int) -> Json:
        start, node = event.start_mark.index, len(self._starts)
        self._add_start(start)
        self._add_end(0)
        if node >= self._room:
            self._stop_for_size()
        if depth > DEEPEST:
            self.mistakes.stop(f"lists and records nest deeper than {DEEPEST} here", at=(start, start + 1))
        self._deepest = max(self._deepest, depth)
        if event.tag is not None or event.anchor is not None:
            return self._collection_with_properties(event, node=node, depth=depth)
        return self._parts(event, node=node, depth=depth)

    def _parts(self, event: _Event, *, node: int, depth: int) -> Json:
        if type(event) is _MAPPING_START:
            return self._record(event, node=node, depth=depth)
        return self._list(event, node=node, depth=depth)

    def _collection_with_properties(self, event: _Event, *, node: int, depth: int) -> Json:
        self._properties(event, node=node)
        if event.anchor is None:
            return self._parts(event, node=node, depth=depth)
        self._anchors[event.anchor] = None
        around, self._deepest = self._deepest, depth
        before, text_before = node - self._room, self._room_for_text
        value = self._parts(event, node=node, depth=depth)
        nodes, height = len(self._starts) - self._room - before, self._deepest - depth + 1
        text = self._ends[node] - self._starts[node] + text_before - self._room_for_text
        self._anchors[event.anchor] = _Anchor(node=node, value=value, nodes=nodes, text=text, height=height)
        self._deepest = max(self._deepest, around)
        return value

    def _list(self, opening: _Event, *, node: int, depth: int) -> list[Json]:
        items: list[Json] = []
        while type(event := self._next()) is not _SEQUENCE_END:
            items.append(self._scalar(event) if type(event) is _SCALAR else self._value(event, depth=depth + 1))
        self._close(opening, event, node=node)
        return items

    def _record(self, opening: _Event, *, node: int, depth: int) -> dict[str, Json]:
        record: dict[str, Json] = {}
        while type(event := self._next()) is not _MAPPING_END:
            key = self._scalar(event) if type(event) is _SCALAR else self._value_as_key(event, opening, depth=depth)
            if type(key) is not str or key in record or key == "<<":
                key = self._odd_key(key, event, record)
            event = self._next()
            record[intern(key)] = self._scalar(event) if type(event) is _SCALAR else self._value(event, depth=depth + 1)
        if opening.flow_style and None in record.values():
            self.mistakes.odd_keys(record, at=(opening.start_mark.index, event.end_mark.index))
        self._close(opening, event, node=node)
        return record

    def _close(self, opening: _Event, ending: _Event, *, node: int) -> None:
        if opening.flow_style:
            self.trail.close_brackets(node, start=opening.start_mark.index, end=ending.end_mark.index)
        else:
            self.trail.close_block(node)

    def _value_as_key(self, event: _Event, opening: _Event, *, depth: int) -> Json:
        """An alias, which may stand for a text, or a list or record, which is a mistake."""
        if type(event) is _ALIAS:
            return self._alias(event, depth=depth + 1)
        start, known = event.start_mark.index, len(self.mistakes)
        if opening.start_mark.index == start - 1 and self.source.text.startswith("{{", start - 1):
            self.mistakes.add(syntax.bare_template(self.source, start - 1))
            self._value(event, depth=depth + 1)
            self.mistakes.forget(after=known + 1)
            return {}
        value = self._value(event, depth=depth + 1)
        if len(self.mistakes) == known or self.mistakes.are_passable:  # no key is made of what may be passed over
            self.mistakes.report(f"a key must be a text, not {kind_of(value)}", at=(start, start + 1))
        return value

    def _odd_key(self, key: Json, event: _Event, record: dict[str, Json]) -> str:
        """Look at a key that may be wrong; what is returned for a wrong key only keeps the pass going."""
        at = self.trail.last()
        if isinstance(key, str):
            if key in record:
                self.mistakes.second_key(key, at=at)
            elif type(event) is _SCALAR and not event.style:
                hint = "write its keys out, or use an alias as the whole value"
                self.mistakes.report("merge keys (`<<`) are not read here", at=at, hint=hint)
            return key
        if not isinstance(key, (dict, list)):
            self.mistakes.no_text_as_key(key, at=at)
        return self.source.text[slice(*at)]

    def _alias(self, event: _Event, *, depth: int) -> Json:
        at = event.start_mark.index, event.end_mark.index
        name, node = event.anchor or "", len(self._starts)
        self._add_start(at[0])
        self._add_end(at[1])
        if name not in self._anchors:
            self.mistakes.unknown_anchor(name, at=at)
            return None
        anchor = self._anchors[name]
        if anchor is None:
            self.mistakes.report("an alias is inside the value of its own anchor", at=at)
            return None
        self._room_for_text -= anchor.text
        if self._room_for_text < 0:
            self.mistakes.stop(f"more than {MOST_TEXT // 2**20} MiB of text, with aliases expanded", at=at)
        self._room -= anchor.nodes - 1
        if len(self._starts) > self._room:
            self._stop_for_size()
        if depth + anchor.height - 1 > DEEPEST:
            self.mistakes.stop(f"lists and records nest deeper than {DEEPEST} through this alias", at=at)
        self._deepest = max(self._deepest, depth + anchor.height - 1)
        self.trail.aliases[node] = anchor.node
        return anchor.value

    def _properties(self, event: _Event, *, node: int) -> None:
        """Report a tag; let the value begin after its anchor."""
        start = self._starts[node]
        if event.tag is not None:
            self.mistakes.tag(at=start)
            self.trail.tagged.add(node)
        found = _PROPERTIES.match(self.source.text, start)
        if found:
            self._starts[node] = min(found.end(), self._ends[node] or found.end())

    def _stop_for_size(self) -> None:
        start, end = self._starts[-1], self._ends[-1]
        message = f"more than {MOST_NODES:,} keys and values, with aliases expanded"
        self.mistakes.stop(message, at=(start, max(start, end)))
