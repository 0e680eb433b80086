"""``from_temporary_credentials``: the master credentials, the parameters, and the MFA code."""

import boto3
import pytest
from botocore.credentials import Credentials, EnvProvider
from botocore.exceptions import ClientError, InvalidRegionError

from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    Scope,
    Session,
    create_credential_chain,
    from_env,
    from_http,
    from_ini,
    from_temporary_credentials,
    from_web_token,
)
from tests import fakes

ROLE = "arn:aws:iam::123456789012:role/App"
SERIAL = "arn:aws:iam::123456789012:mfa/me"
#: How STS begins to say that a code of an MFA device is wrong.
REFUSED = "MultiFactorAuthentication failed"
pytestmark = pytest.mark.caller_signs  # AssumeRole is a signed request


def master():
    return FrozenCredentials("AKIAMASTER", fakes.secret("secret-key"))


def nothing():
    return None


def signers(aws):
    """Return the access key that each AssumeRole was signed with."""
    return [one.headers["Authorization"].split("Credential=")[1].split("/")[0] for one in aws]


def test_every_parameter_reaches_sts_as_it_was_given(aws):
    params = {
        "RoleArn": ROLE,
        "RoleSessionName": "me",
        "DurationSeconds": 900,
        "ExternalId": "theirs",
        "Policy": "{}",
        "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/A"}],
        "Tags": [{"Key": "k", "Value": "v"}],
        "TransitiveTagKeys": ["k"],
        "SourceIdentity": "who",
        "SerialNumber": SERIAL,
        "TokenCode": "123456",
    }
    keys = from_temporary_credentials(params=params, master_credentials=master()).fetch()
    sent = aws.requests[0].parameters
    assert sent == {
        "RoleArn": ROLE,
        "RoleSessionName": "me",
        "DurationSeconds": "900",
        "ExternalId": "theirs",
        "Policy": "{}",
        "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/A",
        "Tags.member.1.Key": "k",
        "Tags.member.1.Value": "v",
        "TransitiveTagKeys.member.1": "k",
        "SourceIdentity": "who",
        "SerialNumber": SERIAL,
        "TokenCode": "123456",
    }
    assert keys.account_id == "123456789012"
    assert keys.access_key == aws.requests[0].gave


def test_session_name_is_the_package_and_the_time(aws, clock):
    provider = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=master())
    provider.bind(Scope(clock=clock)).fetch()
    assert aws.requests[0].parameters["RoleSessionName"] == "botocore-ext-1800000000"


@pytest.mark.parametrize(
    "give",
    [
        lambda: FrozenCredentials("AKIAMASTER", "s"),
        lambda: Credentials("AKIAMASTER", "s"),
        lambda: {"accessKeyId": "AKIAMASTER", "secretAccessKey": "s"},
        lambda: lambda: FrozenCredentials("AKIAMASTER", "s"),
        lambda: create_credential_chain(nothing, lambda: FrozenCredentials("AKIAMASTER", "s")),
        lambda: boto3.Session("AKIAMASTER", "s").get_credentials(),
    ],
    ids=[
        "FrozenCredentials",
        "Credentials",
        "mapping",
        "function",
        "chain",
        "credentials of a session",
    ],
)
def test_master_credentials_of_every_kind(aws, give):
    from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=give()).fetch()
    assert signers(aws.requests) == ["AKIAMASTER"]


def test_the_default_is_what_a_plain_session_would_use(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    session = Session(
        credentials=from_temporary_credentials(params={"RoleArn": ROLE}), region_name="eu-west-1"
    )
    assert session.get_credentials().access_key == aws.requests[0].gave
    assert signers(aws.requests) == ["AKIAENV"]


def test_nested_to_any_depth(aws):
    provider = master()
    for name in ("A", "B", "C", "D"):
        provider = from_temporary_credentials(
            params={"RoleArn": f"arn:aws:iam::123456789012:role/{name}"},
            master_credentials=provider,
        )
    provider.fetch()
    assert [one.parameters["RoleArn"][-1] for one in aws.requests] == ["A", "B", "C", "D"]
    assert signers(aws.requests) == ["AKIAMASTER", *(one.gave for one in aws.requests[:-1])]


def test_refresh_reuses_valid_master_credentials(aws, clock):
    provider = from_temporary_credentials(
        params={"RoleArn": ROLE},
        master_credentials=from_web_token(role_arn=ROLE, web_identity_token="token"),
    ).bind(Scope(clock=clock))
    aws.now = clock.now
    credentials = provider.load()
    credentials.get_frozen_credentials()
    credentials.refresh()
    web, role = "AssumeRoleWithWebIdentity", "AssumeRole"
    assert aws.operations() == [web, role, role]
    clock.advance(3301)
    credentials.get_frozen_credentials()
    assert aws.operations() == [web, role, role, web, role]
    assert signers(aws.requests[-1:]) == [aws.requests[-2].gave]


def test_a_copy_assumes_its_role_with_a_copy_of_the_master(aws):
    master = from_web_token(role_arn=ROLE, web_identity_token="token")
    provider = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=master)
    provider.fetch()
    copy = provider.bind(Scope(outer_region="eu-west-3"))
    copy.fetch()
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "AssumeRole"] * 2
    assert copy._master().scope.region_of_chain == "eu-west-3"


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"])
def test_master_credentials_that_sts_rejects_are_fetched(aws, code):
    provider = from_temporary_credentials(
        params={"RoleArn": ROLE},
        master_credentials=from_web_token(role_arn=ROLE, web_identity_token="token"),
    )
    aws.script("AssumeRole", fakes.error(code))
    with pytest.raises(ClientError, match=code):
        provider.fetch()
    provider.fetch()
    assert aws.operations().count("AssumeRoleWithWebIdentity") == 2


