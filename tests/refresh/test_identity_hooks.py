"""Functions that keep the identity in which they were prepared; see tests/session, too."""

import asyncio

import pytest

from botocore_ext import FrozenCredentials, per_request, use_credentials
from botocore_ext.refresh.identity_hooks import as_now

A, B = FrozenCredentials("AKIAA", "secret"), FrozenCredentials("AKIAB", "secret")


@pytest.fixture
def credentials():
    return per_request(B).load()


def test_a_function(credentials):
    with use_credentials(A):
        function = as_now(lambda: credentials.access_key)
    assert (function(), credentials.access_key) == ("AKIAA", "AKIAB")


def test_a_coroutine_function(credentials):
    async def function():
        await asyncio.sleep(0)
        return credentials.access_key

    with use_credentials(A):
        prepared = as_now(function)

    async def run():
        return await prepared(), credentials.access_key

    assert asyncio.run(run()) == ("AKIAA", "AKIAB")


def test_a_coroutine_that_another_context_closes(credentials):
    """As the garbage collector does; the identity of that context stays."""
    with use_credentials(A):
        coroutine = as_now(asyncio.sleep)(10)

    async def begin():
        coroutine.send(None)

    asyncio.run(begin())
    coroutine.close()
    assert credentials.access_key == "AKIAB"


def test_what_was_prepared_without_an_identity_uses_the_default(credentials):
    function = as_now(lambda: credentials.access_key)
    with use_credentials(A):
        assert function() == "AKIAB"


def test_credentials_are_converted_once(credentials):
    bound = credentials.bound()
    bound()
    assert bound.convert(lambda found: [found]) is bound.convert(lambda _: None)
