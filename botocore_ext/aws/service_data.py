"""Service data for inner clients, read once for each process instead of once for each session.

Plain botocore parses its endpoint data and lists some 430 folders, twice, for the first client of
each session. Inner clients avoid that. The loader of the caller's session does not change.
"""

import copy
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader


class _PlainObjects(JSONFileLoader):
    """Reads objects as dicts: botocore creates ``OrderedDict``s, which takes twice as long."""

    def load_file(self, file_path: str) -> Any:
        """Return the content of the file, or None if it does not exist."""
        for ending, open_file in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), open_file(file_path + ending, "rb") as file:
                return json.load(file)
        return None


class _BuiltIn(Loader):
    """Reads and caches the data in botocore's package."""

    FILE_LOADER_CLASS = _PlainObjects

    def __init__(self) -> None:
        super().__init__([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore passes it by name
        """Return every folder, of whatever type: callers only ask for folders that exist."""
        return [folder.name for folder in Path(Loader.BUILTIN_DATA_PATH).iterdir()]


_shared = _BuiltIn()


class _SharingLoader(Loader):
    """Reads data that only botocore's package has from the shared cache, and other data itself."""

    def __init__(self, own: Loader) -> None:
        super().__init__()
        self._own = own

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        loader = _shared if self._is_built_in(service_name) else self._own
        return loader.load_service_model(service_name, type_name, api_version)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        if not self._is_built_in(name):
            return self._own.load_data_with_path(name)
        data, path = _shared.load_data_with_path(name)
        return (_own_endpoints(data) if name == "endpoints" else data), path

    def _is_built_in(self, name: str) -> bool:
        """Whether ``name`` is only in botocore's package."""
        others = {*self._own.search_paths} - {Loader.BUILTIN_DATA_PATH}
        top = Path(name).parts[0]
        return Loader.BUILTIN_DATA_PATH in self._own.search_paths and not any(
            Path(path, top + ending).exists()
            for path in others
            for ending in ("", ".json", ".json.gz")
        )


def sharing_loader(own: Any) -> Any:
    """Return a loader with the same data as ``own`` that shares the built-in data.

    A custom loader, or one that reads files in another way, is returned unchanged.
    """
    is_plain = (
        type(own) is Loader
        and type(own.file_loader) is JSONFileLoader
        and own.extras_types == _shared.extras_types
        and not vars(own).keys() & vars(Loader).keys()  # no method of it was replaced
    )
    return _SharingLoader(own) if is_plain else own


class _Services(Mapping[str, Any]):
    """The services of a partition, each copied at its first use: botocore modifies them."""

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
    """Return a copy of the endpoint data for the resolver of one session."""
    partitions = endpoints["partitions"]
    own = [{**one, "services": _Services(one["services"])} for one in partitions]
    return {**endpoints, "partitions": own}
