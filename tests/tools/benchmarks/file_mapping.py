"""A mapping in a file, as a user would write one for ``cache=``."""

import json
import os
from collections.abc import MutableMapping
from pathlib import Path


class FileMapping(MutableMapping[str, str]):
    """Reads the file for each access and replaces it for each change.

    A file that is broken is an error to read, and is replaced by the next change.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def _all(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self._path.exists():
            found = json.loads(self._path.read_text())
        return found

    def _write(self, change) -> None:
        try:
            held = self._all()
        except ValueError:
            held = {}
        change(held)
        new = self._path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(held))
        new.replace(self._path)

    def __getitem__(self, key: str) -> str:
        return self._all()[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._write(lambda held: held.update({key: value}))

    def __delitem__(self, key: str) -> None:
        self._write(lambda held: held.pop(key, None))

    def __iter__(self):
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
