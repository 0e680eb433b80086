"""How hard the tests try.

``BOTOCORE_EXT_TESTS`` is ``dev`` (also where it is not set), ``gate`` as in ``.ci/run``, or
``thorough``, with which the properties of ``tests/fuzz`` take an hour or more.
"""

import os

VARIABLE = "BOTOCORE_EXT_TESTS"
LEVEL = os.environ.get(VARIABLE, "dev")


def rounds(dev: int, gate: int) -> int:
    """Return how often to repeat what may fail once in many times."""
    return dev if LEVEL == "dev" else gate
