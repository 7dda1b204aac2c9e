"""Requests: how each call looks on the wire. Pure: nothing is sent here.

Session and connection add their own headers. Marks of facts: [D] documented by the vendor, [C] seen in the code of real
clients, [M] measured on a live application, [?] unknown, so that it is our choice.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, assert_never

from runner.foundation.percent import encoded
from runner.foundation.values import Json, JsonObject, as_text, compact
from runner.job.actions import Change
from runner.odata.names import is_entity
from runner.service import calls, odata, process_log
from runner.service.site import ElementIdPlace, ExecuteMethod, Request, Site, json_request

_ENGINE: Final = "/ServiceModel/ProcessEngineService.svc"
_EXACT: Final = 2**53  # up to here a float is each whole number


class UnwritableError(Exception):
    """A call that cannot be put into a request; the text says why."""


def request(call: calls.Call, site: Site, *, username: str | None) -> Request:
    """Write `call` for `site`. Only `WhoIsUser` asks for `username`. Raises `UnwritableError` for a wrong entity."""
    match call:
        case calls.ExecuteCall():
            return _execute(call, site)
        case calls.TableCall():
            return _reading(call, site, username=username)
        case calls.ElementCall():
            return _element(call, site)
        case calls.CompleteCall():
            return _complete(call, site)
        case calls.RunProcessCall():
            return _run_process(call, site)
        case calls.CancelCall():
            return json_request(f"{site.prefix}{_ENGINE}/CancelExecution", {"processDataIds": call.process_id})
        case calls.ChangeCall():
            return _change(call, site)
        case calls.QueryCall():
            return _query(call, site)
        case calls.ReadSchema():
            body: Json = {"uId": call.schema_id, "convertLocalizableStringToParameter": True}
            return json_request(f"{site.prefix}/DataService/json/SyncReply/ProcessSchemaRequest", body)
        case calls.WhoAmI():
            return json_request(f"{site.prefix}/ServiceModel/UserInfoService.svc/GetCurrentUserInfo", {})
        case _:
            assert_never(call)


def _execute(call: calls.ExecuteCall, site: Site) -> Request:
    """Parameters in the job's order, also in a POST [C]: texts as they are, else JSON (RunProcess [M], Execute [?])."""
    pairs = [] if call.result is None else [("ResultParameterName", call.result)]
    pairs += [(name, _in_query(value)) for name, value in call.parameters.items() if value is not None]
    query = "&".join([f"{encoded(name)}={encoded(value)}" for name, value in pairs])
    path = f"{site.prefix}{_ENGINE}/{encoded(call.process)}/Execute{'?' if query else ''}{query}"
    if site.calls.execute_method is ExecuteMethod.POST:
        return Request(method="POST", path=path, body=b"")
    return Request(method="GET", path=path)


def _element(call: calls.ElementCall, site: Site) -> Request:
    """Write the id after the method, as documented [D], or in the query, as the only known client does [C]."""
    separator = "/" if site.calls.element_call is ElementIdPlace.PATH else "?ProcessElementUID="
    return Request(method="GET", path=f"{site.prefix}{_ENGINE}/ExecProcElByUId{separator}{encoded(call.uid)}")


def _complete(call: calls.CompleteCall, site: Site) -> Request:
    values = _named_values(call.parameters)
    body: Json = {"processElementUId": call.uid, "parameterValues": values, "collectExecutionData": True}
    return json_request(f"{site.prefix}{_ENGINE}/CompleteExecuting", body)


def _run_process(call: calls.RunProcessCall, site: Site) -> Request:
    """Names of results let a background process run at once [S]. A version is named by its code and design's id [?]."""
    version = call.version
    named: JsonObject = {"schemaName": call.process if version is None else version.code}
    if version is not None and version.uid is not None:
        named["schemaUId"] = version.uid
    body: Json = {
        **named,
        "parameterValues": _named_values(call.parameters),
        "resultParameterNames": list(call.results),
        "collectExecutionData": False,
    }
    method = "RunProcess" if version is None else "RunSpecifiedProcessVersion"
    return json_request(f"{site.prefix}{_ENGINE}/{method}", body)


def _change(call: calls.ChangeCall, site: Site) -> Request:
    """The Id of a new record is given by us: the service keeps it [C]."""
    if not is_entity(call.entity):
        raise UnwritableError(f"`{call.entity}` is no name of an entity")
    path = f"{site.prefix}/odata/{call.entity}"
    match call.change:
        case Change.INSERT:
            return json_request(path, {"Id": call.id, **_each_sent(call.values)})
        case Change.UPDATE:
            return json_request(f"{path}({encoded(call.id)})", _each_sent(call.values), method="PATCH")
        case Change.DELETE:
            return Request(method="DELETE", path=f"{path}({encoded(call.id)})")
        case _:
            assert_never(call.change)


def _query(call: calls.QueryCall, site: Site) -> Request:
    if not is_entity(call.entity):
        raise UnwritableError(f"`{call.entity}` is no name of an entity")
    return Request(method="GET", path=call.next or f"{site.prefix}/odata/{odata.first_page(call)}")


def _reading(call: calls.TableCall, site: Site, *, username: str | None) -> Request:
    asked = process_log.reading(call, username=username)
    return Request(method="GET", path=f"{site.prefix}/odata/{odata.query(asked.entity, asked.options)}")


def _named_values(parameters: Mapping[str, Json]) -> list[Json]:
    """Numbers and booleans stay what they are; a collection is the JSON *text* of an array [M]; null is left out."""
    return [
        {"name": name, "value": compact(value) if isinstance(value, list | dict) else value}
        for name, value in _each_sent(parameters).items()
        if value is not None
    ]


def _in_query(value: Json) -> str:
    """All digits of a number: `0.00001`, and not the `1e-05` of JSON, which many a reader of decimals refuses [?]."""
    sent = _sent(value)
    written = as_text(sent)
    if not isinstance(sent, float) or "e" not in written:
        return written
    return f"{Decimal(written):f}"


def _sent(value: Json) -> Json:
    """A whole number without a point: a parameter of whole numbers may not take `2.0` [?], and is dropped then."""
    match value:
        case float() if value.is_integer() and abs(value) <= _EXACT:
            return int(value)
        case list():
            return [_sent(each) for each in value]
        case dict():
            return _each_sent(value)
        case _:
            return value


def _each_sent(values: Mapping[str, Json]) -> JsonObject:
    return {name: _sent(value) for name, value in values.items()}
