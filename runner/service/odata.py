"""OData, as far as calls need it: queries, literals, the records of an answer, and a query's pages in order. Pure."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.percent import encoded
from runner.foundation.values import Json, JsonObject, items, kind_of, record, well_formed
from runner.runs.events import Trouble
from runner.service.bodies import NonsenseError
from runner.service.calls import QueryCall
from runner.service.words import words_of


class RecordsPage(Struct, frozen=True, kw_only=True):
    """The records of a reading so far; the page after them is asked for by `following`, a path and query."""

    records: tuple[JsonObject, ...]
    following: str


_OPTIONS: Final = ("$filter", "$select", "$orderby", "$top")
_ODATA: Final = "/odata/"
_NEXT: Final = ("@odata.nextLink", "@nextLink", "odata.nextLink")  # of OData 4, 4.01 and 3
_IN_A_LINK: Final = "/%:@!$&'()*+,;=?~-._"
"""What a link may hold as it is; all else in it is encoded, so that no link breaks out of its request line."""


def query(entity: str, options: Mapping[str, str]) -> str:
    """Entity and options below `odata/`, encoded, always in the same order; an option that is empty is left out."""
    written = [f"{name}={encoded(options[name])}" for name in _OPTIONS if options.get(name)]
    return f"{entity}?" + "&".join(written)


def first_page(call: QueryCall) -> str:
    """Entity and options below `odata/`, encoded."""
    options = {"$filter": call.filter or "", "$select": ",".join(call.select), "$orderby": ",".join(call.orderby)}
    return query(call.entity, options | {"$top": str(call.top)})


def literal(text: str) -> str:
    """A text as it is written in a filter: quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def records(answer: Json) -> list[JsonObject]:
    """The records of a collection. Raises `NonsenseError` where `answer` is none, or broke off with an error."""
    whole = answer if isinstance(answer, dict) else {}
    found = whole.get("value")
    if not isinstance(found, list):
        raise NonsenseError(f"it is no collection of OData, but {kind_of(answer)}")
    if whole.get("error") is not None:
        words = words_of(whole)
        raise NonsenseError(f"it holds an error beside its records{f': {words}' if words else ''}")
    sound = [record for record in found if isinstance(record, dict)]
    if len(sound) < len(found):
        raise NonsenseError("its rows are no records")
    return sound


def page(call: QueryCall, answer: Json, *, url: str, prefix: str) -> Json:
    """What a `QueryCall` to the site at `url` answers. Raises `NonsenseError` also for a next page elsewhere."""
    found: list[Json] = [plain(record) for record in records(answer)]
    return {"records": found, "next": following(answer, call.entity, this=call.next, url=url, prefix=prefix)}


def following(answer: Json, entity: str, *, url: str, prefix: str, this: str | None = None) -> str | None:
    """Path and query of the page after `this`, if any. Raises `NonsenseError` where it is none of the site."""
    whole = answer if isinstance(answer, dict) else {}
    link = next((whole[key] for key in _NEXT if whole.get(key) is not None), None)
    if link is None:
        return None
    if not isinstance(link, str):
        raise NonsenseError(f"the link to its next page is {kind_of(link)}")
    root = f"{prefix}{_ODATA}"
    found = f"{root}{_path(link, base=url.rstrip('/') + root + entity)}"
    if found == this:
        raise NonsenseError("its next page is this page again")
    return found


def plain(value: Json) -> Json:
    """`value` without what OData says about it."""
    match value:
        case dict():
            return {key: plain(part) for key, part in value.items() if not key.startswith("@odata.")}
        case list():
            return [plain(part) for part in value]
        case _:
            return value


def _path(link: str, *, base: str) -> str:
    """What `link` asks for below `odata`. Its host and folder may be others, as of a site behind a gateway."""
    try:
        found = urlsplit(urljoin(base, link))
    except ValueError:
        raise NonsenseError("the link to its next page is no address") from None
    _, is_odata, path = found.path.rpartition(_ODATA)
    if not is_odata or {".", ".."} & set(unquote(found.path).split("/")):
        raise NonsenseError("its next page is no page of OData on this site")
    question = f"?{found.query}" if found.query else ""
    return quote(well_formed(path + question), safe=_IN_A_LINK)


_CUT_OFF: Final = 20_000
"""Records of a page: MaxEntityRowCount, the most that a site gives unless somebody has set it otherwise [D]."""
_LIMIT: Final = "read fewer with a `filter`, or let the site give more: its setting is `MaxEntityRowCount`"


class Pages(Struct, kw_only=True):
    """The `records` so far; `call` asks for the next page: None where none is needed, or they have no end."""

    call: QueryCall | None
    most: int | None = None
    records: list[JsonObject] = field(default_factory=list)
    trouble: Trouble | None = None
    _known: set[str] = field(default_factory=set)

    def take(self, answer: Json, *, is_late: bool = False) -> None:
        """Add the page. Pages without records may lead to others, and are followed until `is_late`; a circle never."""
        page, call = record(answer), self.call
        found, following = [*map(record, items(page.get("records")))], page.get("next")
        self.records += found
        self.call = None
        if call is None or (self.most is not None and len(self.records) >= self.most):
            return
        if not isinstance(following, str):
            if len(found) == _CUT_OFF:  # whether a link to more comes with so many is [?]
                message = (
                    f"`{call.entity}` gives {_CUT_OFF:,} records and no more pages: the site may have cut them off"
                )
                self.trouble = Trouble(code="E209", message=message, hint=_LIMIT)
            return
        if following in self._known or (is_late and not found):
            message = f"the pages of `{call.entity}` have no end: they lead to one another without news"
            self.trouble = Trouble(code="E307", message=message, hint="check what is between here and the site")
            return
        self._known.add(following)
        self.call = replace(call, next=following)
