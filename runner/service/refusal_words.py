"""What the service's words prove about a start that it refused."""

import re
from typing import Final, TypeGuard

from runner.foundation.lazy import lazy_pattern
from runner.service import calls

NOT_FOUND: Final = "not found|does not exist|не найден|не существует"
_AT_THE_DOOR: Final = lazy_pattern(
    r"started manually|\[ProcessCannotBeManuallyStartedException\]|publish the |CanRunBusinessProcesses"
)
"""Words of a fault that only the check says which comes before a process begins [M]."""


def is_missing(code: str, words: str, *, quoted: bool = False) -> bool:
    """Whether the words say that the site lacks it, which no proxy knows. `quoted`: scripts say `order not found`."""
    may_be = "" if quoted else "?"
    named = rf"(?<![\w/])[\"'“«]{may_be}{re.escape(code)}[\"'”»]{may_be} (?:is |was )?(?:{NOT_FOUND})"
    return re.search(named, words, re.IGNORECASE) is not None


def is_start(call: calls.Call | None) -> TypeGuard[calls.ExecuteCall | calls.RunProcessCall]:
    return isinstance(call, calls.ExecuteCall | calls.RunProcessCall)


def proves_no_start(call: calls.Call | None, fault: str) -> bool:
    """Whether the words of the service's own fault are of the check before: no such process or result, or no right."""
    if not is_start(call):
        return False
    results = call.results if isinstance(call, calls.RunProcessCall) else filter(None, [call.result])
    lacks_result = any(is_missing(code, fault, quoted=True) for code in results)
    return lacks_result or is_missing(call.process, fault) or _AT_THE_DOOR.search(fault) is not None


def names_no_process(call: calls.Call | None, words: str) -> bool:
    """Whether any words, as of a page or a problem record, say that there is no such process, by its code.

    They may be a gateway's, or a script's, which say much else: the code has quotes around it, or `process` before it.
    """
    if not is_start(call):
        return False
    kind, code = "process(?: schema)?", rf"[\"'`“«]?{re.escape(call.process)}[\"'`”»]?"
    says_so = rf"\b{kind} {code} (?:is |was )?(?:{NOT_FOUND})|\b(?:unknown|no such) {kind}:? {code}(?![\w/])"
    return is_missing(call.process, words, quoted=True) or re.search(says_so, words, re.IGNORECASE) is not None
