"""The Cognito providers in code; their profiles are in ``tests/cases/profiles.toml``."""

import json
from weakref import ref

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from botocore_ext import (
    ConfigurationError,
    FetchError,
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_cognito_identity_pool,
)
from botocore_ext.providers.base import CachedIds
from botocore_ext.providers.cognito import MAX_USERS, CachedIdentity, ids_of_user
from botocore_ext.tokens import TokenFile
from tests import fakes

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
FIRST = "us-east-1:00000000-0000-0000-0000-000000000001"
SECOND = "us-east-1:00000000-0000-0000-0000-000000000002"


def test_credentials_have_their_identity(aws):
    known = from_cognito_identity(identity_id=FIRST)
    assert known.fetch().identity_id == known.identity_id == FIRST
    credentials = known.load()
    assert credentials.identity_id is None
    credentials.get_frozen_credentials()
    assert credentials.identity_id == FIRST
    pool = from_cognito_identity_pool(identity_pool_id=POOL)
    assert pool.identity_id is None
    assert pool.fetch().identity_id == FIRST
    assert pool.identity_id == FIRST
    of_function = create_credential_chain(lambda: credentials)
    assert of_function.fetch().identity_id == FIRST


def test_identity_is_requested_once_and_cached(aws):
    provider = from_cognito_identity_pool(identity_pool_id=POOL)
    credentials = provider.load()
    credentials.get_frozen_credentials()
    credentials.refresh()
    copy = provider.bind(Scope()).load()
    copy.get_frozen_credentials()
    assert aws.operations() == ["GetId"] + ["GetCredentialsForIdentity"] * 3
    assert provider.identity_id == FIRST
    assert from_cognito_identity_pool(identity_pool_id=POOL).fetch().identity_id == SECOND


def test_identity_is_requested_in_the_account_of_the_pool(aws):
    from_cognito_identity_pool(identity_pool_id=POOL, account_id="123456789012").fetch()
    assert aws.requests[0].parameters == {"AccountId": "123456789012", "IdentityPoolId": POOL}


def test_the_identity_in_use_is_the_last_one_that_was_used(aws):
    """Copies may ask several endpoints, each with identities of its own."""
    provider = from_cognito_identity_pool(identity_pool_id=POOL)
    provider.fetch()
    config = {"region_name": "eu-west-1"}
    other = from_cognito_identity_pool(identity_pool_id=POOL, client_config=config)
    other._cell = provider._cell
    other.fetch()
    assert provider.identity_id == SECOND
    provider.fetch()
    assert provider.identity_id == FIRST


def test_identity_in_use_precedes_a_newer_one_in_the_cache(aws):
    cache = {}
    provider = from_cognito_identity_pool(identity_pool_id=POOL, cache=cache)
    provider.fetch()
    (key,) = cache
    cache[key] = SECOND  # of another process, which came at the same time
    assert provider.fetch().identity_id == FIRST
    assert cache == {key: FIRST}


def test_cached_identity_must_be_of_the_pools_region(aws):
    cache, elsewhere = {}, {"region_name": "eu-west-1"}
    for _ in range(2):
        provider = from_cognito_identity_pool(
            identity_pool_id=POOL, cache=cache, client_config=elsewhere
        )
        assert provider.fetch().identity_id == FIRST
    assert aws.operations().count("GetId") == 1


class Writes(dict):
    """A cache that counts what is written."""

    count = 0

    def __setitem__(self, key, value):
        self.count += 1
        super().__setitem__(key, value)


def cached_identity(cache, ids, shared=None):
    return CachedIdentity("pool", "us-east-1", ids, shared, cache)


def test_first_of_two_threads_decides_the_identity():
    cache, ids, shared = Writes(), CachedIds(), CachedIds()
    stored = [cached_identity(cache, ids, shared).store(one) for one in (FIRST, SECOND)]
    assert stored == [FIRST, FIRST]
    assert list(cache.values()) == list(ids.current.values()) == [FIRST]
    assert cache.count == 1


def test_drop_removes_one_identity_everywhere():
    cache, ids = {}, CachedIds()
    identity = cached_identity(cache, ids)
    identity.store(FIRST)
    identity.drop(SECOND)
    assert identity.get() == FIRST
    identity.drop(FIRST)
    assert (identity.get(), cache, ids.current) == (None, {}, {})
    identity.store(FIRST)
    (key,) = cache
    cache[key] = SECOND  # by another process
    identity.drop(FIRST)
    assert identity.get() == SECOND


