"""Credentials and tokens that no request can carry: refused where they enter, by their field.

What urllib3 and http.client say of such a header is its whole value. The fixture ``logs`` searches
every error and record of these tests for it.
"""

import json
import pickle

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import CredentialProvider, Credentials

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    ProviderError,
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_env,
    from_http,
    from_ini,
    from_instance_metadata,
    from_login_credentials,
    from_process,
    from_sso,
    from_temporary_credentials,
    from_web_token,
)
from botocore_ext.__main__ import main
from tests import fakes


@pytest.fixture(autouse=True)
def _exports_nothing_yet(monkeypatch):
    monkeypatch.setenv("_BOTOCORE_EXT_PROFILES", "")  # so that it is put back


ROLE = "arn:aws:iam::123456789012:role/Web"
IDENTITY = "us-east-1:00000000-0000-0000-0000-000000000001"
UNSENDABLE = "contains a line break or another character that cannot be sent"


def broken(kind="session-token"):
    """Make up a secret with a line break, as of a file that was edited by hand."""
    return f"{fakes.secret(kind)}\nmore"


def mapping():
    return {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "SessionToken": broken()}


class Sources:
    """What gives such credentials: for each source a provider, and the field that it names."""

    def __init__(self, world, aws, monkeypatch):
        self.world, self.aws, self.environ = world, aws, monkeypatch.setenv

    def environment(self):
        self.environ("AWS_ACCESS_KEY_ID", "AKIA")
        self.environ("AWS_SECRET_ACCESS_KEY", f"{fakes.secret()}\r")
        return from_env(), "AWS_SECRET_ACCESS_KEY contains"

    def credentials_file(self):
        token = broken().replace("\n", "\n  ")
        text = f"[p]\naws_access_key_id = A\naws_secret_access_key = s\naws_session_token = {token}"
        (self.world / "credentials").write_text(text)
        return from_ini(profile="p"), "aws_session_token in profile 'p' of"

    def process(self):
        (self.world / "printed").write_text(json.dumps({"Version": 1, **mapping()}))
        return from_process(
            credential_process=f"cat {self.world}/printed"
        ), "(SessionToken contains"

    def endpoint(self):
        self.aws.always("GET", fakes.Answer(json.dumps(mapping()).encode()))
        provider = from_http(aws_container_credentials_full_uri=self.aws.url)
        return provider, "(SessionToken contains"

    def instance(self):
        self.environ("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.aws.url)
        self.environ("AWS_EC2_METADATA_DISABLED", "false")
        keys = {**mapping(), "Token": broken(), "Expiration": "2040-01-01T00:00:00Z"}
        self.aws.always("GetInstanceKeys", fakes.Answer(json.dumps(keys).encode()))
        return from_instance_metadata(), "(SessionToken contains"

    def sts(self):
        found = (
            "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>{broken()}</SessionToken></Credentials>"
        )
        body = f"<R><AssumeRoleWithWebIdentityResult>{found}</AssumeRoleWithWebIdentityResult></R>"
        self.aws.always("AssumeRoleWithWebIdentity", fakes.Answer(body.encode()))
        return self.role(), "(SessionToken contains"

    def role(self, **options):
        token = fakes.secret("token")
        return from_web_token(role_arn=ROLE, web_identity_token=token, **options)

    def role_assumer(self):
        assumer = self.role(role_assumer_with_web_identity=lambda _: {"Credentials": mapping()})
        return assumer, "(SessionToken contains"

    def cognito(self):
        keys = {**mapping(), "SecretKey": "s"}
        del keys["SecretAccessKey"]
        body = json.dumps({"Credentials": keys}).encode()
        self.aws.always("GetCredentialsForIdentity", fakes.Answer(body))
        return from_cognito_identity(identity_id=IDENTITY), "(SessionToken contains"

    def function(self):
        return create_credential_chain(mapping), "credentials: SessionToken contains"

    def master(self):
        token = broken()
        keys = Credentials("AKIA", "s", token)
        role = from_temporary_credentials(params={"RoleArn": ROLE}, master_credentials=keys)
        return role, ": SessionToken contains"

    def provider_of_others(self):
        session = botocore.session.Session()
        session.set_credentials("AKIA\n", fakes.secret())
        provider = create_credential_chain(session.get_credentials)
        return provider, "AccessKeyId contains"

    def native_link(self):
        class Theirs(CredentialProvider):
            METHOD = "theirs"

            def load(self):
                return Credentials("AKIA", "s", broken())

        return create_credential_chain(Theirs()), "SessionToken contains"

    def own_provider(self):
        class Own(botocore_ext.Provider):
            METHOD = "custom-own"

            def fetch(self):
                return FrozenCredentials("AKIA", "s", broken())

        return Own().load(), "SessionToken contains"

    def sso(self):
        url = "https://d-abc123.awsapps.com/start"
        fakes.sso_token(self.world, url, self.aws.now() + 3600, accessToken=broken())
        provider = from_sso(
            sso_start_url=url, sso_account_id="1", sso_region="us-east-1", sso_role_name="R"
        )
        return provider, "(accessToken contains"

    def login(self):
        access = dict.fromkeys(("accessKeyId", "secretAccessKey", "accountId"), "a")
        access |= {"sessionToken": broken(), "expiresAt": fakes.at(self.aws.now() + 3600)}
        directory = self.world / ".aws" / "login" / "cache"
        fakes.login_token(directory, "me", self.aws.now(), accessToken=access)
        return from_login_credentials(login_session="me"), "(SessionToken contains"

    def mfa_code(self):
        code = "123\n56"
        params = {"RoleArn": ROLE, "SerialNumber": "arn:aws:iam::123456789012:mfa/me"}
        return from_temporary_credentials(
            params=params,
            mfa_code_provider=lambda _: code,
            master_credentials=lambda: FrozenCredentials("A", "s"),
        ), "mfa_code_provider returned no code"


SOURCES = [name for name in vars(Sources) if not name.startswith("_") and name != "role"]


@pytest.mark.parametrize("name", SOURCES)
def test_what_no_request_can_carry_names_its_field(name, world, aws, monkeypatch):
    provider, text = getattr(Sources(world, aws, monkeypatch), name)()
    fetch = getattr(provider, "fetch", None) or provider.get_frozen_credentials
    with pytest.raises(ProviderError) as raised:
        fetch()
    kinds = (ConfigurationError if name in ("environment", "credentials_file") else FetchError,)
    assert isinstance(raised.value, kinds)
    assert text in raised.value.reason
    assert name == "mfa_code" or UNSENDABLE in raised.value.reason


def test_unsendable_field_of_credentials_is_refused():
    for field, keys in {
        "AccessKeyId": ("AKIA\x7f", "s"),
        "SecretAccessKey": ("AKIA", "s\t"),
        "SessionToken": ("AKIA", "s", "t\u20ac"),
        "AccountId": ("AKIA", "s", None, None, "1\n"),
    }.items():
        with pytest.raises(ValueError, match=f"^{field} {UNSENDABLE}$"):
            FrozenCredentials(*keys)
    assert FrozenCredentials("AKIA", "a secret key is not sent: \u20ac").secret_key.endswith(
        "\u20ac"
    )


def test_secret_key_that_is_not_text_is_refused(monkeypatch):
    """The error that Python raises where it is encoded has the whole value in its ``repr``."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{fakes.secret()}\udce9")
    with pytest.raises(ConfigurationError, match="AWS_SECRET_ACCESS_KEY contains"):
        from_env().fetch()


def test_an_error_of_a_field_travels():
    with pytest.raises(ValueError, match="is missing") as raised:
        FrozenCredentials("", "s")
    assert str(pickle.loads(pickle.dumps(raised.value))) == "AccessKeyId is missing"


@pytest.mark.parametrize("command", ["export", "explain"])
def test_the_command_line_names_the_field_alone(command, capsys, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{(secret := fakes.secret())}\r")
    assert main([command]) == 1
    output = "".join(capsys.readouterr())
    assert "SecretAccessKey contains a line break" in " ".join(output.split())
    assert secret not in output


@pytest.mark.users_own("log")
@pytest.mark.parametrize("command", ["export", "explain"])
def test_an_error_of_the_http_library_is_not_quoted(command, capsys, config, aws, monkeypatch):
    """A role of botocore's own is assumed by botocore, which quotes http.client."""
    role = f"role_arn = {ROLE}\ncredential_source = Environment\nregion = us-east-1\n"
    config(f"[default]\n{role}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_SESSION_TOKEN", token := broken())
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main([command, "--profile", "default"]) == 1
    output = "".join(capsys.readouterr())
    assert "HTTPClientError" in output
    assert token.partition("\n")[0] not in output


@pytest.mark.usefixtures("aws")
@pytest.mark.users_own("log", "error")
def test_a_warning_of_a_failed_fetch_does_not_quote_it(logs):
    """The source is a client of the caller's own, which signs with what cannot be sent."""
    token = broken()

    def keys():
        client = boto3.client(
            "sts",
            region_name="us-east-1",
            aws_access_key_id="AKIA",
            aws_secret_access_key="s",
            aws_session_token=token,
        )
        return client.get_caller_identity()

    with pytest.raises(Exception, match="HTTP Client raised"):
        create_credential_chain(keys).load().get_frozen_credentials()
    ours = [text for text in logs if text.startswith("Fetching credentials")]
    assert [token.partition("\n")[0] in text for text in ours] == [False]


@pytest.mark.usefixtures("aws")
def test_unsendable_header_is_not_shown():
    """The last way in: an event handler of the caller's adds a header, which urllib3 quotes."""
    session, value = botocore.session.Session(), broken("header")
    session.register("before-send", lambda request, **_: request.headers.update({"X-Mine": value}))
    config = Config(retries={"total_max_attempts": 1})
    token = fakes.secret("token")
    provider = from_web_token(
        role_arn=ROLE, web_identity_token=token, client_config={"config": config}
    )
    with pytest.raises(
        FetchError, match=r"http://\S+ cannot be sent \(ValueError\): check"
    ) as raised:
        provider.bind(Scope(session)).fetch()
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
