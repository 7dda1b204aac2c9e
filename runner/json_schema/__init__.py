"""JSON values against JSON Schemas, without what `jsonschema_rs` imports to date its build: 4 % of a start."""

from importlib import import_module

from runner.foundation.lazy import stand_in

with stand_in("email.utils", parsedate_to_datetime=str):
    import_module("jsonschema_rs")
