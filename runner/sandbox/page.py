"""The page that a browser shows, as a single document. Texts are escaped, and only the page's script may run."""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from runner.foundation.sentences import shortened
from runner.foundation.values import EMPTY_GUID, Json, JsonObject, read_json, write_json

_FOLDER: Final = Path(__file__).parent / "page_files"
_LONGEST_VALUE: Final = 60
_POLICY: Final = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def page(seen: Mapping[str, object]) -> Response:
    """`seen` holds what is shown, by its name in the templates."""
    return _sent(
        _environment().get_template("page.html.j2").render(seen, style=_text("page.css"), script=_text("page.js"))
    )


def live(seen: Mapping[str, object]) -> Response:
    """The part of the page that changes while it is shown. It runs and styles nothing."""
    return _sent(_environment().get_template("live.html.j2").render(seen))


def _sent(html: str) -> Response:
    headers = {
        "Content-Security-Policy": _policy(),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return HTMLResponse(html, headers=headers)


@lru_cache(maxsize=1)
def _policy() -> str:
    return _POLICY.format(style=_hash(_text("page.css")), script=_hash(_text("page.js")))


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@lru_cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"json": write_json, "indented": _indented, "short": _short, "holding": _holding}
    return environment


def _indented(text: str) -> str:
    """JSON over several lines; any other text as it is."""
    try:
        return json.dumps(read_json(text.encode()), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _short(value: Json) -> str:
    if isinstance(value, list):
        return "1 record" if len(value) == 1 else f"{len(value)} records"
    return shortened(write_json(value), _LONGEST_VALUE)


def _holding(values: JsonObject) -> JsonObject:
    return {name: value for name, value in values.items() if value not in ("", [], EMPTY_GUID, None)}
