"""Why a process failed: the process log's text, whole with its stack trace, and the element at which it happened."""

from collections.abc import Sequence

from runner.foundation.values import JsonObject

_SAYS_NOTHING = "An error has occurred during the process execution"
"""How the text begins that is the same for every error of an element [M]; the element's own text says more."""
_LONGEST_CAPTION = 120


def failed_element(elements: Sequence[JsonObject]) -> JsonObject | None:
    """The newest row of SysProcessElementLog whose status is error, if any: tracing may be off."""
    return next((element for element in elements if element.get("status") == "error"), None)


def sentence(word: str, text: str | None, element: JsonObject | None) -> str:
    """`the process failed at the element "Approve": …`; `word` is `failed` or `was cancelled`."""
    own = _text(element, "error")
    text = own if own and (not text or text.startswith(_SAYS_NOTHING)) else text
    more = f"; the element says: {own}" if own and text and own not in text and text not in own else ""
    reason = f": {text}{more}" if text else ", and the process log gives no reason"
    return f"the process {word}{_place(element)}{reason}"


def _place(element: JsonObject | None) -> str:
    """A caption that is very long is no name, and half of it could be half a secret."""
    caption = _text(element, "caption")
    if caption and len(caption) <= _LONGEST_CAPTION:
        return f' at the element "{caption}"'
    uid = _text(element, "uid")
    return f" at the element {uid}" if uid else ""


def _text(element: JsonObject | None, name: str) -> str:
    value = None if element is None else element.get(name)
    return value.strip() if isinstance(value, str) else ""