def test_newer_master_credentials_are_not_fetched_again(aws):
    """The credentials that STS calls expired are those that signed the request."""
    web = from_web_token(role_arn=ROLE, web_identity_token="token")
    master = web.load()
    provider = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=master)

    def another_refreshes(request):
        master.refresh()
        return fakes.error("ExpiredToken")(request)

    aws.script("AssumeRole", another_refreshes)
    with pytest.raises(ClientError, match="ExpiredToken"):
        provider.fetch()
    provider.fetch()
    assert aws.operations().count("AssumeRoleWithWebIdentity") == 2


def test_what_the_master_raises_passes_unchanged(aws):
    error = FetchError(provider="mine", error_msg="it is not there: wait")

    def fail():
        raise error

    with pytest.raises(FetchError) as raised:
        from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=fail).fetch()
    assert raised.value is error
    assert aws.requests == []


def test_features_of_master_credentials_are_included(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    provider = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=from_env())
    assert provider._guarded_fetch().features == (
        "CREDENTIALS_STS_ASSUME_ROLE",
        "CREDENTIALS_ENV_VARS",
    )


def test_sts_refusal_is_raised_and_keeps_the_master(aws):
    provider = from_temporary_credentials(
        params={"RoleArn": ROLE},
        master_credentials=from_web_token(role_arn=ROLE, web_identity_token="token"),
    )
    aws.script("AssumeRole", fakes.error("AccessDenied", status=403))
    with pytest.raises(ClientError, match="AccessDenied"):
        provider.fetch()
    provider.fetch()
    assert aws.operations().count("AssumeRoleWithWebIdentity") == 1


def test_a_new_token_of_the_master_is_a_new_token_of_the_role(aws):
    """Credentials that another identity assumed are not used any more."""
    web = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    credentials = from_temporary_credentials(
        params={"RoleArn": ROLE}, master_credentials=web
    ).load()
    first = credentials.get_frozen_credentials()
    web.web_identity_token = fakes.secret("token")
    assert credentials.get_frozen_credentials() != first
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "AssumeRole"] * 2


def test_the_same_holds_for_the_credentials_of_a_provider(aws):
    web = from_web_token(role_arn=ROLE, web_identity_token=fakes.secret("token"))
    credentials = from_temporary_credentials(
        params={"RoleArn": ROLE}, master_credentials=web.load()
    ).load()
    first = credentials.get_frozen_credentials()
    web.web_identity_token = fakes.secret("token")
    assert credentials.get_frozen_credentials() != first
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "AssumeRole"] * 2


def test_default_region_is_not_passed_to_the_master(aws, config):
    config(f"[profile cn]\nrole_arn = {ROLE}\nsource_profile = low\nregion = cn-north-1\n"
           "[profile low]\naws_access_key_id = A\naws_secret_access_key = s\n")  # fmt: skip
    from_temporary_credentials(
        params={"RoleArn": ROLE}, master_credentials=from_ini(profile="cn")
    ).fetch()
    regions = [one.headers["Authorization"].split("/")[2] for one in aws.requests]
    assert regions == ["cn-north-1", "us-east-1"]


