"""Expressions over JSON, read by Jinja's parser and evaluated by us.

Of Jinja no more is imported than its parser needs: with its compiler, its caches and loaders it would be a tenth of a
start. Who draws a page has all of it. Its lexer asks `ast` to read decimal numbers: 2 % of `validate`.
"""

from importlib import import_module

from runner.foundation.lazy import lazy_module, lazy_patterns, stand_in

lazy_module("jinja2")
with lazy_patterns(), stand_in("ast", "literal_eval"), stand_in("random", "choice", "randrange"):
    import_module("jinja2.parser")
