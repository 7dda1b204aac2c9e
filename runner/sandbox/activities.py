"""Executes a double's activities over the store. It has no clock: it yields what it waits for.

A mistake in the double ends the process as `error`; its values stay, as the service returns them then, too [M].
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias, assert_never
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from runner.catalogue.kinds import CannotReadError, read
from runner.expressions.evaluate import EvaluationError, Scope, boolean, render, render_value
from runner.expressions.parse import expression, template
from runner.foundation.values import Json, JsonObject, as_text, compact, is_guid, well_formed
from runner.sandbox import doubles
from runner.sandbox.process_schemas import element_caption, element_uid
from runner.sandbox.store import InstanceStatus, ReachedElement, Store

RunningActivities: TypeAlias = Generator[doubles.Delay | doubles.Background, None, None]


class _FailedError(Exception):
    """The process fails at this activity, with this text."""

    def __init__(self, activity: doubles.Activity, text: str) -> None:
        super().__init__(text)
        self.activity = activity


class _CancelledError(Exception):
    """Somebody has ended the process while it waited."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What activities work on. `now` gives a time as the log writes it, `new_id` a GUID."""

    store: Store
    now: Callable[[], str]
    new_id: Callable[[], str]


def carry_out(
    double: doubles.Double, surroundings: Surroundings, *, process_id: str, start: int = 0, failing: str | None = None
) -> RunningActivities:
    """Do the activities from `start` on, to the end, a failure, or an element; a cancelled process is left alone.

    With `failing` the process fails at its end with that text.
    """
    store = surroundings.store
    process = store.process(process_id)
    assert process is not None
    work = _Work(double=double, surroundings=surroundings, process_id=process_id, parameters=dict(process.parameters))
    error = failing
    try:
        parked = yield from work.from_position(start)
    except _FailedError as failed:
        parked, error = False, well_formed(str(failed))
        work.fail_at(failed.activity, error)
    except _CancelledError:
        return
    store.keep(process_id, work.parameters)
    if not parked:
        status = InstanceStatus.DONE if error is None else InstanceStatus.ERROR
        store.end(process_id, status=status, completed=surroundings.now(), error=error)


class _Work(Struct, frozen=True, kw_only=True):
    """A process under way; the activities change its `parameters`."""

    double: doubles.Double
    surroundings: Surroundings
    process_id: str
    parameters: JsonObject

    def from_position(self, start: int) -> Generator[doubles.Delay | doubles.Background, None, bool]:
        """Whether the process is parked at the end."""
        for position, activity in enumerate(self.double.activities[start:], start):
            with self._mistakes_at(activity):
                if activity.condition is not None and not boolean(expression(activity.condition), self._scope()):
                    continue
                self._do(activity)
            match activity.deed:
                case doubles.Park(waits=waits) as park:
                    self._park(park, position)
                    if waits:
                        return True
                case doubles.Delay() | doubles.Background() as deed:
                    self.surroundings.store.keep(self.process_id, self.parameters)
                    yield deed
                    if not self.surroundings.store.is_running(self.process_id):
                        raise _CancelledError
        return False

    def _do(self, activity: doubles.Activity) -> None:
        store = self.surroundings.store
        match activity.deed:
            case doubles.Set(values=values):
                for code, value in values.items():
                    self._put(code, render_value(value, self._scope()))
            case doubles.Fail(text=text):
                raise _FailedError(activity, as_text(render(template(text), self._scope())))
            case doubles.Insert() as insert:
                self._insert(insert)
            case doubles.Select(entity=entity, where=where, into=into):
                self._put(into, [*self._rows(entity, where)])
            case doubles.Update(entity=entity, where=where, values=values):
                for row in self._rows(entity, where):
                    store.replace(entity, row | self._rendered(values, row))
            case doubles.Delete(entity=entity, where=where):
                for row in self._rows(entity, where):
                    store.delete(entity, row["Id"])
            case doubles.Park() | doubles.Delay() | doubles.Background():
                pass
            case _:
                assert_never(activity.deed)

    def fail_at(self, activity: doubles.Activity, error: str) -> None:
        """Write down at which element the process fails, as a site does where it logs elements."""
        element = self._element(activity.deed, self.double.activities.index(activity))
        failed = replace(element, status=InstanceStatus.ERROR, completed=element.started, error=error)
        self.surroundings.store.reach(failed)

    def _park(self, park: doubles.Park, position: int) -> None:
        """Write down that the process waits here, or that it has passed."""
        element = self._element(park, position)
        if park.into is not None:
            self._put(park.into, element.id)
        passed = replace(element, status=InstanceStatus.DONE, completed=element.started)
        self.surroundings.store.reach(element if park.waits else passed)

    def _element(self, deed: doubles.Deed, position: int) -> ReachedElement:
        return ReachedElement(
            id=self.surroundings.new_id(),
            uid=element_uid(self.double.code, deed, position),
            process_id=self.process_id,
            position=position,
            caption=element_caption(deed, position),
            started=self.surroundings.now(),
        )

    def _insert(self, insert: doubles.Insert) -> None:
        record = self._rendered(insert.values, None)
        key = record.get("Id", self.surroundings.new_id())
        if not isinstance(key, str) or not is_guid(key):
            raise CannotReadError(f"{compact(key)} is no GUID, so it cannot be an Id")
        record = {"Id": key.lower()} | record | {"Id": key.lower()}
        if not self.surroundings.store.insert(insert.entity, record):
            raise CannotReadError(f"{insert.entity} holds a record with the Id {key} already")
        if insert.into is not None:
            self._put(insert.into, key.lower())

    def _rows(self, entity: str, where: str | None) -> list[JsonObject]:
        rows = self.surroundings.store.records(entity)
        if where is None:
            return rows
        condition = expression(where)
        return [row for row in rows if boolean(condition, self._scope(row))]

    def _rendered(self, values: Mapping[str, Json], row: JsonObject | None) -> JsonObject:
        scope = self._scope(row)
        return {column: render_value(value, scope) for column, value in values.items()}

    def _put(self, code: str, value: Json) -> None:
        self.parameters[code] = read(value, self.double.parameters[code])

    def _scope(self, row: JsonObject | None = None) -> Scope:
        names: dict[str, Json] = {"parameters": self.parameters, "run": {"id": self.process_id}}
        if row is not None:
            names["row"] = row
        return Scope(names=names, functions={"uuid": self._uuid})

    def _uuid(self, *labels: Json) -> Json:
        """The same for the same label and process, as in a job it is for the same run."""
        return str(uuid5(UUID(self.process_id), "".join(str(label) for label in labels)))

    @contextmanager
    def _mistakes_at(self, activity: doubles.Activity) -> Iterator[None]:
        """A mistake in the double ends the process: the text says where, since nobody but its author can mend it."""
        try:
            yield
        except (EvaluationError, CannotReadError) as error:
            raise _FailedError(activity, f"{self.double.file}:{activity.line}: {error}") from None
