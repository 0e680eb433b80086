"""Python runs this when it starts: ``install()`` is called as soon as botocore is imported.

It imports only what Python has imported already, so that no program starts more slowly.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

#: The name of this module for Python.
_NAME = "sitecustomize"
_DIRECTORY = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would have to be imported
#: A program that imports it may create a session.
_WATCHED = "botocore.session"


class _Finder:
    """Finds botocore's sessions as the other finders do, and then calls ``install()``."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "Any":
        """Return where ``_WATCHED`` is; of every other module nothing."""
        if name != _WATCHED:
            return None
        sys.meta_path.remove(self)
        specs = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        spec: Any = next(filter(None, specs))
        execute = spec.loader.exec_module

        def exec_module(module: "ModuleType") -> None:
            execute(module)
            package: Any = sys.modules["botocore"]
            package.session = module  # as the import does when this has returned
            from botocore_ext import install  # noqa: PLC0415 - it uses the module

            install()

        spec.loader.exec_module = exec_module
        return spec


def _run_other() -> None:
    """Run the ``sitecustomize`` that this one hides, if there is one."""
    this = sys.modules.pop(_NAME)
    sys.path.remove(_DIRECTORY)
    try:
        __import__(_NAME)
    except ModuleNotFoundError as error:
        sys.modules[_NAME] = this
        if error.name != _NAME:
            raise


if _DIRECTORY in sys.path:  # else a tool imports every module of this package
    sys.meta_path.insert(0, _Finder())
    _run_other()
