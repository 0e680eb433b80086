"""What every provider promises."""

import builtins
import inspect
import io
import pickle
import pydoc
import re
import socket
import subprocess

import botocore.session
import pytest

from botocore_ext import ConfigurationError, NotConfigured, Provider, Scope, from_http
from botocore_ext.options.option import Option
from botocore_ext.options.scope import ProfileScope
from botocore_ext.providers.files import FilesProvider
from tests import fakes

from ..declared import EVERY, NATIVE, PROVIDERS

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
ROLE = "arn:aws:iam::123456789012:role/Web"
START_URL = "https://d-abc123.awsapps.com/start"
USER = "arn:aws:iam::123456789012:user/me"


def working_options(kind, url, world=None):
    """The least that makes each provider work, with every secret it may hold."""
    return {
        "create_credential_chain": lambda: {"links": [endpoint(url)]},
        "from_web_token": lambda: {
            "role_arn": ROLE,
            "web_identity_token": fakes.secret("token"),
        },
        "from_cognito_identity": lambda: {
            "identity_id": POOL,
            "logins": {"accounts.google.com": fakes.secret("login")},
        },
        "from_cognito_identity_pool": lambda: {
            "identity_pool_id": POOL,
            "logins": {"accounts.google.com": fakes.secret("login")},
        },
        "from_http": lambda: endpoint(url)._code_values,
        "from_temporary_credentials": lambda: {
            "params": {"RoleArn": ROLE},
            "master_credentials": endpoint(url),
        },
        "from_token_file": lambda: {
            "role_arn": ROLE,
            "web_identity_token_file": f"{world}/token",
        },
        "from_sso": lambda: {
            "sso_start_url": START_URL,
            "sso_account_id": "123456789012",
            "sso_region": "us-east-1",
            "sso_role_name": "SampleRole",
        },
        "from_login_credentials": lambda: {"login_session": USER},
        "from_process": lambda: {"credential_process": fakes.keys_command(world, url)},
    }.get(kind.FACTORY, dict)()


def endpoint(url):
    return from_http(
        aws_container_credentials_full_uri=f"{url}/{fakes.secret('path')}",
        aws_container_authorization_token=fakes.secret("authorization"),
    )


@pytest.fixture
def outside(world, monkeypatch, aws):
    """Give a provider what it needs beside its options: files, and the environment."""
    aws.now = fakes.FakeClock().now  # no key of the fake expires during a test

    def environment():
        keys = aws.keys()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys["Token"])
        monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", keys["Expiration"])

    def instance():
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)

    def profile():
        address = f"container_credentials_full_uri = {aws.url}/{fakes.secret('path')}"
        (world / "config").write_text(f"[default]\n{address}\n")

    container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/{fakes.secret('path')}")
    logins, expires = world / ".aws" / "login" / "cache", aws.now() + 3600
    needs = {
        "from_env": environment,
        "from_ini": profile,
        "from_default_chain": profile,
        "from_container_metadata": lambda: monkeypatch.setenv(*container),
        "from_instance_metadata": instance,
        "from_token_file": lambda: (world / "token").write_text(fakes.secret("token")),
        "from_sso": lambda: fakes.sso_token(world, START_URL, expires + 3600),
        "from_login_credentials": lambda: fakes.login_token(logins, USER, expires),
    }
    return lambda kind: needs.get(kind.FACTORY, lambda: None)()


def built(kind, options):
    """Build a provider; what is positional is given by position."""
    options = dict(options)
    positional = [options.pop(one.name, ()) for one in kind.options() if one.positional]
    return kind(*(value for values in positional for value in values), **options)


def named(kind):
    return kind.FACTORY


every_provider = pytest.mark.parametrize("kind", EVERY, ids=named)
every_provider_of_a_profile = pytest.mark.parametrize(
    "kind",
    [kind for kind in EVERY if any(one.selects and one.ini for one in kind.options())],
    ids=named,
)


@pytest.fixture
def no_io(monkeypatch, world):
    """Make sockets, files and processes fail; the AWS files only where nothing reads them."""
    files = {str(world / "config"), str(world / "credentials")}
    opened = io.open

    def refused(*_, **__):
        pytest.fail("does I/O")

    def refuse(*, but_files):
        def guarded(path, *rest, **more):
            if but_files and str(path) in files:
                return opened(path, *rest, **more)
            return refused()

        for owner, name in ((socket, "socket"), (socket, "getaddrinfo"), (subprocess, "Popen")):
            monkeypatch.setattr(owner, name, refused)
        monkeypatch.setattr(builtins, "open", guarded)
        monkeypatch.setattr(io, "open", guarded)

    return refuse


