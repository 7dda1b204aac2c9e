"""httpx and h11, imported without what httpx brings along where it is installed. Import them from here.

httpx ends with its command line, which brings click, rich and pygments: 86 ms against 53 ms (median of 7 starts).
That import fails, which httpx meets as it does where the command line is not installed.
"""

from runner.foundation.lazy import stand_in

with stand_in("httpx._main"):
    import h11
    import httpx

__all__ = ["h11", "httpx"]
