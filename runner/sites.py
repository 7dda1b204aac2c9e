"""The sites of one command: each target made ready once, its sandbox started, its client shared by all runs.

A target that cannot be made ready is a mistake of the user, told before anything is sent.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from runner.events import TargetName
from runner.problems import UsageError
from runner.secrets.redact import Secrets
from runner.service.client import Client
from runner.service.wire import Site, site_of
from runner.targets.model import Password, SandboxTarget, SiteTarget, Target
from runner.targets.resolve import resolve

Serve = Callable[[Path], AbstractContextManager[str]]
"""Serves a folder of doubles as long as the context lasts; gives its URL."""

_SANDBOX_USER = Password(username="Supervisor", password="Supervisor")  # noqa: S106  the stand-in's only user


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadySite:
    """A site that calls can be made to. `credentials` are texts that no event may hold."""

    name: TargetName
    client: Client
    credentials: Password | None = None

    def hide_in(self, secrets: Secrets) -> None:
        if self.credentials is not None:
            secrets.add("target.username", self.credentials.username)
            secrets.add("target.password", self.credentials.password)


@dataclass(slots=True, kw_only=True)
class Sites:
    """Ready sites by the target they are; closed together."""

    serve: Serve
    environment: Mapping[str, str]
    read_file: Callable[[str], str]
    _ready: dict[Target, ReadySite] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def of(self, target: Target) -> ReadySite:
        """The site of a target. Raises `UsageError` where it cannot be made ready."""
        if target not in self._ready:
            self._ready[target] = self._made_ready(target)
        return self._ready[target]

    def _made_ready(self, target: Target) -> ReadySite:
        match target:
            case SandboxTarget():
                url = self._open.enter_context(self.serve(target.folder))
                return self._site(Site(url=url), target.name, credentials=_SANDBOX_USER, sandbox=True)
            case SiteTarget():
                ready = resolve(target, environment=self.environment, read_file=self.read_file)
                if isinstance(ready, tuple):
                    raise UsageError(*ready)
                return self._site(site_of(ready), target.name, credentials=ready.auth, sandbox=False)

    def _site(self, site: Site, name: str, *, credentials: Password | None, sandbox: bool) -> ReadySite:
        client = Client(site, password=credentials)
        self._open.callback(client.close)
        target = TargetName(name=name, url=site.url, sandbox=sandbox)
        return ReadySite(name=target, client=client, credentials=None if sandbox else credentials)
