"""What is in the body of a reply: JSON, a text in XML, a fault, a web page, or nothing.

Bytes in, JSON values out. Bombs and nonsense end in an exception with a message. What it means for a call is not
known.
"""

import contextlib
import html
import json
import re
import zlib
from codecs import BOM_UTF8, utf_8_decode
from typing import Final, NoReturn, TypeAlias
from xml.parsers import expat

import msgspec
from msgspec import Struct

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import LARGEST_INTEGER, Json, can_be_sent, is_rounded, utf_8, well_formed
from runner.service.words import short_line

LARGEST_BODY: Final = 32 * 1024 * 1024
DEEPEST: Final = 200
"""Levels of lists and records. Whatever is done with a value later must not end in a RecursionError."""
BEGINNINGS: Final = ("[", "{", '"')
"""A text that begins so is JSON, or was until it was cut: what does not parse then has been cut or broken."""
MOST_PARTS: Final = 2_000_000  # lists and records: 32 MiB of `[],` would become a gigabyte

_TOO_DEEP: Final = f"its JSON is nested over {DEEPEST} levels deep"
_LEAST_INTEGER: Final = -LARGEST_INTEGER - 1
_MANY_DIGITS: Final = b"0" * len(str(LARGEST_INTEGER))
_DIGITS_ALIKE: Final = bytes(
    byte if byte == ord(".") else ord("0") if chr(byte) in "0123456789" else ord(" ") for byte in range(256)
)
"""Translates every digit to a zero, all else but points to blanks."""
_LARGE_AMOUNT: Final = b"00000000.0"
"""What an amount begins with that could be rounded: with less before its point it has too few digits."""
_AMOUNT = lazy_pattern(rb"[0-9]{8,}\.[0-9]+")
_LONGEST_PAGE: Final = 256 * 1024
_PAGE = lazy_pattern(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,1000}?-->\s*)?"
    rb"<(?:!doctype\s+html|html|head|body|title|meta|script|center)\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = lazy_pattern(r"<title[^>]{0,200}>(.{0,2000}?)</title", re.IGNORECASE | re.DOTALL)
