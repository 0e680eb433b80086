"""Slips that would look like success: refused before anything is sent, with the right form."""

import json
import pickle
import sys

import boto3
import botocore.session
import pytest
from botocore.exceptions import NoCredentialsError

import botocore_ext
from botocore_ext import (
    ChainError,
    ConfigurationError,
    FrozenCredentials,
    NotConfigured,
    Provider,
    Scope,
    create_credential_chain,
    from_cognito_identity_pool,
    from_env,
    from_http,
    from_ini,
    from_instance_metadata,
    from_process,
    from_sso,
    from_temporary_credentials,
    from_web_token,
    option,
)
from botocore_ext.options import references

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"

#: What looks like a reference to a token, and the form that the error names.
NO_REFERENCES = {
    '"env://MY_TOKEN"': "remove the quotes",
    "'eyJhbGciOi'": "remove the quotes",
    "$MY_TOKEN": "write env://NAME",
    "${MY_TOKEN}": "write env://NAME",
    "$env:MY_TOKEN": "write env://NAME",
    "%MY_TOKEN%": "write env://NAME",
    "$(get-my-token)": "write process://COMMAND",
    "`get-my-token`": "write process://COMMAND",
    "env:MY_TOKEN": "env://NAME",
    "ENV:MY_TOKEN": "env://NAME",
    "file:/run/my-token": "file:///PATH",
    "process:get-my-token": "process://COMMAND",
    "/run/my-token": "write file://",
    "./my-token": "write file://",
    "C:\\run\\my-token": "write file://",
}
#: A profile for each setting that is a token.
TOKENS = (
    "role_arn = arn:aws:iam::123456789012:role/Web\nweb_identity_token = {}",
    f"cognito_identity_pool_id = {POOL}\ncognito_logins =\n    accounts.google.com = {{}}",
    "container_credentials_full_uri = {url}\ncontainer_authorization_token = {}",
)


def test_a_text_like_a_reference_is_not_sent_as_a_token(config, aws):
    botocore_ext.install()
    for text in TOKENS:
        for value, remedy in NO_REFERENCES.items():
            config(f"[profile slip]\nregion = eu-west-1\n{text.format(value, url=aws.url)}\n")
            with pytest.raises(ConfigurationError) as raised:
                boto3.Session(profile_name="slip").get_credentials()
            assert remedy in raised.value.reason, (text, value)
            assert value not in raised.value.reason, (text, value)
    assert aws.requests == []


def test_a_block_is_not_a_token(config):
    text = TOKENS[0].format("\n    accounts.google.com = env://MY_TOKEN")
    config(f"[profile web]\n{text}\n")
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match="web_identity_token in .* must be a token"):
        boto3.Session(profile_name="web").get_credentials()


def test_logins_of_another_type_are_left_to_the_option():
    assert references.references(None, Scope()) is None


def test_a_token_itself_is_sent_as_it_is(config, aws):
    botocore_ext.install()
    for value in ("eyJhbGciOi.e30.c2ln", "EAAB$1", "Atza|1", "environment:prod"):
        config(f"[profile web]\nregion = eu-west-1\n{TOKENS[0].format(value)}\n")
        boto3.Session(profile_name="web").get_credentials().get_frozen_credentials()
        assert aws.requests[-1].parameters["WebIdentityToken"] == value


def test_a_setting_in_quotes_is_refused_wherever_it_is(config, monkeypatch):
    """AWS files, and the environment files of containers, keep quotes."""
    config(f"[profile pool]\ncognito_identity_pool_id = {POOL}\ncognito_account_id = '1'\n")
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match="cognito_account_id in .*remove the quotes"):
        boto3.Session(profile_name="pool").get_credentials()
    monkeypatch.setenv("AWS_ROLE_ARN", '"arn:aws:iam::123456789012:role/Web"')
    with pytest.raises(ConfigurationError, match="variable AWS_ROLE_ARN .*remove the quotes"):
        from_web_token(web_identity_token="token").load()


def test_the_words_of_a_command_may_be_in_quotes(config):
    printed = '{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "s"}'
    command = f"""'{sys.executable}' -c "print('{printed.replace('"', chr(92) + '"')}')" 'unused'"""
    config(f"[profile process]\ncredential_process = {command}\n")
    assert from_process(profile="process").fetch().access_key == "AKIA"


def test_a_value_of_a_wrong_type_is_refused_at_construction():
    """Every option of every provider, by its name."""
    for name in botocore_ext.__all__:
        factory = getattr(botocore_ext, name)
        if not name.startswith("from_") or not issubclass(factory, Provider):
            continue
        for one in factory.options():
            with pytest.raises(ConfigurationError, match=f"^.* {one.name} passed to {name}"):
                factory(**{one.name: object()})


