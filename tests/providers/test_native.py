"""The table of what botocore's errors mean: each row is met by the real thing."""

import json
import subprocess
import sys

import pytest
from botocore import exceptions

from botocore_ext import (
    ConfigurationError,
    FetchError,
    ProviderError,
    create_credential_chain,
    from_env,
    from_ini,
    from_instance_metadata,
    from_login_credentials,
    from_process,
    from_sso,
)
from botocore_ext.aws import botocore_errors
from botocore_ext.aws.frozen_credentials import FieldError
from botocore_ext.errors import is_recoverable
from tests import fakes

USER = "arn:aws:iam::123456789012:user/me"
START_URL = "https://d-abc123.awsapps.com/start"
INLINE = {"sso_account_id": "123456789012", "sso_role_name": "R", "sso_region": "us-east-1"}


class Setting:
    """What the rows need, each in one word."""

    def __init__(self, world, aws, monkeypatch):
        self.world, self.aws, self.monkeypatch = world, aws, monkeypatch

    def environment(self, **variables):
        for name, value in variables.items():
            self.monkeypatch.setenv(f"AWS_{name}", value)

    def instance(self, **answers):
        self.monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        self.environment(EC2_METADATA_SERVICE_ENDPOINT=self.aws.url)
        for operation, answer in answers.items():
            self.aws.always(operation, answer)
        return from_instance_metadata(ec2_metadata_v1_disabled=True)

    def process(self, code, **options):
        return from_process(credential_process=f'{sys.executable} -c "{code}"', **options)

    def sso(self, left=3600, **changed):
        fakes.sso_token(self.world, START_URL, self.aws.now() + left, **changed)
        return from_sso(sso_start_url=START_URL, **INLINE)

    def session(self, left=3600, **changed):
        fakes.sso_token(self.world, "mine", self.aws.now() + left, **changed)
        return from_sso(sso_start_url=START_URL, sso_session="mine", **INLINE)

    def login_for(self, seconds):
        answer = json.loads(self.aws.signin(fakes.Request("", {}, {}, "")).body)
        body = json.dumps(answer | {"expiresIn": seconds}).encode()
        self.aws.always("CreateOAuth2Token", fakes.Answer(body))
        return self.login()

    def login(self, error=None, **changed):
        if error is not None:
            self.aws.always("CreateOAuth2Token", fakes.error("AccessDeniedException", error=error))
        directory = self.world / ".aws" / "login" / "cache"
        fakes.login_token(directory, USER, self.aws.now(), **changed)
        return from_login_credentials(login_session=USER)


def metadata_address(setting, name, value):
    provider = setting.instance()
    setting.environment(**{name: value})
    return provider


def half_a_pair(setting):
    setting.environment(ACCESS_KEY_ID="AKIA")
    return from_env()


def no_such_profile(setting):
    setting.environment(PROFILE="none")
    return create_credential_chain("boto-config")


def malformed_file(setting):
    (setting.world / "config").write_text("[default\n")
    return from_process()


def refused_by_sso(setting):
    refusal = fakes.error("UnauthorizedException", status=401)
    setting.aws.always("GetRoleCredentials", refusal)
    return setting.sso()


def no_crt(setting):
    setting.monkeypatch.setattr("botocore.compat.EC", None)
    return setting.login()