def test_names_are_unique_and_none_of_botocores_but_where_it_has_the_provider():
    session = botocore.session.Session()
    taken = session.get_component("credential_provider").providers
    theirs = {one.METHOD: one.CANONICAL_NAME for one in taken}
    same = {kind.METHOD: kind for kind in EVERY if kind.METHOD in theirs}
    assert set(same.values()) == set(NATIVE)
    for method, kind in same.items():
        assert (theirs[method] or f"Custom{kind.__name__[:-8]}") == kind.CANONICAL_NAME
    for kind in set(EVERY) - set(NATIVE):
        assert kind.METHOD.startswith("custom-")
        assert kind.CANONICAL_NAME.startswith("Custom")
    assert len({kind.METHOD for kind in EVERY}) == len(EVERY)
    names = {str(kind.CANONICAL_NAME).lower() for kind in EVERY}
    assert len(names) == len(EVERY)
    assert {name.lower() for name in theirs.values() if name} & names == {
        theirs[method].lower() for method in same if theirs[method]
    }


def test_each_ini_key_means_one_thing():
    meanings = {}
    for kind in EVERY:
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
    if kind in PROVIDERS:
        assert [one for one in kind.options() if one.selects and one.ini]


@every_provider
def test_help_lists_the_options_required_ones_first(kind):
    shown = pydoc.render_doc(kind, renderer=pydoc.plaintext)
    text = inspect.getdoc(kind)
    assert text.splitlines()[0] in shown
    _, _, arguments = text.partition("\n\nArgs:\n")
    found = re.findall(r"^    \*?(\w+) \(.+", arguments, re.MULTILINE)
    assert sorted(found) == sorted(one.name for one in kind.options())
    required = [one.name for one in kind.options() if one.required]
    assert found[: len(required)] == required
    assert arguments.count("Required.") == len(required)
    assert all(" ".join(line.split()) in " ".join(shown.split()) for line in arguments.splitlines())


def test_help_of_a_class_without_options_is_its_docstring():
    (without,) = (one for one in Provider.__mro__ if one.__name__ == "Specification")
    assert inspect.getdoc(without).startswith("What a provider is")
    assert "Args:" not in inspect.getdoc(without)


@every_provider
def test_dir_shows_what_a_user_needs(kind):
    """What completion offers is the API: the rest of a provider has an underscore."""
    expected = {"METHOD", "CANONICAL_NAME", "FACTORY", "FEATURE_IDS", "options", "scope"}
    expected |= {"load", "fetch", "bind", "invalidate", "is_selected", "check", "read_token"}
    expected |= {one.name for one in kind.options()}
    expected |= {
        "create_credential_chain": {"expire_after"},
        "from_cognito_identity_pool": {"identity_id"},
    }.get(kind.FACTORY, set())
    assert {name for name in dir(kind) if not name.startswith("_")} == expected


@every_provider
def test_an_unknown_keyword_names_the_nearest(kind):
    for one in kind.options():
        with pytest.raises(TypeError) as raised:
            kind(**{f"{one.name}x": 1})
        assert str(raised.value) == (
            f"{kind.FACTORY}() has no option '{one.name}x': did you mean '{one.name}'?"
        )


@every_provider
def test_options_by_position_are_refused_with_an_example(kind):
    """As JavaScript takes them: one object."""
    if not any(one.positional for one in kind.options()):
        first = kind.options()[0]
        with pytest.raises(TypeError) as raised:
            kind({first.name: 1})
        assert str(raised.value) == (
            f"{kind.FACTORY}() takes its options by name: {first.name}={first.code_example}"
        )


@every_provider
def test_construction_and_load_do_no_io(kind, outside, world, no_io):
    """But what reads a profile must look into the AWS files to load."""
    outside(kind)
    options = working_options(kind, "http://127.0.0.1:9", world)
    no_io(but_files=False)
    provider = built(kind, options)
    no_io(but_files=issubclass(kind, FilesProvider))
    assert provider.load().method == kind.METHOD


def scope_of(kind, session, profile):
    """Return the scope in which a profile has its provider."""
    return (ProfileScope if kind in PROVIDERS else Scope)(session, profile=profile)


@every_provider_of_a_profile
def test_load_in_a_profile_does_no_network_io(kind, config, world, no_io):
    options = working_options(kind, "http://127.0.0.1:9", world)
    texts = options | ({"links": "Environment, CustomHttp"} if "links" in options else {})
    given = [one for one in kind.options() if isinstance(texts.get(one.name), str)]
    lines = [f"{one.ini} = {texts[one.name]}\n" for one in given]
    config(f"[profile mine]\n{''.join(lines)}")
    session = botocore.session.Session(profile="mine")
    assert session.full_config  # botocore reads the file once
    no_io(but_files=False)
    assert kind().bind(scope_of(kind, session, "mine")).load().method == kind.METHOD


@pytest.mark.parametrize(
    "kind",
    [kind for kind in EVERY if kind.FACTORY != "from_default_chain"],  # only asking shows
    ids=named,
)
def test_load_is_none_where_nothing_selects_the_provider(kind, config):
    config("[profile other]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/Other\n")
    session = botocore.session.Session(profile="other")
    # Of from_ini any profile that is there is.
    profile = "none" if kind.FACTORY == "from_ini" else "other"
    provider = kind().bind(scope_of(kind, session, profile))
    assert provider.load() is None
    assert provider._not_configured().try_next_link


def load_and_fetch(provider):
    provider.load()
    provider.fetch()


