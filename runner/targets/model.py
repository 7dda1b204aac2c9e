"""The records of a target: a site or a sandbox. Templates, `{{ env.NAME }}`, are evaluated when a run begins."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

from runner.foundation.discreet import Discreet
from runner.foundation.problems import Problem
from runner.service.auth import Credentials
from runner.service.site import CallOptions, Runtime

CLIO: Final = "clio:"  # how the names of those targets begin that are environments of clio

Keys: TypeAlias = tuple[str, ...]  # a value of a target by its key, and the key within it: `("auth", "password")`


class Allow(Struct, frozen=True, kw_only=True):
    """What may be sent at all; None allows any."""

    processes: tuple[str, ...] | None = None  # names with `*` and `?`
    effects: tuple[str, ...] | None = None
    entities: tuple[str, ...] | None = None  # whose records may be changed; None: none


TOO_SHORT: Final = "a site is ready after two readings, `every` apart, and `for` is too short for them"
TOO_SHORT_HINT: Final = "let `for` be longer than `every`: `for: 10m`, `every: 5s`"


class Readiness(Struct, frozen=True, kw_only=True):
    """How a site is waited for: up to `longest` seconds, asked `every` so many, until it is as the `catalogue` says."""

    longest: float = 600.0
    every: float = 5.0
    catalogue: Path | None = None


class Times(Struct, frozen=True, kw_only=True, rename={"timeout": "attempt"}):
    """What the engine measures by, in seconds, stored with a run."""

    timeout: float = 100.0  # of an attempt, by default
    settle: float = 15.0  # of the readings that look for a call in doubt


class SiteTarget(Discreet, frozen=True, kw_only=True):
    """A site, in its file or made ready."""

    NOT_SHOWN: ClassVar = frozenset({"proxy", "headers", "read", "placed"})
    NOT_COMPARED: ClassVar = frozenset({"placed"})

    name: str
    url: str
    runtime: Runtime = Runtime.NET_FRAMEWORK
    calls: CallOptions = CallOptions()
    times: Times = Times()
    auth: Credentials | None = None
    identity_url: str | None = None  # filled in when made ready
    ca_file: str | None = None
    proxy: str | None = None
    headers: tuple[tuple[str, str], ...] = ()  # pairs
    read: tuple[str, ...] = ()  # what templates of secret keys gave
    protected: bool = False
    plain_http: bool = False  # it may be called without TLS
    allow: Allow | None = None
    ready: Readiness | None = None  # it is waited for before the first call
    beside: Path = Path()  # the folder of a relative `ca_file`
    placed: Callable[[Problem, Keys], Problem] | None = None  # gives a problem the place of a key, if it is in a file


class SandboxTarget(Discreet, frozen=True, kw_only=True):
    """A sandbox; the rest is as in a site."""

    NOT_SHOWN: ClassVar = frozenset({"written_in"})
    NOT_COMPARED: ClassVar = frozenset({"written_in"})

    name: str
    folder: Path  # of the doubles
    runtime: Runtime = Runtime.NET_FRAMEWORK
    calls: CallOptions = CallOptions()
    times: Times = Times()
    protected: bool = False
    allow: Allow | None = None
    written_in: str | None = None  # the targets file that names it


Target: TypeAlias = SiteTarget | SandboxTarget
