"""Service data for inner clients, read once for each process instead of once for each session.

Plain botocore parses its endpoint data and lists some 430 folders, twice, for the first client of
each session. Inner clients avoid that. The loader of the caller's session does not change.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader

_ENDPOINTS = "endpoints"


class _PlainObjects(JSONFileLoader):
    """Reads objects as dicts: botocore creates ``OrderedDict``s, which takes twice as long."""

    def load_file(self, file_path: str) -> Any:
        """Return the content of the file, of endpoints the text; None if it does not exist."""
        for ending, open_file in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), open_file(file_path + ending, "rb") as file:
                text = file.read().decode()
                return text if Path(file_path).name == _ENDPOINTS else json.loads(text)
        return None


#: Operations that botocore's models lack, in the form of its own extras.
_EXTRAS = str(Path(__file__).parent / "data")


class _BuiltIn(Loader):
    """Reads and caches the data in botocore's package, with the operations that it lacks."""

    FILE_LOADER_CLASS = _PlainObjects

    def __init__(self) -> None:
        paths = [Loader.BUILTIN_DATA_PATH, _EXTRAS]
        super().__init__(extra_search_paths=paths, include_default_search_paths=False)

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
        data: Any
        data, path = _shared.load_data_with_path(name)
        return (endpoints_from(data) if name == _ENDPOINTS else data), path

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


# The endpoint data: some 1.2 MB, of which a client needs the few lines of its service. botocore
# writes into what it looks up there, so each session parses its own, from the same text.

#: A line that begins the services of a partition, and the one that ends them. In JSON, a line break
#: is never in a string.
_BEGIN, _END = '\n    "services" : {', "\n    }"


def endpoints_from(text: str) -> dict[str, Any]:
    """Return the endpoint data of botocore, whose services are parsed when they are used.

    In another layout than that of botocore's file everything is parsed at once.
    """
    rest, services, end = [], [], 0
    while (begin := text.find(_BEGIN, end)) != -1:
        begin += len(_BEGIN)
        rest.append(text[end:begin])
        end = text.find(_END, begin)
        services.append(text[begin:end])
    rest.append(text[end:])
    with suppress(ValueError):
        data: dict[str, Any] = json.loads("".join(rest))
        partitions = data["partitions"]
        if [one.get("services") for one in partitions] == [{}] * len(services):
            for partition, found in zip(partitions, services, strict=True):
                partition["services"] = _Services(found)
            return data
    whole: dict[str, Any] = json.loads(text)
    return whole


class _Services(Mapping[str, Any]):
    """The services of a partition, each parsed at its first use."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parsed: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._parsed:
            line = f"\n      {json.dumps(name)} : "
            position = self._text.rfind(line)
            if position == -1:
                raise KeyError(name)
            found, _ = json.JSONDecoder().raw_decode(self._text, position + len(line))
            self._parsed.setdefault(name, found)
        return self._parsed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(json.loads(f"{{{self._text}}}"))

    def __len__(self) -> int:
        return len(list(iter(self)))
