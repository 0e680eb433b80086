"""Chains in code; those in profiles are in ``tests/cases/chains.toml``."""

import pickle
from datetime import timedelta
from itertools import pairwise

import botocore.session
import pytest
from botocore.credentials import Credentials, EnvProvider
from botocore.exceptions import ClientError

import botocore_ext
from botocore_ext import (
    ChainError,
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    NotConfigured,
    Scope,
    Session,
    create_credential_chain,
    from_cognito_identity_pool,
    from_http,
    from_web_token,
)
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/Web"
GOOD = FrozenCredentials("AKIAGOOD", "secret-of-the-good-link")


def good():
    return GOOD


def nothing():
    return None


def refused():
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")


class Duck(Exception):  # noqa: N818 - it could be anybody's
    """An error of another library that lets a chain continue."""

    try_next_link = True


def duck():
    raise Duck("not here")


@pytest.mark.parametrize(
    "link",
    [
        good,
        lambda: Credentials("AKIAGOOD", "s"),
        lambda: {"AccessKeyId": "AKIAGOOD", "SecretAccessKey": "s"},
        create_credential_chain(good),
        create_credential_chain(nothing, create_credential_chain(duck, good)),
    ],
)
def test_links_of_every_kind_return_credentials(link):
    assert create_credential_chain(nothing, link, refused).fetch().access_key == "AKIAGOOD"


@pytest.mark.parametrize("name", ["Environment", "environment", "env", "ENV"])
def test_botocores_providers_are_called_by_name_and_as_objects(monkeypatch, name):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
    for link in (name, EnvProvider()):
        assert create_credential_chain(nothing, link).fetch().access_key == "AKIAENV"


def test_links_are_bound_for_each_copy_of_a_chain():
    """Clients and region of a link are those of the session that the chain is used in."""
    chain = create_credential_chain(from_http(), from_web_token(role_arn=ROLE))
    chain.check()
    scopes = [Scope(), Scope()]
    copies = [chain.bind(one) for one in scopes]
    copies.append(copies[0].bind(scopes[1]))
    for copy, scope in zip(copies, [*scopes, scopes[1]], strict=True):
        assert [link.scope for _, link in copy._bound_links()] == [scope, scope]
        copy.check()


def test_chain_in_other_files_has_another_identity():
    one, other = (
        create_credential_chain(good).bind(Scope(botocore.session.Session(), profile="a"))
        for _ in range(2)
    )
    assert one._identity != other._identity
    assert one._identity == one.bind(one.scope)._identity


class OwnChain(botocore_ext.CredentialChain):
    """A class of a user."""


def test_expire_after_and_pickle_keep_the_options():
    chain = OwnChain(good, refresh_window=60).expire_after(900)
    for one in (chain, pickle.loads(pickle.dumps(chain))):
        assert (type(one), one.refresh_window) == (OwnChain, 60)
        assert "expire_after=900" in repr(one)


def test_named_provider_takes_the_rest_from_the_environment(aws, monkeypatch):
    links = ("CustomHttp", "custom-cognito-identity", good)
    assert create_credential_chain(*links).fetch() == GOOD
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    assert create_credential_chain(*links).fetch().account_id == "123456789012"


def test_the_environment_is_read_when_a_provider_is_bound(aws, monkeypatch):
    """Options are resolved once; what a fetch reads is read at each fetch."""
    chain = create_credential_chain("CustomHttp", good)
    assert chain.fetch() == GOOD
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    assert chain.fetch() == GOOD


