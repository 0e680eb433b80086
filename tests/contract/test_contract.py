"""What every provider in the registry promises."""

import builtins
import inspect
import pickle
import socket
import subprocess

import botocore.session
import pytest

from botocore_ext import ConfigurationError, Scope, from_http
from botocore_ext.options import Option
from botocore_ext.profiles import ProfileScope
from botocore_ext.registry import PROVIDERS
from tests import fakes

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"


def working_options(kind, url):
    """The least that makes each provider work, with every secret it may hold."""
    return {
        "create_credential_chain": {"links": [endpoint(url)]},
        "from_web_token": {
            "role_arn": "arn:aws:iam::123456789012:role/Web",
            "web_identity_token": fakes.secret("token"),
        },
        "from_cognito_identity": {
            "identity_id": POOL,
            "logins": {"accounts.google.com": fakes.secret("login")},
        },
        "from_cognito_identity_pool": {
            "identity_pool_id": POOL,
            "logins": {"accounts.google.com": fakes.secret("login")},
        },
        "from_http": endpoint(url).given(),
    }[kind.FACTORY]


def endpoint(url):
    return from_http(
        aws_container_credentials_full_uri=f"{url}/{fakes.secret('path')}",
        aws_container_authorization_token=fakes.secret("authorization"),
    )


def built(kind, options):
    """Build a provider; what is positional is given by position."""
    options = dict(options)
    positional = [options.pop(one.name, ()) for one in kind.options() if one.positional]
    return kind(*(value for values in positional for value in values), **options)


every_provider = pytest.mark.parametrize("kind", PROVIDERS, ids=lambda kind: kind.FACTORY)


@pytest.fixture
def _no_io(monkeypatch):
    """Make sockets, files and processes fail."""

    def refused(*_, **__):
        pytest.fail("does I/O")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setattr(subprocess, "Popen", refused)
    monkeypatch.setattr(builtins, "open", refused)


def test_names_are_unique_and_none_of_botocores():
    taken = botocore.session.Session().get_component("credential_provider").providers
    methods = [kind.METHOD for kind in (*PROVIDERS, *taken)]
    names = [kind.CANONICAL_NAME for kind in (*PROVIDERS, *taken) if kind.CANONICAL_NAME]
    assert len(set(methods)) == len(methods)
    assert len({name.lower() for name in names}) == len(names)
    assert all(kind.METHOD.startswith("custom-") for kind in PROVIDERS)
    assert all(kind.CANONICAL_NAME.startswith("Custom") for kind in PROVIDERS)


def test_each_ini_key_means_one_thing():
    meanings = {}
    for kind in PROVIDERS:
        for one in kind.options():
            if one.ini:
                meanings.setdefault(one.ini, set()).add(one.name)
    assert all(len(names) == 1 for names in meanings.values())


@every_provider
def test_every_option_is_explained_and_typed(kind):
    signature = inspect.signature(kind)
    named = [name for name in signature.parameters if name != "unknown"]
    assert named == [one.name for one in kind.options()]
    for one in kind.options():
        assert isinstance(getattr(kind, one.name), Option)
        assert one.help.endswith(".")
        assert signature.parameters[one.name].annotation is not inspect.Parameter.empty
        parameter = signature.parameters[one.name]
        assert parameter.kind is (
            parameter.VAR_POSITIONAL if one.positional else parameter.KEYWORD_ONLY
        )
    assert [one for one in kind.options() if one.selects and one.ini]


@every_provider
def test_an_unknown_keyword_names_the_nearest(kind):
    for one in kind.options():
        with pytest.raises(TypeError) as raised:
            kind(**{f"{one.name}x": 1})
        assert str(raised.value) == (
            f"{kind.FACTORY}() has no option '{one.name}x': did you mean '{one.name}'?"
        )


@every_provider
@pytest.mark.usefixtures("_no_io")
def test_construction_and_load_do_no_io(kind):
    provider = built(kind, working_options(kind, "http://127.0.0.1:9"))
    assert provider.load().method == kind.METHOD


@every_provider
def test_load_in_a_profile_does_no_network_io(kind, config, request):
    options = working_options(kind, "http://127.0.0.1:9")
    texts = options | ({"links": "Environment, CustomHttp"} if "links" in options else {})
    given = [one for one in kind.options() if isinstance(texts.get(one.name), str)]
    lines = [f"{one.ini} = {texts[one.name]}\n" for one in given]
    config(f"[profile mine]\n{''.join(lines)}")
    session = botocore.session.Session(profile="mine")
    assert session.full_config  # botocore reads the file once
    request.getfixturevalue("_no_io")
    assert kind().bind(ProfileScope(session, profile="mine")).load().method == kind.METHOD