_TAGS = lazy_pattern(r"<(h1|style|script)\b[^<>]*>[^<]{0,2000}</\1>|<!?[^<>]*>", re.IGNORECASE)
_CHARSET = lazy_pattern(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_EXCEPTION = lazy_pattern(r"The exception message is '(.{0,2000}?)'\. See server logs", re.DOTALL)
_STRAY = lazy_pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no JSON holds as it is. Nor does it line ends and tabs within a text, but the vendor's page prints them [D]."""
_SURROGATE = lazy_pattern(r"\\u[dD][89a-fA-F]")
_NOT_PACKED: Final = frozenset({"", "identity", "utf-8", "utf8", "none", "binary", "8bit"})
"""Values of `Content-Encoding` over a body as it is. All but `identity` are mistakes of services that others write."""
_WRAPPERS: Final = frozenset({"string", "boolean", "int", "long", "double", "decimal", "guid", "dateTime"})
_FAULT_WORDS: Final = frozenset({"Text", "faultstring", "Message"})


class NonsenseError(Exception):
    """A body that cannot be read; the text completes the sentence `the answer made no sense: …`."""


class NotJsonError(NonsenseError):
    """A text that is not JSON at all, as against JSON beyond our bounds."""


class TooLargeError(Exception):
    """A body over `LARGEST_BODY`."""


class Wrapped(Struct, frozen=True):
    """The text of a leaf such as `<string xmlns="…">…</string>`."""

    text: str


class JsonBody(Struct, frozen=True):
    value: Json


class Fault(Struct, frozen=True):
    """A fault of the service, in XML."""

    words: str


class Page(Struct, frozen=True):
    """HTML: a page for people, never an answer of the service."""

    title: str


Content: TypeAlias = Wrapped | JsonBody | Fault | Page | None  # none is an empty body


def content(body: bytes, *, content_type: str = "", halves: bool = False) -> Content:
    """What `body` is by its bytes, as servers mislabel: `content_type` gives the charset. `halves` as in `parsed`."""
    if is_page(body):
        return Page(title(body, content_type=content_type))
    text = _decoded(body, content_type.lower()).strip()
    if not text:
        return None
    return _element(text) if text[0] == "<" else JsonBody(parsed(text, halves=halves))


def is_page(body: bytes) -> bool:
    return not body.startswith((b"{", b"[", b"<string ")) and _PAGE.match(body) is not None


def bounded(body: bytes) -> bytes:
    """`body`, of a web page only its start: no more of it is ever read, and a large page takes its time."""
    return body[:_LONGEST_PAGE] if len(body) > _LONGEST_PAGE and is_page(body) else body


def title(body: bytes, *, content_type: str) -> str:
    """The title of a web page on a line, or nothing. WCF writes what went wrong into the text of its page [?]."""
    text = readable(body[:65536], content_type=content_type)
    found = [html.unescape(part[1]) for part in (_TITLE.search(text), _EXCEPTION.search(text)) if part is not None]
    return short_line(": ".join(found))


def page_text(body: bytes, *, content_type: str) -> str:
    """The text of a web page on a line, without a heading, which repeats the status of an error."""
    return short_line(html.unescape(_TAGS.sub(" ", readable(body[:4096], content_type=content_type))))


def readable(body: bytes, *, content_type: str) -> str:
    """`body`, perhaps cut, for people: in the charset that its mark, its header or the start of a page names.

    A page that is UTF-8 is read as that, as servers mislabel. What cannot be read becomes U+FFFD.
    """
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return well_formed(body.decode("utf-16", "replace"))
    named = _CHARSET.search(content_type)
    if is_page(body):
        with contextlib.suppress(UnicodeDecodeError):
            return utf_8_decode(body)[0].removeprefix("\ufeff")
        named = named or _CHARSET.search(body[:1024].decode("ascii", "replace"))
    try:
        text = body.decode(named[1] if named else "utf-8", "replace")
    except (LookupError, ValueError):  # a charset that nobody knows, or no charset, such as `base64`
        text = body.decode("utf-8", "replace")
    return well_formed(text.removeprefix("\ufeff"))


def parsed(text: str, *, halves: bool = False) -> Json:
    """Read JSON within bounds: no NaN, 64 bits, `DEEPEST` levels. Raises `NotJsonError`, or `NonsenseError` beyond
    them.

    An amount with more digits than a number keeps becomes a text. `halves`: half of a surrogate pair becomes U+FFFD.
    """
    parts = 0 if text.startswith('"') else text.count("[") + text.count("{")
    if parts > MOST_PARTS:
        raise NonsenseError(f"its JSON holds more than {MOST_PARTS} lists and records")
    with contextlib.suppress(ValueError, RecursionError):
        content = text.encode()
        value: Json = msgspec.json.decode(content)
        if isinstance(value, str):
            return value
        digits = content.translate(_DIGITS_ALIKE)
        is_exact = _LARGE_AMOUNT not in digits or not _holds_rounded(content)
        if is_exact and (_is_plain(digits, value, parts=parts) or _is_within_bounds(value)):
            return value
    return _parsed_slowly(text, halves=halves)


def _holds_rounded(content: bytes) -> bool:
    """Whether it holds an amount that would be rounded; perhaps inside of a text."""
    amounts = (found[0].decode() for found in _AMOUNT.finditer(content))
    return any(is_rounded(amount, float(amount)) for amount in amounts)


def _parsed_slowly(text: str, *, halves: bool) -> Json:
    """What msgspec does not read, or not as it is to be, such as a large amount; or why nobody does, as a sentence."""
    try:
        strict = _STRAY.search(text) is not None
        decoder = json.JSONDecoder(parse_int=_integer, parse_float=_number, parse_constant=_constant, strict=strict)
        value: Json = decoder.decode(text)
    except RecursionError:
        raise NonsenseError(_TOO_DEEP) from None
    except ValueError as error:
        raise NotJsonError(f"it is no JSON: {error}" if text.startswith(BEGINNINGS) else "it is no JSON") from None
    if not _is_within_bounds(value):
        raise NonsenseError(_TOO_DEEP)
    if _SURROGATE.search(text) and not can_be_sent(value):
        if not halves:
            raise NonsenseError("a text in its JSON has half of a surrogate pair, which cannot be stored or sent")
        return utf_8(value)
    return value


def decoded(value: Json) -> Json:
    """A collection comes as a text that holds JSON [D]; any other text stays a text."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return parsed(value)
    except NonsenseError:
        return value


def inflated(body: bytes, encoding: str) -> bytes:
    """Unpack a body that was packed although nobody asked for it. Raises `NonsenseError` and `TooLargeError`."""
    name = encoding.strip().lower()
    if name in _NOT_PACKED or not body:
        return body
    if name not in {"gzip", "x-gzip", "deflate"}:
        raise NonsenseError(f"it is packed as `{short_line(encoding.strip())}`, which nobody asked for")
    # A deflate may come bare, against the letter of the standard; a wrapped deflate begins with the byte 0x78.
    bare = name == "deflate" and body[0] & 0x0F != zlib.DEFLATED
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)
    try:
        unpacked = unpacking.decompress(body, LARGEST_BODY + 1)
    except zlib.error as error:
        raise NonsenseError(f"it cannot be unpacked: {error}") from None
    if len(unpacked) > LARGEST_BODY:
        raise TooLargeError
    if not unpacking.eof:
        raise NonsenseError(f"its {name} ends too early")
    return unpacked


def _decoded(body: bytes, content_type: str) -> str:
    """UTF-8 with or without a mark, or UTF-16 where a mark or the header says so."""
    marked = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return body.decode("utf-16") if marked or "utf-16" in content_type else body.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise NonsenseError("it is not UTF-8") from None


class _BodyReading:
    """Reads XML without a tree: 32 MiB of `<a/>` would cost half a gigabyte. A DOCTYPE, so an entity, is refused."""

    def __init__(self) -> None:
        self.root = ""
        self.leaf = True
        self.texts: list[str] = []
        self.words = ""
        self._open: list[str] = []

    def read(self, text: str) -> None:
        """The parser knows this reading, and not the other way round: so its memory is free at once."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(text, True)  # noqa: FBT003  expat takes it by position
        except expat.ExpatError as error:
            raise NonsenseError(f"it is no whole XML: {error}") from None

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self.root = self.root or local
        self.leaf = not self._open
        self._open.append(local)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if len(self._open) == 1:
            self.texts.append(text)
        elif not self.words and self._open[-1] in _FAULT_WORDS:
            self.words = short_line(text)

    def _doctype(self, *_: object) -> None:
        raise NonsenseError("it is XML with a document type, which is not read here")


def _element(text: str) -> Wrapped | Fault:
    """Read a root in any namespace or none: pages of the vendor print another than the service sends [D]."""
    reading = _BodyReading()
    reading.read(text)
    if reading.root == "Fault":
        return Fault(reading.words)
    if reading.root not in _WRAPPERS or not reading.leaf:
        raise NonsenseError(f"it is XML that the service does not send, with the root `{short_line(reading.root)}`")
    return Wrapped("".join(reading.texts))


def _integer(text: str) -> int:
    value = int(text) if len(text) <= len(str(LARGEST_INTEGER)) + 1 else LARGEST_INTEGER + 1
    if not _LEAST_INTEGER <= value <= LARGEST_INTEGER:
        raise NonsenseError("its JSON holds an integer of more than 64 bits")
    return value


def _number(text: str) -> float | str:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise NonsenseError("its JSON holds a number that is too large")
    return text if is_rounded(text, value) else value


def _constant(text: str) -> NoReturn:
    raise NonsenseError(f"its JSON holds {text}")


def _is_plain(digits: bytes, value: Json, *, parts: int) -> bool:
    """Whether it is plainly within bounds: few parts or flat records, and no more `digits` than 64 bits have."""
    is_flat = type(value) is list and parts == 1 + len([item for item in value if type(item) is dict])
    return (parts <= DEEPEST or is_flat) and _MANY_DIGITS not in digits


def _is_within_bounds(value: Json) -> bool:
    """Whether it is nested no deeper than `DEEPEST`, and its integers have 64 bits."""
    parts: list[list[Json] | dict[str, Json]] = []
    level: list[list[Json] | dict[str, Json]] = [[value]]
    for _ in range(DEEPEST + 1):
        for part in level:
            for inner in part.values() if isinstance(part, dict) else part:
                kind = type(inner)
                if kind is dict or kind is list:
                    parts.append(inner)  # type: ignore[arg-type]  # as its type says
                elif kind is int and not _LEAST_INTEGER <= inner <= LARGEST_INTEGER:  # type: ignore[operator]  # as above
                    return False
        if not parts:
            return True
        level, parts = parts, []
    return False