def test_what_is_not_configured_is_stepped_over_and_named():
    chain = create_credential_chain(from_http(), nothing, duck, "Environment", "profile none")
    with pytest.raises(ChainError) as raised:
        chain.fetch()
    assert raised.value.try_next_link
    assert [one.link for one in raised.value.attempts] == [
        "from_http()", "nothing", "duck", "Environment", "profile none",
    ]  # fmt: skip
    assert [type(one.error) for one in raised.value.attempts] == [
        NotConfigured, NotConfigured, Duck, NotConfigured, NotConfigured,
    ]  # fmt: skip
    lines = str(raised.value).splitlines()
    assert lines[0].endswith("custom-credential-chain: no link of the chain returned credentials")
    assert lines[1].startswith("  from_http(): none of aws_container_credentials_full_uri, ")
    assert lines[2] == "  nothing: nothing returned None: it has no credentials here"
    assert lines[5].startswith("  profile none: there is no profile 'none' in ")
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_links_of_an_inner_chain_are_indented():
    with pytest.raises(ChainError) as raised:
        create_credential_chain(create_credential_chain(nothing, nothing), nothing).fetch()
    depths = [len(line) - len(line.lstrip()) for line in str(raised.value).splitlines()]
    assert depths == [0, 2, 4, 4, 2]