def merging(aws, into=SECOND):
    """Answer with the credentials of another identity than that of the request."""

    def answer(request):
        request.parameters = {**request.parameters, "asked": request.parameters["IdentityId"]}
        request.parameters["IdentityId"] = into
        return aws.cognito(request)

    aws.always("GetCredentialsForIdentity", answer)


def asked(aws):
    """Return the identities of the requests for credentials."""
    requests = [one.parameters for one in aws.requests if one.operation.startswith("GetCred")]
    return [one.get("asked", one["IdentityId"]) for one in requests]


def test_a_known_guest_becomes_the_user_that_signs_in(aws):
    """Cognito merges the identity of a guest into the user's, and answers with the user's."""
    provider = from_cognito_identity(identity_id=FIRST)
    credentials = provider.load()
    credentials.get_frozen_credentials()
    provider.logins = {"a": fakes.secret()}
    merging(aws)
    credentials.get_frozen_credentials()
    assert credentials.identity_id == provider.identity_id == SECOND
    bound = provider.bind(Scope())
    assert bound.fetch().identity_id == bound.identity_id == SECOND
    assert asked(aws) == [FIRST, FIRST, SECOND]
    provider.logins = {"a": fakes.secret()}  # another user, who has not signed in yet
    assert provider.identity_id == FIRST


def test_a_guest_of_a_pool_becomes_the_user_that_signs_in(aws):
    """The shared identity and the one in the cache follow, and so does the next process."""
    cache = Writes()
    options = {"identity_pool_id": POOL, "user_identifier": "user_0", "cache": cache}
    provider = from_cognito_identity_pool(**options, logins={"a": fakes.secret})
    credentials = provider.load()
    merging(aws)
    for _ in range(2):
        credentials.refresh()
        assert credentials.identity_id == provider.identity_id == SECOND
    assert from_cognito_identity_pool(**options).fetch().identity_id == SECOND
    assert asked(aws) == [FIRST, SECOND, SECOND]
    assert list(cache.values()) == [SECOND]
    assert cache.count == 2


def test_two_fetches_hear_of_the_same_merge(aws):
    options = {"identity_pool_id": POOL, "user_identifier": "user_0", "cache": Writes()}
    one, two = from_cognito_identity_pool(**options), from_cognito_identity_pool(**options)
    one.fetch()
    merging(aws)

    def later(request):
        assert two.fetch().identity_id == SECOND
        return aws.scripts["GetCredentialsForIdentity"][0](request)

    aws.scripts["GetCredentialsForIdentity"].insert(0, later)
    assert one.fetch().identity_id == one.identity_id == two.identity_id == SECOND
    assert asked(aws) == [FIRST, FIRST, FIRST]
    assert options["cache"].count == 2


@pytest.mark.parametrize("answered", [7, ["us-east-1:a"], {"a": 1}, "me", "us-east-1"])
def test_an_answer_with_a_malformed_identity_is_an_error(aws, answered):
    aws.always(
        "GetCredentialsForIdentity",
        fakes.Answer(json.dumps({"Credentials": {}, "IdentityId": answered}).encode()),
    )
    for provider in (from_cognito_identity(identity_id=FIRST), from_cognito_identity_pool(
        identity_pool_id=POOL
    )):  # fmt: skip
        with pytest.raises(FetchError, match="IdentityId"):
            provider.fetch()
        assert provider.identity_id == FIRST


@pytest.mark.parametrize("expiration", ["1e300", "-1e300", "1e999", "NaN", "1e14", "[]", "{}"])
def test_malformed_expiration_is_a_fetch_error(aws, expiration):
    """The parser of botocore raises a RuntimeError for some of them."""
    keys = '{"AccessKeyId": "A", "SecretKey": "s", "SessionToken": "t", "Expiration": %s}'
    aws.always(
        "GetCredentialsForIdentity",
        fakes.Answer(b'{"Credentials": %s}' % (keys % expiration).encode()),
    )
    with pytest.raises(FetchError, match="cannot be read: check that nothing"):
        from_cognito_identity(identity_id=FIRST).fetch()


