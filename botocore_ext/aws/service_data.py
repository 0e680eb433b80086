"""Service data, read once for each process instead of once for each session.

Plain botocore parses its endpoint data and lists some 430 folders, twice, for the first client of
each session, and parses the description of each service again. Inner clients avoid that, and so do
the clients of a ``botocore_ext.Session``. The loaders of other sessions do not change.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from os import listdir
from os.path import isdir, isfile, join
from pathlib import Path
from typing import Any

from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader, instance_cache

_ENDPOINTS = "endpoints"
#: Data that no program gets from an inner client. botocore writes into it, the same each time.
_SHARED_BY_INNER_CLIENTS = {_ENDPOINTS, "partitions"}
_ENDINGS = (".json", ".json.gz")


class _PlainObjects(JSONFileLoader):
    """Reads objects as dicts: botocore creates ``OrderedDict``s, which takes twice as long."""

    def load_file(self, file_path: str) -> Any:
        """Return the content of the file, or None if it does not exist."""
        text = self.read(file_path)
        return None if text is None else json.loads(text)

    def read(self, file_path: str) -> bytes | None:
        """Return the text of the file, or None if it does not exist."""
        for ending, open_file in ((".json", open), (".json.gz", gzip.open)):
            with suppress(FileNotFoundError), open_file(file_path + ending, "rb") as file:
                return file.read()
        return None


#: Operations that botocore's models lack, in the form of its own extras.
_EXTRAS = str(Path(__file__).parent / "data")


class _BuiltIn(Loader):
    """Reads the data in botocore's package, with the operations that it lacks."""

    FILE_LOADER_CLASS = _PlainObjects

    def __init__(self) -> None:
        paths = [Loader.BUILTIN_DATA_PATH, _EXTRAS]
        super().__init__(extra_search_paths=paths, include_default_search_paths=False)

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore passes it by name
        """Return every folder, of whatever type: what is not there is looked for again."""
        return listdir(Loader.BUILTIN_DATA_PATH)  # noqa: PTH208 - pathlib takes ten times as long

    def load_text(self, name: str) -> "bytes | Endpoints | None":
        """Return the text of a file, or None if it does not exist."""
        text = _PlainObjects().read(str(Path(Loader.BUILTIN_DATA_PATH, name)))
        return Endpoints(text) if text and name == _ENDPOINTS else text

    def load_parsed(self, name: str) -> Any:
        """Return the data in a file that exists."""
        text = _read("load_text", name)
        return text.parse() if isinstance(text, Endpoints) else json.loads(text)


#: What was read, by the method of ``_BuiltIn`` and its arguments. Nothing is put here before it is
#: complete, so threads need no lock.
_shared: dict[tuple[str, ...], Any] = {}


def _read(method: str, *arguments: str) -> Any:
    """Return what the method of ``_BuiltIn`` returns, which is called once for each process."""
    found = _shared.get((method, *arguments))
    if found is None:
        found = _shared.setdefault((method, *arguments), getattr(_BuiltIn(), method)(*arguments))
    return found


def reset() -> None:
    """Forget what was read."""
    _shared.clear()


class _SharingLoader(Loader):
    """Shares the data that only botocore's package has, and reads other data itself."""

    def __init__(self, own: Loader, *, is_inner: bool) -> None:
        paths, files = own.search_paths, own.file_loader  # boto3 adds a path later
        super().__init__(paths, files, include_default_search_paths=False)
        self._is_inner = is_inner
        self._models: dict[int, Any] = {}

    @instance_cache
    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        if self._is_built_in(service_name, partial(_has_model, type_name)):
            with suppress(DataNotFoundError):
                version = api_version or _read("determine_latest_version", service_name, type_name)
                model = _read("load_service_model", service_name, type_name, version)
                return self._models.setdefault(id(model), _own_model(model))
        return super().load_service_model(service_name, type_name, api_version)

    @instance_cache
    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        is_built_in = all(self._is_built_in(name + ending, isfile) for ending in _ENDINGS)
        if is_built_in and _read("load_text", name) is not None:
            is_shared = self._is_inner and name in _SHARED_BY_INNER_CLIENTS
            read = partial(_read, "load_parsed") if is_shared else _BuiltIn().load_parsed
            return read(name), str(Path(Loader.BUILTIN_DATA_PATH, name))
        return super().load_data_with_path(name)

    @instance_cache
    def load_data(self, name: str) -> Any:
        data, _ = self.load_data_with_path(name)
        # botocore takes the endpoints from ``load_data_with_path``; programs get plain objects.
        for partition in data["partitions"] if name == _ENDPOINTS else ():
            if isinstance(partition.get("services"), _Services):
                partition["services"] = partition["services"].plain()
        return data

    def _is_built_in(self, name: str, exists: Callable[[str], bool]) -> bool:
        """Whether such data is only in botocore's package."""
        others = set(self.search_paths) - {Loader.BUILTIN_DATA_PATH}
        if not self._is_inner:
            others.add(_EXTRAS)
        paths = [join(path, name) for path in others]  # noqa: PTH118 - pathlib takes ten times as long
        return Loader.BUILTIN_DATA_PATH in self.search_paths and not any(map(exists, paths))


