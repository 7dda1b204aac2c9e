"""h11, and what reads addresses of httpx. Import them from here: the rest of httpx costs 34 of the 250 ms of a call.

What `dataclasses` would write for h11's events, 9 ms, nobody uses.
"""

from collections.abc import Callable

from runner.foundation.lazy import lazy_module, lazy_patterns, stand_in

lazy_module("httpx")
lazy_module("idna")
with stand_in("httpx._types", QueryParamTypes=object, PrimitiveData=object), stand_in("urllib.request", "getproxies"):
    from httpx._exceptions import InvalidURL
    from httpx._urls import URL


def _as_written(**_options: object) -> Callable[[type], type]:
    return lambda event: event


with lazy_patterns(), stand_in("dataclasses", dataclass=_as_written):
    import h11

__all__ = ["URL", "InvalidURL", "h11"]
