"""The page for those who come from JavaScript: every option there and here, and what it claims."""

import inspect
import json
import re
from pathlib import Path

import pytest
from botocore.config import Config

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    ProviderCredentials,
    Session,
    create_credential_chain,
    from_container_metadata,
    from_default_chain,
    from_env,
    from_ini,
    from_process,
    from_temporary_credentials,
    from_token_file,
    from_web_token,
)

from . import fakes

PAGE = (Path(__file__).parent.parent / "docs" / "from-javascript.md").read_text(encoding="utf-8")

_FILES = ["profile", "filepath", "configFilepath", "ignoreCache"]
_EVERY = ["logger", "parentClientConfig"]
_HTTP = [
    "awsContainerCredentialsFullUri",
    "awsContainerCredentialsRelativeUri",
    "awsContainerAuthorizationToken",
    "awsContainerAuthorizationTokenFile",
    "credentialsFullUri",
    "authorizationToken",
]
_REMOTE = ["timeout", "maxRetries", "ec2MetadataV1Disabled"]
_ROLE = ["roleArn", "roleSessionName", "providerId", "policyArns", "policy", "durationSeconds"]
_STS = ["clientConfig", "clientPlugins"]
_SSO = ["ssoStartUrl", "ssoAccountId", "ssoRegion", "ssoRoleName", "ssoSession", "ssoClient"]
_COGNITO = ["customRoleArn", "logins", "client", "clientConfig"]
_INI = [*_FILES, "mfaCodeProvider", "roleAssumer", "roleAssumerWithWebIdentity", *_STS]

#: Every export of version 3.1169.0 with the options that its types and the documents name.
JAVASCRIPT = {
    "createCredentialChain": ["...credentialProviders", ".expireAfter(milliseconds)"],
    "fromCognitoIdentity": ["identityId", *_COGNITO, *_EVERY],
    "fromCognitoIdentityPool": [
        *("identityPoolId", "accountId", "cache", "userIdentifier"),
        *_COGNITO,
        *_EVERY,
    ],
    "fromContainerMetadata": [*_REMOTE, "profile", *_EVERY],
    "fromEnv": _EVERY,
    "fromHttp": [*_HTTP, "timeout", "maxRetries", *_EVERY],
    "fromIni": [*_INI, "stsConfig", "timeout", "maxRetries", *_EVERY],
    "fromInstanceMetadata": [*_REMOTE, "profile", *_EVERY],
    "fromLoginCredentials": [*_FILES, "clientConfig", *_EVERY],
    "fromNodeProviderChain": [
        *_INI,
        *_SSO,
        *_ROLE,
        *_HTTP,
        *_REMOTE,
        *_EVERY,
        *("webIdentityTokenFile", "forceRefresh"),
    ],
    "fromProcess": [*_FILES, *_EVERY],
    "fromSSO": [*_FILES, *_SSO, "clientConfig", "callerClientConfig", *_EVERY],
    "fromTemporaryCredentials": [
        *("params", "masterCredentials", "mfaCodeProvider", "stsConfig"),
        *_STS,
        *_EVERY,
    ],
    "fromTokenFile": [
        *("webIdentityTokenFile", "roleAssumerWithWebIdentity", "stsConfig"),
        *_ROLE,
        *_STS,
        *_EVERY,
    ],
    "fromWebToken": [
        *("webIdentityToken", "roleAssumerWithWebIdentity", "stsConfig"),
        *_ROLE,
        *_STS,
        *_EVERY,
    ],
    "propertyProviderChain": ["...providers"],
}

#: What the documents of version 2 say of ``AWS.WebIdentityCredentials``.
VERSION_2 = [
    *(f"params.{name}" for name in ("RoleArn", "RoleSessionName", "WebIdentityToken")),
    *(f"params.{name}" for name in ("ProviderId", "Policy", "PolicyArns", "DurationSeconds")),
    "params.WebIdentityToken = token",
    *("clientConfig", "data", "expired", "expireTime", "expiryWindow", "needsRefresh()"),
    *("refresh(callback)", "refreshPromise()", "get(callback)", "getPromise()"),
    *("accessKeyId", "secretAccessKey", "sessionToken"),
]


def tables(heading):
    """Give the rows of the tables under a heading, without their heads, as lists of cells."""
    text = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    rows = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [row for row in cells[2:] if set(row[0]) != {"-"}]


def in_backticks(cell):
    return re.findall(r"`([^`]+)`", cell)


SECTIONS = dict(re.findall(r"^## `(\w+)`: `(\w+)`$", PAGE, re.MULTILINE))


def section(export):
    return tables(f"## `{export}`: `{SECTIONS[export]}`")


def parameters(factory):
    """Return the options of a factory; its links with their star."""
    found = inspect.signature(getattr(botocore_ext, factory)).parameters.values()
    return {
        f"*{one.name}" if one.kind is one.VAR_POSITIONAL else one.name
        for one in found
        if one.kind is not one.VAR_KEYWORD
    }