@every_provider
def test_load_is_none_where_nothing_selects_the_provider(kind, config):
    config("[profile other]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/Other\n")
    session = botocore.session.Session(profile="other")
    assert kind().bind(ProfileScope(session, profile="other")).load() is None


@every_provider
def test_a_missing_option_is_named_with_every_way_to_set_it(kind):
    """Where the environment may select the provider, nothing set means: not called for."""
    required = [one for one in kind.options() if one.required]
    for missing in required:
        options = working_options(kind, "http://127.0.0.1:9")
        del options[missing.name]
        provider = built(kind, options)
        with pytest.raises(ConfigurationError) as raised:
            provider.load() and provider.fetch()
        text = str(raised.value)
        assert f"{missing.name} is not set" in text
        keyword = "" if missing.positional else f"{missing.name}="
        assert f"pass {keyword}{missing.code_example} to {kind.FACTORY}()" in text
        assert missing.env is None or f"set the environment variable {missing.env}=" in text
    if not required:
        assert kind().load() is None
        with pytest.raises(ConfigurationError) as raised:
            kind().fetch()
        for one in kind.options():
            if one.selects:
                assert f"pass {one.name}={one.code_example} to {kind.FACTORY}()" in str(
                    raised.value
                )
                assert f"set the environment variable {one.env}=" in str(raised.value)


@every_provider
def test_a_missing_option_of_a_profile_is_named_with_its_key_and_file(kind, config):
    selecting = next(one for one in kind.options() if one.selects)
    for missing in [one for one in kind.options() if one.required and one is not selecting]:
        path = config(f"[profile mine]\n{selecting.ini} = {selecting.example}\n")
        session = botocore.session.Session(profile="mine")
        with pytest.raises(ConfigurationError) as raised:
            kind().bind(ProfileScope(session, profile="mine")).load()
        assert raised.value.reason == (
            f"{missing.ini} is not set in profile 'mine': "
            f"write, for example, {missing.ini} = {missing.example} in profile 'mine' of {path}"
        )


@every_provider
def test_no_secret_is_shown(kind, aws):
    """The fixture ``logs`` searches every record of this test, too."""
    provider = built(kind, working_options(kind, aws.url))
    credentials = provider.load()
    frozen = credentials.get_frozen_credentials()
    assert frozen.secret_key in fakes.SECRETS
    shown = f"{provider!r} {credentials!r} {credentials.expiration!r} {provider.fetch()!r}"
    assert not [one for one in fakes.SECRETS if one in shown]
    for one in kind.options():
        if one.secret and one.name in working_options(kind, aws.url):
            assert f"{one.name}=<hidden>" in repr(provider)


@every_provider
def test_a_specification_travels_and_keys_do_not(kind, aws):
    provider = built(kind, working_options(kind, aws.url))
    provider.load().get_frozen_credentials()
    travelled = pickle.dumps(provider)
    restored = pickle.loads(travelled)
    assert repr(restored) == repr(provider)
    assert repr(restored.given()) == repr(provider.given())
    before = len(aws.requests)
    assert restored.load().get_frozen_credentials().access_key
    assert len(aws.requests) > before
    keys = [one for one in fakes.SECRETS if one.startswith(("secret-key", "session-token"))]
    assert keys
    assert not [one for one in keys if one.encode() in travelled]


@every_provider
@pytest.mark.parametrize(("left", "fetches"), [(301, 1), (300, 2)], ids=["5:01", "5:00"])
def test_keys_are_refreshed_five_minutes_before_they_expire(kind, aws, clock, left, fetches):
    aws.now = clock.now
    provider = built(kind, working_options(kind, aws.url)).bind(Scope(clock=clock))
    credentials = provider.load()
    first = credentials.get_frozen_credentials()
    clock.advance((credentials.expiration - clock.at(0)).total_seconds() - left)
    second = credentials.get_frozen_credentials()
    assert (first.access_key != second.access_key) == (fetches == 2)


@every_provider
def test_only_tokens_can_be_replaced(kind):
    provider = built(kind, working_options(kind, "http://127.0.0.1:9"))
    for one in kind.options():
        if one.token:
            setattr(provider, one.name, working_options(kind, "").get(one.name))
        else:
            with pytest.raises(AttributeError, match=f"{one.name} cannot be changed"):
                setattr(provider, one.name, None)
