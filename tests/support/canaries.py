"""Secrets that tests look for, in every way in which they may be written.

The spellings are made here by the standard library, and not by the code that looks for them.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote


def spelled(secret: str) -> dict[str, str]:
    """The ways in which issue 4 promises that a secret is not left."""
    (in_json, in_ascii), content = as_json(secret), secret.encode()
    return {
        "plain": secret,
        "json": in_json,
        "json in ascii": in_ascii,
        "url": quote(secret, safe=""),
        "url with a plus": quote_plus(secret),
        "html": html.escape(secret),
        "hex": content.hex(),
        "json in json": as_json(in_json)[0],
        "json in json in ascii": as_json(in_ascii)[1],
        "repr": repr("\"'" + secret)[4:-1],
        **{f"base64 after {shift}": aligned(content, shift) for shift in range(3)},
        **{f"base64url after {shift}": aligned(content, shift).translate(URL_SAFE) for shift in range(3)},
    }


def as_json(text: str) -> tuple[str, str]:
    return json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]


URL_SAFE = {ord("+"): "-", ord("/"): "_"}


def aligned(content: bytes, shift: int) -> str:
    """What base64 makes of it behind `shift` other bytes, but for the characters that it shares with others."""
    text = base64.b64encode(bytes(shift) + content).decode()
    return text[-(-shift * 8 // 6) : (shift + len(content)) * 8 // 6]


def left(text: str, secrets: list[str]) -> list[str]:
    """The spellings of `secrets` that are in `text`, as they are or inside of its JSON."""
    return [
        f"{way} of {secret!r}"
        for secret in secrets
        for way, written in spelled(secret).items()
        if any(
            form in text for form in (written, json.dumps(written)[1:-1], json.dumps(written, ensure_ascii=False)[1:-1])
        )
    ]


def read_back(text: str) -> Iterator[str]:
    """The text as it is, and as a reader of its format has it: of HTML, JSON, URLs and commands to a CI."""
    yield text
    yield html.unescape(text)
    yield unquote(text)
    yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


def found_in(text: str, secrets: Iterable[str]) -> list[str]:
    """The spellings of `secrets` that a reader of `text` may find."""
    known = list(secrets)
    return sorted({spelling for form in read_back(text) for spelling in left(form, known)})
