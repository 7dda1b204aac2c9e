"""A declarative runner of Creatio's business processes.

Of the standard library what most checks of files never use is carried out when it is used: most of what `inspect`
brings, 4 % of a start, when help is printed or a fault is written down; OpenSSL, which `hashlib` brings, is 2 %.
"""

from runner.foundation.lazy import lazy_module

lazy_module("base64")
lazy_module("getpass")
lazy_module("hashlib")
lazy_module("html")
lazy_module("inspect")
lazy_module("ipaddress")
lazy_module("json")
lazy_module("shutil")
lazy_module("subprocess")
lazy_module("tempfile")
lazy_module("textwrap")
lazy_module("traceback")
