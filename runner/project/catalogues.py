"""The catalogues that the jobs of a command are checked against, each read once.

A sandbox has its doubles, a site a file by its name beside the targets file or in the current folder. A file or folder
of packages that the command names counts for every job.
"""

from collections.abc import Mapping
from os.path import isfile  # unlike Path's, it takes a name that is too long
from pathlib import Path

from msgspec import Struct, field

from runner.catalogue.model import ENDING, Catalogue
from runner.foundation.problems import Problem, Severity, errors_in
from runner.foundation.suggestions import suggest
from runner.foundation.values import record, text
from runner.reading.document import Document
from runner.reading.files import display_path, names_in
from runner.targets import environment
from runner.targets.files import missing_folder
from runner.targets.model import CLIO, SandboxTarget, SiteTarget, Target

_ENDINGS = (ENDING, ".catalogue.yaml", ".catalog.yml", ".catalogue.yml")


class Catalogues(Struct, kw_only=True):
    """The catalogues of a command. A wrong catalogue is a problem, once, and not used."""

    problems: list[Problem]
    named: Path | None = None  # by the command
    _doubles: dict[Path, Catalogue | None] = field(default_factory=dict)
    _files: dict[Path, Catalogue | None] = field(default_factory=dict)

    @property
    def checked(self) -> list[str]:
        """The names of what was read."""
        folders = [f"the doubles in {display_path(folder)}" for folder in self._doubles if folder.is_dir()]
        return [*folders, *map(display_path, self._files)]

    def of(self, target: Target | None, *, folder: Path) -> tuple[Catalogue, ...]:
        """All that say what a target has; `target` is None where a job names none. `folder` is that of a site's."""
        own = None
        match target:
            case SandboxTarget():
                own = self.doubles(target)
            case SiteTarget() if self.named is None:
                file = folder / f"{target.name.removeprefix(CLIO)}{ENDING}"
                own = self._in_file(file, of=target) if file.parent == folder and isfile(file) else None  # noqa: PTH113  as above
            case _:
                pass
        found = (self._in_file(self.named) if self.named is not None else None, own)
        return tuple(each for each in found if each is not None)

    def doubles(self, target: SandboxTarget) -> Catalogue | None:
        """The doubles of a sandbox, checked; None where they have mistakes."""
        if target.folder not in self._doubles:
            self._doubles[target.folder] = self._loaded(target)
        return self._doubles[target.folder]

    def _loaded(self, target: SandboxTarget) -> Catalogue | None:
        if not target.folder.is_dir():
            self.problems.append(missing_folder(target))
            return None
        from runner.sandbox.loading import catalogue, load_doubles  # noqa: PLC0415  14 ms that commands for sites do not pay

        doubles, problems = load_doubles(target.folder)
        self.problems.extend(problems)
        return None if errors_in(problems) else catalogue(doubles, target=target.name, folder=str(target.folder))

    def warn_of_strays(self, targets_file: Path, targets: Mapping[str, Target]) -> None:
        """Warn of catalogues with nearly the name of a target that has none."""
        sites = {name for name, target in targets.items() if isinstance(target, SiteTarget)}
        found = [name for name in (names_in(targets_file.parent) if sites else ()) if name.endswith(_ENDINGS)]
        lacking = sorted(name for name in sites if f"{name}{ENDING}" not in found)
        for file in found:
            name = file.removesuffix(next(ending for ending in _ENDINGS if file.endswith(ending)))
            near = name if name in lacking else suggest(name, lacking)
            if near is not None and name != environment.NAME and (name not in sites or name in lacking):
                message = f"{file} is not read: a catalogue has the name of its target"
                hint, place = f"did you mean `{near}{ENDING}`?", display_path(targets_file.parent / file)
                warning = Problem(code="E179", message=message, hint=hint, file=place, severity=Severity.WARNING)
                self.problems.append(warning)

    def _in_file(self, file: Path, *, of: SiteTarget | None = None) -> Catalogue | None:
        """The catalogue in `file`; `of` is its site, if known."""
        if file not in self._files and file.is_dir():
            from runner.packages.reading import read_packages  # noqa: PLC0415  8 ms, where a command names packages

            packages = read_packages([file])
            self.problems.extend(packages.problems)
            self._files[file] = None if errors_in(packages.problems) else packages.catalogue
        if file not in self._files:
            from runner.catalogue.read import catalogue_in, read_document  # noqa: PLC0415  1 ms, where there is any

            found = read_document(file, name=display_path(file))
            whose = of.name if of is not None else None
            self._files[file] = catalogue_in(found, target=whose) if isinstance(found, Document) else None
            wrong = _another_site(found, of.url) if isinstance(found, Document) and of is not None else None
            self.problems.extend(found if isinstance(found, tuple) else [wrong] if wrong else [])
        return self._files[file]


def _another_site(document: Document, url: str) -> Problem | None:
    """A warning where it is the catalogue of a site at another address."""
    from runner.foundation.site_key import site_key  # noqa: PLC0415  3 ms, where there is a catalogue

    site = text(record(document.data), "site")
    if site is None or "{{" in url or "://" not in site:
        return None
    if site_key(site).removesuffix("/0") == site_key(url).removesuffix("/0"):  # which a single runtime has
        return None
    message = f"this is the catalogue of {site}, and the site of the target is {url}"
    hint = "run `runner catalog pull`: a copied file is still of the site that it comes from"
    return document.problem("E107", message, path=("site",), hint=hint, warning=True)
