"""The sandbox's page: what it holds right now, drawn by the server, and drawn again every second while it is shown.

One file without anything from outside. Texts of processes, callers and files are escaped by the template, and
the policy that is sent along lets nothing run but the page's own script.
"""

from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from starlette.responses import HTMLResponse, Response

from runner.foundation.json_text import write_json
from runner.foundation.values import JsonObject

_FILE = Path(__file__).with_name("page.html.j2")
_POLICY = (
    "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


def page(seen: JsonObject, *, nonce: str) -> Response:
    """`seen` holds what is shown, by its name in the template. `nonce` must be another one each time."""
    return _sent(_template().render(seen, nonce=nonce), nonce=nonce)


def live(seen: JsonObject, *, nonce: str) -> Response:
    """The part of the page that changes while it is shown. It runs and styles nothing."""
    template = _template()
    return _sent("".join(template.blocks["live"](template.new_context(seen))), nonce=nonce)


def _sent(html: str, *, nonce: str) -> Response:
    headers = {
        "Content-Security-Policy": _POLICY.format(nonce),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["json"] = write_json
    return environment.from_string(_FILE.read_text(encoding="utf-8"))
