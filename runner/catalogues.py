"""The catalogues that the jobs of one command are held against, each read once.

A sandbox's doubles are its catalogue. A site's lies beside its targets file under the target's name; one that a command
names counts for every job, in the place of those.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runner.catalogue.model import Catalogue
from runner.catalogue.read import ENDING, read_catalogue
from runner.job_files import are_errors
from runner.problems import Problem
from runner.targets.model import SandboxTarget, SiteTarget, Target

_NO_FOLDER = "targets.yaml names the folder of the doubles; without that file it is `sandbox`, beside the job"


@dataclass(slots=True, kw_only=True)
class Catalogues:
    """What is wrong with one goes into `problems`, once; nothing is held against it then.

    `called` gives the name of a file in messages, `named` is the file that the command names.
    """

    problems: list[Problem]
    called: Callable[[Path], str]
    named: Path | None = None
    _doubles: dict[Path, Catalogue | None] = field(default_factory=dict)
    _files: dict[Path, Catalogue | None] = field(default_factory=dict)

    def of(self, target: Target | None, *, targets_file: Path | None) -> tuple[Catalogue, ...]:
        """All that tell what a target has; `target` is None where a job names none."""
        own = None
        match target:
            case SandboxTarget():
                own = self.of_doubles(target)
            case SiteTarget() if self.named is None and targets_file is not None:
                own = self._beside(targets_file, target.name)
            case _:
                pass
        found = (self._in_file(self.named) if self.named is not None else None, own)
        return tuple(one for one in found if one is not None)

    def of_doubles(self, target: SandboxTarget) -> Catalogue | None:
        """The doubles of a sandbox, checked; None where they have mistakes."""
        if target.folder not in self._doubles:
            self._doubles[target.folder] = self._loaded(target)
        return self._doubles[target.folder]

    def _loaded(self, target: SandboxTarget) -> Catalogue | None:
        if not target.folder.is_dir():
            message = f"target `{target.name}`: there is no folder `{target.folder}`"
            self.problems.append(Problem(code="E100", message=message, hint=_NO_FOLDER))
            return None
        # a command for real sites alone does not pay for the sandbox's rooms: 14 ms
        doubles, problems = importlib.import_module("runner.sandbox.processes").load_doubles(target.folder)
        self.problems.extend(problems)
        if are_errors(problems):
            return None
        signatures = importlib.import_module("runner.sandbox.signatures")
        found: Catalogue = signatures.catalogue(doubles.processes, target=target.name)
        return found

    def _beside(self, targets_file: Path, target: str) -> Catalogue | None:
        file = targets_file.parent / f"{target}{ENDING}"
        return self._in_file(file) if "/" not in target and file.is_file() else None

    def _in_file(self, file: Path) -> Catalogue | None:
        if file not in self._files:
            found = read_catalogue(file, name=self.called(file))
            self._files[file] = found if isinstance(found, Catalogue) else None
            if not isinstance(found, Catalogue):
                self.problems.extend(found)
        return self._files[file]
