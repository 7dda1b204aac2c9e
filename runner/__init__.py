"""A declarative runner of Creatio's business processes.

Of the libraries that every room uses no more is imported than is needed. Most of what `inspect` brings, 4 % of a start,
is asked for when help is printed or a fault is written down. `typing_extensions` has nothing for msgspec that `typing`
does not have from Python 3.11 on.
"""

from importlib import import_module

from runner.foundation.lazy import lazy_module, stand_in

lazy_module("inspect")
lazy_module("ipaddress")
lazy_module("textwrap")
with stand_in("typing_extensions"):
    import_module("msgspec")
