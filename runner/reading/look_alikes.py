"""Letters of other alphabets that look like Latin ones, in words of a message: nobody sees what is wrong with them."""

import re
import unicodedata

_WORD = re.compile(r"`([^`\s]+)`")
_ALPHABETS = {"CYRILLIC": "Cyrillic", "GREEK": "Greek", "FULLWIDTH": "wide", "ARMENIAN": "Armenian"}


def in_message(message: str, hint: str | None) -> str | None:
    """`hint`, with the letter of another alphabet in a word of `message` that is a Latin word but for it."""
    if message.isascii() or hint is None or "`" not in hint:
        return hint
    for word in _WORD.findall(message):
        for letter in word:
            alphabet = _ALPHABETS.get(unicodedata.name(letter, "").partition(" ")[0])
            if alphabet is not None and re.search(r"[A-Za-z]", word):
                return (
                    f"{hint} the `{letter}` in `{word}` is a {alphabet} letter"
                    if hint.endswith("?")
                    else (f"{hint}; the `{letter}` in `{word}` is a {alphabet} letter")
                )
    return hint
