"""What a schema cannot say of a catalogue's file: ids of elements, columns, and whose catalogue it is."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from runner.foundation.guids import is_guid
from runner.foundation.problems import Problem, Severity
from runner.foundation.raw import record, text
from runner.foundation.values import JsonObject, Path
from runner.reading.document import Document

_MAY_HAVE_ITEMS = ("records", "unknown")


def check(document: Document) -> tuple[Problem, ...]:
    """What is wrong with the processes of a document that has the shape of a catalogue."""
    processes = record(record(document.data).get("processes"))
    return tuple(
        problem
        for code, written in processes.items()
        for problem in _process(document, record(written), ("processes", code))
    )


def another_site(document: Document, url: str) -> Problem | None:
    """A warning where the catalogue is of another site than its target."""
    site = text(record(document.data), "site")
    if site is None or "{{" in url or "://" not in site or _place(site) == _place(url):
        return None
    message = f"this is the catalogue of {site}, and the site of the target is {url}"
    hint = "run `runner catalog pull`: a copied file is still of the site that it comes from"
    return document.problem("E107", message, path=("site",), hint=hint, severity=Severity.WARNING)


def _process(document: Document, written: JsonObject, path: Path) -> Iterator[Problem]:
    for code, parameter in record(written.get("parameters")).items():
        fields = record(parameter)
        if "items" in fields and fields.get("type") not in _MAY_HAVE_ITEMS:
            at = (*path, "parameters", code, "items")
            hint = "write `items` for `type: records` only"
            yield document.problem("E107", "`items` is not allowed here", path=at, at_key=True, hint=hint)
    for uid in record(written.get("elements")):
        if not is_guid(uid):
            hint = "write the id as the key, and the name after `name`"
            at = (*path, "elements", uid)
            yield document.problem("E113", f"`{uid}` is not a GUID", path=at, at_key=True, hint=hint)


def _place(url: str) -> tuple[str, int | None, str]:
    """Host, port and path, as far as two sites differ in them."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        return (parts.hostname or "").casefold(), port, parts.path.rstrip("/").removesuffix("/0")
    except ValueError:
        return url, None, ""