def test_logins_are_read_once_for_each_fetch(aws):
    calls = []
    login = fakes.secret("login")
    provider = from_cognito_identity_pool(
        identity_pool_id=POOL,
        logins={"accounts.google.com": lambda: calls.append(1) or f" {login} "},
    )
    provider.fetch()
    assert len(calls) == 1
    assert [one.parameters["Logins"] for one in aws.requests] == [
        {"accounts.google.com": login}
    ] * 2
    provider.fetch()
    assert len(calls) == 2


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", ["text", "callable", "file"])
def test_a_wrapped_login_is_sent_as_it_is(aws, tmp_path, line_break, kind):
    """A SAML assertion is base64 in lines; it travels in a JSON body."""
    assertion = line_break.join([fakes.secret("assertion"), "PHNhbWw=", "cDpSZXM="])
    path = tmp_path / "assertion"
    path.write_bytes(f"{assertion}{line_break}".encode())
    login = {"text": assertion, "callable": lambda: assertion, "file": TokenFile(str(path))}[kind]
    logins = {"arn:aws:iam::123456789012:saml-provider/idp": login}
    from_cognito_identity_pool(identity_pool_id=POOL, logins=logins).load().refresh()
    sent = [request.parameters["Logins"] for request in aws.requests]
    assert [list(one.values()) for one in sent] == [[assertion]] * 2


@pytest.mark.parametrize("character", ["\0", "\t", "\x1b"])
def test_a_login_with_another_control_character_is_refused(aws, character):
    login = f"a{character}{fakes.secret('login')}"
    provider = from_cognito_identity_pool(identity_pool_id=POOL, logins={"a": login})
    with pytest.raises(FetchError, match="the login a: .* a character that cannot be sent"):
        provider.fetch()
    assert not aws.requests


def test_without_logins_none_are_sent(aws):
    from_cognito_identity_pool(identity_pool_id=POOL).fetch()
    assert aws.requests[0].parameters == {"IdentityPoolId": POOL}
    assert aws.requests[1].parameters == {"IdentityId": FIRST}


def test_new_logins_ask_for_the_identity_again(aws):
    provider = from_cognito_identity_pool(identity_pool_id=POOL, logins={"a": fakes.secret()})
    credentials = provider.load()
    credentials.get_frozen_credentials()
    provider.logins = {"a": fakes.secret()}
    credentials.get_frozen_credentials()
    assert provider.identity_id == SECOND
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity"] * 2


@pytest.mark.parametrize("logins", [{}, {"a": ""}, {"a": 1}, ["a"], {"a": None}])
def test_malformed_logins_are_an_error(logins):
    with pytest.raises(ConfigurationError, match="^Error .* logins passed to from_cognito_ident"):
        from_cognito_identity(identity_id=FIRST, logins=logins).load()


