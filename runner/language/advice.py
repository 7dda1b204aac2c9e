"""What to write for a key of another tool that has no key of ours for its counterpart, and characters that nobody sees.

A hint for people who know how they say it elsewhere. Words with one word of ours are in `foundation.suggestions`.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping

from runner.foundation.near_misses import folded
from runner.foundation.suggestions import foreign, suggest
from runner.foundation.values import Json
from runner.job.actions import ACTIONS
from runner.reading.blanks import with_article

_ENDS = "`finally` is carried out at the end, whatever happened"
_SIGNS_IN = "who signs in stands under `auth` of a target, in targets.yaml"
_TLS = "TLS is always verified: a private authority goes into `ca_file`"
_TARGET = "a job has one `target`; `-t NAME` takes others, a run each"
_VALUES = "values come from `inputs`: with `-i`, `--inputs FILE`, the environment or `cases`"
_PAUSE = "a pause is a step of its own: `- pause: 3s`"
_OURS = {
    "delayafter": _PAUSE,
    "delaybefore": _PAUSE,
    "sleepafter": _PAUSE,
    "sleepbefore": _PAUSE,
    "become": _SIGNS_IN,
    "becomeuser": _SIGNS_IN,
    "remoteuser": _SIGNS_IN,
    "delegateto": _TARGET,
    "connection": _TARGET,
    "varsfiles": _VALUES,
    "varsprompt": _VALUES,
    "envfile": _VALUES,
    "env": "values go into the `parameters` of the action",
    "handlers": _ENDS,
    "notify": _ENDS,
    "backofflimit": "`max_attempts` belongs in `retry`, as in `defaults: {retry: {max_attempts: 3}}`",
    "verifyssl": _TLS,
    "sslverify": _TLS,
    "tlsverify": _TLS,
    "insecure": _TLS,
    "skiptlsverify": _TLS,
    "rejectunauthorized": _TLS,
    "runon": _TARGET,
    "schedule": "what starts a job is not written in it: a timer, CI or a person calls `runner run`",
    "on": "what starts a job is not written in it: a timer, CI or a person calls `runner run`",
    "permissions": "what a job may do is written in targets.yaml, under `allow` of a target",
    "metadata": "`name`, `description` and `tags` stand in the job itself",
    "spec": "`steps` stand in the job itself",
}
_QUOTES = "\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb`"


_AS_SENT = "`process` and `parameters` are enough: the target has the address, and signs in"
_IN_TARGETS = "the address of a site is the `url` of a target, in targets.yaml"
_NO_BEARER = "no token is written down: `client_id` and `client_secret` get one, or `username` and `password` sign in"
_RETRIED = "what is waited for stands in `expect`, and `retry: {max_attempts: 10, on: [expectation]}` asks again"
IS_SENT = frozenset({"url", "uri", "endpoint", "method", "headers", "header", "contenttype"})
"""Of a call over HTTP: what the target knows, or the program."""
_IN: tuple[tuple[frozenset[str], frozenset[str], str], ...] = (
    (frozenset({"process", "decode"}), IS_SENT, _AS_SENT),
    (frozenset({"cases", "steps"}), frozenset({"url", "uri", "baseurl", "siteurl"}), _IN_TARGETS),
    (frozenset({"every", "catalog"}), frozenset({"timeout"}), "`for` says how long to wait at most"),
    (frozenset({"client_secret"}), frozenset({"token", "accesstoken", "apikey", "bearer"}), _NO_BEARER),
)
"""Keys that a record has, words that others write in it, and what to do about them."""


_NO_SHELL = "no shell is run here: a step calls the service, with `execute`, `run`, `element`, `query` or `wait`"
_VALUES_OF_STEPS = "a value is worked out in `vars` of the job, or given on by `outputs` of the step that has it"
IN_THE_PLACE_OF_ACTIONS = {
    **dict.fromkeys(("shell", "command", "cmd", "script", "bash", "curl", "powershell", "localexec"), _NO_SHELL),
    **dict.fromkeys(("setfact", "set", "assign"), _VALUES_OF_STEPS),
    **dict.fromkeys(
        ("debug", "echo", "print", "log"), "nothing is printed by a step: `-v` tells every value, and reports hold them"
    ),
    **dict.fromkeys(
        ("assert", "expect", "check", "validate", "fail"),
        "an expectation stands in the step whose result it judges, as its `expect`",
    ),
    "block": "steps are not grouped: they stand one below the other; `undo` and `finally` clean up",
}
"""What other languages have in the place of an action, and what to do here."""
_IN_ORDER = "leave it out: steps are carried out in their order, and none behind one that did not pass"
_AN_INPUT = "a secret is an input: `inputs: {token: {type: string, secret: true}}`"
_IN_STEPS = {
    **dict.fromkeys(("needs", "dependson", "after", "dependencies", "requires"), _IN_ORDER),
    "checkmode": "`runner plan` prints what would be sent",
    "rescue": "`undo` of a step is carried out then",
}
_IN_ACTIVITIES = {
    **dict.fromkeys(("assert", "expect", "check"), "write `fail: TEXT`, with an `if` that says when"),
    **dict.fromkeys(("setfact", "assign"), "write `set`"),
    **dict.fromkeys(("pause", "sleep", "wait"), "write `delay`"),
    "register": "`into` names the parameter that takes what was found",
}


def advice(key: str, known: Collection[str], written: Mapping[str, Json]) -> str | None:
    """What to write for `key`, where none of `known` is meant by it, or none alone."""
    glued = re.match(r"([\w.-]+):[\[{\"']", key)
    if glued:
        return f"a blank is missing behind `{glued[1]}:`"
    word = folded(key)
    for having, words, hint in _IN:
        if word in words and having <= set(known):
            return hint
    if {"cases", "steps"} <= set(known) and word == "secrets":
        return _AN_INPUT
    if {"insert", "delay"} <= set(known) and word in _IN_ACTIVITIES:
        return _IN_ACTIVITIES[word]
    if {"pause", "retry"} <= set(known):
        if word in IN_THE_PLACE_OF_ACTIONS and not any(name in written for name in known if name in ACTIONS):
            return IN_THE_PLACE_OF_ACTIONS[word]
        if word in _IN_STEPS:
            return _IN_STEPS[word]
        if word == "until" and is_condition(written.get(key)):
            return _RETRIED
        if word == "delay" and any(name in written for name in ACTIONS if name != "pause"):
            pause = written[key] if isinstance(written[key], str) else "3s"
            return None if {"retries", "until"} & written.keys() else _PAUSE.replace("3s", str(pause))
    if folded(key) == "verify" and "ca_file" in known:
        return _TLS
    return None if foreign(key, known) else _OURS.get(folded(key))


def is_condition(value: Json) -> bool:
    """Whether `value` is an expression: `until: result == 1` is of another language than `until: done`."""
    return isinstance(value, str) and bool(re.search(r"[=<>|( ]", value))


def disguised(key: str, known: Collection[str]) -> str | None:
    """A hint where `key` is one of `known` but for characters that nobody sees, or for quotes of a word processor."""
    odd = [character for character in key if not _plain(character)]
    if not odd:
        return None
    seen = "".join(character for character in key if _plain(character)).strip()
    near = seen if seen in known else suggest(seen, known)
    if near is None:
        return _of_blanks(key, odd[0])
    what = f"`{odd[0]}` is no quote to YAML" if odd[0] in _QUOTES else f"there is {with_article(odd[0])} in it"
    return f"did you mean `{near}`? {what}"


def _of_blanks(key: str, odd: str) -> str | None:
    """Blanks before a key that YAML does not take for any: the key stands in the first column to it."""
    if key[0] != odd or odd in _QUOTES:
        return None
    return f"there is {with_article(odd)} before it, which is no indentation: write plain spaces"


def _plain(character: str) -> bool:
    return character in " \t" or (
        character not in _QUOTES and unicodedata.category(character) not in ("Zs", "Cf", "Cc", "Zl", "Zp")
    )