def _has_model(type_name: str, folder: str) -> bool:
    is_folder = isdir(folder)  # noqa: PTH112 - most of them do not exist
    return is_folder and any(True for _ in Path(folder).glob(f"*/{type_name}.*"))


def _own_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model for one session.

    botocore writes into the ``http`` of operations; what programs add to a model, or remove from
    it, is not for other sessions either.
    """
    own = {name: dict(part) if isinstance(part, dict) else part for name, part in model.items()}
    for name, operation in model.get("operations", {}).items():
        own["operations"][name] = {
            key: dict(value) if key == "http" else value for key, value in operation.items()
        }
    return own


def sharing_loader(own: Any, *, is_inner: bool = False) -> Any:
    """Return a loader with the same data as ``own`` that shares botocore's own data.

    A custom loader, or one that reads files in another way, is returned unchanged. Inner clients
    share parsed endpoints, too, and have the operations that botocore's models lack.
    """
    is_plain = (
        type(own) in (Loader, _SharingLoader)
        and type(own.file_loader) is JSONFileLoader
        and own.extras_types == Loader.BUILTIN_EXTRAS_TYPES
        and not vars(own).keys() & vars(Loader).keys()  # no method of it was replaced
    )
    return _SharingLoader(own, is_inner=is_inner) if is_plain else own


# The endpoint data: some 1.2 MB, of which a client needs the few lines of its service. botocore
# writes into what it looks up there, so clients of users parse their own, from the same text.

#: A line that begins the services of a partition, and the one that ends them, which is the last of
#: its kind before the next partition. In JSON, a line break is never in a string.
_BEGIN, _END = b'\n    "services" : {\n', b"\n    }\n"
#: Before the name of the first service, so that an end that belongs to other data is noticed.
_FIRST = b'\n      "'
#: In place of the services that were cut out: their number.
_CUT = "cut"


class Endpoints:
    """The text of the endpoint data, cut apart."""

    def __init__(self, text: bytes) -> None:
        """Cut the services of each partition out of the text.

        If the layout differs from botocore's file, nothing is cut.
        """
        self._text, self._positions = text, list(_services_in(text))
        self._rest, end = b"", 0
        for number, (begin, next_end) in enumerate(self._positions):
            self._rest += text[end:begin] + f'\n"{_CUT}": {number}'.encode()
            end = next_end
        self._rest += text[end:]
        try:
            cut = [one.get("services") for one in json.loads(self._rest)["partitions"]]
        except ValueError:
            cut = []
        if not all(
            {_CUT: number} in cut and text.startswith(_FIRST, begin)
            for number, (begin, _) in enumerate(self._positions)
        ):
            self._rest = text

    def parse(self) -> dict[str, Any]:
        """Return the endpoint data, whose services are parsed when they are used."""
        data: dict[str, Any] = json.loads(self._rest)
        for partition in data["partitions"]:
            number = partition.get("services", {}).get(_CUT)
            if number is not None:
                partition["services"] = _Services(self._text, *self._positions[number])
        return data


def _services_in(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the services of each partition begin and end, without the braces."""
    begin = text.find(_BEGIN)
    while begin != -1:
        begin, following = begin + len(_BEGIN) - 1, text.find(_BEGIN, begin + 1)
        # Searching backwards reads little; the services are nearly the whole text.
        yield begin, text.rfind(_END, begin, following if following != -1 else len(text))
        begin = following


class _Services(Mapping[str, Any]):
    """The services of a partition, each parsed at its first use."""

    def __init__(self, text: bytes, begin: int, end: int) -> None:
        self._text, self._begin, self._end = text, begin, end
        self._parsed: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._parsed:
            line = f"\n      {json.dumps(name)} : ".encode()
            position = self._text.rfind(line, self._begin, self._end)
            if position == -1:
                raise KeyError(name)
            rest = self._text[position + len(line) : self._end].decode()
            found, _ = json.JSONDecoder().raw_decode(rest)
            self._parsed.setdefault(name, found)
        return self._parsed[name]

    def plain(self) -> dict[str, Any]:
        """Return all services as a dict, those that were parsed as they are."""
        services: dict[str, Any] = json.loads(b"{%s}" % self._text[self._begin : self._end])
        return services | self._parsed

    def __iter__(self) -> Iterator[str]:
        return iter(self.plain())

    def __len__(self) -> int:
        return len(self.plain())
