"""Cognito beyond the enhanced flow: classic flow, developer identities, logout and upgrade."""

import json
import threading

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_cognito_identity_pool,
    from_env,
    from_ini,
    from_temporary_credentials,
    from_web_token,
)
from tests import fakes

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
FIRST = "us-east-1:00000000-0000-0000-0000-000000000001"
SECOND = "us-east-1:00000000-0000-0000-0000-000000000002"
ROLE = "arn:aws:iam::123456789012:role/Mobile"
CLASSIC = {"flow": "classic", "role_arn": ROLE}
DEVELOPER = {"developer_provider": "login.example.com", "developer_user": "user_0"}
ENHANCED_CALLS = ["GetId", "GetCredentialsForIdentity"]
CLASSIC_CALLS = ["GetId", "GetOpenIdToken", "AssumeRoleWithWebIdentity"]
DEVELOPER_CALL = "GetOpenIdTokenForDeveloperIdentity"


def pool(**options):
    return from_cognito_identity_pool(identity_pool_id=POOL, **options)


def backend():
    """Return the credentials of a backend."""
    return FrozenCredentials("AKIABACKEND", fakes.secret("backend"))


def signer(request):
    """Return the access key that signed a request; None if none did."""
    header = request.headers.get("Authorization", "")
    return header.partition("Credential=")[2].partition("/")[0] or None