ENDPOINT = "EC2_METADATA_SERVICE_ENDPOINT"
#: For each row what brings it about.
MET = {
    exceptions.PartialCredentialsError: half_a_pair,
    exceptions.ConfigParseError: malformed_file,
    exceptions.ProfileNotFound: no_such_profile,
    exceptions.InvalidIMDSEndpointError: lambda it: metadata_address(it, ENDPOINT, "nowhere"),
    exceptions.InvalidIMDSEndpointModeError: lambda it: metadata_address(
        it, f"{ENDPOINT}_MODE", "ipv5"
    ),
    exceptions.MissingDependencyException: no_crt,
    exceptions.MetadataRetrievalError: lambda it: it.instance(
        GetMetadataToken=fakes.Answer(status=404)
    ),
    exceptions.SSOTokenLoadError: lambda it: it.sso(accessToken=None),
    exceptions.UnauthorizedSSOTokenError: refused_by_sso,
    exceptions.TokenRetrievalError: lambda it: it.session(-1, refreshToken=None),
    exceptions.LoginRefreshRequired: lambda it: it.login("USER_CREDENTIALS_CHANGED"),
    exceptions.LoginInsufficientPermissions: lambda it: it.login("INSUFFICIENT_PERMISSIONS"),
    exceptions.LoginTokenLoadError: lambda it: it.login(dpopKey=None),
    exceptions.LoginError: lambda it: it.login("SOMETHING_ELSE"),
    subprocess.CalledProcessError: lambda it: it.process("exit(1)"),
    subprocess.TimeoutExpired: lambda it: it.process("import time; time.sleep(60)", timeout=0.1),
    OSError: lambda _: from_login_credentials(login_session=USER),
    LookupError: lambda it: it.login(accessToken={}),
    exceptions.ParamValidationError: lambda it: it.sso(accessToken=[fakes.secret("access-token")]),
    FieldError: lambda it: it.process("print('{}')"),
    ArithmeticError: lambda it: it.login_for(10**12),
    AttributeError: lambda it: it.login(dpopKey=5),
    RuntimeError: lambda it: it.login(dpopKey="bm90IGEga2V5"),
    TypeError: lambda it: it.instance(GetInstanceKeys=fakes.Answer(b"null")),
    ValueError: lambda it: it.process("print('hello')"),
}


@pytest.fixture
def setting(world, aws, monkeypatch):
    return Setting(world, aws, monkeypatch)


every_row = pytest.mark.parametrize("row", MET, ids=lambda row: row.__name__)


def test_every_row_is_tried():
    assert list(MET) == list(botocore_errors.MEANINGS)


def test_empty_setting_is_reported_by_its_name(config):
    path = config("[profile p]\naws_access_key_id =\naws_secret_access_key = s\n")
    with pytest.raises(ConfigurationError) as raised:
        from_ini(profile="p").fetch()
    assert raised.value.reason == (
        f"aws_access_key_id in profile 'p' of {path} is missing: correct it"
    )


@every_row
def test_every_row_is_met_by_the_real_thing(setting, monkeypatch, row):
    """With the names of the rows for texts, the error shows which one was taken."""
    provider = MET[row](setting)
    names = {one: (FetchError, one.__name__) for one in botocore_errors.MEANINGS}
    monkeypatch.setattr(botocore_errors, "MEANINGS", names)
    with pytest.raises(FetchError) as raised:
        provider.fetch()
    assert raised.value.reason == row.__name__


@every_row
def test_every_row_has_a_fact_and_a_remedy(setting, row):
    provider = MET[row](setting)
    with pytest.raises(ProviderError) as raised:
        provider.fetch()
    kind, _ = botocore_errors.MEANINGS[row]
    assert type(raised.value) is kind
    assert raised.value.kwargs["provider"] == provider.METHOD
    assert ": " in raised.value.reason
    assert "{" not in raised.value.reason.replace('{"Version": 1', "")
    assert not [one for one in fakes.SECRETS if one in f"{raised.value} {raised.value!r}"]
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def test_provider_error_is_raised_unchanged():
    error = FetchError(provider="it", error_msg="a fact: a remedy")

    def fail():
        raise error

    with pytest.raises(FetchError) as raised:
        botocore_errors.native("other", "elsewhere", "do", fail)
    assert raised.value is error


def test_what_is_configured_and_fails_stops_a_chain():
    """Only a service that is not there is stepped over; all but configuration may pass."""
    steps_over = {
        row.__name__ for row, (kind, _) in botocore_errors.MEANINGS.items() if kind.try_next_link
    }
    assert steps_over == {"MetadataRetrievalError"}
    final = {
        row.__name__
        for row, (kind, _) in botocore_errors.MEANINGS.items()
        if not is_recoverable(kind(provider="it", error_msg=""))
    }
    assert final == {
        "PartialCredentialsError", "ConfigParseError", "ProfileNotFound",
        "InvalidIMDSEndpointError", "InvalidIMDSEndpointModeError", "MissingDependencyException",
    }  # fmt: skip