def test_a_cache_is_a_mapping_that_can_be_changed():
    for cache in ([], "identities", "", dict, (1, 2), 7):
        with pytest.raises(ConfigurationError, match="cache passed to .* must be a mapping that"):
            from_cognito_identity_pool(identity_pool_id=POOL, cache=cache)
    assert from_cognito_identity_pool(identity_pool_id=POOL, cache={})


def test_a_token_of_a_wrong_type_does_not_replace_one():
    provider = from_web_token(web_identity_token="token")
    with pytest.raises(ConfigurationError, match="web_identity_token passed to from_web_token"):
        provider.web_identity_token = 7
    assert provider.web_identity_token == "token"


def test_not_configured_is_what_callers_catch():
    with pytest.raises(NoCredentialsError) as raised:
        from_env().fetch()
    again = pickle.loads(pickle.dumps(raised.value))
    assert isinstance(again, NotConfigured)
    assert str(again) == str(raised.value)
    assert "AWS_ACCESS_KEY_ID is not set" in str(again)
    assert (again.kwargs["provider"], again.try_next_link) == ("env", True)


def test_a_misspelled_source_profile_names_the_nearest_profile(config):
    config(
        "[profile app]\nrole_arn = arn:aws:iam::123456789012:role/App\nsource_profile = Mobil\n"
        f"[profile mobile]\ncognito_identity_pool_id = {POOL}\n"
    )
    with pytest.raises(ConfigurationError, match="does not exist: did you mean mobile?"):
        from_ini(profile="app").fetch()
    with pytest.raises(NotConfigured, match=r"; did you mean 'mobile'\?"):
        from_ini(profile="mobille").fetch()


@pytest.mark.parametrize(
    ("scheme", "meant"),
    [
        ("evn", "env"),
        ("flie", "file"),
        ("fileb", "file"),
        ("proces", "process"),
        ("github_actions", "github-actions"),
        ("githubactions", "github-actions"),
    ],
)
def test_a_misspelled_scheme_names_the_nearest_scheme(scheme, meant, config):
    config(f"[profile web]\n{TOKENS[0].format(scheme + '://x')}\n")
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match=f"did you mean {meant}://"):
        boto3.Session(profile_name="web").get_credentials()


def test_third_party_scheme_has_no_suggestion(config):
    config(f"[profile web]\n{TOKENS[0].format('vault://x')}\n")
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match="known kind of token reference .file:///"):
        boto3.Session(profile_name="web").get_credentials()


@pytest.mark.parametrize(
    ("link", "meant"),
    [
        ("Enviroment", "Environment"),
        ("fromEnv", "from_env"),
        ("from_cognito_identitypool", "from_cognito_identity_pool"),
        ("mobile", "profile mobile"),
        ("mobil", "profile mobile"),
    ],
)
def test_a_link_that_is_none_names_the_nearest_of_its_kind(link, meant, config):
    config(f"[profile mobile]\ncognito_identity_pool_id = {POOL}\n")
    with pytest.raises(ConfigurationError, match=rf"did you mean {meant}\?"):
        create_credential_chain(link).load()


def test_link_to_a_misspelled_profile_names_the_nearest(config, caplog):
    config(f"[profile mobile]\ncognito_identity_pool_id = {POOL}\n")
    create_credential_chain("profile mobil").load()
    assert "the link is skipped; did you mean 'mobile'?" in caplog.text


def test_a_factory_is_the_name_of_a_link(config, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert create_credential_chain("from_http", "from_env").fetch().access_key == "AKIAENV"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    config("[profile chain]\ncredential_chain = from_http, FROM_ENV\n")
    botocore_ext.install()
    session = boto3.Session(profile_name="chain")
    with pytest.raises(ChainError, match="FROM_ENV: AWS_ACCESS_KEY_ID is not set"):
        session.get_credentials().get_frozen_credentials()


@pytest.mark.caller_signs
@pytest.mark.parametrize("is_ini", [True, False])
def test_a_factory_is_the_name_of_a_source(is_ini, config, aws, monkeypatch):
    """One of botocore, and one of this package."""
    role = "role_arn = arn:aws:iam::123456789012:role/App\nregion = eu-west-1"
    botocore_ext.install()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for source, setting in [
        ("from_env", ""),
        ("from_cognito_identity_pool", f"cognito_identity_pool_id = {POOL}"),
    ]:
        config(f"[profile app]\n{role}\ncredential_source = {source}\n{setting}\n")
        profile = from_ini(profile="app").bind(Scope(botocore.session.Session()))
        load = profile.load if is_ini else boto3.Session(profile_name="app").get_credentials
        assert load().get_frozen_credentials().access_key == aws.requests[-1].gave
    assert aws.operations() == ["AssumeRole", "GetId", "GetCredentialsForIdentity", "AssumeRole"]


def test_a_factory_as_source_next_to_our_setting_is_refused(config):
    config(
        "[profile app]\nrole_arn = arn:aws:iam::123456789012:role/App\n"
        f"credential_source = from_env\ncognito_identity_pool_id = {POOL}\n"
    )
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match="has both credential_source and cognito_id"):
        boto3.Session(profile_name="app").get_credentials()


