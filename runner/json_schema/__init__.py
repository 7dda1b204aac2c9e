"""JSON values against JSON Schemas.

`jsonschema_rs` says when it was built. To have that as a moment, not as a text, it imports what reads mails, 4 % of a
start.
"""

from importlib import import_module

from runner.foundation.lazy import stand_in

with stand_in("email.utils", parsedate_to_datetime=str):
    import_module("jsonschema_rs")
