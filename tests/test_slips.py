"""Slips that would look like success: refused before anything is sent, with the right form."""

import pickle
import sys

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    NotConfigured,
    Provider,
    from_cognito_identity_pool,
    from_env,
    from_process,
    from_web_token,
)

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


def test_what_is_no_reference_is_not_sent_as_a_token(config, aws):
    botocore_ext.install()
    for text in TOKENS:
        for value, remedy in NO_REFERENCES.items():
            config(f"[profile slip]\nregion = eu-west-1\n{text.format(value, url=aws.url)}\n")
            with pytest.raises(ConfigurationError) as raised:
                boto3.Session(profile_name="slip").get_credentials()
            assert remedy in raised.value.reason, (text, value)
            assert value not in raised.value.reason, (text, value)
    assert aws.requests == []


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