@every_provider
def test_a_missing_option_is_named_with_every_way_to_set_it(kind, world):
    """Where the outside may select the provider, nothing set means: not called for."""
    required = [one for one in kind.options() if one.required]
    for missing in required:
        options = working_options(kind, "http://127.0.0.1:9", world)
        del options[missing.name]
        provider = built(kind, options)
        with pytest.raises(ConfigurationError) as raised:
            load_and_fetch(provider)
        text = str(raised.value)
        assert f"{missing.name} is not set" in text
        if issubclass(kind, FilesProvider) and not options:  # it is a profile that is to have it
            assert f"{missing.ini} = {missing.example} in profile 'default' of {world}" in text
            continue
        keyword = "" if missing.positional else f"{missing.name}="
        assert f"pass {keyword}{missing.code_example} to {kind.FACTORY}()" in text
        assert missing.env is None or f"set the environment variable {missing.env}=" in text


def test_http_without_an_address_names_every_way_to_set_one():
    kind = from_http
    assert kind().load() is None
    with pytest.raises(ConfigurationError) as raised:
        kind().fetch()
    for one in kind.options():
        if one.selects:
            assert f"pass {one.name}={one.code_example} to {kind.FACTORY}()" in str(raised.value)
            assert f"set the environment variable {one.env}=" in str(raised.value)


@pytest.mark.parametrize(
    "kind",
    [kind for kind in NATIVE if not any(one.required for one in kind.options())],
    ids=named,
)
def test_what_only_the_outside_selects_says_why_it_does_not(kind):
    assert kind().load() is None
    with pytest.raises(NotConfigured, match="AWS_.* is (not set|set|true)"):
        kind().fetch()


@every_provider_of_a_profile
def test_a_missing_option_of_a_profile_is_named_with_its_key_and_file(kind, config):
    required = [one for one in kind.options() if one.required]
    selecting = [next(one for one in kind.options() if one.selects), *required]
    for missing in [one for one in required if one is not selecting[0]]:
        lines = {f"{one.ini} = {one.example}\n" for one in selecting if one is not missing}
        path = config(f"[profile mine]\n{''.join(lines)}")
        session = botocore.session.Session(profile="mine")
        with pytest.raises(ConfigurationError) as raised:
            kind().bind(scope_of(kind, session, "mine")).load()
        assert raised.value.reason == (
            f"{missing.ini} is not set in profile 'mine': "
            f"write, for example, {missing.ini} = {missing.example} in profile 'mine' of {path}"
        )


@every_provider
def test_no_secret_is_shown(kind, aws, outside, world):
    """The fixture ``logs`` searches every record of this test, too."""
    outside(kind)
    provider = built(kind, working_options(kind, aws.url, world))
    credentials = provider.load()
    frozen = credentials.get_frozen_credentials()
    assert frozen.secret_key in fakes.SECRETS
    shown = f"{provider!r} {credentials!r} {credentials.expiration!r} {provider.fetch()!r}"
    assert not [one for one in fakes.SECRETS if one in shown]
    for one in kind.options():
        if one.secret and one.name in working_options(kind, aws.url, world):
            assert f"{one.name}=<hidden>" in repr(provider)


@every_provider
def test_a_specification_travels_and_keys_do_not(kind, aws, outside, world):
    outside(kind)
    provider = built(kind, working_options(kind, aws.url, world))
    provider.load().get_frozen_credentials()
    travelled = pickle.dumps(provider)
    restored = pickle.loads(travelled)
    assert repr(restored) == repr(provider)
    assert repr(restored._code_values) == repr(provider._code_values)
    before = len(aws.requests)
    assert restored.load().get_frozen_credentials().access_key
    assert (len(aws.requests) > before) == (before > 0)
    keys = [one for one in fakes.SECRETS if one.startswith(("secret-key", "session-token"))]
    assert keys
    assert not [one for one in keys if one.encode() in travelled]


@every_provider
@pytest.mark.parametrize(("left", "fetches"), [(301, 1), (300, 2)], ids=["5:01", "5:00"])
def test_keys_are_refreshed_five_minutes_before_they_expire(
    kind, aws, clock, left, fetches, outside, world
):
    outside(kind)
    aws.now = clock.now
    provider = built(kind, working_options(kind, aws.url, world)).bind(Scope(clock=clock))
    credentials = provider.load()
    first = credentials.get_frozen_credentials()
    clock.advance((credentials.expiration - clock.at(0)).total_seconds() - left)
    if kind.FACTORY == "from_env":
        outside(kind)  # only somebody else renews them
    second = credentials.get_frozen_credentials()
    assert (first.access_key != second.access_key) == (fetches == 2)


@every_provider
def test_only_tokens_can_be_replaced(kind, world):
    provider = built(kind, working_options(kind, "http://127.0.0.1:9", world))
    for one in kind.options():
        if one.token:
            again = working_options(kind, "http://127.0.0.1:9", world)
            setattr(provider, one.name, again.get(one.name))
        else:
            with pytest.raises(AttributeError, match=f"{one.name} cannot be changed"):
                setattr(provider, one.name, None)
