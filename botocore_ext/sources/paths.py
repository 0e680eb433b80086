"""Paths as texts, as users write them and botocore reads them.

``pathlib`` drops what a text says (``./``, a last ``/``), and raises where there is no home, or
where a directory may not be looked into.
"""

import os


def in_home(path: str) -> str:
    """Return the path with the home directory in the place of ``~``, if there is one."""
    return os.path.expanduser(path)


def in_environment(path: str) -> str:
    """Return the path that botocore opens for one of the AWS files: with variables, too."""
    return in_home(os.path.expandvars(path))


def is_whole(path: str) -> bool:
    """Whether the path is the same from every directory."""
    return os.path.isabs(path) or path.startswith("~")


def is_file(path: str) -> bool:
    """Whether there is a file; a pipe is none."""
    return os.path.isfile(path)


def why_no_file(path: str) -> str | None:
    """Say why botocore reads nothing from an AWS file; None if it is there."""
    opened = in_environment(path)
    if is_file(opened):
        return None
    if os.path.isdir(opened):
        return "is a directory"
    # Such as /dev/null, which is no file to botocore.
    return "is no regular file" if os.path.exists(opened) else "does not exist"


def described(path: str) -> str:
    """Return the path of an AWS file, with why botocore reads nothing from it, if so."""
    why = why_no_file(path)
    return f"{path} (which {why})" if why else path


def text_of(path: str, errors: str = "strict") -> str:
    """Return the content of a UTF-8 file.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is not UTF-8, and ``errors`` does not allow for that.
    """
    with open(path, encoding="utf-8", errors=errors) as file:
        return file.read()
