"""The records of a target: a site, or a sandbox of doubles.

Texts of a site may hold `{{ env.NAME }}` and `{{ file('PATH') }}`; they are worked out when a run begins, never before.
"""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

from runner.foundation.discreet import Discreet
from runner.foundation.problems import Problem
from runner.service.auth.kind import Credentials
from runner.service.site import CallOptions, Runtime

CLIO: Final = "clio:"
"""How the names of those targets begin that are environments of clio."""

Keys: TypeAlias = tuple[str, ...]
"""A value of a target by its key, and the key within it: `("auth", "password")`."""


class Allow(Struct, frozen=True, kw_only=True):
    """What may be sent at all: names of processes with `*` and `?`, and effects; None allows any.

    `entities` are those whose records may be changed; None allows none.
    """

    processes: tuple[str, ...] | None = None
    effects: tuple[str, ...] | None = None
    entities: tuple[str, ...] | None = None


TOO_SHORT: Final = "a site is ready after two readings, `every` apart, and `for` is too short for them"
TOO_SHORT_HINT: Final = "let `for` be longer than `every`: `for: 10m`, `every: 5s`"


class Readiness(Struct, frozen=True, kw_only=True):
    """How a site is waited for: up to `longest` seconds, asked `every` so many, until it is as the `catalogue` says."""

    longest: float = 600.0
    every: float = 5.0
    catalogue: Path | None = None


class Times(Struct, frozen=True, kw_only=True, rename={"timeout": "attempt"}):
    """What the engine measures by, in seconds; it is stored with a run, so that the run is resumed with it.

    `timeout` is of an attempt where neither step nor job says any; `settle` from a call in doubt to the last of the
    readings that look for it.
    """

    timeout: float = 100.0
    settle: float = 15.0


class SiteTarget(Discreet, frozen=True, kw_only=True):
    """`calls` is for the client, `times` for the engine. `beside` is where a relative `ca_file` lies.

    `plain_http`: it may be called without TLS. With `ready` the site is waited for before the first call of a run.
    Made ready, a site with an OAuth client has its `identity_url`, and in `read` what the templates of its secret keys
    have read from the environment and files. `headers` are pairs. `placed` gives a problem with the value of a key, by
    its path in the target, the place where that is written; None where it is in no file.
    """

    NOT_SHOWN: ClassVar = frozenset({"proxy", "headers", "read", "placed"})
    NOT_COMPARED: ClassVar = frozenset({"placed"})

    name: str
    url: str
    runtime: Runtime = Runtime.NET_FRAMEWORK
    calls: CallOptions = CallOptions()
    times: Times = Times()
    auth: Credentials | None = None
    identity_url: str | None = None
    ca_file: str | None = None
    proxy: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    read: tuple[str, ...] = ()
    protected: bool = False
    plain_http: bool = False
    allow: Allow | None = None
    ready: Readiness | None = None
    beside: Path = Path()
    placed: Callable[[Problem, Keys], Problem] | None = None


class SandboxTarget(Discreet, frozen=True, kw_only=True):
    """`folder` holds the doubles, `*.process.yaml`; relative to the current folder, or absolute.

    `written_in` is the targets file that names it, None where none does. The rest is as in a site.
    """

    NOT_SHOWN: ClassVar = frozenset({"written_in"})
    NOT_COMPARED: ClassVar = frozenset({"written_in"})

    name: str
    folder: Path
    runtime: Runtime = Runtime.NET_FRAMEWORK
    calls: CallOptions = CallOptions()
    times: Times = Times()
    protected: bool = False
    allow: Allow | None = None
    written_in: str | None = None


Target: TypeAlias = SiteTarget | SandboxTarget
