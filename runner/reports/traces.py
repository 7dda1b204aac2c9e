"""Stack traces of .NET in texts from the service: for who runs the site, and left out where a job's people read.

A frame is `at Namespace.Type.Method(…)`, on a line of its own or, where line ends were lost, within one; the word
`at` comes in the language of the server.
"""

import re

LEFT_OUT = "(its stack trace: -v)"

_BEFORE = r"(?:^|(?<!\s)\s++)"  # at the beginning of blanks only, so that many of them cost no more than their number
_FRAME = re.compile(
    _BEFORE + r"(?:at|bei|à|en|в) "
    r"[\w<][\w<>`|$&*,+\[\]=-]*(?:\.{1,2}[\w<>`|$&*,+\[\]=-]+)+\([^()\n]*\)"
    r"(?: \w+ [^\n]{1,300}?:\w+ [0-9]+)?"
)
_SEPARATOR = re.compile(_BEFORE + r"-{3} [^\n]{1,200}? -{3}(?!\S)")
"""`--- End of inner exception stack trace ---`, also in other words."""


def without_trace(text: str) -> str:
    """`text` without frames of a stack, and a word on how to see them; the same text where there are none."""
    kept, frames = _FRAME.subn("", text)
    return f"{_SEPARATOR.sub('', kept).strip()} {LEFT_OUT}".lstrip() if frames else text
