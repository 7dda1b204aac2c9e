"""The pieces that a transcript is made of. They know no terminal: who prints them makes marks and colours of them."""

from enum import StrEnum

from msgspec import Struct

from runner.runs import StoreName
from runner.runs.status import Status


class Tone(StrEnum):
    PLAIN = "plain"
    FAINT = "faint"
    TITLE = "title"
    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    WARNING = "warning"


class Sentence(Struct, frozen=True, kw_only=True):
    """A line for a person. `status` is set where its mark comes before the text."""

    text: str
    indent: int = 0
    tone: Tone = Tone.PLAIN
    status: Status | None = None


class Detail(Struct, frozen=True, kw_only=True):
    """How much is printed. `quiet`: rows that did not pass and the summary; `verbose`: every call and value too.

    `place` is where the run is stored, None where it is not; `store` names the store. `held`: the run waits where a
    call is in doubt. `advice`: whether the commands that it needs next are printed. `resumed` is the word for a run
    that began in another command. `ids`: whether ids and hashes are printed that nobody needs to go on. `several`:
    there are more runs, of which `runner.reports.summary` prints a table and the warnings. `starter`: who began it
    is printed.
    """

    quiet: bool = False
    verbose: bool = False
    place: str | None = None
    store: StoreName | None = None
    held: bool = False
    advice: bool = True
    resumed: str = "resumed"
    ids: bool = True
    several: bool = False
    starter: bool = False