class TestClassicFlow:
    def test_the_token_of_cognito_assumes_the_role(self, aws):
        login = fakes.secret("login")
        provider = pool(
            **CLASSIC, logins={"a": login}, role_session_name="app", duration_seconds=900
        )
        credentials = provider.load()
        credentials.get_frozen_credentials()
        get_id, get_token, assume = aws.requests
        assert aws.operations() == CLASSIC_CALLS
        assert get_id.parameters == {"IdentityPoolId": POOL, "Logins": {"a": login}}
        assert get_token.parameters == {"IdentityId": FIRST, "Logins": {"a": login}}
        assert assume.parameters == {
            "RoleArn": ROLE,
            "RoleSessionName": "app",
            "DurationSeconds": "900",
            "WebIdentityToken": get_token.gave,
        }
        assert credentials.access_key == assume.gave
        assert credentials.account_id == "123456789012"
        assert credentials.identity_id == provider.identity_id == FIRST
        assert not any(map(signer, aws.requests))
        assert credentials._features == ("CREDENTIALS_STS_ASSUME_ROLE_WEB_ID",)
        credentials.refresh()
        assert aws.operations()[3:] == CLASSIC_CALLS[1:]

    def test_a_known_identity_needs_no_get_id(self, aws):
        provider = from_cognito_identity(identity_id=FIRST, **CLASSIC)
        assert provider.fetch().identity_id == FIRST
        assert aws.operations() == CLASSIC_CALLS[1:]
        assert aws.requests[1].parameters["RoleSessionName"].startswith("botocore-ext-")

    def test_the_identity_that_the_token_is_for_is_the_identity(self, aws):
        """A guest who signs in is merged into the user, as in the enhanced flow."""
        merged = {"IdentityId": SECOND, "Token": fakes.secret("open-id")}
        aws.always("GetOpenIdToken", fakes.Answer(json.dumps(merged).encode()))
        provider = pool(**CLASSIC)
        assert provider.fetch().identity_id == provider.identity_id == SECOND
        provider.fetch()
        assert aws.requests[3].parameters == {"IdentityId": SECOND}

    def test_a_rejected_identity_is_looked_up_again_once(self, aws):
        provider = pool(**CLASSIC)
        provider.fetch()
        aws.script("GetOpenIdToken", fakes.error("ResourceNotFoundException"))
        assert provider.fetch().identity_id == SECOND
        assert aws.operations()[3:] == ["GetOpenIdToken", *CLASSIC_CALLS]

    def test_sts_is_called_in_the_region_of_the_pool(self, monkeypatch):
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        provider = pool(**CLASSIC)
        hosts = []
        session = botocore.session.Session()
        answers = {
            "GetId": {"IdentityId": FIRST},
            "GetOpenIdToken": {"IdentityId": FIRST, "Token": fakes.secret("open-id")},
            "AssumeRoleWithWebIdentity": {
                "Credentials": {
                    "AccessKeyId": "ASIA",
                    "SecretAccessKey": fakes.secret("secret-key"),
                    "SessionToken": fakes.secret("session-token"),
                }
            },
        }

        def answer(model, params, **_):
            hosts.append(params["url"].split("/")[2])
            http = type("Http", (), {"status_code": 200})()
            return http, answers[model.name]

        session.get_component("event_emitter").register("before-call", answer)
        provider.bind(Scope(session)).fetch()
        assert hosts == ["cognito-identity.us-east-1.amazonaws.com"] * 2 + [
            "sts.us-east-1.amazonaws.com"
        ]

    def test_the_three_calls_share_one_budget(self, aws, clock):
        """Seven seconds are what one more attempt may take."""

        def slow(request):
            clock.advance(10)
            return aws.cognito(request)

        aws.now = clock.now
        aws.script("GetId", slow)
        aws.script("GetOpenIdToken", slow)
        credentials = pool(**CLASSIC).bind(Scope(clock=clock)).load()
        with pytest.raises(FetchError, match="did not answer within the 25 seconds of one fetch"):
            credentials.get_frozen_credentials()
        assert aws.operations() == CLASSIC_CALLS[:2]

    @pytest.mark.parametrize(
        ("operation", "answer", "text"),
        [
            ("GetOpenIdToken", {"IdentityId": FIRST}, "Token is missing"),
            ("GetOpenIdToken", {"Token": ""}, "Token is missing"),
            (
                "GetOpenIdToken",
                {"IdentityId": "me", "Token": "t"},
                "IdentityId is not a Cognito ID",
            ),
        ],
    )
    def test_an_answer_without_a_token_is_an_error(self, aws, operation, answer, text):
        aws.always(operation, fakes.Answer(json.dumps(answer).encode()))
        with pytest.raises(FetchError, match=f"{FIRST} has no usable token .{text}"):
            pool(**CLASSIC).fetch()

    def test_an_answer_of_sts_without_credentials_is_an_error(self, aws):
        name = "AssumeRoleWithWebIdentity"
        empty = f"<{name}Response><{name}Result></{name}Result></{name}Response>".encode()
        aws.always(name, fakes.Answer(empty, headers={"Content-Type": "text/xml"}))
        with pytest.raises(FetchError, match=f"{ROLE} has no usable credentials .Credentials is m"):
            pool(**CLASSIC).fetch()

    def test_a_refusal_of_sts_passes_unchanged(self, aws):
        aws.always("AssumeRoleWithWebIdentity", fakes.error("AccessDenied", status=403))
        credentials = pool(**CLASSIC).load()
        with pytest.raises(ClientError, match="AccessDenied"):
            credentials.get_frozen_credentials()
        assert aws.operations() == CLASSIC_CALLS

    def test_another_source_of_the_role_is_refused_in_code(self):
        for options, text in [
            ({"flow": "classic"}, "role_arn is not set: for example, pass role_arn="),
            (
                {"role_arn": ROLE},
                "role_arn passed to .* belongs to the classic flow: pass flow='classic",
            ),
            ({"duration_seconds": 900}, "duration_seconds passed .* belongs to the classic flow"),
            ({"role_session_name": "a"}, "role_session_name passed .* belongs to the classic flow"),
            ({**CLASSIC, "custom_role_arn": ROLE}, "custom_role_arn .* enhanced flow: remove it"),
        ]:
            for factory, given in (
                (from_cognito_identity, {"identity_id": FIRST}),
                (from_cognito_identity_pool, {"identity_pool_id": POOL}),
            ):
                with pytest.raises(ConfigurationError, match=text):
                    factory(**given, **options).load()
        with pytest.raises(
            ConfigurationError, match="flow passed to .* must be enhanced or classic"
        ):
            pool(flow="basic")


