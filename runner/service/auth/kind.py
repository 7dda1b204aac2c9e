"""What the program knows of a way to sign in. Each has a record in the table of `__init__`, and a module here."""

from typing import ClassVar

from msgspec import Struct

from runner.foundation.discreet import Discreet


class AuthKind(Struct, frozen=True, kw_only=True):
    """A way to sign in by its `keys` under `auth` of a target: the first names the account, the last is the secret.

    `name` is what events call it.
    `variables` are those of the target `env`, `registry` the keys that clio stores, each in the order of `keys`.
    `described` says how a user signs in. `by_identity_service`: a target has to know where tokens come from.
    """

    name: str
    keys: tuple[str, ...]
    variables: tuple[str, ...]
    registry: tuple[str, ...]
    described: str
    by_identity_service: bool = False

    def credentials(self, **texts: str) -> "Credentials":
        return Credentials(kind=self, texts=tuple(texts[key] for key in self.keys))


class Credentials(Discreet, frozen=True, kw_only=True):
    """Who signs in. `texts` are the values of the kind's `keys`; all are secret."""

    NOT_SHOWN: ClassVar = frozenset({"texts"})

    kind: AuthKind
    texts: tuple[str, ...]

    @property
    def by_key(self) -> dict[str, str]:
        return dict(zip(self.kind.keys, self.texts, strict=True))

    @property
    def account(self) -> str:
        return self.texts[0]
