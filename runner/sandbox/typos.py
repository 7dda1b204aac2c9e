"""A word that is another word with a typo: nearer than what is suggested for a word that is wrong.

Here both words may be right, so the first letters of a word, and what other tools call it, are no typo; neither are two
names that differ in their numbers, nor one of the names that Creatio itself gives. Columns are longer words than tags
and options, for which `runner.foundation.suggestions.likely_typo` is.
"""

from collections.abc import Collection
from typing import Final

from runner.foundation.lazy import lazy_pattern
from runner.foundation.near_misses import folded, near

_SHORTEST = 4
"""Letters of a word that is no other's typo by chance; in case alone shorter ones may differ."""
_WORDS: Final = """
Account Activity Address Amount Author Balance Birthday Brand Budget Call Campaign Case Category City Class Code
Color Comment Company Contact Contract Cost Count Country County CreatedBy CreatedOn Currency Customer Date
Department Description Document DueDate Email Employee EndDate Event Fax File Folder Form Gender GivenName Group Id
Image Invoice Item Job Key Kind Land Language Lead Line Link Mail ManagerName Mark MobilePhone ModifiedBy ModifiedOn
Month Name Note Notes Number Opportunity Order OrderNumber Owner OwnerRole Parent Part Partner Payment Period Phone
Phase Place Plan Position Post Price Primary Priority Problem Product Project Quantity Rank Rate Reason Region
Result Role Sale Score Service Site Size Skype Source Stage StartDate State Status Street Sum Surname Symbol Tag
Task Tax Team Term Time Title Total Type Unit Url User Value Vendor Web Week Work Year Zip ZipCode
"""
_STANDARD: Final = frozenset(_WORDS.split())
"""Entities and columns of Creatio, and words that are frequent in others; each may be right beside what is near to it.
"""
_OWN_PREFIX: Final = lazy_pattern(r"Usr(?=[A-Z])")


def typo_of(word: str, known: Collection[str]) -> str | None:
    """The nearest of `known`, None where `word` is one of them, or is most probably right as it is."""
    if word in known:
        return None
    found = sorted(near(word, known, typos=1))
    in_another_case = next((name for distance, name in found if distance == 0), None)
    if in_another_case is not None or _is_standard(word):
        return in_another_case
    return next((name for _, name in found if _may_be_mistyped(folded(word), folded(name))), None)


def _is_standard(word: str) -> bool:
    bare = _OWN_PREFIX.sub("", word, count=1)
    return bare in _STANDARD or bare.removesuffix("Id") in _STANDARD


def _may_be_mistyped(word: str, other: str) -> bool:
    """Whether two words, a typo apart, are long enough and differ in more than a digit."""
    return min(len(word), len(other)) >= _SHORTEST and _letters(word) != _letters(other)


def _letters(word: str) -> str:
    return "".join(sign for sign in word if not sign.isdigit())
