"""Where the vectors are."""

import os
from pathlib import Path

#: Names the directory that holds ``smithy-rs``, ``kotlin``, ``ruby``, ``php`` and ``derived``.
VARIABLE = "BOTOCORE_EXT_CONFORMANCE"


def found(directory: str | Path | None = None) -> Path | None:
    """Return the directory of the vectors, if it holds all suites; else None."""
    path = Path(directory or os.environ.get(VARIABLE) or "nowhere")
    # Some have one suite alone, for tests/refresh/test_vectors.py.
    is_whole = (path / "derived").is_dir() and (path / "kotlin").is_dir()
    return path if is_whole else None