def test_every_export_and_factory_has_a_section():
    assert list(SECTIONS) == list(JAVASCRIPT)
    factories = {name for name in botocore_ext.__all__ if name.startswith(("from_", "create_"))}
    assert set(SECTIONS.values()) == factories - {"from_roles_anywhere"}


def test_every_option_of_javascript_is_in_its_table():
    for export, options in JAVASCRIPT.items():
        named = [name for row in section(export) for name in in_backticks(row[0])]
        assert sorted(named) == sorted(options), export


def test_every_python_name_of_a_table_is_an_option():
    for export in JAVASCRIPT:
        known = parameters(SECTIONS[export])
        for javascript, python, _ in section(export):
            for name in in_backticks(python):
                assert name in known or is_of_credentials(name), (export, javascript)


def test_every_option_of_a_factory_is_in_its_table():
    for export in JAVASCRIPT:
        named = {name for row in section(export) for name in in_backticks(row[1])}
        assert parameters(SECTIONS[export]) <= named, export


def test_what_has_no_counterpart_has_a_reason():
    for export in JAVASCRIPT:
        for javascript, python, remarks in section(export):
            assert in_backticks(python) or (python == "none" and remarks), (export, javascript)
            assert javascript != "only in Python" or in_backticks(python), export


def is_of_credentials(text):
    """Whether this is ``credentials.NAME``, and there is such a name."""
    found = re.fullmatch(r"credentials\.(\w+)(\(\))?", text)
    if found is None:
        return False
    return callable(getattr(ProviderCredentials, found[1])) == bool(found[2])


def test_every_name_of_version_2_is_in_its_table():
    named = [
        name
        for row in tables("## `AWS.WebIdentityCredentials` of version 2")
        for name in in_backticks(row[0])
    ]
    assert sorted(named) == sorted(VERSION_2)


def test_every_counterpart_of_version_2_exists():
    known = parameters("from_web_token")
    for version_2, python, _ in tables("## `AWS.WebIdentityCredentials` of version 2"):
        for name in in_backticks(python):
            option = name.removeprefix("provider.").removesuffix(" = token")
            assert option in known or is_of_credentials(name), version_2


#: What the lines of the first table are about.
NAMES = {name: getattr(botocore_ext, name) for name in botocore_ext.__all__} | {
    "my_function": lambda: FrozenCredentials("AKIAIOSFODNN7EXAMPLE", "EXAMPLEKEY"),
    "identity_id": "us-east-1:128d0a74-c82f-4553-916d-90053e4a8b0f",
    "identity_pool_id": "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030",
    "logins": {"accounts.google.com": "token"},
    "uri": "https://credentials.example.com/v1",
    "ask_for_code": lambda serial: "123456",
    "role_arn": "arn:aws:iam::123456789012:role/App",
    "file": "/var/run/token",
    "get_token": lambda: "token",
    "region": "eu-west-1",
    "provider": lambda: FrozenCredentials("AKIAIOSFODNN7EXAMPLE", "EXAMPLEKEY"),
}


def test_the_first_table_has_every_export_and_its_python_runs():
    lines = tables("# Migrating from JavaScript")
    exports = [in_backticks(javascript)[0].partition("(")[0] for javascript, _ in lines]
    assert exports == [*JAVASCRIPT, "new S3Client", ""]  # and "(await ...)"
    session = Session(credentials=NAMES["provider"])
    for javascript, python in lines:
        (source,) = in_backticks(python)
        made = eval(source, NAMES | {"session": session})
        factory = SECTIONS.get(in_backticks(javascript)[0].partition("(")[0])
        if factory:
            assert repr(made).startswith(factory)
            assert made.bind(made.scope) is not made


def test_client_config_has_the_arguments_of_a_client():
    for _, python in tables("## `clientConfig`"):
        for text in in_backticks(python):
            if text == "master_credentials":
                assert text in parameters("from_temporary_credentials")
                continue
            argument = text if "=" in text else f"{text}=None"
            given = eval(f"dict({argument})", {"Config": Config})
            web = from_web_token(role_arn="arn:aws:iam::1:role/A", client_config=given)
            assert web.client_config == given


