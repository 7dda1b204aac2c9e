"""How a text comes back from others: as JSON, in a URL, HTML, base64…, or two of them; not hashed or encrypted."""

import json
import quopri
import unicodedata
from base64 import b32encode
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from urllib.parse import quote

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import compact

_UNTOUCHED = ("", "/", "!*()", "!*'()", ";,/?:@&=+$!*'()#")
"""What encoders of URLs leave alone: Python's and .NET's, Jinja's, HttpUtility's, JavaScript's two."""
_PERCENT = lazy_pattern(r"%[0-9A-F]{2}")
_ESCAPE = lazy_pattern(r"\\u[0-9a-f]{4}")
_ORDINARY = lazy_pattern(r"[A-Za-z0-9_.~-]*")
"""What writers of JSON, URLs and HTML all leave as it is: much of what is spelled here, and most tokens."""
_BLANKS = lazy_pattern(r"[\s\x00-\x1f\x7f-\x9f]+")
_BYTE = 256
_ENOUGH = 6  # characters that must be left of a text whose others were lost
_UNSAFE_IN_HTML = "<>&'+`"
_SPECIAL_IN_HTML = "<>&'\"/`="
_NUMBERED: tuple[Callable[[str], bool], ...] = (
    lambda _: True,
    lambda char: not (char.isascii() and char.isalnum()),
    lambda char: char in _SPECIAL_IN_HTML or not char.isascii(),
    lambda char: char in _SPECIAL_IN_HTML,
)
"""Characters as numbers: all; all but letters and digits; those that HTML needs and foreign letters; those alone."""
_HTML: tuple[dict[int, str], ...] = tuple(
    str.maketrans(entities)
    for entities in (
        {"&": "&amp;", "<": "&lt;", ">": "&gt;"},
        {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"},
        {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"},
        {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"},
        {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"},
        {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"},
        {"'": "&#x27;"},
        {"'": "&apos;"},
        {'"': "&#34;"},
    )
)
"""What writers of HTML do; the last three are what is left of it where a reader knew the commonest entities only."""


@lru_cache(maxsize=64)
def spellings(text: str) -> Mapping[str, str]:
    """All spellings of `text`, under stable names, which journals hold: a new encoder comes last. 3 to 25 ms, kept.

    The plain spelling is `plain`; the second of an encoder ends in `-2`.
    """
    named: dict[str, str] = {"plain": text}
    known = {text}

    def add(encoder: str, written: Iterable[str]) -> None:
        fresh = [way for way in dict.fromkeys(written) if way not in known]
        known.update(fresh)
        for number, way in enumerate(fresh, 1):
            named[encoder if number == 1 else f"{encoder}-{number}"] = way

    for encoder, written in chain(_all(text), _rarer(text)):
        add(encoder, written)
    add("quoted", (way for spelled in list(named.values()) for way in in_quotes(spelled)))
    return named


def in_quotes(text: str) -> tuple[str, str]:
    """`text` as it is between the quotes of our own JSON."""
    if _ORDINARY.fullmatch(text):
        return text, text
    return compact(text)[1:-1], json.dumps(text)[1:-1]


def single_line(text: str) -> str:
    """The text on a line, as messages quote it: blanks, line ends and control characters are a blank."""
    return _BLANKS.sub(" ", text).strip()


def as_json(text: str) -> Iterator[str]:
    """`text` inside the quotes of a JSON string, as different writers escape it."""
    if _ORDINARY.fullmatch(text):
        yield text
        return
    for ascii_only in (False, True):
        written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        slashed = written.replace("/", "\\/")
        for_html = "".join(f"\\u{ord(char):04x}" if char in _UNSAFE_IN_HTML else char for char in written)
        quoteless = for_html.replace('\\"', "\\u0022")
        for way in (written, slashed, for_html, quoteless):
            yield way
            yield _ESCAPE.sub(lambda found: "\\u" + found[0][2:].upper(), way)


def _all(text: str) -> Iterator[tuple[str, Iterable[str]]]:
    content = text.encode(errors="surrogatepass")
    in_json = (json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1])
    in_url = (quote(text, safe="", errors="surrogatepass"), quote(text, errors="surrogatepass"))
    yield "json", as_json(text)
    yield "url", _as_url(text)
    yield "html", _as_html(text)
    yield "base64", _as_base64(content)
    yield "hex", (content.hex(), content.hex().upper())
    yield "repr", _as_repr(text)
    yield "json-json", (way for once in in_json for way in as_json(once))
    yield "url-json", (way for once in in_json for way in _as_url(once))
    yield "url-url", (way for once in in_url for way in _as_url(once))
    yield "case", (text.upper(), text.lower())
    yield "trimmed", (text.strip(),)
    yield "reversed", (text[::-1],)
    numbers = ("&#{};", "&#x{:x};", "&#x{:X};")
    yield "html-numbers", (way for digits in numbers for way in _in_numbers(text, digits, _NUMBERED))
    yield "escapes", _as_escapes(text)
    yield "base64-utf-16", _as_base64(text.encode("utf-16-le", errors="surrogatepass"))
    yield "url-whole", _in_percents(content)


def _rarer(text: str) -> Iterator[tuple[str, Iterable[str]]]:
    content = text.encode(errors="surrogatepass")
    in_json = in_quotes(text)
    in_url, in_html = tuple(_as_url(text))[:4], tuple(_as_html(text))
    other_case = text.swapcase(), text.title(), text.capitalize(), text.casefold()
    composed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD"))
    others = tuple(chain(other_case, _misread(content), _doubled(text), composed))
    yield "other", others
    yield "json-other", (way for plain in (text.upper(), text.lower(), *others) for way in in_quotes(plain))
    yield "url-other", (way for plain in (text.upper(), text.lower(), *others) for way in _as_url(plain))
    yield "html-other", (way for plain in (text.upper(), text.lower(), *others) for way in _as_html(plain))
    yield "case-written", (way for plain in (*in_json, *in_url, *in_html) for way in (plain.upper(), plain.lower()))
    yield "html-json", (way for once in in_json for way in _as_html(once))
    yield "html-html", (way for once in in_html for way in _as_html(once))
    yield "url-html", (way for once in in_html for way in _as_url(once))
    yield "json-json-json", (way for once in in_json for twice in in_quotes(once) for way in as_json(twice))
    padded = ("&#{:03};", "&#{:04};", "&#{:05};", "&#x{:04x};", "&#x{:04X};", "&#x{:02X};")
    yield "html-padded", (way for each in padded for way in _in_numbers(text, each, (*_NUMBERED[:2], _NUMBERED[3])))
    yield "html-nbsp", (way.replace(" ", blank) for way in (text, *in_html) for blank in ("&nbsp;", "&#160;", "\xa0"))
    yield "url-escape", _in_old_escapes(text)
    yield "url-latin-1", (quote(text, safe=safe, encoding="cp1252", errors="replace") for safe in _UNTOUCHED)
    yield from _rarer_bytes(text, content)
    yield "line", (single_line(text),)


def _rarer_bytes(text: str, content: bytes) -> Iterator[tuple[str, Iterable[str]]]:
    in_base64 = tuple(_as_base64(content))
    in_utf_16 = [text.encode(order, errors="surrogatepass") for order in ("utf-16-le", "utf-16-be")]
    yield "base64-written", (way for plain in _bytes_of(text) for way in _as_base64(plain))
    yield "url-base64", (way for plain in in_base64 for way in _as_url(plain))
    yield "json-base64", (way for plain in in_base64 for way in as_json(plain))
    yield "base32", (b32encode(content).decode().rstrip("="),)
    yield "hex-apart", _in_hex_apart(content)
    yield "hex-utf-16", (way for plain in in_utf_16 for way in (plain.hex(), plain.hex().upper()))
    yield "bytes", (repr(b'"' + content)[3:-1].replace("\\'", sign) for sign in ("\\'", "'"))
    yield "quoted-printable", (quopri.encodestring(content).decode().rstrip("\n"),)


def _misread(content: bytes) -> Iterator[str]:
    """UTF-8 that was taken for an older encoding, once or twice, and what is left of lost letters."""
    if content.isascii():
        return
    text = content.decode(errors="surrogatepass")
    once = content.decode("latin-1")
    yield once
    yield "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in content)
    yield content.decode("cp1252", "replace")
    yield once.encode().decode("latin-1")
    if sum(char.isascii() for char in text) >= _ENOUGH:
        yield text.encode("ascii", "replace").decode()
        yield text.encode("ascii", "replace").decode().replace("?", "\ufffd")
        yield text.encode("latin-1", "replace").decode(errors="replace")
        yield "".join(char for char in text if char.isascii())


def _doubled(text: str) -> Iterator[str]:
    """The text with doubled quotes, as in CSV, SQL, OData and shells."""
    yield text.replace('"', '""')
    yield text.replace("'", "''")
    yield text.replace("\\", "\\\\")
    yield text.replace("'", "'\\''")
    yield text.replace("'", "'\"'\"'")


def _bytes_of(text: str) -> Iterator[bytes]:
    """What others than the text in UTF-8 are written in base64."""
    for written in (*in_quotes(text), quote(text, safe="", errors="surrogatepass"), text.upper(), text.lower()):
        yield written.encode(errors="surrogatepass")
    yield text.encode("utf-16-be", errors="surrogatepass")
    yield text.encode("cp1252", "replace")
    yield b2a_base64(text.encode(errors="surrogatepass"), newline=False).rstrip(b"=")


def _in_hex_apart(content: bytes) -> Iterator[str]:
    for sign in " :-":
        yield content.hex(sign)
        yield content.hex(sign).upper()
    yield "\\x" + content.hex(" ").replace(" ", "\\x")
    yield "\\x" + content.hex(" ").upper().replace(" ", "\\x")


def _in_old_escapes(text: str) -> Iterator[str]:
    """The text as by JavaScript's `escape`, without UTF-8."""
    for untouched in ("", "@*_+-./"):
        yield "".join(_old_escape(char, untouched) for char in text)


def _old_escape(char: str, untouched: str) -> str:
    if (char.isascii() and char.isalnum()) or char in untouched:
        return char
    return f"%{ord(char):02X}" if ord(char) < _BYTE else f"%u{ord(char):04X}"


def _as_url(text: str) -> Iterator[str]:
    if _ORDINARY.fullmatch(text):
        yield text
        return
    for safe in _UNTOUCHED:
        upper = quote(text, safe=safe, errors="surrogatepass")
        lower = _PERCENT.sub(lambda found: found[0].lower(), upper)
        for way in (upper, lower):
            yield way
            yield way.replace("%20", "+")


def _as_repr(text: str) -> Iterator[str]:
    """Between single quotes, and between double ones, where a single quote needs no backslash."""
    for write in (repr, ascii):
        single = write('"' + text)[2:-1]
        yield single
        yield single.replace("\\'", "'")


def _as_html(text: str) -> Iterator[str]:
    if _ORDINARY.fullmatch(text):
        yield text
        return
    for entities in _HTML:
        written = text.translate(entities)
        yield written
        yield written.encode("ascii", "xmlcharrefreplace").decode()


def _in_numbers(text: str, digits: str, choices: Iterable[Callable[[str], bool]]) -> Iterator[str]:
    """For each choice, with numbers for the characters that it takes."""
    numbers = {char: digits.format(ord(char)) for char in set(text)}
    for takes in choices:
        yield text.translate({ord(char): number for char, number in numbers.items() if takes(char)})


def _as_escapes(text: str) -> Iterator[str]:
    r"""Every character as `\u` and four digits."""
    units = text.encode("utf-16-be", errors="surrogatepass").hex()
    lower = "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
    yield lower
    yield lower.upper().replace("\\U", "\\u")


def _in_percents(content: bytes) -> Iterator[str]:
    """Every byte as in a URL, also those that need it not."""
    digits = content.hex(" ")
    for way in (digits, digits.upper()):
        yield "%" + way.replace(" ", "%") if way else ""


def _as_base64(content: bytes) -> Iterator[str]:
    """Whole, and as it is somewhere inside of longer content: without the characters that its neighbours share."""
    whole = b2a_base64(content, newline=False).decode()
    for way in (whole, whole.rstrip("=")):
        yield way
        yield _url_safe(way)
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        length = (before + len(content)) * 8 // 6
        inner = b2a_base64(bytes(before) + content, newline=False).decode()[shared:length]
        yield inner
        yield _url_safe(inner)


def _url_safe(text: str) -> str:
    return text.translate({ord("+"): "-", ord("/"): "_"})
