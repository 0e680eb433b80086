"""What many examples share."""

import pytest

from tests import fakes


@pytest.fixture(scope="module")
def fuzzed_aws():
    """A loopback AWS for all examples of a module."""
    fake = fakes.FakeAws()
    yield fake
    fake.close()