class TestCodes:
    def provider(self, ask, **params):
        return from_temporary_credentials(
            params={"RoleArn": ROLE, "SerialNumber": SERIAL, **params},
            master_credentials=self.source,
            mfa_code_provider=ask,
        )

    @staticmethod
    def source():
        return FrozenCredentials("AKIAMASTER", "s")

    def test_callback_is_called_at_every_fetch(self, aws):
        codes = iter(["111111", " 222222\n"])
        asked = []

        def ask(serial):
            asked.append(serial)
            return next(codes)

        credentials = self.provider(ask).load()
        credentials.get_frozen_credentials()
        credentials.refresh()
        assert asked == [SERIAL, SERIAL]
        assert [one.parameters["TokenCode"] for one in aws.requests] == ["111111", "222222"]

    @pytest.mark.parametrize(
        "wrong",
        [
            fakes.error("AccessDenied", 403, f"{REFUSED} with invalid MFA one time pass code. "),
            fakes.error("AccessDenied", 403, f"{REFUSED}, unable to validate MFA code. "),
            fakes.error("ValidationError", 400, "Value 'a23456' at 'tokenCode' failed"),
            "12345",
        ],
        ids=["wrong", "unknown device", "not digits", "too short"],
    )
    @pytest.mark.parametrize("lifetime", [None, 0, 30])
    def test_wrong_code_is_not_remembered(self, aws, clock, wrong, lifetime):
        """A person types it, and does not wait for seconds until the next prompt."""
        codes, is_short = ["111111", "222222"], isinstance(wrong, str)
        credentials = self.provider(lambda _: codes.pop(0)).bind(Scope(clock=clock)).load()
        aws.now = clock.now
        if lifetime is not None:  # those of an earlier fetch, with that many seconds left
            codes.insert(0, "000000")
            old = credentials.get_frozen_credentials()
            clock.advance(aws.lifetime - lifetime)
        if is_short:
            codes[0] = wrong
        else:
            aws.script("AssumeRole", wrong)
        if lifetime:
            assert credentials.get_frozen_credentials() == old
        else:
            with pytest.raises((ClientError, FetchError)):
                credentials.get_frozen_credentials()
        assert credentials.last_error is not None
        assert credentials.get_frozen_credentials().access_key == aws.requests[-1].gave
        assert aws.requests[-1].parameters["TokenCode"] == "222222"

    def test_a_wrong_code_fails_a_refresh_on_demand(self, aws):
        codes = iter(["111111", "", "222222"])
        credentials = self.provider(lambda _: next(codes)).load()
        credentials.get_frozen_credentials()
        with pytest.raises(FetchError, match="returned no code"):
            credentials.refresh()
        assert credentials.get_frozen_credentials().access_key == aws.requests[-1].gave
        assert len(aws.requests) == 2

    def test_no_prompt_without_master_credentials(self):
        self.source = from_env()
        with pytest.raises(FetchError) as raised:
            self.provider(lambda serial: pytest.fail(f"asks for {serial}")).fetch()
        assert raised.value.reason == (
            f"no credentials to assume the role {ROLE}: AWS_ACCESS_KEY_ID is not set"
        )

    def test_no_prompt_for_invalid_parameters(self):
        with pytest.raises(ConfigurationError, match="AssumeRole does not accept the params"):
            self.provider(lambda serial: pytest.fail(f"asks for {serial}"), RoleArn="x").fetch()

    def test_no_prompt_if_the_client_cannot_be_created(self):
        provider = from_temporary_credentials(
            params={"RoleArn": ROLE, "SerialNumber": SERIAL},
            master_credentials=self.source,
            mfa_code_provider=lambda serial: pytest.fail(f"asks for {serial}"),
            client_config={"region_name": "no region/"},
        )
        with pytest.raises(InvalidRegionError):
            provider.fetch()

    def test_nothing_prompts(self, mocker):
        prompt = mocker.patch("getpass.getpass")
        with pytest.raises(ConfigurationError) as raised:
            self.provider(None).load()
        assert raised.value.reason == (
            f"the role needs a code of the MFA device {SERIAL}, but there is no callback "
            "for it: pass mfa_code_provider=ask_for_code to from_temporary_credentials()"
        )
        with pytest.raises(ConfigurationError, match="there is no callback"):
            self.provider(None).fetch()
        assert not prompt.called

    @pytest.mark.parametrize("answer", [None, "", "  ", 123456, "12345", "1234567"])
    def test_an_answer_without_a_code_is_an_error(self, answer):
        with pytest.raises(FetchError) as raised:
            self.provider(lambda _: answer).fetch()
        assert raised.value.reason == (
            f"mfa_code_provider returned no code for {SERIAL}: it must return six digits as a "
            "string"
        )

    def test_what_the_callback_raises_passes_unchanged(self):
        def ask(_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.provider(ask).fetch()


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, 'Missing required parameter in input: "RoleArn"'),
        ({"RoleArn": "x"}, "Invalid length for parameter RoleArn, valid min length: 20"),
        ({"RoleArn": ROLE, "Rolle": 1}, 'Unknown parameter in input: "Rolle", must be one of:'),
        (
            {"RoleArn": ROLE, "TokenCode": 123456},
            "Invalid type for parameter TokenCode, type: <class 'int'>, valid types: <class 'str'>",
        ),
        (
            {"RoleArn": ROLE, "DurationSeconds": 5},
            "Invalid value for parameter DurationSeconds, valid min",
        ),
    ],
)
def test_parameters_are_checked_before_any_call_and_not_shown(aws, params, problem):
    provider = from_temporary_credentials(params=params, master_credentials=from_http())
    with pytest.raises(ConfigurationError) as raised:
        provider.fetch()
    assert raised.value.reason.startswith(
        "AssumeRole does not accept the params passed to from_temporary_credentials() ("
    )
    assert problem in raised.value.reason
    assert "123456," not in raised.value.reason
    assert not aws.requests


