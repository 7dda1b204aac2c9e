"""The sites of a command: each target made ready once, with a client for all runs; mistakes are reported first.

Its sandboxes, too. The web server is imported only for these: 79 ms.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from weakref import WeakSet

from msgspec import Struct, field

from runner.foundation.problems import Problem, UsageError
from runner.foundation.site_key import account_key, site_key
from runner.reading.files import read_text
from runner.runs.events import RunStatus, TargetName
from runner.runs.evidence import SiteAccess
from runner.runs.result import RunResult
from runner.runs.store import LocalRunStore
from runner.runs.stored_runs import prepare_store
from runner.sandbox.veil import Veil
from runner.secrets.redact import Secrets
from runner.service.access import OnSecret, OwnSignIns, SignIns
from runner.service.auth import PASSWORD, Credentials
from runner.service.client import Client, pace_of
from runner.service.gate import SitePace
from runner.service.site import PREFIXES, Site
from runner.targets.model import SandboxTarget, SiteTarget, Target
from runner.targets.resolve import read_authorities, resolve, secret_texts, site_of


def serve_sandbox(
    folder: Path, *, data: Callable[[str], Path] | None = None, veil: Veil | None = None
) -> AbstractContextManager[str]:
    """Serve the folder as long as the context lasts; it gives the URL. Without `data` it forgets what happened."""
    from runner.sandbox.server import served  # noqa: PLC0415  200 ms, for whoever has a sandbox

    return served(folder, data=data, veil=veil, has_page=False)  # a shared machine has other users


class Sandboxes:
    """The sandboxes of a command that carries runs out; what happens there is stored until its runs are settled.

    Secrets are not stored (`runner.sandbox.veil`). `resumed` is the URL at which a resumed run began.
    """

    def __init__(self, store: LocalRunStore, *, resumed: str | None = None) -> None:
        self._store = store
        self._resumed = resumed
        self._files: list[Path] = []
        self._learnt: list[tuple[str, str]] = []
        self._learners: list[Callable[[str, str], object]] = []
        self._lock = threading.Lock()

    def serve(self, folder: Path) -> AbstractContextManager[str]:
        """Serve the folder as long as the context lasts; it gives the URL. Raises `UsageError`."""
        prepare_store(self._store)
        veil = Veil()
        with self._lock:
            self._learners.append(veil.learn)
            for name, text in self._learnt:
                veil.learn(name, text)
        return serve_sandbox(folder, data=self._file, veil=veil)

    def learn(self, name: str, text: str) -> None:
        """Take a secret of a run: no file shall hold it."""
        with self._lock:
            self._learnt.append((name, text))
            for learn in self._learners:
                learn(name, text)

    def forget(self, results: Sequence[RunResult]) -> None:
        """Delete what is stored, if nothing is left to do about the runs."""
        if all(result.finished and result.status is not RunStatus.UNKNOWN for result in results):
            for file in self._files:
                self._store.delete_sandbox(file)

    def _file(self, url: str) -> Path:
        """The file of the sandbox at `url`: that of the resumed run, if it is there, or a new file."""
        earlier = None if self._resumed is None else _port(self._resumed)
        file = self._store.sandbox_file(_port(url), earlier=earlier)
        self._files.append(file)
        return file


def _port(url: str) -> int:
    return urlsplit(url).port or 0


Serve = Callable[[Path], AbstractContextManager[str]]
"""Serves a folder of doubles as long as the context lasts; gives its URL."""

_SANDBOX_USER = PASSWORD.credentials(username="Supervisor", password="Supervisor")  # noqa: S106  its only user

_NEWEST = 8  # values of a cookie that are searched: some gateways send another with each answer, and each costs time
_LEARNT = 100  # texts that a run which begins later gets


class Hidden:
    """The texts of a site that no event may hold, with later tokens; all of its runs are informed."""

    def __init__(self, texts: Iterable[tuple[str, str]] = ()) -> None:
        self._texts = list(texts)
        self._learnt: list[tuple[str, str]] = []
        self._informed = WeakSet[Secrets]()
        self._lock = threading.Lock()

    def add(self, name: str, text: str) -> None:
        """Learn a text that the site may replace by another of the same name, with each answer if it likes."""
        with self._lock:
            if (name, text) in self._learnt:
                return
            self._learnt.append((name, text))
            del self._learnt[:-_LEARNT]
            for secrets in self._informed:
                secrets.add(name, text, newest=_NEWEST)

    def inform(self, secrets: Secrets) -> None:
        """Let `secrets` know all texts, now and whenever another is learnt."""
        with self._lock:
            self._informed.add(secrets)
            for name, text in self._texts:
                secrets.add(name, text)
            for name, text in self._learnt:
                secrets.add(name, text, newest=_NEWEST)


class ReadySite(Struct, frozen=True, kw_only=True):
    """A site that calls can be made to."""

    name: TargetName
    client: Client
    site: Site
    credentials: Credentials | None
    hidden: Hidden = field(default_factory=Hidden)
    learn: OnSecret | None = None

    @property
    def key(self) -> str:
        """The same for all targets that name this site."""
        return site_key(self.name.url)

    @property
    def account_key(self) -> str:
        """The same for all targets that name this site with this account."""
        return account_key(self.name.url, None if self.credentials is None else self.credentials.account)

    @property
    def access(self) -> SiteAccess:
        """How calls get into it, as evidence: without a secret."""
        kind = None if self.credentials is None else self.credentials.kind
        by_identity = kind is not None and kind.by_identity_service
        return SiteAccess(
            auth=None if kind is None else kind.name,
            identity_url=(self.site.identity_url or self.site.url) if by_identity else None,
            headers=tuple(name for name, _ in self.site.headers),
        )

    def hide_in(self, secrets: Secrets) -> Secrets:
        """Let a run know the site's secrets, and a sandbox the run's. To be called before the run's first call."""
        self.hidden.inform(secrets)
        if self.learn is not None:
            secrets.follow(self.learn)
        return secrets


