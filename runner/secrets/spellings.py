"""The ways in which a text comes back when others have written it: as JSON, in a URL, in HTML, in base64, …

What cannot be known is not tried: a hash of a text, a compressed or an encrypted one, a part of it.
"""

import json
import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from urllib.parse import quote

_UNTOUCHED = ("", "/", "!*()", "!*'()", ";,/?:@&=+$!*'()#")
"""What encoders of URLs leave alone: Python's and .NET's, Jinja's, HttpUtility's, JavaScript's two."""
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_ESCAPE = re.compile(r"\\u[0-9a-f]{4}")
_UNSAFE_IN_HTML = "<>&'+`"
_SPECIAL_IN_HTML = "<>&'\"/`="
_HTML: tuple[dict[str, str], ...] = (
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
"""What writers of HTML do; the last three are what is left of it where a reader knew the commonest entities only."""


def spellings(text: str) -> dict[str, str]:
    """All spellings of `text`, each once, under a name that stays the same for the same text.

    The plain one is called `plain`; the first of an encoder bears its name, the second ends in `-2`, and so on.
    """
    named: dict[str, str] = {"plain": text}
    known = {text}
    for encoder, written in _all(text):
        fresh = [way for way in dict.fromkeys(written) if way not in known]
        known.update(fresh)
        for number, way in enumerate(fresh, 1):
            named[encoder if number == 1 else f"{encoder}-{number}"] = way
    return named


def as_json(text: str) -> Iterator[str]:
    """`text` inside the quotes of a JSON string, as different writers escape it."""
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
    yield "html-numbers", _in_html_numbers(text)
    yield "escapes", _as_escapes(text)
    yield "base64-utf-16", _as_base64(text.encode("utf-16-le", errors="surrogatepass"))
    yield "url-whole", _in_percents(content)


def _as_url(text: str) -> Iterator[str]:
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
    for entities in _HTML:
        written = "".join(entities.get(char, char) for char in text)
        yield written
        yield written.encode("ascii", "xmlcharrefreplace").decode()


def _in_html_numbers(text: str) -> Iterator[str]:
    """With numbers for all characters, for all but letters and digits, or for those alone that HTML itself needs."""
    for digits in ("&#{};", "&#x{:x};", "&#x{:X};"):
        numbers = {char: digits.format(ord(char)) for char in text}
        yield "".join(numbers[char] for char in text)
        yield "".join(char if char.isascii() and char.isalnum() else numbers[char] for char in text)
        yield "".join(numbers[char] if char in _SPECIAL_IN_HTML or not char.isascii() else char for char in text)
        yield "".join(numbers[char] if char in _SPECIAL_IN_HTML else char for char in text)


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
    """Whole, and as it stands somewhere inside of longer content: without the characters that its neighbours share."""
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