def test_a_client_of_the_callers_is_used(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    client = boto3.client(
        "cognito-identity",
        region_name="eu-west-1",
        endpoint_url=aws.url,
        config=Config(signature_version=UNSIGNED),
    )
    from_cognito_identity_pool(identity_pool_id=POOL, client=client).fetch()
    from_cognito_identity(identity_id=FIRST, client=client).fetch()
    assert len(aws.requests) == 3


@pytest.mark.parametrize("factory", [from_cognito_identity, from_cognito_identity_pool])
def test_a_client_that_is_none_is_an_error(factory):
    with pytest.raises(ConfigurationError, match="must be a client that has get_cred.*, not str"):
        factory(client="cognito-identity")


class TestCachedIdentity:
    def test_a_user_identifier_shares_the_identity_in_this_process(self, aws):
        def fetch(**options):
            options = {"identity_pool_id": POOL, "user_identifier": "user_0"} | options
            return from_cognito_identity_pool(**options).fetch().identity_id

        assert fetch() == fetch() == FIRST
        assert fetch(user_identifier="user_1") == SECOND
        assert fetch(account_id="123456789012") not in (FIRST, SECOND)
        other = {"endpoint_url": aws.url.replace("127.0.0.1", "localhost")}
        assert fetch(client_config=other).endswith("4")
        assert fetch(client_config={"region_name": "eu-west-1"}).endswith("5")
        assert fetch(identity_pool_id="us-east-1:other").endswith("6")
        assert fetch() == FIRST

    def test_a_cache_keeps_a_guests_identity_beyond_the_provider(self, aws):
        cache = {}
        for _ in range(2):
            provider = from_cognito_identity_pool(identity_pool_id=POOL, cache=cache)
            assert provider.fetch().identity_id == FIRST
        (key,) = cache
        assert key.startswith("botocore-ext:cognito-identity:")
        assert POOL in key
        assert list(cache.values()) == [FIRST]

    def test_with_logins_the_cache_needs_a_user_identifier(self, aws):
        cache = {}
        options = {"identity_pool_id": POOL, "cache": cache}
        for expected in (FIRST, SECOND):
            provider = from_cognito_identity_pool(logins={"a": fakes.secret()}, **options)
            assert provider.fetch().identity_id == expected
        assert not cache
        provider = from_cognito_identity_pool(
            logins={"a": fakes.secret()}, user_identifier="user_0", **options
        )
        third = provider.fetch().identity_id
        assert list(cache.values()) == [third]

    @pytest.mark.parametrize(
        "cached", ["eu-west-1:00000000-0000-0000-0000-000000000009", "nonsense", "", None, 7]
    )
    def test_a_value_of_another_region_or_form_is_not_used(self, aws, cached):
        cache = {}
        from_cognito_identity_pool(identity_pool_id=POOL, cache=cache).fetch()
        cache[next(iter(cache))] = cached
        provider = from_cognito_identity_pool(identity_pool_id=POOL, cache=cache)
        assert provider.fetch().identity_id == SECOND
        assert list(cache.values()) == [SECOND]

    @pytest.mark.parametrize("code", ["NotAuthorizedException", "ResourceNotFoundException"])
    def test_rejected_cached_identity_is_requested_again_once(self, aws, code):
        cache = {}
        provider = from_cognito_identity_pool(
            identity_pool_id=POOL, cache=cache, user_identifier="user_0"
        )
        provider.fetch()
        aws.script("GetCredentialsForIdentity", fakes.error(code))
        assert provider.fetch().identity_id == SECOND == provider.identity_id
        assert list(cache.values()) == [SECOND]
        aws.script("GetCredentialsForIdentity", *[fakes.error(code)] * 2)
        with pytest.raises(ClientError, match=code):
            provider.fetch()
        assert aws.operations()[5:] == [
            "GetCredentialsForIdentity",
            "GetId",
            "GetCredentialsForIdentity",
        ]

    @pytest.mark.parametrize("message", ["Token expired: 1589092400 >= 1589092129", "is expired."])
    def test_an_expired_login_costs_nothing(self, aws, clock, message):
        """Cognito has no code of its own for it; the valid credentials stay in use."""
        expired = fakes.error("NotAuthorizedException", message=f"Invalid login token. {message}")
        logins = {"a": fakes.secret}
        known = from_cognito_identity(identity_id=FIRST, logins=logins)
        cache = {}
        pool = from_cognito_identity_pool(
            identity_pool_id=POOL, logins=logins, cache=cache, user_identifier="user_0"
        )
        aws.now = clock.now
        for provider in (known, pool):
            credentials = provider.bind(Scope(clock=clock)).load()
            old = credentials.get_frozen_credentials()
            clock.advance(3590)
            aws.script("GetCredentialsForIdentity", expired)
            assert credentials.get_frozen_credentials() == old
            clock.advance(5)
            assert credentials.get_frozen_credentials() != old
        assert aws.operations().count("GetId") == 1
        assert list(cache.values()) == [FIRST]

    def test_a_login_that_expired_at_once_is_tried_again(self, aws):
        expired = fakes.error(
            "NotAuthorizedException", message="Invalid login token. Token expired"
        )
        pool = from_cognito_identity_pool(identity_pool_id=POOL, logins={"a": fakes.secret()})
        credentials = pool.load()
        aws.script("GetId", expired)
        with pytest.raises(ClientError, match="Token expired"):
            credentials.get_frozen_credentials()
        assert credentials.get_frozen_credentials()

    def test_rejected_new_identity_is_not_requested_again(self, aws):
        aws.script("GetCredentialsForIdentity", fakes.error("NotAuthorizedException"))
        with pytest.raises(ClientError, match="NotAuthorizedException"):
            from_cognito_identity_pool(identity_pool_id=POOL).fetch()
        assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]

    def test_another_error_does_not_drop_the_identity(self, aws):
        provider = from_cognito_identity_pool(identity_pool_id=POOL)
        provider.fetch()
        aws.script("GetCredentialsForIdentity", fakes.error("InvalidParameterException"))
        with pytest.raises(ClientError, match="InvalidParameterException"):
            provider.fetch()
        assert provider.identity_id == FIRST

    def test_a_failing_cache_never_fails_a_fetch(self, aws, caplog):
        class Broken(dict):
            def __getitem__(self, key):
                raise OSError("disk")

            __setitem__ = __getitem__

        provider = from_cognito_identity_pool(identity_pool_id=POOL, cache=Broken())
        assert provider.fetch().identity_id == FIRST
        assert "could not be read (OSError)" in caplog.text
        aws.script("GetCredentialsForIdentity", fakes.error("NotAuthorizedException"))
        assert provider.fetch().identity_id == SECOND

    def test_a_cache_that_cannot_be_written_never_fails_a_fetch(self, aws, caplog):
        class ReadOnly(dict):
            broken = False

            def __setitem__(self, key, value):
                if self.broken:
                    raise OSError("disk")
                super().__setitem__(key, value)

            def __delitem__(self, key):
                raise OSError("disk")

        cache = ReadOnly()
        provider = from_cognito_identity_pool(identity_pool_id=POOL, cache=cache)
        provider.fetch()
        cache.broken = True
        aws.script("GetCredentialsForIdentity", fakes.error("NotAuthorizedException"))
        assert provider.fetch().identity_id == SECOND
        assert "could not be written (OSError)" in caplog.text