class Sites(Struct, kw_only=True):
    """Ready sites by their targets, closed together; for several threads."""

    serve: Serve = serve_sandbox
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    read_file: Callable[[str], str] = read_text
    learn: OnSecret | None = None  # gets secrets of runs at sandboxes
    pace: Callable[[Site], SitePace | None] = pace_of  # spaces the calls
    sign_ins: Callable[[Site, Credentials], SignIns] = lambda _site, _credentials: OwnSignIns()  # remembers refusals
    _ready: dict[Target, ReadySite] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def of(self, target: Target) -> ReadySite:
        """The site of a target. Raises `UsageError` where it cannot be made ready."""
        with self._lock:
            if target not in self._ready:
                self._ready[target] = self._made_ready(target)
            return self._ready[target]

    def _made_ready(self, target: Target) -> ReadySite:
        match target:
            case SandboxTarget():
                url = self._open.enter_context(self.serve(target.folder))
                site = Site(url=url, prefix=PREFIXES[target.runtime], calls=target.calls)
                return self._site(site, target.name, credentials=_SANDBOX_USER, learn=self.learn)
            case SiteTarget():
                ready = resolve(target, environment=self.environment, read_file=self.read_file)
                if isinstance(ready, tuple):
                    raise UsageError(*ready)
                authorities = read_authorities(ready, self.read_file)
                if isinstance(authorities, Problem):
                    raise UsageError(authorities)
                site = site_of(ready, authorities=authorities)
                return self._site(site, target.name, credentials=ready.auth, hidden=Hidden(secret_texts(ready)))

    def _site(
        self,
        site: Site,
        name: str,
        *,
        credentials: Credentials | None,
        learn: OnSecret | None = None,
        hidden: Hidden | None = None,
    ) -> ReadySite:
        """`hidden` are the texts of a site; a sandbox has none."""
        known = hidden or Hidden()
        client = Client(
            site,
            credentials=credentials,
            on_secret=known.add,
            pace=self.pace(site),
            sign_ins=None if credentials is None else self.sign_ins(site, credentials),
        )
        self._open.callback(client.close)
        named = TargetName(name=name, url=site.url, sandbox=hidden is None)
        return ReadySite(name=named, client=client, site=site, credentials=credentials, hidden=known, learn=learn)
