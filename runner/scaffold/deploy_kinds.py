"""The kinds of `runner init --deploy`: records in `scaffold/hints/deploy_kinds.yaml`, read when needed."""

from collections.abc import Mapping
from functools import cache
from typing import cast

import msgspec

from runner.foundation.hints import Entry, table

DEPLOY_KINDS = ("kubernetes", "argocd", "flux", "github", "gitlab", "azure", "compose", "cron")


class DeployKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of files that `--deploy` writes."""

    parts: tuple[dict[str, tuple[str, str]], ...]  # template and title by the name of a file
    first: tuple[str, ...] = ()  # lines of what is left to a person
    to_do: tuple[str, ...] = ()  # those that follow
    next: str  # the last of them
    resources: tuple[str, ...] = ()  # what kustomize begins with
    reads_folder: bool = False  # the container has only the folder's files
    has_workers: bool = False  # which get secrets, and `apply` does not
    mounted: str = "put the file @FILE@ on this machine: the target `@TARGET@` reads it"
    confirm: str = (
        "write `--confirm @TARGET@` beside `runner apply` in these files, if you want that: the target is protected"
    )

    @property
    def files(self) -> dict[str, tuple[str, str]]:
        return {name: file for part in self.parts for name, file in part.items()}


@cache
def deploy_kinds() -> Mapping[str, DeployKind]:
    entries = cast("Mapping[str, Entry]", table("deploy_kinds", room="scaffold"))
    return msgspec.convert(entries["kinds"], dict[str, DeployKind], strict=False)
