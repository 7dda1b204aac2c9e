"""The ways in which a secret comes back, written by the standard library: none is left, as it is or as we quote it."""

import base64
import binascii
import csv
import html
import io
import itertools
import json
import quopri
import shlex
import string
import unicodedata
from collections.abc import Callable
from functools import cache
from urllib.parse import quote, quote_plus

import pytest

from runner.secrets.redact import Secrets
from runner.secrets.shown import hide

Write = Callable[[str], str]


def in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def in_ascii(text: str) -> str:
    return json.dumps(text)[1:-1]


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def inside(content: bytes, *, shift: int) -> str:
    """What is left of content in base64 behind `shift` other bytes, with others after it."""
    return b64(b"\1" * shift + content + b"\2\2\2")


def numbers(pattern: str) -> Write:
    return lambda text: "".join(pattern.format(ord(char)) for char in text)


def as_csv(text: str) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([text, "x"])
    return written.getvalue()


def units(text: str, pattern: str) -> str:
    found = text.encode("utf-16-be").hex()
    return "".join(pattern.format(found[at : at + 4]) for at in range(0, len(found), 4))


WAYS: dict[str, Write] = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "in the other case": str.swapcase,
    "as a title": str.title,
    "as a sentence": str.capitalize,
    "case folded": str.casefold,
    "backwards": lambda text: text[::-1],
    "trimmed": str.strip,
    "JSON": in_json,
    "JSON in ASCII": in_ascii,
    "JSON with slashes": lambda text: in_json(text).replace("/", "\\/"),
    "JSON twice": lambda text: in_json(in_json(text)),
    "JSON in ASCII twice": lambda text: in_ascii(in_ascii(text)),
    "JSON thrice": lambda text: in_json(in_json(in_json(text))),
    "JSON in ASCII thrice": lambda text: in_ascii(in_ascii(in_ascii(text))),
    "JSON of capitals": lambda text: in_json(text.upper()),
    "JSON of HTML": lambda text: in_json(html.escape(text)),
    "JSON of a URL": lambda text: in_json(quote(text)),
    "JSON of base64": lambda text: in_json(b64(text.encode())).replace("/", "\\/"),
    "JSON in capitals": lambda text: in_json(text).upper(),
    "JSON in small letters": lambda text: in_json(text).lower(),
    "URL": lambda text: quote(text, safe=""),
    "URL in small letters": lambda text: quote(text, safe="").lower(),
    "URL in capitals": lambda text: quote(text, safe="").upper(),
    "URL with a plus": quote_plus,
    "URL with its slash": quote,
    "URL twice": lambda text: quote(quote(text, safe=""), safe=""),
    "URL of JSON": lambda text: quote(in_json(text), safe=""),
    "URL of JSON in ASCII": lambda text: quote(in_ascii(text), safe=""),
    "URL of base64": lambda text: quote(b64(text.encode()), safe=""),
    "URL of base64 in small digits": lambda text: (
        quote(b64(text.encode()), safe="").replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")
    ),
    "URL of HTML": lambda text: quote(html.escape(text), safe=""),
    "URL with all in percents": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "URL of JavaScript's escape": lambda text: "".join(
        char if char.isascii() and char.isalnum() else f"%{ord(char):02X}" if ord(char) < 256 else f"%u{ord(char):04X}"
        for char in text
    ),
    "URL of latin-1": lambda text: quote(text, safe="", encoding="latin-1", errors="replace"),
    "HTML": html.escape,
    "HTML without quotes": lambda text: html.escape(text, quote=False),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "HTML of capitals": lambda text: html.escape(text.upper()),
    "HTML of small letters": lambda text: html.escape(text.lower()),
    "HTML in ASCII": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "HTML of JSON": lambda text: html.escape(in_json(text)),
    "HTML of JSON in ASCII": lambda text: html.escape(in_ascii(text)),
    "HTML in numbers": numbers("&#{};"),
    "HTML in padded numbers": numbers("&#{:03};"),
    "HTML in digits of sixteen": numbers("&#x{:x};"),
    "HTML in padded digits of sixteen": numbers("&#x{:04X};"),
    "HTML with blanks that do not break": lambda text: html.escape(text).replace(" ", "&nbsp;"),
    "base64": lambda text: b64(text.encode()),
    "base64 after one": lambda text: inside(text.encode(), shift=1),
    "base64 after two": lambda text: inside(text.encode(), shift=2),
    "base64 after three": lambda text: inside(text.encode(), shift=3),
    "base64 of URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of URLs after one": lambda text: base64.urlsafe_b64encode(b"\1" + text.encode() + b"\2").decode(),
    "base64 of JSON": lambda text: b64(json.dumps({"token": text}, ensure_ascii=False).encode()),
    "base64 of JSON in ASCII": lambda text: b64(json.dumps({"token": text}).encode()),
    "base64 of a URL": lambda text: b64(f"token={quote(text, safe='')}".encode()),
    "base64 of UTF-16": lambda text: b64(text.encode("utf-16-le")),
    "base64 of UTF-16 with a mark": lambda text: b64(text.encode("utf-16")),
    "base64 of UTF-16, the other way": lambda text: b64(text.encode("utf-16-be")),
    "base64 of latin-1": lambda text: b64(text.encode("cp1252", "replace")),
    "base64 of capitals": lambda text: b64(text.upper().encode()),
    "base64 twice": lambda text: b64(b64(text.encode()).encode()),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex in capitals": lambda text: text.encode().hex().upper(),
    "hex with blanks": lambda text: text.encode().hex(" "),
    "hex with colons": lambda text: text.encode().hex(":").upper(),
    "hex with dashes": lambda text: text.encode().hex("-").upper(),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex(),
    "bytes with a backslash": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "bytes of Python": lambda text: repr(text.encode())[2:-1],
    "escapes": lambda text: units(text, "\\u{}"),
    "escapes in capitals": lambda text: units(text, "\\u{}").upper().replace("\\U", "\\u"),
    "Python": lambda text: repr('"' + text)[2:-1],
    "Python in ASCII": lambda text: ascii('"' + text)[2:-1],
    "a cell of CSV": as_csv,
    "SQL and OData": lambda text: text.replace("'", "''"),
    "SQL of a URL": lambda text: quote(text.replace("'", "''"), safe=""),
    "a shell": shlex.quote,
    "backslashes doubled": lambda text: text.replace("\\", "\\\\"),
    "UTF-8 read as latin-1": lambda text: text.encode().decode("latin-1"),
    "UTF-8 read as cp1252": lambda text: (
        text.encode().decode("cp1252", "replace")
        if "\ufffd" not in text.encode().decode("cp1252", "replace")
        else text.encode().decode("latin-1")
    ),
    "UTF-8 read as latin-1, in JSON": lambda text: in_ascii(text.encode().decode("latin-1")),
    "UTF-8 read as latin-1 twice": lambda text: text.encode().decode("latin-1").encode().decode("latin-1"),
    "latin-1 read as UTF-8": lambda text: text.encode("latin-1", "replace").decode(errors="replace"),
    "written in ASCII with question marks": lambda text: text.encode("ascii", "replace").decode(),
    "composed": lambda text: unicodedata.normalize("NFC", text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode(),
}
SECRETS = {
    "signs": "pä ss/w\\o+rd'<\"1&>?",
    "letters": "Swordfish-42_x.Y",
    "a token": "Q7f9Zk2m8sPl/x+41Ab==",
}
QUOTED: dict[str, Write] = {"": str, " in JSON": in_json, " in JSON in ASCII": in_ascii}


