"""Whether a text in a file is a secret, by the last word of its name or its unique form; without false alarms."""

from functools import lru_cache
from typing import Final

from runner.foundation.lazy import lazy_pattern

_SIGNS: Final = (
    *("passw", "pwd", "passphrase", "kennwort", "secret", "token", "api_key", "api-key", "apikey", "cookie"),
    *("bearer ", "basic ", "eyj", "akia", "ghp_", "github_pat_", "glpat-", "xox", "private key-----", "sk_live_"),
)
"""Some of these, in small letters, are in every text that holds such a name or token."""
_PASSWORD: Final = lazy_pattern(
    r"(?:.*[a-z0-9_\-. ])?(?i:passwords?|passwd|pwd|passphrase|passwort|kennwort|secret)\d?"
)
_ALONE: Final = lazy_pattern(r".*(?:Password|Passwort|Secret|Pwd)")
_TOKEN: Final = lazy_pattern(
    r"(?i:(?:.*[_\-. ])?(?:(?:access|api|auth|bearer|refresh|session)[_\-. ]?token|api[_\-. ]?key))"
    r"|.*(?:Access|Api|Auth|Bearer|Refresh|Session)Token|.*Api[_-]?Key|(?i:token)"
)
_HEADER: Final = lazy_pattern(r"(?i:(?:proxy-)?authorization|cookie|x-api-key)")
_LOOKS_SO: Final = lazy_pattern(
    r"\b(?i:bearer|basic) +[\w\-.~+/]{16,}=*"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
    r"|\b(?:AKIA[0-9A-Z]{16}|ghp_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abps]-[\w-]{10,}|sk_live_\w{16,})"
    r"|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
)
"""A header of HTTP, a JSON Web Token, tokens of known services, a private key."""
_SHORTEST_TOKEN: Final = 14
_MACRO: Final = lazy_pattern(r"\s*\$\([A-Za-z_][\w.]*\)\s*")
_SHELL: Final = lazy_pattern(r"\$\{?\w+\}?|%\w+%|\$env:\w+|\$\([\w.]+\)")
NOT_DEFINED: Final = "Azure Pipelines leaves `$(NAME)` where it knows no variable NAME"


def may_hold_secrets(text: str) -> bool:
    """Whether it is worth a look: quick, also for a file of megabytes."""
    small = text.lower()
    return any(sign in small for sign in _SIGNS)


@lru_cache(maxsize=512)
def names_password(name: str) -> bool:
    """`password`, `DbPassword`, `client_secret`, but not `PasswordAge`."""
    return bool(_PASSWORD.fullmatch(name) or _ALONE.fullmatch(name))


@lru_cache(maxsize=512)
def names_token(name: str) -> bool:
    """`token`, `ApiToken`, `api_key`, but not `PageToken`."""
    return bool(_TOKEN.fullmatch(name))


def names_secret_header(name: str) -> bool:
    return bool(_HEADER.fullmatch(name)) or names_password(name) or names_token(name)


def is_plain(text: str) -> bool:
    """Whether the text is the value itself: no template, and no variable of a shell."""
    return bool(text.strip()) and "{{" not in text and not _SHELL.fullmatch(text.strip())


def is_macro(text: str) -> bool:
    """Whether the text is `$(NAME)` alone, as Azure Pipelines leaves it of a variable that it does not know."""
    return _MACRO.fullmatch(text) is not None


def looks_like_token(text: str) -> bool:
    return len(text) >= _SHORTEST_TOKEN and _LOOKS_SO.search(text) is not None