@pytest.mark.parametrize(
    "params",
    [
        {"ExternalId": {"id": "x, valid SECRET-VALUE"}},
        {"DurationSeconds": "900\nSECRET-VALUE"},
        {"Tags": [{"Key": 1, "Value": "SECRET-VALUE, type"}], "PolicyArns": "SECRET-VALUE"},
    ],
)
def test_no_value_of_a_parameter_is_shown(params):
    with pytest.raises(ConfigurationError) as raised:
        from_temporary_credentials(
            params={"RoleArn": ROLE, **params}, master_credentials=master()
        ).fetch()
    assert "SECRET-VALUE" not in str(raised.value)


def test_params_must_be_a_mapping():
    with pytest.raises(ConfigurationError, match="params passed to .* must be a mapping, not str"):
        from_temporary_credentials(params="RoleArn").load()


@pytest.mark.parametrize(
    ("master", "fact"),
    [
        (1, "must be a provider, a callable or credentials, not int"),
        ("AKIA", "must be a provider, a callable or credentials, not str"),
        (int, r"must be a provider, a callable or credentials, not int \(call it\)"),
        (from_env, r"must be a provider, a callable or credentials, not from_env \(call it\)"),
        ({"AccessKeyId": "A"}, r"cannot be read as credentials \(SecretAccessKey is missing\)"),
    ],
)
def test_value_without_credentials_is_refused(master, fact):
    with pytest.raises(
        ConfigurationError, match=rf"\(\) {fact}: for example, pass master_credentials="
    ):
        from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=master).load()


def test_credentials_in_client_config_are_refused():
    with pytest.raises(ConfigurationError) as raised:
        from_temporary_credentials(
            params={"RoleArn": ROLE}, client_config={"aws_access_key_id": "A"}
        ).load()
    assert raised.value.reason == (
        "client_config has aws_access_key_id: pass the credentials that assume the role as "
        "master_credentials=FrozenCredentials(...) to from_temporary_credentials()"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (nothing, "nothing returned None: it has no credentials here"),
        (from_env(), "AWS_ACCESS_KEY_ID is not set"),
        (create_credential_chain(from_env()), "no link of the chain returned credentials"),
        (None, "no link of the chain returned credentials"),
    ],
    ids=["function", "provider", "chain", "default chain"],
)
def test_missing_master_credentials_stop_a_chain(source, reason):
    """The role is configured: a chain must stop at it."""
    role = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=source)
    chain = create_credential_chain(role, lambda: pytest.fail("goes on"))
    with pytest.raises(FetchError) as raised:
        chain.fetch()
    assert raised.value.reason.startswith(f"no credentials to assume the role {ROLE}: {reason}")


def test_an_error_of_the_master_passes_unchanged(aws):
    role = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=from_http())
    with pytest.raises(FetchError, match="no credentials to assume"):
        role.fetch()
    aws.always("GET", fakes.Answer(status=403))
    role = from_temporary_credentials(
        params={"RoleArn": ROLE},
        master_credentials=from_http(aws_container_credentials_full_uri=aws.url),
    )
    with pytest.raises(FetchError, match="answered with status 403"):
        role.fetch()


def test_third_party_provider_may_be_the_master(aws):
    environ = {"AWS_ACCESS_KEY_ID": "AKIATHEIRS", "AWS_SECRET_ACCESS_KEY": "s"}
    role = from_temporary_credentials(
        params={"RoleArn": ROLE}, master_credentials=EnvProvider(environ)
    )
    assert role.load().access_key == aws.requests[0].gave
    assert signers(aws.requests) == ["AKIATHEIRS"]
    role = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=EnvProvider({}))
    with pytest.raises(FetchError, match="to assume the role .*: their provider returned none"):
        role.fetch()


def test_answer_without_credentials_is_an_error(aws):
    aws.script("AssumeRole", fakes.Answer(b"<R><AssumeRoleResult></AssumeRoleResult></R>"))
    with pytest.raises(FetchError) as raised:
        from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=master()).fetch()
    assert raised.value.reason == (
        f"the answer for the role {ROLE} has no usable credentials (Credentials is missing): "
        "check the endpoint"
    )


def test_named_bare_in_a_chain_it_is_stepped_over():
    chain = create_credential_chain(
        "CustomTemporaryCredentials", lambda: FrozenCredentials("A", "s")
    )
    assert chain.fetch().access_key == "A"
