"""Files as they are written, YAML above all, read with every place that a problem may have to name.

Of PyYAML no more is imported than libyaml's parser needs: its own reader, resolver and constructor, which compile a
dozen regular expressions, take longer to import than all of this program's files take to be read.
"""

from importlib import import_module

from runner.foundation.lazy import lazy_module, lazy_patterns

lazy_module("yaml")
with lazy_patterns():
    import_module("yaml._yaml")
