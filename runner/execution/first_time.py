"""What `apply` wants confirmed: that a site of which its ledger knows nothing was never applied to.

A ledger that was lost, or that another checkout has, would let everything happen a second time. Of a sandbox, and of
versions that only read, nothing need be known.
"""

from collections.abc import Callable, Collection, Iterable

from msgspec import Struct, field

from runner.execution.run_spec import RunSpec
from runner.foundation.problems import Problem, RefusedError
from runner.foundation.sentences import first, many
from runner.foundation.site_key import one_spelling
from runner.ledger.model import AppliedVersion
from runner.planning.guards import may_change
from runner.reports.safe import clean

_MOST_NAMES = 5
"""Versions that a question names; more would hide the question."""


class UnknownSite(Struct, kw_only=True):
    """A target at whose address nothing was applied with `ledger`; `titles` are the versions that may change it."""

    target: str
    url: str
    ledger: str
    titles: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"nothing was applied to `{self.target}` ({self.url}) with the ledger {self.ledger} yet"

    @property
    def question(self) -> str:
        return f"{self}. Carry out {first(self.titles, _MOST_NAMES)} for the first time?"

    @property
    def problem(self) -> Problem:
        would = "that may change it would begin, also what was applied from another folder"
        names = first(self.titles, _MOST_NAMES)
        hint = (
            "if this is the first time there, repeat the command with `--first-time`; if not, bring back the `.runner` "
            "folder with the ledger, or mark what was applied as done: `--adopt`"
        )
        message = f"{self}; {many(len(self.titles), 'version')} {would}: {names}"
        return Problem(code="E185", message=clean(message), hint=hint)

    @property
    def note(self) -> str:
        return clean(f"{self}: `apply` asks before it begins there, and without a terminal needs `--first-time`")


def unknown_sites(
    begin: Iterable[tuple[AppliedVersion, RunSpec]], addresses: Collection[str], *, ledger: str
) -> list[UnknownSite]:
    """The sites that these versions may change, and at whose `addresses` the ledger has nothing."""
    known = {one_spelling(address) for address in addresses if address}
    found: dict[tuple[str, str], UnknownSite] = {}
    for version, spec in begin:
        if version.url and one_spelling(version.url) not in known and may_change(spec.job):
            new = UnknownSite(target=version.target, url=version.url, ledger=ledger)
            found.setdefault((version.target, version.url), new).titles.append(version.title)
    return [*found.values()]


def check_first_time(sites: Collection[UnknownSite], *, ask: Callable[[str], bool] | None) -> None:
    """Let versions begin at these sites, or raise `RefusedError`. A person is asked once for each site."""
    if sites and ask is None:
        raise RefusedError(*(site.problem for site in sites))
    for site in sites:
        if ask is not None and not ask(site.question):
            raise RefusedError(site.problem)
