"""What no schema says of the file of a catalogue: whose catalogue it is."""

from urllib.parse import urlsplit

from runner.foundation.problems import Problem, Severity
from runner.foundation.raw import record, text
from runner.reading.document import Document


def another_site(document: Document, url: str) -> Problem | None:
    site = text(record(document.data), "site")
    if site is None or "{{" in url or "://" not in site or _place(site) == _place(url):
        return None
    message = f"this is the catalogue of {site}, and the site of the target is {url}"
    hint = "run `runner catalog pull`: a copied file is still of the site that it comes from"
    return document.problem("E107", message, path=("site",), hint=hint, severity=Severity.WARNING)


def _place(url: str) -> tuple[str, int | None, str]:
    """Host, port and path, as far as two sites differ in them."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        return (parts.hostname or "").casefold(), port, parts.path.rstrip("/").removesuffix("/0")
    except ValueError:
        return url, None, ""
