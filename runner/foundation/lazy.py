"""What is made at its first use. To compile the regular expressions of the whole program takes a tenth of a start."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any, cast, overload

_compiled = re.compile


class _LazyPattern:
    """Compiled when its first method is asked for, which is then an attribute of its own."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self.pattern = source
        self.flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a pattern has
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(_compiled(self.pattern, self.flags), name)
        setattr(self, name, found)
        return found


@overload
def lazy_pattern(source: str, flags: int = 0) -> re.Pattern[str]: ...
@overload
def lazy_pattern(source: bytes, flags: int = 0) -> re.Pattern[bytes]: ...
def lazy_pattern(source: str | bytes, flags: int = 0) -> re.Pattern[Any]:
    """A pattern for its methods and attributes, as by `re.compile`; a function of `re` does not take it."""
    return cast("re.Pattern[Any]", _LazyPattern(source, flags))


@contextmanager
def lazy_patterns() -> Iterator[None]:
    """What is imported meanwhile compiles its patterns at first use. Before there are other threads."""
    re.compile = lazy_pattern  # type: ignore[assignment]  # it is asked in the same words
    try:
        yield
    finally:
        re.compile = _compiled


@contextmanager
def stand_in(name: str, *deferred: str, **functions: Callable[..., object]) -> Iterator[None]:
    """Imports meanwhile find a module `name` with these functions, or none; `deferred` ones import the real module."""
    if name in sys.modules:
        yield
        return
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # Python allows None
    modules[name] = substitute = ModuleType(name) if functions or deferred else None
    if substitute is not None:
        vars(substitute).update(functions, **{function: _deferred(name, function) for function in deferred})
    try:
        yield
    finally:
        del modules[name]


def _deferred(module: str, function: str) -> Callable[..., object]:
    def call(*args: object, **kwargs: object) -> object:
        found: object = getattr(import_module(module), function)(*args, **kwargs)
        return found

    return call


def lazy_module(name: str) -> None:
    """Have a module that is carried out when a name of it is used. Does nothing where it has been imported before."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    module.__getattr__ = _LaterNames(module, spec).found  # type: ignore[method-assign]  # asked for what a module lacks
    sys.modules[name] = module


class _LaterNames:
    """The names of a module that is executed when a name is first used."""

    def __init__(self, module: ModuleType, spec: ModuleSpec) -> None:
        self._module = module
        self._spec = spec
        self._loading = RLock()
        self._begun = False

    def found(self, attribute: str) -> object:
        name = self._spec.name
        if attribute.startswith("__"):
            raise AttributeError(f"module `{name}` has no attribute `{attribute}`")
        if self._spec.submodule_search_locations is not None and find_spec(f"{name}.{attribute}") is not None:
            return import_module(f"{name}.{attribute}")
        with self._loading:
            if not self._begun:
                self._carry_out()
        try:
            return vars(self._module)[attribute]
        except KeyError:
            raise AttributeError(f"module `{name}` has no attribute `{attribute}`") from None

    def _carry_out(self) -> None:
        assert self._spec.loader is not None
        self._begun = True  # what it imports may ask again
        try:
            if self._spec.submodule_search_locations is None:
                self._module.__class__ = _shown_whole(self._loading)
            self._spec.loader.exec_module(self._module)
        except BaseException:
            self._begun = False
            raise
        finally:
            self._module.__class__ = ModuleType


def _shown_whole(loading: AbstractContextManager[object]) -> type[ModuleType]:
    """The class of a module that a thread imports: others wait, and see all of its names. Not for a package."""

    class ModuleInProgress(ModuleType):
        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  whatever a module has
            if not name.startswith("__"):
                with loading:
                    pass
            return ModuleType.__getattribute__(self, name)  # it may be of that class again by now

    return ModuleInProgress