@cache
def known(secret: str) -> Secrets:
    secrets = Secrets()
    secrets.add("inputs.token", secret)
    return secrets


@pytest.mark.parametrize("way", WAYS)
def test_no_spelling_of_a_secret_is_left_as_it_is_or_as_we_quote_it(way: str) -> None:
    for name, quoted in itertools.product(SECRETS, QUOTED):
        secrets = known(SECRETS[name])
        text = f"({QUOTED[quoted](WAYS[way](SECRETS[name]))})"
        cut = secrets.cut(text)
        assert secrets.fill(cut) == text, (name, quoted)
        first, *rest = str(hide(cut)).split("***")
        most = 22 if way.startswith(("base64 of JSON", "base64 of a URL")) else 10
        assert rest, (name, quoted)
        assert max(map(len, (first, *rest))) <= most, (name, quoted)


def test_a_secret_of_letters_and_one_sign_is_left_in_no_spelling() -> None:
    for sign in string.punctuation + " ":
        secrets, secret = Secrets(), f"letters{sign}and{sign}9"
        secrets.add("inputs.token", secret)
        written = {way: write(secret) for way, write in WAYS.items()}
        assert [way for way, text in written.items() if not secrets.appears_in(f"({text})")] == [], sign


def test_a_secret_of_several_lines_is_found_on_one_line_and_where_its_first_line_was_taken() -> None:
    secrets = Secrets()
    secrets.add("key", "-----first-line\n second  line-----\n")
    assert secrets.mask("bad key: -----first-line second line----- here") == "bad key: *** here"
    assert secrets.mask("bad key: -----first-line… here") == "bad key: ***… here"


def test_an_expectation_hides_in_its_message_what_is_hidden_in_the_result() -> None:
    secret = SECRETS["signs"]
    secrets = known(secret)
    for write in WAYS.values():
        result = write(secret)
        message = f"result is {json.dumps(result, ensure_ascii=False)}"
        event = json.dumps({"result": result, "message": message})
        assert secrets.appears_in(event)


def test_the_names_of_spellings_that_a_journal_may_hold_stay() -> None:
    secrets = known("pä ss/w+rd'<\"1&>")
    for name, written in {
        "json": "pä ss/w+rd'<\\\"1&>",
        "url": "p%C3%A4%20ss%2Fw%2Brd%27%3C%221%26%3E",
        "html": "pä ss/w+rd'&lt;\"1&amp;&gt;",
        "base64": "cMOkIHNzL3crcmQnPCIxJj4=",
        "hex": binascii.hexlify("pä ss/w+rd'<\"1&>".encode()).decode(),
        "html-numbers": "".join(f"&#{ord(char)};" for char in "pä ss/w+rd'<\"1&>"),
    }.items():
        assert secrets.fill(f"\ue000[inputs.token|{name}]") == written