class TestClassicFlowInAProfile:
    SETTINGS = f"cognito_identity_pool_id = {POOL}\ncognito_flow = classic\nrole_arn = {ROLE}\n"

    @pytest.mark.caller_signs
    @pytest.mark.parametrize(
        ("text", "name", "further"),
        [
            ("", "mobile", []),
            ("[profile app]\nrole_arn = {role}\nsource_profile = mobile\n", "app", ["AssumeRole"]),
            ("[profile first]\ncredential_chain = profile mobile\n", "first", []),
        ],
        ids=["direct", "source_profile", "chain"],
    )
    def test_a_profile_uses_it_wherever_it_is_named(self, aws, config, text, name, further):
        config(f"[profile mobile]\nregion = eu-west-1\n{self.SETTINGS}{text.format(role=ROLE)}")
        botocore_ext.install()
        boto3.Session(profile_name=name, region_name="eu-west-1").client(
            "sts"
        ).get_caller_identity()
        assert aws.operations() == [*CLASSIC_CALLS, *further, "GetCallerIdentity"]
        assert from_ini(profile=name).fetch()

    def test_a_chain_of_the_same_profile_uses_it(self, aws, config):
        config(f"[profile p]\ncredential_chain = CustomCognitoIdentityPool\n{self.SETTINGS}")
        botocore_ext.install()
        assert boto3.Session(profile_name="p").get_credentials().access_key
        assert aws.operations() == CLASSIC_CALLS

    def test_a_role_on_top_keeps_its_own_settings(self, aws, config):
        """They are not the source's, so that the source does not check them either."""
        config(
            f"[profile app]\nrole_arn = {ROLE}\ncredential_source = CustomCognitoIdentityPool\n"
            f"role_session_name = top\nduration_seconds = 1e3\ncognito_identity_pool_id = {POOL}\n"
        )
        session = botocore.session.Session(profile="app")
        provider = pool().bind(Scope(session, profile="app"))
        assert provider.role_arn is provider.role_session_name is provider.duration_seconds is None
        provider.fetch()
        assert aws.operations() == ENHANCED_CALLS


