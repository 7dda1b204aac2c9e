"""A declarative runner of Creatio's business processes.

Most of what `inspect` brings, 4 % of a start, is asked for when help is printed or a fault is written down.
"""

from runner.foundation.lazy import lazy_module

lazy_module("inspect")
lazy_module("ipaddress")
lazy_module("textwrap")
