"""What the sandbox shows of itself, as JSON: processes, instances, records, calls and faults."""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from runner.foundation.values import Json, JsonObject
from runner.odata.match import Bounds
from runner.sandbox.doubles import Double
from runner.sandbox.engine import GIVEN
from runner.sandbox.entities import Entities
from runner.sandbox.fault_kinds import FAULT_KINDS, TAKING_TIME
from runner.sandbox.faults import Faults
from runner.sandbox.recent_calls import RecentCalls
from runner.sandbox.store import Instance, Store

_SHOWN = 100  # so many instances, the newest
_HIDDEN = frozenset({"error", "parameters", "elements", "records", "address", "sent", "answer"})
"""What people and processes write."""
RECORDS = 50  # so many records at once


class Opened(Struct, frozen=True, kw_only=True):
    """What the page shows in full; an empty text is nothing. `secrets` is `shown`, or empty."""

    process: str = ""
    instance: str = ""
    entity: str = ""
    skip: int = 0
    call: str = ""
    secrets: str = ""

    def link(self, **changes: str | int) -> str:
        """The address with these changes; what is open already is closed."""
        asked = replace(self, **changes)  # the template names our own fields
        closed = replace(self, **dict.fromkeys(changes, "")) if asked == self else asked
        fields = {name: getattr(closed, name) for name in self.__struct_fields__}
        return "?" + urlencode({name: value for name, value in fields.items() if value})


def opened_by(query: Mapping[str, str]) -> Opened:
    texts = {name: query[name] for name in ("process", "instance", "entity", "call") if name in query}
    skip = query.get("skip", "")
    return Opened(
        **texts,
        skip=int(skip) if skip.isascii() and skip.isdigit() and len(skip) < len(str(2**31)) else 0,
        secrets="shown" if query.get("secrets") == "shown" else "",
    )


class Views:
    def __init__(
        self, doubles: Mapping[str, Double], store: Store, *, entities: Entities, calls: RecentCalls, faults: Faults
    ) -> None:
        self._doubles = doubles
        self._store = store
        self._entities = entities
        self._calls = calls
        self._faults = faults

    def view(self, parts: tuple[str, ...], query: Mapping[str, str]) -> Json:
        """What a path below `/sandbox` shows; None where it shows nothing."""
        match parts:
            case ("processes",):
                return self._processes()
            case ("instances",):
                return self._instances("")
            case ("entities",):
                return self._listed_entities()
            case ("entities", entity):
                return self._records(entity, opened_by(query).skip)
            case ("faults",):
                return self._faults.listed()
            case ("calls",):
                return self._calls.listed()
            case ("calls", number):
                return self._calls.opened(number)
            case _:
                return None

    def page(self, opened: Opened) -> dict[str, object]:
        """What the template of the page is given. Programs that ask for JSON get secrets as they are."""
        hidden = _HIDDEN if not opened.secrets else frozenset()
        return {
            "processes": self._processes(),
            "instances": self._veiled(self._instances(opened.instance), hidden),
            "entities": self._listed_entities(),
            "records": self._veiled(self._records(opened.entity, opened.skip), hidden) if opened.entity else None,
            "calls": self._veiled(self._calls.listed(), hidden),
            "call": self._veiled(self._calls.opened(opened.call), hidden) if opened.call else None,
            "has_secrets": not self._store.veil.is_lifted,
            "faults": self._faults.listed(),
            "kinds": list(FAULT_KINDS),
            "taking_time": list(TAKING_TIME),
            "given": GIVEN,
            "at_once": RECORDS,
            "opened": opened,
            "link": opened.link,
        }

    def _veiled(self, value: Json, hidden: frozenset[str]) -> Json:
        """`value` without secrets in the fields `hidden`; other fields make up links."""
        match value:
            case list():
                return [self._veiled(item, hidden) for item in value]
            case dict():
                veil = self._store.veil
                return {name: veil.hidden(item) if name in hidden else item for name, item in value.items()}
            case _:
                return value

    def _processes(self) -> list[Json]:
        starts = self._store.starts()
        return [
            {
                "process": double.code,
                "caption": double.caption,
                "parameters": [
                    {"name": code, "type": parameter.kind, "direction": parameter.direction}
                    for code, parameter in double.parameters.items()
                ],
                "starts": starts.get(double.code, 0),
            }
            for double in self._doubles.values()
        ]

    def _instances(self, opened: str) -> list[Json]:
        """The newest instances, and `opened`."""
        newest = self._store.newest(_SHOWN)
        older = None if any(each.id == opened for each in newest) else self._store.process(opened)
        return [self._instance(process) for process in (*newest, *([] if older is None else [older]))]

    def _instance(self, process: Instance) -> Json:
        elements: list[Json] = [
            {"id": element.id, "caption": element.caption, "status": element.status}
            for element in self._store.elements(process.id)
        ]
        return {
            "id": process.id,
            "process": process.code,
            "status": process.status,
            "started": process.started,
            "completed": process.completed,
            "error": process.error,
            "parameters": process.parameters,
            "elements": elements,
        }

    def _listed_entities(self) -> list[Json]:
        """The folder's own with the number of their records, then those that every site has."""
        counts = self._store.counts()
        others = [name for name in self._entities.names() if name not in counts]
        return [{"entity": name, "records": counts.get(name)} for name in (*sorted(counts), *others)]

    def _records(self, entity: str, skip: int) -> JsonObject | None:
        """Newest first, so many after the first `skip`; None for an unknown entity."""
        found = self._entities.find(entity)
        if found is None:
            return None
        rows = list(found.rows(Bounds(), ()))
        newest = rows[::-1][skip : skip + RECORDS]
        shown: list[Json] = [{column: row[column] for column in found.columns} for row in newest]
        return {"entity": entity, "columns": list(found.columns), "skip": skip, "all": len(rows), "records": shown}