def test_role_link_prompts_for_no_mfa_code(config, monkeypatch, aws):
    config(
        f"[profile app]\nrole_arn = {ROLE}\nsource_profile = keys\nmfa_serial = device\n"
        "[profile keys]\naws_access_key_id = AKIAFILE\naws_secret_access_key = secret\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "app")
    with pytest.raises(
        ConfigurationError, match="but a chain does not prompt for one: use the link from_ini"
    ):
        create_credential_chain("assume-role", good).fetch()


@pytest.mark.parametrize(
    ("link", "error"),
    [
        (refused, ClientError),
        (lambda: {"AccessKeyId": "A"}, FetchError),
        (from_web_token(), ConfigurationError),
    ],
)
def test_what_failed_stops_the_chain_unchanged(link, error):
    with pytest.raises(error):
        create_credential_chain(nothing, link, good).fetch()


def test_a_chain_without_links_is_an_error():
    with pytest.raises(
        ConfigurationError,
        match=r"links is not set: for example, pass from_http\(\), 'Environment' to create_cred",
    ):
        create_credential_chain().load()


def test_a_link_that_is_none_is_refused_at_once():
    with pytest.raises(TypeError, match="is not a credential provider"):
        create_credential_chain(good, None)


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(ConfigurationError) as raised:
        create_credential_chain("Enviroment").load()
    assert raised.value.reason == (
        "the chain in code names Enviroment, which is not a known provider: did you mean "
        "Environment? (a profile is written as profile NAME)"
    )


def test_every_refresh_starts_at_the_first_link(clock):
    found = [None, GOOD, FrozenCredentials("AKIAFIRST", "s")]
    chain = create_credential_chain(lambda: found.pop(0), good).bind(Scope(clock=clock))
    credentials = chain.load()
    assert credentials.access_key == "AKIAGOOD"
    credentials.refresh()
    credentials.refresh()
    assert credentials.access_key == "AKIAFIRST"


class TestExpireAfter:
    @pytest.mark.parametrize("seconds", [900, 900.0, timedelta(minutes=15)])
    def test_credentials_without_an_expiration_get_one(self, clock, seconds):
        chain = create_credential_chain(good)
        limited = chain.expire_after(seconds)
        assert limited is not chain
        for one in (limited, create_credential_chain(good, expire_after=seconds)):
            assert one.bind(Scope(clock=clock)).fetch().expiration == clock.at(900)
        assert chain.fetch().expiration is None
        assert GOOD.expiration is None

    @pytest.mark.parametrize("hours", [-1, 0.1, 9])
    def test_an_expiration_that_is_there_stays(self, clock, hours):
        moment = clock.at(hours * 3600)
        chain = create_credential_chain(
            lambda: FrozenCredentials("A", "s", None, moment)
        ).expire_after(900)
        assert chain.bind(Scope(clock=clock)).fetch().expiration == moment

    @pytest.mark.parametrize(
        "seconds", [299.9, 0, -1, timedelta(minutes=4), "soon", None, float("nan")]
    )
    def test_less_than_five_minutes_is_refused_at_once(self, seconds):
        with pytest.raises(ValueError, match=r"^expire_after\(.*\) is"):
            create_credential_chain(good).expire_after(seconds)

    def test_keyword_of_less_names_the_option(self):
        with pytest.raises(ConfigurationError, match=r"expire_after passed to create_credential_c"):
            create_credential_chain(good, expire_after=299)

    def test_option_and_method_have_one_name(self):
        """The class has the declaration, a chain the method; neither can be assigned."""
        chain = create_credential_chain(good, expire_after=300)
        assert type(chain).expire_after.ini == "credential_chain_expire_after"
        with pytest.raises(AttributeError, match="create a new provider"):
            chain.expire_after = 900

    def test_five_minutes_are_enough(self):
        assert "expire_after=300" in repr(create_credential_chain(good).expire_after(300))

    def test_a_quarter_of_an_hour_means_a_look_every_ten_minutes(self, clock):
        calls = []

        def counted():
            calls.append(clock.time)
            return GOOD

        chain = create_credential_chain(counted).expire_after(15 * 60).bind(Scope(clock=clock))
        credentials = chain.load()
        for _ in range(24 * 60 * 6):  # a day, a request every ten seconds
            credentials.get_frozen_credentials()
            clock.advance(10)
        assert len(calls) == 24 * 6
        assert {later - earlier for earlier, later in pairwise(calls)} == {600}


def test_a_new_token_of_a_link_is_used_at_once(aws):
    link = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    credentials = create_credential_chain(nothing, create_credential_chain(link)).load()
    one = credentials.access_key
    link.web_identity_token = token = fakes.secret("token")
    assert credentials.access_key != one
    assert aws.requests[-1].parameters["WebIdentityToken"] == token
    link.invalidate()
    assert credentials.refresh_needed()


def test_a_link_keeps_its_identity_between_refreshes(aws):
    pool = from_cognito_identity_pool(identity_pool_id="us-east-1:pool")
    credentials = create_credential_chain(nothing, pool).load()
    credentials.get_frozen_credentials()
    credentials.refresh()
    assert aws.operations().count("GetId") == 1


@pytest.mark.caller_signs
def test_profile_link_is_read_again_and_keeps_its_identity(aws, config, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config(f"""
[profile pool]
cognito_identity_pool_id = us-east-1:pool
[profile role]
role_arn = {ROLE}
source_profile = pool
""")
    for profile, operations in (
        ("pool", ["GetId", *["GetCredentialsForIdentity"] * 3]),
        ("role", ["GetId", "GetCredentialsForIdentity", *["AssumeRole"] * 3]),
    ):
        aws.requests.clear()
        credentials = create_credential_chain(f"profile {profile}").load()
        keys = set()
        for _ in range(3):
            credentials.refresh()
            keys.add(credentials.access_key)
        assert len(keys) == 3
        assert aws.operations() == operations


def test_a_chain_travels_as_its_links():
    chain = create_credential_chain("Environment", from_http(timeout=2)).expire_after(900)
    again = pickle.loads(pickle.dumps(chain))
    assert repr(again) == repr(chain)
    assert "expire_after=900" in repr(again)


def test_a_session_takes_a_chain():
    session = Session(credentials=create_credential_chain(nothing, good))
    assert session.get_credentials().method == "custom-credential-chain"
    assert session.get_credentials().access_key == "AKIAGOOD"
    assert Session(credentials=botocore_ext.CredentialChain(good)).get_credentials().access_key


def test_chain_that_depends_on_itself_is_an_error():
    chains = []
    inner = create_credential_chain(lambda: chains[0].fetch())  # noqa: PLW0108 - not there yet
    chains.append(create_credential_chain(inner))
    with pytest.raises(
        ConfigurationError, match=r"depends on itself \(create_credential_chain"
    ) as raised:
        chains[0].fetch()
    assert str(raised.value).count(" -> ") == 3