class TestDeveloperIdentity:
    def test_the_backend_signs_and_the_user_gets_credentials(self, aws, monkeypatch):
        """Whatever credentials the environment has."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret("environment"))
        provider = pool(**DEVELOPER, master_credentials=backend())
        credentials = provider.load()
        credentials.get_frozen_credentials()
        token, get = aws.requests
        assert aws.operations() == [DEVELOPER_CALL, "GetCredentialsForIdentity"]
        assert list(map(signer, aws.requests)) == ["AKIABACKEND", None]
        assert token.parameters == {
            "IdentityPoolId": POOL,
            "Logins": {"login.example.com": "user_0"},
        }
        assert get.parameters == {
            "IdentityId": FIRST,
            "Logins": {"cognito-identity.amazonaws.com": token.gave},
        }
        assert credentials.identity_id == provider.identity_id == FIRST
        credentials.refresh()
        assert provider.identity_id == SECOND  # the service decides, and nothing is cached

    @pytest.mark.parametrize(
        ("region", "name"),
        [
            ("cn-north-1", "cognito-identity.cn-north-1.amazonaws.com.cn"),
            ("eu-west-1", "cognito-identity.amazonaws.com"),
            ("us-gov-east-1", "cognito-identity.us-gov-east-1.amazonaws.com"),
            ("us-gov-west-1", "cognito-identity-us-gov.amazonaws.com"),
        ],
    )
    def test_name_of_cognitos_token_depends_on_the_partition(self, aws, region, name):
        """Another name is refused: the issuer of the token does not match it."""
        from_cognito_identity_pool(
            identity_pool_id=POOL.replace("us-east-1", region),
            **DEVELOPER,
            master_credentials=backend(),
        ).fetch()
        assert list(aws.requests[1].parameters["Logins"]) == [name]

    def test_the_classic_flow_takes_its_token_to_sts(self, aws):
        credentials = pool(**DEVELOPER, **CLASSIC, master_credentials=backend()).fetch()
        assert aws.operations() == [DEVELOPER_CALL, "AssumeRoleWithWebIdentity"]
        assert list(map(signer, aws.requests)) == ["AKIABACKEND", None]
        assert aws.requests[1].parameters["WebIdentityToken"] == aws.requests[0].gave
        assert credentials.identity_id == FIRST

    def test_a_client_of_the_callers_makes_the_public_call_alone(self, aws):
        client = boto3.client("cognito-identity", "us-east-1", endpoint_url=f"{aws.url}/of-mine")
        provider = pool(**DEVELOPER, master_credentials=backend(), client=client)
        provider.fetch()
        assert [one.target for one in aws.requests] == ["/", "/of-mine"]

    def test_public_logins_are_linked_to_the_user(self, aws):
        login = fakes.secret("login")
        pool(**DEVELOPER, master_credentials=backend(), logins={"a": login}).fetch()
        expected = {"a": login, "login.example.com": "user_0"}
        assert aws.requests[0].parameters["Logins"] == expected

    @pytest.mark.parametrize("answer", [{"Token": "t"}, {"IdentityId": FIRST}, {"IdentityId": 7}])
    def test_an_answer_without_identity_or_token_is_an_error(self, aws, answer):
        aws.always(DEVELOPER_CALL, fakes.Answer(json.dumps(answer).encode()))
        with pytest.raises(FetchError, match=f"for the pool {POOL} has no usable token .*Id|Token"):
            pool(**DEVELOPER, master_credentials=backend()).fetch()

    def test_expired_credentials_of_the_backend_are_fetched_again(self, aws):
        provider = pool(
            **DEVELOPER,
            master_credentials=from_web_token(role_arn=ROLE, web_identity_token=fakes.secret()),
        )
        aws.script(DEVELOPER_CALL, fakes.error("ExpiredTokenException"))
        with pytest.raises(ClientError, match="ExpiredTokenException"):
            provider.fetch()
        provider.fetch()
        assert aws.operations() == [
            *["AssumeRoleWithWebIdentity", DEVELOPER_CALL] * 2,
            "GetCredentialsForIdentity",
        ]

    def test_a_new_token_of_the_backend_drops_the_users_credentials(self, aws):
        web = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret())
        credentials = pool(**DEVELOPER, master_credentials=web).load()
        before = credentials.access_key
        web.web_identity_token = fakes.secret()
        assert credentials.access_key != before
        assert aws.operations().count("AssumeRoleWithWebIdentity") == 2

    def test_a_backend_without_credentials_is_an_error(self, aws):
        provider = pool(**DEVELOPER, master_credentials=from_env())
        with pytest.raises(
            FetchError, match="to sign for the developer provider login.example.com"
        ):
            provider.fetch()
        chain = create_credential_chain(provider, backend)
        with pytest.raises(FetchError, match="no credentials to sign"):
            chain.fetch()

    def test_what_does_not_belong_together_is_refused_in_code(self):
        master = {"master_credentials": backend()}
        for options, text in [
            (
                {"developer_provider": "a"},
                "developer_user is not set: for example, pass developer_user=",
            ),
            ({"developer_user": "a"}, "developer_user passed to .* pass developer_provider="),
            (master, "master_credentials passed to .* is for a developer identity"),
            ({"source_profile": "a"}, "source_profile passed to .* is for a developer identity"),
            (
                DEVELOPER,
                "master_credentials or source_profile is not set: for example, pass master_cred",
            ),
            (
                {**DEVELOPER, **master, "source_profile": "a"},
                "conflicts with master_credentials: remove",
            ),
            (
                {**DEVELOPER, "source_profile": "a"},
                "source_profile = a is not a profile of .*: add it",
            ),
        ]:
            with pytest.raises(ConfigurationError, match=text):
                pool(**options).load()


class TestDeveloperIdentityInAProfile:
    BACKEND = "[profile backend]\naws_access_key_id = AKIABACKEND\naws_secret_access_key = {}\n"
    USER = (
        f"cognito_identity_pool_id = {POOL}\ncognito_developer_provider = login.example.com\n"
        "cognito_developer_user = user_0\nsource_profile = backend\n"
    )

    @pytest.fixture
    def files(self, config):
        return lambda text: config(self.BACKEND.format(fakes.secret("backend")) + text)

    @pytest.mark.caller_signs
    @pytest.mark.parametrize("text", ["", f"cognito_flow = classic\nrole_arn = {ROLE}\n"])
    @pytest.mark.parametrize("name", ["user", "app"])
    def test_the_source_profile_signs(self, aws, files, text, name, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEENVIRONMENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret("environment"))
        files(
            f"[profile user]\n{self.USER}{text}"
            f"[profile app]\nrole_arn = {ROLE}\nsource_profile = user\n"
        )
        botocore_ext.install()
        session = boto3.Session(profile_name=name, region_name="eu-west-1")
        session.client("sts").get_caller_identity()
        calls = aws.operations()
        assert calls[0] == DEVELOPER_CALL
        assert signer(aws.requests[0]) == "AKIABACKEND"
        assert calls[1] == ("AssumeRoleWithWebIdentity" if text else "GetCredentialsForIdentity")
        assert calls[2:] == [*["AssumeRole"] * (name == "app"), "GetCallerIdentity"]
        assert from_ini(profile=name).fetch()

    def test_a_profile_that_signs_for_itself_is_a_circle(self, files):
        files(f"[profile user]\n{self.USER.replace('= backend', '= user')}")
        with pytest.raises(
            ConfigurationError, match="depends on itself .*profile 'user' -> .* 'user'"
        ):
            from_ini(profile="user").fetch()

    def test_a_source_profile_that_is_missing_is_named(self, files):
        files(f"[profile user]\n{self.USER.replace('= backend', '= backen')}")
        with pytest.raises(
            ConfigurationError, match="backen is not a profile of .*: did you mean backe"
        ):
            from_ini(profile="user").fetch()


class TestLogout:
    def test_credentials_identity_and_cache_entry_go(self, aws):
        cache = {}
        provider = pool(user_identifier="user_0", cache=cache, logins={"a": fakes.secret()})
        credentials = provider.load()
        old = credentials.get_frozen_credentials()
        assert list(cache.values()) == [FIRST]
        provider.logout()
        assert provider.identity_id is credentials.identity_id is credentials.expiration is None
        assert cache == {}
        assert provider.logins is None
        new = credentials.get_frozen_credentials()
        assert new.access_key != old.access_key
        assert provider.identity_id == SECOND
        assert aws.operations() == ENHANCED_CALLS * 2
        assert aws.requests[2].parameters == {"IdentityPoolId": POOL}

    @pytest.mark.caller_signs
    def test_it_is_for_all_sessions_and_roles_on_top(self, aws):
        provider = pool(logins={"a": fakes.secret()})
        top = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=provider)
        sessions = [
            botocore_ext.Session(credentials=one, region_name="eu-west-1")
            for one in (provider, provider, top, create_credential_chain(provider))
        ]
        before = [one.get_credentials().get_frozen_credentials() for one in sessions]
        provider.logout()
        after = [one.get_credentials().get_frozen_credentials() for one in sessions]
        assert not {one.access_key for one in before} & {one.access_key for one in after}
        old = {one.gave for one in aws.requests if one.parameters.get("IdentityId") == FIRST}
        sessions[2].client("sts").get_caller_identity()
        assert signer(aws.requests[-1]) not in old

    def test_it_works_before_the_first_fetch(self, aws):
        """The cache may have the identity of an earlier process."""
        cache = {}
        pool(cache=cache).fetch()
        provider = pool(cache=cache)
        provider.logout()
        assert cache == {}
        assert provider.fetch().identity_id == SECOND

    def test_identity_that_another_guest_caches_again_is_refused(self, aws):
        cache = {}
        one, two = pool(cache=cache), pool(cache=cache)
        assert one.fetch().identity_id == two.fetch().identity_id == FIRST
        one.logout()
        two.fetch()
        assert list(cache.values()) == [FIRST]
        assert one.fetch().identity_id == SECOND
        assert list(cache.values()) == [SECOND]

    def test_providers_that_share_the_user_ask_again(self, aws):
        one, two = pool(user_identifier="user_0"), pool(user_identifier="user_0")
        assert one.fetch().identity_id == two.fetch().identity_id == FIRST
        one.logout()
        assert two.fetch().identity_id == one.fetch().identity_id == SECOND

    def test_the_same_user_may_come_back(self, aws):
        """The service names the identity again."""
        cache = {}
        options = {"user_identifier": "user_0", "cache": cache}
        provider = pool(**options, logins={"a": fakes.secret()})
        provider.fetch()
        provider.logout()
        same = fakes.Answer(json.dumps({"IdentityId": FIRST}).encode())
        aws.script("GetId", same)
        provider.logins = {"a": fakes.secret()}
        assert provider.fetch().identity_id == FIRST
        assert list(cache.values()) == [FIRST]
        provider.logins = {"a": fakes.secret()}
        provider.fetch()
        assert pool(**options).fetch().identity_id == FIRST
        assert aws.operations().count("GetId") == 2

    def test_every_endpoint_that_was_called_forgets_the_user(self, aws, monkeypatch):
        cache = {}
        provider, credentials = pool(cache=cache), []
        for host in ("127.0.0.1", "localhost"):
            monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url.replace("127.0.0.1", host))
            bound = provider.bind(Scope(botocore.session.Session()))
            credentials.append(bound.load())
            credentials[-1].get_frozen_credentials()
        assert len(cache) == 2
        provider.logout()
        assert cache == {}

    @pytest.mark.parametrize("by_user", [False, True])
    @pytest.mark.parametrize("operation", ENHANCED_CALLS)
    def test_a_fetch_under_way_brings_nothing_back(self, aws, operation, by_user):
        cache = {}
        user = {"user_identifier": "user_0"} if by_user else {}
        provider = pool(cache=cache, **user)
        credentials = provider.load()

        def meanwhile(request):
            provider.logout()
            return aws.cognito(request)

        aws.script(operation, meanwhile)
        credentials.get_frozen_credentials()
        assert credentials.identity_id == provider.identity_id == SECOND
        assert list(cache.values()) == [SECOND]
        assert pool(cache=cache, **user).fetch().identity_id == SECOND
        of_first = [one.gave for one in aws.requests if one.parameters.get("IdentityId") == FIRST]
        assert credentials.access_key not in of_first

    def test_a_refresh_under_way_brings_nothing_back(self, aws):
        provider = pool(cache=(cache := {}))
        credentials = provider.load()
        credentials.get_frozen_credentials()
        reached, go_on = threading.Event(), threading.Event()

        def wait(request):
            reached.set()
            go_on.wait(5)
            return aws.cognito(request)

        aws.script("GetCredentialsForIdentity", wait)
        thread = threading.Thread(target=credentials.refresh)
        thread.start()
        assert reached.wait(5)
        provider.logout()
        assert credentials.get_frozen_credentials()
        go_on.set()
        thread.join()
        assert credentials.identity_id == provider.identity_id == SECOND
        assert list(cache.values()) == [SECOND]

    def test_a_direct_fetch_under_way_leaves_no_trace(self, aws):
        """It returns what it has, to its caller alone."""
        provider = pool(cache=(cache := {}), user_identifier="user_0")

        def meanwhile(request):
            provider.logout()
            return aws.cognito(request)

        aws.script("GetCredentialsForIdentity", meanwhile)
        assert provider.fetch().identity_id == FIRST
        assert (cache, provider.identity_id) == ({}, None)
        assert provider.fetch().identity_id == SECOND

    def test_a_known_identity_loses_logins_and_merges(self, aws):
        provider = from_cognito_identity(identity_id=FIRST, logins={"a": fakes.secret()})
        credentials = provider.load()

        def merge(request):
            request.parameters["IdentityId"] = SECOND
            return aws.cognito(request)

        aws.script("GetCredentialsForIdentity", merge)
        credentials.get_frozen_credentials()
        assert provider.identity_id == SECOND
        provider.logout()
        assert provider.identity_id == FIRST
        credentials.get_frozen_credentials()
        assert aws.requests[1].parameters == {"IdentityId": FIRST}

    def test_the_logins_of_a_profile_sign_in_again(self, aws, config, monkeypatch):
        """They are settings: only their source can end them."""
        monkeypatch.setenv("TOKEN", fakes.secret("login"))
        config(
            f"[profile p]\ncognito_identity_pool_id = {POOL}\ncognito_logins =\n  a = env://TOKEN\n"
        )
        session = botocore.session.Session(profile="p")
        provider = pool().bind(Scope(session, profile="p"))
        credentials = from_cognito_identity_pool().bind(Scope(session, profile="p")).load()
        credentials.get_frozen_credentials()
        credentials._provider.logout()
        credentials.get_frozen_credentials()
        logins = [one.parameters["Logins"] for one in aws.requests]
        assert all(logins)
        assert provider.logins

    def test_a_client_that_cannot_be_created_has_no_credentials(self, aws):
        provider = pool()
        credentials = provider.load()
        credentials.get_frozen_credentials()
        other = pool(client_config={"endpoint_url": "no url"})
        other._cell = provider._cell
        with pytest.raises(ValueError, match="Invalid endpoint"):
            other.logout()
        assert credentials.expiration is None


class TestUpgrade:
    def test_a_guest_who_signs_in_keeps_the_identity(self, aws):
        provider = pool()
        credentials = provider.load()
        credentials.get_frozen_credentials()
        login = fakes.secret("login")
        provider.logins = {"a": login}
        assert provider.identity_id == FIRST
        credentials.get_frozen_credentials()
        assert aws.requests[-1].parameters == {"IdentityId": FIRST, "Logins": {"a": login}}
        assert aws.operations() == [*ENHANCED_CALLS, "GetCredentialsForIdentity"]
        provider.logins = {"a": fakes.secret()}  # another user
        assert provider.identity_id is None
        assert provider.bind(Scope()).fetch().identity_id == SECOND

    def test_after_a_logout_it_is_another_identity(self, aws):
        provider = pool()
        provider.fetch()
        provider.logout()
        provider.logins = {"a": fakes.secret()}
        assert provider.fetch().identity_id == SECOND

    def test_a_login_of_another_identity_gets_that_one(self, aws):
        """Cognito refuses to link a login to the guest that belongs to a user already."""
        provider = pool()
        provider.fetch()
        provider.logins = {"a": fakes.secret()}
        aws.script("GetCredentialsForIdentity", fakes.error("ResourceConflictException"))
        assert provider.fetch().identity_id == provider.identity_id == SECOND
        assert aws.requests[-2].operation == "GetId"
        assert aws.requests[-2].parameters["Logins"]

    def test_a_fetch_of_the_guest_under_way_does_not_count(self, aws):
        provider = pool(cache=(cache := {}))
        credentials = provider.load()

        def meanwhile(request):
            provider.logins = {"a": fakes.secret()}
            return aws.cognito(request)

        aws.script("GetCredentialsForIdentity", meanwhile)
        credentials.get_frozen_credentials()
        last = aws.requests[-1].parameters
        assert last["Logins"]
        assert last["IdentityId"] == credentials.identity_id == provider.identity_id == FIRST
        assert cache == {}  # it is not the identity of a guest any longer

    def test_a_cache_of_guests_keeps_the_guest_if_the_login_fails(self, aws):
        provider = pool(cache=(cache := {}))
        provider.fetch()
        provider.logins = {"a": fakes.secret()}
        aws.script("GetCredentialsForIdentity", fakes.error("InvalidParameterException"))
        with pytest.raises(ClientError):
            provider.fetch()
        assert list(cache.values()) == [FIRST]
        provider.fetch()
        assert cache == {}

    def test_a_cache_of_guests_keeps_another_guest(self, aws):
        """Another process may have stored its own guest meanwhile."""
        provider = pool(cache=(cache := {}))
        provider.fetch()
        (key,) = cache
        cache[key] = SECOND
        provider.logins = {"a": fakes.secret()}
        assert provider.fetch().identity_id == FIRST
        assert cache == {key: SECOND}


@mock_aws
def test_moto_answers_every_call(monkeypatch, utc):
    """Of a real part: moto has all five operations."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    owner = boto3.client("cognito-identity", region_name="us-east-1")
    made = owner.create_identity_pool(
        IdentityPoolName="p",
        AllowUnauthenticatedIdentities=True,
        AllowClassicFlow=True,
        DeveloperProviderName="login.example.com",
    )
    options = {"identity_pool_id": made["IdentityPoolId"]}
    developer = DEVELOPER | {"master_credentials": FrozenCredentials("testing", "testing")}
    for flow in ({}, CLASSIC):
        for user in ({}, developer):
            provider = from_cognito_identity_pool(**options, **flow, **user)
            credentials = provider.load()
            assert credentials.access_key
            assert credentials.identity_id == provider.identity_id
            provider.logout()
            assert credentials.access_key
