"""Calls of the service by curl, PowerShell or Postman, as steps. Only plain words and numbers are shown."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qsl, unquote

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json
from runner.secrets.written_out import names_password, names_token

ELSEWHERE: Final = "the address of the site and the sign-in belong in targets.yaml"
ANY_STEP: Final = "execute: {process: CODE, parameters: {NAME: VALUE}}"
_OTHERS: Final = "a change of a record is a signal, and other services are not called"
_MOST: Final = 5  # steps in a hint
_LONGEST: Final = 40  # characters of a value that is shown
_HIDDEN: Final = "VALUE"
_URL: Final = lazy_pattern(r"(?:https?://|\{\{|\$).*/.*")
_SENDS: Final = frozenset({"curl", "curl.exe", "invoke-restmethod", "invoke-webrequest", "irm", "iwr"})
_BODIES: Final = frozenset({"-Body", "-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--json"})
_GET: Final = lazy_pattern(r"-[a-zA-Z]*G|--get")
_EXECUTE: Final = lazy_pattern(r"/ProcessEngineService\.svc/(\w+)/Execute/?(?:\?(.*))?$")
_SIGN_IN: Final = lazy_pattern(r"AuthService|/connect/token")
_RUN: Final = lazy_pattern(r"/ProcessEngineService\.svc/RunProcess/?$")
_ELEMENT: Final = lazy_pattern(
    r"/ProcessEngineService\.svc/ExecProcElByUId(?:/|\?ProcessElementUID=)([0-9a-fA-F-]{36})$"
)
_ODATA: Final = lazy_pattern(r"/odata/(\w+)/?(?:\?(.*))?$")
_PLAIN: Final = lazy_pattern(r"[A-Za-z_][\w.-]*|-?[0-9]+(?:\.[0-9]+)?")


def script_hint(text: str) -> str:
    try:
        words = shlex.split(re.sub(r"[\\`]\r?\n", " ", text), comments=True)
    except ValueError:
        return hint([])
    calls: list[list[str]] = []
    for word in words:
        if re.split(r"[(`]", word)[-1].casefold() in _SENDS:  # `ID=$(curl …)`
            calls.append([])
        elif calls:
            calls[-1].append(word)
    return _steps(map(_sent, calls))


def _sent(call: list[str]) -> tuple[str, str]:
    """The address and the body of a command; `-G` sends in the address what is else the body."""
    options = [*pairwise(["", *call])]
    body = "&".join(word for before, word in options if before in _BODIES)
    url = next((word for before, word in options if before not in _BODIES and _URL.fullmatch(word)), "")
    is_in_address = body and any(map(_GET.fullmatch, call))
    return (f"{url}{'&' if '?' in url else '?'}{body}", "") if is_in_address else (url, body)


def postman_hint(data: Mapping[str, Json]) -> str:
    return _steps(_requests(data))


def _steps(calls: Iterable[tuple[str, str]]) -> str:
    steps = [_step(url.replace("\\$", "$"), body) for url, body in calls if not _SIGN_IN.search(url)]
    return hint([step for step in steps if step is not None], others=steps.count(None))


def hint(steps: list[str], *, others: int = 0) -> str:
    """What to write; nothing in it is in quotes: nothing in quotes is shown that is in the file."""
    if not steps:
        return f"write each call as a step of a job: {ANY_STEP}; {_OTHERS}; {ELSEWHERE}"
    what = "this step" if len(steps) == 1 else "these steps"
    more = f"; and so on for {len(steps) - _MOST} more" if len(steps) > _MOST else ""
    shown = "; ".join(f"- {step}" for step in steps[:_MOST])
    values = f", where {_HIDDEN} is yours, in quotes" if _HIDDEN in shown else ""
    left = f"; of {others} more calls none is shown: {_OTHERS}" if others else ""
    return f"write {what} into a job{values}: {shown}{more}{left}; {ELSEWHERE}"


def _requests(data: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Address and body of each request, also in folders."""
    found = data.get("item")
    for item in found if isinstance(found, list) else []:
        if not isinstance(item, dict):
            continue
        request = item.get("request")
        if isinstance(request, str):
            yield request, ""
        elif isinstance(request, dict):
            url, body = request.get("url"), request.get("body")
            raw = url.get("raw") if isinstance(url, dict) else url
            yield str(raw or ""), str(body.get("raw") or "") if isinstance(body, dict) else ""
        yield from _requests(item)


def _step(url: str, body: str) -> str | None:
    """The call as an action in a line; None where it is no call that a step makes."""
    if found := _EXECUTE.search(url):
        given = dict(parse_qsl(found[2] or "", keep_blank_values=True))
        result = given.pop("ResultParameterName", None)
        return _action("execute", process=found[1], parameters=given, result=result)
    if _RUN.search(url):
        return _run(body)
    if found := _ELEMENT.search(url):
        return f"element: {found[1]}"
    if (found := _ODATA.search(url)) and not body:
        given = dict(parse_qsl(unquote(found[2] or "")))
        names = [name for name in ("filter", "select", "orderby", "top") if f"${name}" in given]
        return _action("query", entity=found[1], **{name: given[f"${name}"] for name in names})
    return None


def _run(body: str) -> str | None:
    try:
        sent = json.loads(body)
        given = {str(each["name"]): str(each["value"]) for each in sent.get("parameterValues") or ()}
        results = ", ".join(map(_shown, sent.get("resultParameterNames") or ()))
        text = _action("run", process=str(sent["schemaName"]), parameters=given)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return f"{text.removesuffix('}')}, results: [{results}]}}" if results else text


def _action(verb: str, **keys: str | Mapping[str, str] | None) -> str:
    given = {key: value for key, value in keys.items() if value}
    written = [f"{key}: {_shown(value) if isinstance(value, str) else _map(value)}" for key, value in given.items()]
    return f"{verb}: {{{', '.join(written)}}}"


def _map(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_shown(name)}: {_shown(value, name)}" for name, value in values.items()) + "}"


def _shown(value: str, name: str = "") -> str:
    """A plain word or number; another word for the rest, and for likely passwords."""
    is_plain = len(value) <= _LONGEST and _PLAIN.fullmatch(value)
    return value if is_plain and not (names_password(name) or names_token(name)) else _HIDDEN