class TestDeliberateDifferences:
    """Those that no other test shows."""

    def test_the_variables_of_its_documentation_are_read(self, monkeypatch):
        """JavaScript lists them and does not read them."""
        monkeypatch.setenv("AWS_IAM_ROLE_ARN", "arn:aws:iam::123456789012:role/Documented")
        monkeypatch.setenv("AWS_IAM_ROLE_SESSION_NAME", "documented")
        provider = from_token_file(web_identity_token_file="/var/run/token")
        assert provider.role_arn == "arn:aws:iam::123456789012:role/Documented"
        assert provider.role_session_name == "documented"
        assert from_web_token(web_identity_token="token").role_session_name is None
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/Web")
        monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "web")
        provider = from_token_file(web_identity_token_file="/var/run/token")
        assert provider.role_arn == "arn:aws:iam::123456789012:role/Web"
        assert provider.role_session_name == "web"

    @pytest.mark.parametrize("name", ["AWS_ROLE_ARN", "AWS_IAM_ROLE_ARN"])
    def test_a_malformed_variable_is_named(self, name, monkeypatch):
        monkeypatch.setenv(name, "no arn")
        with pytest.raises(ConfigurationError, match=f"the environment variable {name} is not an"):
            from_token_file(web_identity_token_file="/var/run/token").load()

    def test_profile_is_merged_and_credentials_are_in_one_file(self, config, aws):
        config(
            "[profile web]\nrole_arn = arn:aws:iam::123456789012:role/Web\n"
            "[profile half]\naws_access_key_id = AKIA",
            "[web]\nweb_identity_token = the-token\n[half]\naws_secret_access_key = SECRET",
        )
        assert from_ini(profile="web").fetch().access_key == aws.requests[0].gave
        with pytest.raises(ConfigurationError, match="set both, or neither"):
            from_ini(profile="half").fetch()

    def test_process_precedes_static_credentials_in_the_config(self, config):
        keys = "aws_access_key_id = AKIASTATIC\naws_secret_access_key = SECRET\n"
        answer = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "SECRET"}
        process = f"credential_process = echo '{json.dumps(answer)}'\n"
        config(f"[profile a]\n{keys}{process}[profile b]\n{process}", f"[b]\n{keys}")
        assert from_ini(profile="a").fetch().access_key == "AKIAPROCESS"
        assert from_ini(profile="b").fetch().access_key == "AKIASTATIC"

    def test_environment_precedes_aws_profile_only(self, config, monkeypatch):
        config("[profile a]\naws_access_key_id = AKIAFILE\naws_secret_access_key = SECRET")
        monkeypatch.setenv("AWS_PROFILE", "a")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
        assert from_default_chain().fetch().access_key == "AKIAENV"
        assert from_default_chain(profile="a").fetch().access_key == "AKIAFILE"

    def test_the_region_of_a_profile_counts_for_its_web_identity(self, config, aws, world):
        token = world / "token"
        token.write_text(fakes.secret("token"))
        config(
            f"[profile web]\nregion = ca-central-1\nweb_identity_token_file = {token}\n"
            "role_arn = arn:aws:iam::123456789012:role/Web"
        )
        session = Session(credentials=from_ini(profile="web"), region_name="eu-west-1")
        regions = []
        # A handler of the session reaches the inner client: what clientPlugins are for.
        session.events.register(
            "before-call.sts", lambda context, **_: regions.append(context["client_region"])
        )
        session.get_credentials().get_frozen_credentials()
        assert regions == ["ca-central-1"]

    def test_ignore_cache_reads_a_process_again(self, config):
        profile = "[profile a]\ncredential_process = echo '{}'"
        answer = {"Version": 1, "AccessKeyId": "AKIAOLD", "SecretAccessKey": "SECRET"}
        config(profile.format(json.dumps(answer)))
        kept, reread = from_process(profile="a"), from_ini(profile="a", ignore_cache=True)
        assert kept.fetch().access_key == reread.fetch().access_key == "AKIAOLD"
        config(profile.format(json.dumps(answer | {"AccessKeyId": "AKIANEW"})))
        assert kept.fetch().access_key == "AKIAOLD"
        assert reread.fetch().access_key == "AKIANEW"

    def test_a_chain_steps_over_the_container_and_the_default_chain(self):
        found = create_credential_chain(
            from_container_metadata(), from_default_chain(), NAMES["provider"]
        )
        assert found.fetch().access_key == "AKIAIOSFODNN7EXAMPLE"

    def test_token_code_is_sent_without_a_prompt(self, aws):
        params = {
            "RoleArn": "arn:aws:iam::123456789012:role/App",
            "SerialNumber": "arn:aws:iam::123456789012:mfa/me",
            "TokenCode": "654321",
        }
        role = from_temporary_credentials(
            params=params, master_credentials=NAMES["provider"], mfa_code_provider=pytest.fail
        )
        assert role.fetch().account_id == "123456789012"
        assert aws.requests[0].parameters["TokenCode"] == "654321"
        assert "DurationSeconds" not in aws.requests[0].parameters

    def test_a_credential_scope_is_not_read(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
        monkeypatch.setenv("AWS_CREDENTIAL_SCOPE", "us-east-1")
        assert "us-east-1" not in repr(from_env().fetch())

    def test_a_process_runs_without_a_shell(self, config, world):
        config(f"[profile a]\ncredential_process = echo x > {world / 'written'}")
        with pytest.raises(FetchError):
            from_process(profile="a").fetch()
        assert not (world / "written").exists()
