"""Calls of the service by curl, PowerShell or Postman, as steps. Only plain words and numbers are shown."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, TypeAlias, cast
from urllib.parse import parse_qsl, unquote

from runner.foundation.lazy import lazy_pattern
from runner.foundation.values import Json, is_guid, read_json
from runner.secrets.written_out import names_password, names_token

ELSEWHERE: Final = "the address of the site and the sign-in belong in targets.yaml"
ANY_STEP: Final = "execute: {process: CODE, parameters: {NAME: VALUE}}"
_OTHERS: Final = "other services are not called"
_MOST: Final = 5  # steps in a hint
_LONGEST: Final = 40  # characters of a value that is shown
_HIDDEN: Final = "VALUE"
_Call: TypeAlias = tuple[str, str, str]  # method, address, body
_URL: Final = lazy_pattern(r"(?:https?://|\{\{|\$).*/.*")
_SENDS: Final = frozenset({"curl", "curl.exe", "invoke-restmethod", "invoke-webrequest", "irm", "iwr"})
_BODIES: Final = frozenset({"-Body", "-d", "--data", "--data-raw", "--data-binary", "--data-urlencode", "--json"})
_GET: Final = lazy_pattern(r"-[a-zA-Z]*G|--get")
_EXECUTE: Final = lazy_pattern(r"/ProcessEngineService\.svc/(\w+)/Execute/?(?:\?(.*))?$")
_SIGN_IN: Final = lazy_pattern(r"AuthService|/connect/token")
_RUN: Final = lazy_pattern(r"/ProcessEngineService\.svc/RunProcess/?$")
_ELEMENT: Final = lazy_pattern(r"/ProcessEngineService\.svc/ExecProcElByUId(?:/|\?ProcessElementUID=)([^/?&]+)$")
_ODATA: Final = lazy_pattern(r"/odata/(\w+)(?:\(([^)]*)\)|/\$count)?/?(?:\?(.*))?$")
_READ: Final = ("filter", "select", "orderby")
_METHOD: Final = lazy_pattern(r"-X(\w+)|--request=(\w+)")
_PLAIN: Final = lazy_pattern(r"(?!(?i:null|true|false)$)[A-Za-z_][\w.-]*|-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")


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


def _sent(call: list[str]) -> _Call:
    """`-G` sends in the address what is else the body."""
    options = [*pairwise(["", *call])]
    methods = [word for before, word in options if before in ("-X", "--request", "-Method")]
    methods += [found[1] or found[2] for word in call if (found := _METHOD.fullmatch(word))]
    body = "&".join(word for before, word in options if before in _BODIES)
    url = next((word for before, word in options if before not in _BODIES and _URL.fullmatch(word)), "")
    is_in_address = body and any(map(_GET.fullmatch, call))
    if is_in_address:
        return "", f"{url}{'&' if '?' in url else '?'}{body}", ""
    return "".join(methods[:1]).upper(), url, body


def postman_hint(data: Mapping[str, Json]) -> str:
    return _steps(_requests(data))


def body_hint(data: Mapping[str, Json]) -> str:
    return _steps([("POST", "/ProcessEngineService.svc/RunProcess", json.dumps(data))])


def _steps(calls: Iterable[_Call]) -> str:
    made = [(method, url.replace("\\$", "$"), body) for method, url, body in calls if not _SIGN_IN.search(url)]
    steps = [_step(*call) for call in made]
    options = [name for _, url, _ in made if (found := _ODATA.search(url)) for name in _query_of(found)]
    left = ", ".join(name for name in ("$top", "$skip", "$expand") if name in options)
    more = f"; {left} left out: a query reads all records that fit" if left else ""
    return hint([step for step in steps if step is not None], others=steps.count(None), more=more)


def hint(steps: list[str], *, others: int = 0, more: str = "") -> str:
    """What to write; nothing in it is in quotes: nothing in quotes is shown that is in the file."""
    if not steps:
        return f"write each call as a step of a job: {ANY_STEP}; {_OTHERS}; {ELSEWHERE}"
    what = "this step" if len(steps) == 1 else "these steps"
    more = f"; and so on for {len(steps) - _MOST} more{more}" if len(steps) > _MOST else more
    shown = "; ".join(f"- {step}" for step in steps[:_MOST])
    values = f", where {_HIDDEN} is yours, in quotes" if _HIDDEN in shown else ""
    left = f"; of {others} more calls none is shown: {_OTHERS}" if others else ""
    return f"write {what} into a job{values}: {shown}{more}{left}; {ELSEWHERE}"


def _requests(data: Mapping[str, Json]) -> Iterator[_Call]:
    """The requests, also in folders."""
    found = data.get("item")
    for item in found if isinstance(found, list) else []:
        if not isinstance(item, dict):
            continue
        request = item.get("request")
        if isinstance(request, str):
            yield "", request, ""
        elif isinstance(request, dict):
            url, body = request.get("url"), request.get("body")
            raw = url.get("raw") if isinstance(url, dict) else url
            text = str(body.get("raw") or "") if isinstance(body, dict) else ""
            yield str(request.get("method") or "").upper(), str(raw or ""), text
        yield from _requests(item)


def _step(method: str, url: str, body: str) -> str | None:
    """The call as an action in a line; None where it is no call that a step makes."""
    if found := _EXECUTE.search(url):
        given = dict(parse_qsl(found[2] or "", keep_blank_values=True))
        result = given.pop("ResultParameterName", None)
        return _action("execute", process=found[1], parameters=given, result=result)
    if _RUN.search(url):
        return _run(body)
    if found := _ELEMENT.search(url):
        return f"element: {_id(found[1])}"
    if found := _ODATA.search(url):
        return _records(method, found, body)
    return None


def _query_of(address: re.Match[str]) -> dict[str, str]:
    return dict(parse_qsl(unquote(address[3] or "")))


def _records(method: str, address: re.Match[str], body: str) -> str | None:
    """A query, or a `signal` that changes a record."""
    entity, key = address[1], address[2]
    if not body and method in ("", "GET"):
        given = _query_of(address)
        query = _action("query", entity=entity, **{name: given[f"${name}"] for name in _READ if f"${name}" in given})
        return f"{query.removesuffix('}')}, filter: Id eq {_id(key)}}}" if key is not None else query
    values = _json(body)
    change = {"": "insert", "POST": "insert", "PATCH": "update", "DELETE": "delete"}.get(method)
    if change is None or (key is None) is not (change == "insert") or not isinstance(values, dict):
        return None
    id_of = f", id: {_id(key)}" if key is not None else ""
    columns = {name: value for name, value in values.items() if "@" not in name}
    of_values = f", values: {_map(columns)}" if columns else ""
    return f"signal: {{{change}: {{entity: {entity}{id_of}{of_values}}}}}"


def _json(body: str) -> Json:
    try:
        return read_json(body or "{}")
    except ValueError:
        return []


def _id(written: str) -> str:
    return written if is_guid(written) else _HIDDEN


def _run(body: str) -> str | None:
    try:
        sent = cast("Any", read_json(body))
        given = {str(each["name"]): each["value"] for each in sent.get("parameterValues") or ()}
        results = ", ".join(map(_shown, sent.get("resultParameterNames") or ()))
        text = _action("run", process=str(sent["schemaName"]), parameters=given)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return f"{text.removesuffix('}')}, results: [{results}]}}" if results else text


def _action(verb: str, **keys: str | Mapping[str, Json] | None) -> str:
    given = {key: value for key, value in keys.items() if value}
    written = [f"{key}: {_shown(value) if isinstance(value, str) else _map(value)}" for key, value in given.items()]
    return f"{verb}: {{{', '.join(written)}}}"


def _map(values: Mapping[str, Json]) -> str:
    return "{" + ", ".join(f"{_shown(name)}: {_shown(value, name)}" for name, value in values.items()) + "}"


def _shown(value: Json, name: str = "") -> str:
    """A plain word or number; another word for the rest, and for likely passwords."""
    text = value if isinstance(value, str) else json.dumps(value)
    is_plain = len(text) <= _LONGEST and (_PLAIN.fullmatch(text) or value is None or isinstance(value, bool))
    return text if is_plain and not (names_password(name) or names_token(name)) else _HIDDEN
