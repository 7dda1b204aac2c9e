"""A site and how it is reached; a request to it and its reply, before anybody knows what they mean."""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from runner.foundation.discreet import Discreet
from runner.foundation.values import Json, compact, well_formed
from runner.version import VERSION

Headers: TypeAlias = tuple[tuple[str, str], ...]

COMMON_HEADERS: Final[Headers] = (
    ("Accept", "application/json, application/xml;q=0.9, */*;q=0.8"),
    # 300 KB of gzip once became 64 MiB in a single read; an answer of ours is rarely worth the packing.
    ("Accept-Encoding", "identity"),
    # Execute is a GET with side effects: a cache that answers it would hide that nothing ran.
    ("Cache-Control", "no-store"),
    ("User-Agent", f"creatio-runner/{VERSION}"),
)


class Runtime(StrEnum):
    """Which prefix a site's services have: `/0` on .NET Framework, none on .NET [D]."""

    NET_FRAMEWORK = "net-framework"
    NET = "net"


class ElementIdPlace(StrEnum):
    """Where ExecProcElByUId takes its id: as documented in the path [D], or in the query [C]."""

    PATH = "path"
    QUERY = "query"


class ExecuteMethod(StrEnum):
    GET = "get"
    POST = "post"


class CallOptions(Struct, frozen=True, kw_only=True):
    """How calls are sent. `timeout` bounds a sign-in, in seconds; `rate` is in calls a second."""

    element_call: ElementIdPlace = ElementIdPlace.PATH
    execute_method: ExecuteMethod = ExecuteMethod.GET
    timeout: float | None = None
    rate: float | None = None


PREFIXES: Final = {Runtime.NET_FRAMEWORK: "/0", Runtime.NET: ""}


class Site(Discreet, frozen=True, kw_only=True):
    """Where calls go, and how they get there."""

    NOT_SHOWN: ClassVar = frozenset({"headers", "authorities", "proxy"})

    url: str  # its root
    prefix: str = "/0"  # `/0` on .NET Framework, nothing on .NET [D]
    calls: CallOptions = CallOptions()
    identity_url: str | None = None  # where tokens come from
    headers: Headers = ()  # added to every call
    authorities: str | None = None  # certificates in PEM that are trusted, too
    proxy: str | None = None  # its URL

    @property
    def name(self) -> str:
        """Host and port, for sentences: never what else a `url` may hold, such as a password."""
        try:
            return urlsplit(self.url).netloc.rpartition("@")[2] or "the site"
        except ValueError:
            return "the site"


class Request(Struct, frozen=True, kw_only=True):
    """`path` is path and query below the site's root, encoded. An empty `body` has a length, None has none."""

    method: str
    path: str
    headers: Headers = COMMON_HEADERS
    body: bytes | None = None


class Reply(Struct, frozen=True, kw_only=True):
    """Names of `headers` are in lower case; `cookies` are the lines of Set-Cookie, which cannot be joined."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


def json_request(path: str, body: Json, *, method: str = "POST") -> Request:
    headers = (*COMMON_HEADERS, ("Content-Type", "application/json"))
    return Request(method=method, path=path, headers=headers, body=well_formed(compact(body)).encode())
