"""The files of `runner init --deploy`, as other tools read them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "specs" / "deploy"
RUNNER = "/opt/creatio-runner/bin/runner"


def documents(file: Path) -> list[dict[str, Any]]:
    """The YAML documents of a file that are mappings."""
    return [document for document in yaml.safe_load_all(file.read_text()) if isinstance(document, dict)]


def manifests(folder: Path = SHIPPED) -> list[dict[str, Any]]:
    """Every object for Kubernetes in the files for clusters."""
    files = [file for kind in ("kubernetes", "argocd", "flux") for file in sorted((folder / kind).glob("*.yaml"))]
    return [each for file in files for each in documents(file) if not each["apiVersion"].startswith("kustomize.config")]


def pods(objects: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The specification of each pod, with kind and name of what makes it."""
    found: list[tuple[str, dict[str, Any]]] = []
    for each in objects:
        spec = each.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template is not None:
            found.append((f"{each['kind']} {each['metadata']['name']}", template["spec"]))
    return found


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def command_lines(folder: Path = SHIPPED) -> Iterator[tuple[str, list[str]]]:
    """What each file gives to `runner`, with where that is; scripts are left to those who run them."""
    for name, pod in pods(manifests(folder)):
        yield from ((f"{name}, {each['name']}", each["args"]) for each in containers(pod))
    (compose,) = documents(folder / "compose.yaml")
    yield from ((f"compose {name}", each["command"]) for name, each in compose["services"].items() if "build" in each)
    for file in sorted((folder / "cron").iterdir()):
        for line in re.findall(rf"{RUNNER} (.*?)(?: 2>&1.*)?$", file.read_text(), re.MULTILINE):
            yield file.name, shlex.split(line)


def of_container(name: str, made_by: str) -> list[str]:
    """The arguments of a container, in the pods that objects of this kind and name make; they are the same in each."""
    first, *others = [
        each["args"]
        for kind, pod in pods(manifests())
        for each in containers(pod)
        if (kind, each["name"]) == (made_by, name)
    ]
    assert all(other == first for other in others)
    return [*first]