def test_ids_of_a_bounded_number_of_users_are_cached():
    """Those that a provider uses are always the same object, so that a logout reaches it."""
    in_use, unused = ids_of_user("ann"), ref(ids_of_user("bob"))
    for number in range(MAX_USERS):
        ids_of_user(str(number))
    assert ids_of_user("ann") is in_use
    assert unused() is None
    assert not ids_of_user("bob").current


def test_provider_keeps_the_ids_of_its_user(aws):
    """After ten thousand other users a guest is still the same guest."""
    provider = from_cognito_identity_pool(identity_pool_id=POOL, user_identifier="ann")
    provider.fetch()
    for number in range(MAX_USERS):
        ids_of_user(str(number))
    assert provider.fetch().identity_id == FIRST
    assert aws.operations().count("GetId") == 1


def test_ids_that_logged_out_are_known_within_a_bound():
    ids = CachedIds()
    for number in range(1001):
        ids.current["pool"] = f"us-east-1:{number}"
        ids.log_out("us-east-1:cached")
    assert len(ids.logged_out) == 1000
    cache = {"botocore-ext:cognito-identity:pool": "us-east-1:1000"}
    assert cached_identity(cache, ids).get() is None


def test_identity_that_another_thread_stored_stays():
    ids = CachedIds()
    ids.current["pool"] = SECOND
    cached_identity(None, ids).drop(FIRST)
    assert ids.current == {"pool": SECOND}


def test_an_answer_without_a_secret_is_an_error(aws):
    aws.script("GetCredentialsForIdentity", fakes.Answer(b'{"Credentials": {"AccessKeyId": "A"}}'))
    with pytest.raises(FetchError, match="SecretAccessKey is missing"):
        from_cognito_identity(identity_id=FIRST).fetch()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b'{"Credentials": []}', b"[" * 10_000])
def test_answer_that_is_not_an_object_is_a_fetch_error(aws, body, status):
    """Its parser trips over an answer that is JSON but no object."""
    aws.script("GetCredentialsForIdentity", fakes.Answer(body, status))
    with pytest.raises((FetchError, ClientError)) as raised:
        from_cognito_identity(identity_id=FIRST).fetch()
    assert status != 200 or isinstance(raised.value, FetchError)


@pytest.mark.parametrize("status", [404, 502])
def test_error_without_a_code_shows_only_its_status(aws, status, monkeypatch):
    """Without a code, botocore takes the whole answer for the text of the error."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    aws.always(
        "GetCredentialsForIdentity", fakes.Answer(fakes.secret("body").encode(), status=status)
    )
    with pytest.raises(ClientError, match=f"the answer has status {status}, but") as raised:
        from_cognito_identity(identity_id=FIRST).fetch()
    assert not [one for one in fakes.SECRETS if one in repr(raised.value.response)]
