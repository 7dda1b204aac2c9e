"""Processes under way: they start, go on after an element, wait, and are cancelled, without HTTP.

A value for an `out` or `internal` parameter is dropped, a choice [?].
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import assert_never

from msgspec import Struct

from runner.catalogue.kinds import KINDS, CannotReadError, read
from runner.catalogue.model import Direction
from runner.expressions.evaluate import EvaluationError, Scope, boolean
from runner.expressions.parse import expression
from runner.foundation.values import Json, JsonObject, is_guid
from runner.sandbox.activities import Surroundings, carry_out
from runner.sandbox.doubles import Background, ChangedRecord, Delay, Double
from runner.sandbox.process_log import next_start
from runner.sandbox.process_schemas import schema_id, schema_uid
from runner.sandbox.sign_in import User
from runner.sandbox.store import Instance, ReachedElement

GIVEN = frozenset({Direction.IN, Direction.BOTH})  # directions of the parameters that take a value


class Begun(Struct, frozen=True, kw_only=True):
    """A process, and what is to be done now: nothing is, until it is asked for."""

    process_id: str
    running: Iterator[Delay | Background]


class Engine:
    def __init__(self, doubles: Mapping[str, Double], surroundings: Surroundings) -> None:
        self._doubles = doubles
        self._by_uid = {schema_uid(code): double for code, double in doubles.items()}
        self._active = {double.root: double for double in doubles.values() if double.active}
        self._surroundings = surroundings
        self._newest_start = surroundings.store.newest_start()
        self._tasks: set[asyncio.Task[None]] = set()
        self.store = surroundings.store

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self._doubles)

    def double(self, *, code: str = "", uid: str = "") -> Double | None:
        """What a call runs: the active version by a code, also of a version [?], else by the id of a design."""
        called = self.version(code=code, uid=uid)
        return None if called is None else self._active.get(called.root)

    def version(self, *, code: str = "", uid: str = "") -> Double | None:
        """This very version by its own code, else by the id of its design."""
        return self._doubles.get(code) if code else self._by_uid.get(uid.lower())

    def double_of(self, element: ReachedElement) -> Double | None:
        process = self.store.process(element.process_id)
        return None if process is None else self._doubles.get(process.code)

    def element(self, uid: str) -> ReachedElement | None:
        return self.store.element(uid.lower()) if is_guid(uid) else None

    def read(self, double: Double, given: Mapping[str, Json]) -> JsonObject:
        """The values that the process takes; others are dropped in silence [M]. Raises `CannotReadError`."""
        values: JsonObject = {}
        for code, value in given.items():
            parameter = double.parameters.get(code)
            if parameter is None or parameter.direction not in GIVEN:
                continue
            try:
                values[code] = read(value, parameter)
            except CannotReadError as error:
                raise CannotReadError(f'Parameter "{code}": {error}') from None
        return values

    def begin(self, double: Double, values: JsonObject, user: User, *, failing: str | None = None) -> Begun:
        """Start a process: its row is in the log at once. With `failing` it fails at its end with that text."""
        self._newest_start = next_start(self._surroundings.now(), self._newest_start)
        process = Instance(
            id=self._surroundings.new_id(),
            code=double.code,
            caption=double.caption,
            schema_id=schema_id(double.code),
            owner=user.contact_id,
            started=self._newest_start,
            parameters={code: KINDS[parameter.kind].empty for code, parameter in double.parameters.items()} | values,
        )
        self.store.begin(process)
        running = carry_out(double, self._surroundings, process_id=process.id, failing=failing)
        return Begun(process_id=process.id, running=running)

    def signal(self, changed: ChangedRecord, user: User) -> None:
        """Start the processes that this change of a record starts, as who made it, a choice [?]."""
        for double in self._active.values():
            start = double.starts_on
            if start is None or (start.entity, start.change) != (changed.entity, changed.change):
                continue
            if start.where is None or _holds(start.where, changed.record):
                values: JsonObject = {} if start.into is None else {start.into: changed.record["Id"]}
                self.run_in_background(self.begin(double, values, user))

    def execute_element(self, double: Double, element: ReachedElement, values: JsonObject) -> Begun:
        """Execute an element with `values`; an element that was executed before is left alone [D]."""
        process = self.store.process(element.process_id)
        assert process is not None
        if not self.store.take(element, completed=self._surroundings.now()):
            return Begun(process_id=process.id, running=iter(()))
        self.store.keep(process.id, process.parameters | values)
        running = carry_out(double, self._surroundings, process_id=process.id, start=element.position + 1)
        return Begun(process_id=process.id, running=running)

    def cancel(self, process_ids: Iterable[str]) -> None:
        for key in process_ids:
            self.store.cancel(key.lower(), completed=self._surroundings.now())

    async def carry_out(self, begun: Begun, *, in_background: bool = False) -> None:
        """Carry it out until its end, or an element; with `in_background` only until its caller is answered."""
        for deed in begun.running:
            match deed:
                case Delay():
                    await asyncio.sleep(deed.seconds)
                case Background() if in_background:
                    self._leave(self.carry_out(begun))
                    return
                case Background():
                    pass
                case _:
                    assert_never(deed)

    def run_in_background(self, begun: Begun) -> None:
        """Carry out what happens before the first wait; the rest goes on by itself."""
        deed = next(begun.running, None)
        if deed is not None:
            self._leave(self._later(deed.seconds if isinstance(deed, Delay) else 0, lambda: begun))

    def run_later(self, seconds: float, begin: Callable[[], Begun]) -> None:
        self._leave(self._later(seconds, begin))

    async def _later(self, seconds: float, begin: Callable[[], Begun]) -> None:
        await asyncio.sleep(seconds)
        await self.carry_out(begin())

    def _leave(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _holds(where: str, row: JsonObject) -> bool:
    """A condition that cannot be worked out for a record does not hold for it."""
    try:
        return boolean(expression(where), Scope(names={"row": row}, functions={}))
    except EvaluationError:
        return False
