"""What of a site must not be seen: all under `auth`, `headers` and `proxy`, and what is made of it on the wire."""

from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from runner.targets.model import ClientCredentials, Password, SiteTarget


def secret_texts(site: SiteTarget) -> Iterator[tuple[str, str]]:
    """Where each stands in its target, and the text, of a site that was made ready. A token is learnt later only, from
    the identity service.
    """
    match site.auth:
        case Password(username=username, password=password):
            yield "target.auth.username", username
            yield "target.auth.password", password
        case ClientCredentials(client_id=client_id, client_secret=client_secret):
            yield "target.auth.client_id", client_id
            yield "target.auth.client_secret", client_secret
        case None:
            pass
    for name, value in site.headers:
        yield f"target.headers.{name}", value
        if name.lower() == "authorization":  # also what comes behind the word `Bearer` or `Basic`
            yield f"target.headers.{name}", value.partition(" ")[2].strip()
    if site.proxy is not None:
        yield from _of_proxy(site.proxy)


def _of_proxy(url: str) -> Iterator[tuple[str, str]]:
    parts = urlsplit(url)
    username, password = parts.username or "", parts.password or ""
    yield "target.proxy", url
    yield "target.proxy", parts.netloc.rpartition("@")[0]
    for text in (username, unquote(username)):
        yield "target.proxy.username", text
    for text in (password, unquote(password)):
        yield "target.proxy.password", text
    named = f"{unquote(username)}:{unquote(password)}"
    yield "target.proxy.authorization", b64encode(named.encode()).decode() if username else ""
