"""What botocore's loader reads for inner clients: once for each process, not for each session.

Plain botocore parses its endpoint data and lists some 430 folders, twice, for the first client of
each session. Only the making of an inner client is spared that: the loader of the caller's session
is the same before and after, holds nothing of ours, and answers everybody else meanwhile as ever.
"""

import copy
import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from botocore.loaders import JSONFileLoader, Loader

from ..runtime.context import run_with

T = TypeVar("T")

#: The session's loader, while an inner client is being made with it.
_borrowed: ContextVar[Loader | None] = ContextVar("botocore_ext_loader", default=None)


class _PlainObjects(JSONFileLoader):
    """Reads objects as they are: botocore makes an ``OrderedDict`` of each, in twice the time."""

    def load_file(self, file_path: str) -> Any:
        """Return what is in the file; None if there is none."""
        for ending, open_file in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), open_file(file_path + ending, "rb") as file:
                return json.load(file)
        return None


class _BuiltIn(Loader):
    """Reads what botocore brings along, and keeps it."""

    FILE_LOADER_CLASS = _PlainObjects

    def __init__(self) -> None:
        super().__init__([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore gives it by this name
        """Name every folder: what is asked for here is one that is there, of whatever type."""
        return [folder.name for folder in Path(Loader.BUILTIN_DATA_PATH).iterdir()]


_shared = _BuiltIn()


def run_shared(loader: Any, work: Callable[[], T]) -> T:
    """Read what is built in once for all sessions, for what ``work`` makes with ``loader``.

    A loader that is not botocore's own, or that reads one of its files another way, is left alone.
    """
    if not _is_plain(loader):
        return work()
    try:
        vars(loader).update({name: partial(method, loader) for name, method in _REPLACED.items()})
        return run_with(_borrowed, loader, work)
    finally:
        for name in _REPLACED:
            vars(loader).pop(name, None)


def _load_service_model(
    self: Loader, service_name: str, type_name: str, api_version: str | None = None
) -> Any:
    if _is_built_in(self, service_name):
        return _shared.load_service_model(service_name, type_name, api_version)
    return Loader.load_service_model(self, service_name, type_name, api_version)


def _load_data_with_path(self: Loader, name: str) -> tuple[Any, str]:
    if not _is_built_in(self, name):
        return Loader.load_data_with_path(self, name)
    data, path = _shared.load_data_with_path(name)
    return (_own_endpoints(data) if name == "endpoints" else data), path


#: Methods of ``Loader`` that all its reading goes through.
_REPLACED: dict[str, Callable[..., Any]] = {
    "load_service_model": _load_service_model,
    "load_data_with_path": _load_data_with_path,
}


def _is_plain(loader: Any) -> bool:
    return (
        type(loader) is Loader
        and type(loader.file_loader) is JSONFileLoader
        and loader.extras_types == _shared.extras_types
        and not vars(loader).keys() & vars(Loader).keys()  # nobody has replaced a method of it
    )


def _is_built_in(loader: Loader, name: str) -> bool:
    """Whether this thread makes an inner client, and ``name`` is nowhere but in botocore."""
    others = {*loader.search_paths} - {Loader.BUILTIN_DATA_PATH}
    top = Path(name).parts[0]
    return (
        _borrowed.get() is loader
        and Loader.BUILTIN_DATA_PATH in loader.search_paths
        and not any(
            Path(path, top + ending).exists()
            for path in others
            for ending in ("", ".json", ".json.gz")
        )
    )


class _Services(Mapping[str, Any]):
    """The services of a partition, each copied when it is asked for: botocore writes into them."""

    def __init__(self, services: Mapping[str, Any]) -> None:
        self._services = services
        self._own: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._own:
            self._own.setdefault(name, copy.deepcopy(self._services[name]))
        return self._own[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)


def _own_endpoints(endpoints: Mapping[str, Any]) -> dict[str, Any]:
    """Return endpoint data for one session's resolver."""
    partitions = endpoints["partitions"]
    own = [{**one, "services": _Services(one["services"])} for one in partitions]
    return {**endpoints, "partitions": own}
