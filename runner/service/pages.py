"""The pages of a query, in order, whoever asks for them."""

from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from runner.foundation.values import Json, JsonObject, items, record
from runner.runs.events import Trouble
from runner.service.calls import QueryCall

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
