"""What the sandbox offers beside the service: a page, the same as JSON, faults, and starts by hand.

Only this machine is answered, and no page of another site (`origins`).
"""

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from runner.foundation.values import Json
from runner.sandbox import by_hand
from runner.sandbox.doubles import Double
from runner.sandbox.engine import Engine
from runner.sandbox.entities import Entities
from runner.sandbox.faults import Faults, read_fault
from runner.sandbox.origins import may_use_page
from runner.sandbox.page import live, page
from runner.sandbox.recent_calls import RecentCalls
from runner.sandbox.replies import UnfitRequestError, nothing, plain_json
from runner.sandbox.views import Views, opened_by

_REFUSED = "only this machine and the sandbox's own page may ask: use the address that the sandbox printed"
_PRIVATE = {"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
"""Headers by which a browser gives an answer to our own page alone."""


class Control:
    def __init__(
        self, doubles: Mapping[str, Double], engine: Engine, *, entities: Entities, calls: RecentCalls
    ) -> None:
        store = engine.store
        self.faults = Faults(doubles.values(), taken=store.taken_faults(), on_taken=store.take_fault)
        self._engine = engine
        self._views = Views(doubles, store, entities=entities, calls=calls, faults=self.faults)

    def answer(self, request: Request, parts: tuple[str, ...], body: bytes) -> Response:
        """Answer a request for `/`, which is no parts at all, or for `/sandbox/…`, which is the parts after it."""
        if not may_use_page(request):
            return _shown({"error": _REFUSED}, status=403) if parts else nothing(200)
        match request.method, parts:
            case (("GET" | "HEAD"), ()):
                return page(self._views.page(opened_by(request.query_params)))
            case (("GET" | "HEAD"), ("live",)):
                return live(self._views.page(opened_by(request.query_params)))
            case (("GET" | "HEAD"), _):
                seen = self._views.view(parts, request.query_params)
                return nothing(404) if seen is None else _shown(seen)
            case "POST", ("faults",):
                return _done(lambda: self._set(body))
            case "DELETE", ("faults",):
                self.faults.clear()
                return _shown(self.faults.listed())
            case "POST", ("instances",):
                return _done(lambda: by_hand.start(self._engine, body))
            case "POST", ("elements",):
                return _done(lambda: by_hand.execute_element(self._engine, body))
        return nothing(404)

    def _set(self, body: bytes) -> Json:
        fault, process = read_fault(body, self.faults.processes)
        self.faults.add(fault, process)
        return self.faults.listed()


def _done(deed: Callable[[], Json]) -> Response:
    """The answer to what a person does, or why it cannot be done."""
    try:
        return _shown(deed())
    except UnfitRequestError as error:
        return _shown({"error": str(error)}, status=400)


def _shown(value: Json, *, status: int = 200) -> Response:
    return plain_json(value, status=status, headers=_PRIVATE)
