"""What a sandbox writes into a file: holes in place of the secrets of its runs, by fingerprints under the file's key.

Runs with the same secrets read every value as it was, others `***`.
"""

import json

from runner.foundation.fingerprints import LEARNT, fingerprint
from runner.foundation.values import Json, compact
from runner.secrets.holes import MARK
from runner.secrets.redact import Secrets
from runner.secrets.shown import hide


class Veil:
    """Its threads may share it. `open` is called before anything is written or learnt from a run."""

    def __init__(self) -> None:
        self._key = ""
        self._secrets = Secrets()
        self._early: list[tuple[str, str]] = []

    def open(self, key: str) -> None:
        """`key` is that of the file, in hexadecimal digits."""
        self._key = key
        for name, text in self._early:
            self.learn(name, text)

    def learn(self, name: str, text: str) -> None:
        """Know a secret. What the sandbox gives itself, as cookies, is none: it forgets them at its end."""
        if not self._key:
            self._early.append((name, text))
        elif not name.startswith(LEARNT):
            self._secrets.add(fingerprint(text, self._key), text)

    @property
    def is_lifted(self) -> bool:
        """Whether no secret is known, so that `hidden` hides nothing."""
        return not self._secrets.plain

    def hidden(self, value: Json) -> Json:
        """`value` with stars in the place of every secret, but for the keys of records."""
        match value:
            case list():
                return [self.hidden(item) for item in value]
            case dict():
                return {name: self.hidden(item) for name, item in value.items()}
            case _:
                return hide(self._secrets.cut(value)) if self._secrets.appears_in(compact(value)) else value

    def written(self, value: Json) -> str:
        """The JSON of `value` as it may lie in the file."""
        return json.dumps(self._secrets.cut(value) if self._secrets.appears_in(compact(value)) else value)

    def read(self, text: str) -> Json:
        """What `written` was given."""
        value: Json = json.loads(text)
        if json.dumps(MARK)[1:-1] not in text:
            return value
        try:
            return self._secrets.fill(value)
        except LookupError:
            return hide(value)
