"""Files as they are written, YAML above all, with the place of every part.

Of PyYAML only what libyaml's parser needs is imported: the rest takes longer than all files of a command.
"""

from importlib import import_module

from runner.foundation.lazy import lazy_module, lazy_patterns

lazy_module("yaml")
with lazy_patterns():
    import_module("yaml._yaml")