@pytest.mark.parametrize(
    ("factory", "name", "answer"),
    [
        (from_web_token, "roleArn", "did you mean 'role_arn'?"),
        (from_web_token, "webIdentityTokn", "did you mean 'web_identity_token'?"),
        (from_web_token, "stsConfig", "did you mean 'client_config'?"),
        (from_web_token, "clientConfig", "did you mean 'client_config'?"),
        (from_web_token, "parentClientConfig", "the configuration of the session"),
        (from_web_token, "clientPlugins", "register event handlers"),
        (from_web_token, "expiryWindow", "did you mean 'refresh_window'?"),
        (from_sso, "ssoClient", "did you mean 'client'?"),
        (from_sso, "callerClientConfig", "the configuration of the session"),
        (from_http, "credentialsFullUri", "did you mean 'aws_container_credentials_full_uri'?"),
        (from_instance_metadata, "ec2MetadataV1Disabled", "mean 'ec2_metadata_v1_disabled'?"),
        (from_temporary_credentials, "masterCredentials", "did you mean 'master_credentials'?"),
        (from_ini, "roleAssumer", "pass a function that returns credentials"),
        (from_env, "webIdentityToken", "its options are refresh_window"),
        (create_credential_chain, "refreshWindo", "did you mean 'refresh_window'?"),
    ],
)
def test_an_option_of_javascript_is_answered_with_pythons(factory, name, answer):
    with pytest.raises(TypeError) as raised:
        factory(**{name: {}})
    assert str(raised.value).startswith(f"{factory.FACTORY}() has no option {name!r}: ")
    assert answer in str(raised.value)


def test_an_unknown_argument_of_a_client_may_be_of_its_config():
    with pytest.raises(ConfigurationError, match="it may be an argument of Config"):
        from_web_token(client_config={"maxAttempts": 3})


@pytest.mark.parametrize("name", ["session", "check", "fetch", "scope", "bind", "_cell", "self"])
def test_an_option_with_the_name_of_something_else_is_refused(name):
    with pytest.raises(TypeError, match=f"Mine has an option '{name}', but every provider uses"):
        type("Mine", (Provider,), {name: option(default=None, help="What it is.")})


def test_an_option_may_replace_that_of_a_parent():
    class Mine(Provider):
        refresh_window = option(default=60, help="Another default.")
        token_url = option(default=None, help="Mine alone.")

        def fetch(self):
            return FrozenCredentials("AKIA", self.token_url)

    class Fixed(Mine):
        refresh_window = 90

    assert (Mine().refresh_window, Fixed(token_url="u").refresh_window) == (60, 90)
    with pytest.raises(TypeError, match="has no option 'refresh_window'"):
        Fixed(refresh_window=5)


def test_an_unknown_argument_of_option_is_refused():
    with pytest.raises(TypeError, match=r"option\(\) has no argument 'defualt'"):
        option(defualt=None, help="What it is.")


@pytest.mark.parametrize(
    "line",
    [
        "a.example",
        "=env://A",
        "a.example=token",
        "a.example=env://A, a.example=env://B",
        "a.example=env://A,",
        "a.example=process://get --scope x,y",
    ],
)
def test_a_wrong_line_of_logins_is_refused(line, config):
    config(f"[profile p]\ncognito_identity_pool_id = {POOL}\ncognito_logins = {line}\n")
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match="is not a line of NAME=REFERENCE"):
        boto3.Session(profile_name="p").get_credentials()


def test_logins_on_one_line_are_sent(config, aws, monkeypatch):
    monkeypatch.setenv("A", "token-a")
    monkeypatch.setenv("B", "token-b")
    config(
        f"[profile p]\ncognito_identity_pool_id = {POOL}\n"
        "cognito_logins = a.example=env://A, b.example/c = env://B\n"
    )
    botocore_ext.install()
    boto3.Session(profile_name="p").get_credentials().get_frozen_credentials()
    sent = json.loads(aws.requests[0].body)["Logins"]
    assert sent == {"a.example": "token-a", "b.example/c": "token-b"}
