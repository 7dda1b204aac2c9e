"""Expressions over JSON, read by Jinja's parser and evaluated by us.

Jinja's compiler, caches and loaders are not imported: a tenth of a start. Nor is `ast`, by which its lexer reads
numbers: 2 % of `validate`.
"""

from importlib import import_module

from runner.foundation.lazy import lazy_module, lazy_patterns, stand_in

lazy_module("jinja2")
with lazy_patterns(), stand_in("ast", "literal_eval"), stand_in("random", "choice", "randrange"):
    import_module("jinja2.parser")
