"""Bytes to text: UTF-8, perhaps with a byte-order mark.

Three characters are kept whole that YAML 1.1, and so the parser, takes for line ends.
"""

import re

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.reading.source import Source

LARGEST_FILE = 5 * 2**20

_UTF_8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_PAIR = lazy_pattern(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_TO_PRIVATE_USE = 0x800  # from half of a character to a character of its own
_CONFLICT_MARKS = ("<<<<<<<", ">>>>>>>", "|||||||")
_CONFLICT = lazy_pattern(r"^(<{7}|>{7}|\|{7})(?: [^\r\n]*)?$", re.MULTILINE)
AS_CSV = "Excel writes it as `CSV UTF-8 (Comma delimited)`"
PASTED = "this is a script of a shell, and no YAML"
CALLS_AS_STEPS = (
    "write each call as a step of a job, as in execute: {process: CODE, parameters: {NAME: VALUE}}; other services are "
    "not called; the address of the site and the sign-in belong in targets.yaml"
)
"""Nothing in it is in quotes: nothing in quotes is shown that is in the file."""
_CALL = lazy_pattern(
    r"#!(?=[^\n]*sh\s)(?=.*\bcurl )|(?:\s*(?:#|\w+=)[^\n]*\n)*\s*(?:\$ +|\w+=\$\()?curl(?:\.exe)? +(?=[-'\"]|https?://)"
    r"|(?:\s*#[^\n]*\n)*\s*(?:\$[\w:]+ *=.*)?(?i:Invoke-(?:RestMethod|WebRequest)|\biwr|\birm) +(?=[-`'\"$])",
    re.DOTALL,
)
"""A command of curl at a text's start, or in a script of a shell or PowerShell that begins with a variable."""
_SEPARATORS = "\x85\u2028\u2029"
_LAST_PRIVATE = 0x10FFFD


def decode(name: str, content: bytes, *, save: str = "save the file as UTF-8") -> Source | Problem:
    """The text of the file called `name`, or why it has none: too large, or not UTF-8, with `save` as the hint."""
    if len(content) > LARGEST_FILE:
        message = f"the file is larger than {LARGEST_FILE // 2**20} MiB"
        return Source(name, "").problem("E102", message, at=(0, 0))
    if content.startswith(_OTHER_MARKS) or (b"\0" in content[:2] and len(content) > 1):
        message = "the file seems to be UTF-16, and must be UTF-8"
        return Source(name, "").problem("E101", message, at=(0, 0), hint=save)
    try:
        source = Source(name, content.removeprefix(_UTF_8_MARK).decode())
    except UnicodeDecodeError as error:
        return _bad_byte(name, content.removeprefix(_UTF_8_MARK), at=error.start, save=save)
    return _conflict(source) or _command(source) or source


def _command(source: Source) -> Problem | None:
    """A command that sends a call; its lines may hold a password, and are not shown."""
    if source.text.startswith("runner:") or _CALL.match(source.text) is None:
        return None
    return Source(source.file, "").problem("E101", PASTED, at=(0, 0), hint=CALLS_AS_STEPS)


def _conflict(source: Source) -> Problem | None:
    """The marks of a merge conflict in any file."""
    if not any(mark in source.text for mark in _CONFLICT_MARKS):
        return None
    found = _CONFLICT.search(source.text)
    if found is None:
        return None
    message = "the file holds a merge conflict: here is a mark of git"
    hint = "keep one of the two texts, and delete the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`"
    return source.problem("E101", message, at=found.span(), hint=hint)


def _bad_byte(name: str, content: bytes, *, at: int, save: str) -> Problem:
    """The place in the shown text, with a U+FFFD for each bad byte."""
    start = len(content[:at].decode())
    shown = content[:at].decode() + "\ufffd" + content[at + 1 :].decode(errors="replace")
    message = f"the byte 0x{content[at]:02X} is not UTF-8"
    return Source(name, shown).problem("E101", message, at=(start, start + 1), hint=save)


def without_separators(text: str) -> tuple[str, dict[str, str]]:
    """`text` with private characters in place of the three, and the table that leads back, empty without them."""
    held = [mark for mark in _SEPARATORS if mark in text]
    private = (chr(code) for code in range(_LAST_PRIVATE, 0, -1) if chr(code) not in text)
    table = dict(zip(held, private, strict=False))
    for mark, other in table.items():
        text = text.replace(mark, other)
    return text, {other: mark for mark, other in table.items()}


def without_surrogates(text: str) -> tuple[str, dict[str, str]]:
    r"""`text` with private characters in the place of pairs like `\ud83d\ude00`, and the table that leads back.

    So JSON writes a character beyond the first plane; YAML has another escape, and its parser reads no half of a pair.
    The table also leads back where the pair is in a text in which `\\` means nothing.
    """
    table: dict[str, str] = {}

    def private(found: re.Match[str]) -> str:
        halves = [int(found[number], 16) + _TO_PRIVATE_USE for number in (2, 3)]
        escaped = "".join(f"\\u{half:04x}" for half in halves)
        table["".join(map(chr, halves))] = bytes.fromhex(f"{found[2]}{found[3]}").decode("utf-16-be")
        table[escaped] = found[0].removeprefix(found[1])
        return found[1] + escaped

    return _PAIR.sub(private, text), table


def with_separators(value: Json, table: dict[str, str]) -> Json:
    """`value` with the characters of `without_separators` or `without_surrogates` put back into all its texts."""
    match value:
        case str():
            return _with_separators(value, table)
        case list():
            return [with_separators(item, table) for item in value]
        case dict():
            return {_with_separators(key, table): with_separators(item, table) for key, item in value.items()}
    return value


def _with_separators(text: str, table: dict[str, str]) -> str:
    for other, mark in table.items():
        text = text.replace(other, mark)
    return text
