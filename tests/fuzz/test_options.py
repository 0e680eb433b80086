"""Whatever is passed for an option: it is taken, or refused in words that do not show it."""

import math
import pickle
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botocore_ext import ConfigurationError, FrozenCredentials, Scope
from botocore_ext.options import references, types
from botocore_ext.providers.chain import CredentialChain

from ..declared import EVERY
from . import ANYTHING, DOCUMENTED, PRINTABLE, TEXT, examples

PARSERS = [
    types.text,
    types.arn,
    types.arns,
    types.seconds,
    types.timeout,
    types.whole,
    types.flag,
    types.function,
    types.window,
    types.client_config,
    types.mapping,
    types.mutable_mapping,
    types.json_document,
    types.cognito_id,
    types.header,
    types.lifetime,
    references.token,
    references.tokens,
    types.links,
    types.full_uri,
    types.relative_uri,
    references.header_or_source,
]
#: A text that occurs nowhere else; where it is refused, the error must not show it.
SECRET = "s3cr3t-d0-n0t-sh0w"


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@examples(1)
@given(value=st.one_of(ANYTHING, TEXT))
def test_a_value_is_taken_or_refused(parse, value):
    try:
        found = parse(value)
    except ValueError:
        return
    assert repr(parse(found)) == repr(found)  # what is taken is taken again, as it is


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@examples(0.3)
@given(before=st.one_of(TEXT, PRINTABLE), after=st.one_of(TEXT, PRINTABLE))
def test_what_is_refused_is_not_shown(parse, before, after):
    try:
        parse(before + SECRET + after)
    except ValueError as error:
        assert SECRET not in str(error)  # noqa: PT017 - it need not be raised


@given(st.one_of(st.floats(), st.integers(), st.decimals(), st.fractions()))
def test_a_number_means_the_same_as_text(number):
    def seconds(value):
        try:
            return types.seconds(value)
        except ValueError:
            return None

    found = seconds(number)
    assert found is None or (math.isfinite(found) and found > 0)
    if isinstance(number, (int, float)):
        assert seconds(str(number)) == found
    if found is not None and found > 1:
        assert types.seconds(timedelta(seconds=found)) == pytest.approx(found, abs=1e-6)


def given_for(kind):
    """Draw keywords for a factory, most of them values that no program would pass."""
    examples = {"params": st.just({"RoleArn": "arn:aws:iam::123456789012:role/A"})}
    keywords = {
        one.name: st.one_of(ANYTHING, TEXT, examples.get(one.name, st.just(one.example)))
        for one in kind.options()
        if one.name != "links"
    }
    return st.fixed_dictionaries({}, optional=keywords)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.FACTORY)
@examples(0.4)
@given(data=st.data())
def test_construction_or_load_reports_bad_values(kind, data):
    links = data.draw(st.lists(TEXT, max_size=2)) if kind is CredentialChain else []
    options = data.draw(given_for(kind))
    try:
        provider = kind(*links, **options)
        assert kind.FACTORY in repr(provider)
        provider.bind(Scope(environ={})).load()
    except DOCUMENTED:
        return


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.FACTORY)
@examples(0.2)
@given(data=st.data())
def test_a_secret_option_is_never_shown(kind, data):
    for one in kind.options():
        if one.secret and one.name not in ("client_config", "params", "master_credentials"):
            garbage = data.draw(st.sampled_from([SECRET, [SECRET], {SECRET: 1}, f"\0{SECRET}", 1]))
            try:
                provider = kind(**{one.name: garbage})
                assert SECRET not in repr(provider)
                assert SECRET in repr(pickle.loads(pickle.dumps(provider))._code_values)
                provider.bind(Scope(environ={})).load()
            except ConfigurationError as error:
                assert SECRET not in str(error)  # noqa: PT017 - it need not be raised


@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_credentials_are_well_formed_or_refused(access_key, secret_key, token, expiration):
    try:
        keys = FrozenCredentials(access_key, secret_key, token, expiration)
    except ValueError:
        return
    assert isinstance(keys.access_key, str)
    assert keys.expiration is None or keys.expiration.tzinfo is not None
