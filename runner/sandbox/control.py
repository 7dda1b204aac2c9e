"""What the sandbox offers besides the service: a page to look at, the same as JSON, and faults to set.

Nobody signs in here, so only this machine is answered, and no page of another site that a browser happens to show. The
page is one file without anything from outside. Texts of processes, callers and files are escaped by the template, and
the policy that is sent along lets nothing run but the page's own script.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import unquote

from jinja2 import Environment, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from runner.foundation.json_text import write_json
from runner.foundation.values import Json, JsonObject
from runner.sandbox.doubles import CallFault, Double
from runner.sandbox.fault_kinds import FAULT_KINDS, TAKING_TIME
from runner.sandbox.faults import FaultError, Faults, read_fault
from runner.sandbox.replies import nothing, plain_json
from runner.sandbox.store import Instance, Store

_REMEMBERED = 200
"""So many calls, the newest."""
_LONGEST = 300
_SHOWN = 100
"""So many instances, the newest."""
_FILE = Path(__file__).with_name("page.html.j2")
_POLICY = (
    "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


@dataclass(slots=True, kw_only=True)
class RecentCall:
    """`address` is path and query, shortened. `status` is None until there is an answer, and where there is none."""

    at: str
    came: float
    method: str
    address: str
    fault: CallFault | None = None
    status: int | None = None
    seconds: float | None = None


class RecentCalls:
    """`now` gives a time as the log writes it, `clock` seconds from any start. None of this outlives the sandbox."""

    def __init__(self, *, now: Callable[[], str], clock: Callable[[], float]) -> None:
        self._now = now
        self._clock = clock
        self._calls: deque[RecentCall] = deque(maxlen=_REMEMBERED)

    def came(self, method: str, address: str) -> RecentCall:
        shown = address if len(address) <= _LONGEST else f"{address[:_LONGEST]}…"
        call = RecentCall(at=self._now(), came=self._clock(), method=method, address=shown)
        self._calls.appendleft(call)
        return call

    def went(self, call: RecentCall, status: int | None) -> None:
        """It was answered with `status`, or cut."""
        call.status = status
        call.seconds = self._clock() - call.came

    def listed(self) -> list[Json]:
        """Newest first."""
        return [
            {
                "at": call.at,
                "method": call.method,
                "address": unquote(call.address),
                "status": call.status,
                "seconds": None if call.seconds is None else round(call.seconds, 4),
                "fault": None if call.fault is None else call.fault.kind,
            }
            for call in self._calls
        ]


class Control:
    """`new_token` gives a text that nobody can guess."""

    def __init__(
        self, doubles: Mapping[str, Double], store: Store, *, calls: RecentCalls, new_token: Callable[[], str]
    ) -> None:
        self.faults = Faults(doubles.values(), taken=store.taken_faults(), on_taken=store.take_fault)
        self._doubles = doubles
        self._store = store
        self._calls = calls
        self._new_token = new_token

    def answer(self, request: Request, parts: tuple[str, ...], body: bytes) -> Response:
        """Answer a request for `/`, which is no parts at all, or for `/sandbox/…`, which is the parts after it."""
        if not _is_here(request):
            refusal: JsonObject = {"error": "the sandbox answers this on its own machine alone"}
            return plain_json(refusal, status=403) if parts else nothing(200)
        match request.method, parts:
            case (("GET" | "HEAD"), ()):
                return page(self._seen(), nonce=self._new_token())
            case (("GET" | "HEAD"), ("live",)):
                return live(self._seen(), nonce=self._new_token())
            case (("GET" | "HEAD"), ("processes" | "instances" | "faults" | "calls" as name,)):
                return plain_json(self._views()[name]())
            case "POST", ("faults",):
                return self._set(body)
            case "DELETE", ("faults",):
                self.faults.clear()
                return plain_json(self.faults.listed())
        return nothing(404)

    def _views(self) -> dict[str, Callable[[], list[Json]]]:
        return {
            "processes": self._processes,
            "instances": self._instances,
            "faults": self.faults.listed,
            "calls": self._calls.listed,
        }

    def _seen(self) -> JsonObject:
        views: JsonObject = {name: view() for name, view in self._views().items()}
        return views | {"kinds": list(FAULT_KINDS), "taking_time": list(TAKING_TIME)}

    def _set(self, body: bytes) -> Response:
        try:
            fault, process = read_fault(body, self.faults.processes)
        except FaultError as error:
            return plain_json({"error": str(error)}, status=400)
        self.faults.add(fault, process)
        return plain_json(self.faults.listed())

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

    def _instances(self) -> list[Json]:
        return [self._instance(process) for process in self._store.newest(_SHOWN)]

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


def _is_here(request: Request) -> bool:
    """Whether a program of this machine asks, and where that is a browser, whether the page is our own."""
    if request.client is None or not _is_loopback(request.client.host):
        return False
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    return _is_no_foreign_name(host) and (origin is None or origin.partition("://")[2] == host)


def _is_loopback(host: str) -> bool:
    address = ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _is_no_foreign_name(host: str) -> bool:
    """An address, or `localhost`: any other name may have been made to lead here by the site that it belongs to."""
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ip_address(name)
    except ValueError:
        return name.lower() == "localhost"
    return True


def page(seen: JsonObject, *, nonce: str) -> Response:
    """`seen` holds what is shown, by its name in the template. `nonce` must be another one each time."""
    return _sent(_template().render(seen, nonce=nonce), nonce=nonce)


def live(seen: JsonObject, *, nonce: str) -> Response:
    """The part of the page that changes while it is shown. It runs and styles nothing."""
    template = _template()
    return _sent("".join(template.blocks["live"](template.new_context(seen))), nonce=nonce)


def _sent(html: str, *, nonce: str) -> Response:
    headers = {
        "Content-Security-Policy": _POLICY.format(nonce),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, headers=headers)


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["json"] = write_json
    return environment.from_string(_FILE.read_text(encoding="utf-8"))
