"""The pieces that a transcript is made of. They know no terminal: who prints them makes marks and colours of them."""

from enum import StrEnum

from msgspec import Struct

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
    """How much is printed."""

    quiet: bool = False  # rows that did not pass and the summary
    verbose: bool = False  # every call and value, too
    place: str | None = None  # where the run is stored
    held: bool = False  # it waits where a call is in doubt
    advice: bool = True  # the commands that it needs next
    resumed: str = "resumed"  # the word for a run that began in another command
    ids: bool = True  # ids and hashes that nobody needs to go on
    several: bool = False  # a table follows, with the warnings
    starter: bool = False  # who began it
