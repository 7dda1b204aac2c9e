"""OData, as far as calls need it: queries, literals, and the records of an answer with the way to those that follow.

Pure. What the records mean is not known here.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from runner.service.bodies import NonsenseError, shortened
from runner.service.calls import QueryCall
from runner.values import Json, JsonObject, kind_of, well_formed

_ENTITY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEXT: Final = "@odata.nextLink"
_ANNOTATION: Final = "@odata."
_IN_A_LINK: Final = "/%:@!$&'()*+,;=?~-._"
"""What a link may hold as it is; all else in it is encoded, so that no link breaks out of its request line."""


def is_entity(name: str) -> bool:
    return _ENTITY.fullmatch(name) is not None


def query(entity: str, options: Mapping[str, str]) -> str:
    """Entity and options below `odata/`, encoded; an option that is empty is left out."""
    written = [f"{name}={quote(well_formed(text), safe='')}" for name, text in options.items() if text]
    return f"{entity}?" + "&".join(written)


def first_page(call: QueryCall) -> str:
    """Entity and options below `odata/`, encoded."""
    options = {"$filter": call.filter or "", "$select": ",".join(call.select), "$orderby": ",".join(call.orderby)}
    return query(call.entity, options | {"$top": str(call.top)})


def literal(text: str) -> str:
    """A text as it stands in a filter: quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def records(answer: Json) -> list[JsonObject]:
    """The records of a collection. Raises `NonsenseError` where `answer` is none."""
    found = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise NonsenseError(f"it is no collection of OData, but {kind_of(answer)}")
    sound = [record for record in found if isinstance(record, dict)]
    if len(sound) < len(found):
        raise NonsenseError("its rows are no records")
    return sound


def page(call: QueryCall, answer: Json, *, url: str, prefix: str) -> Json:
    """What a `QueryCall` to the site at `url` answers. Raises `NonsenseError` also for a next page elsewhere."""
    found: list[Json] = [_plain(record) for record in records(answer)]
    link = answer.get(_NEXT) if isinstance(answer, dict) else None
    if link is None:
        return {"records": found, "next": None}
    if not isinstance(link, str):
        raise NonsenseError(f"the link to its next page is {kind_of(link)}")
    following = _path(link, base=f"{url.rstrip('/')}{prefix}/odata/", entity=call.entity)
    if f"{prefix}/odata/{following}" == call.next:
        raise NonsenseError("its next page is this page again")
    return {"records": found, "next": f"{prefix}/odata/{following}"}


def _plain(value: Json) -> Json:
    """`value` without what OData says about it."""
    match value:
        case dict():
            return {key: _plain(part) for key, part in value.items() if not key.startswith(_ANNOTATION)}
        case list():
            return [_plain(part) for part in value]
        case _:
            return value


def _path(link: str, *, base: str, entity: str) -> str:
    """What `link` asks for below `base`. Only its path and query are used: it may name another scheme or port, since
    a site behind a gateway does not know by which it is called.
    """
    try:
        own, found = urlsplit(base), urlsplit(urljoin(base + entity, link))
        elsewhere = _host(own.hostname) != _host(found.hostname)
    except ValueError:
        raise NonsenseError("the link to its next page is no address") from None
    if elsewhere:
        raise NonsenseError(f"its next page is on another host, `{shortened(found.hostname or 'none')}`")
    if not found.path.startswith(own.path) or {".", ".."} & set(unquote(found.path).split("/")):
        raise NonsenseError("its next page is no page of OData on this site")
    question = f"?{found.query}" if found.query else ""
    return quote(well_formed(found.path[len(own.path) :] + question), safe=_IN_A_LINK)


def _host(name: str | None) -> str:
    """A host as DNS knows it: it may be written with letters of any script, or encoded."""
    try:
        return (name or "").encode("idna").decode()
    except UnicodeError:
        return name or ""
