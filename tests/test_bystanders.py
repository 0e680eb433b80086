"""Which sessions have nothing to do with this package, and what is done for them: nothing."""

import boto3
import botocore.session
import pytest
from botocore.credentials import CredentialResolver

import botocore_ext
from botocore_ext import bystanders, profiles
from botocore_ext.registry import PROVIDERS

PLAIN = botocore.session.Session().get_component("credential_provider").providers


def in_profile(text, config):
    config(f"[profile p]\n{text}\n")
    return bystanders.is_bystander(botocore.session.Session(profile="p"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "region = eu-west-1",
        "aws_access_key_id = A\naws_secret_access_key = s",
        "role_arn = arn\nweb_identity_token_file = /token",
        "credential_source = Environment",
        "s3 =\n    addressing_style = path",
    ],
)
def test_a_profile_of_plain_botocore_is_one(text, config):
    assert in_profile(text, config)


@pytest.mark.parametrize(
    "text",
    [
        "cognito_identity_pool_id = us-east-1:pool",
        "cogntio_identity_pool_id = us-east-1:pool",  # its warning is ours to give
        "a_key_of_somebodys = 1",
        "role_arn = arn\nsource_profile = other",
        "role_arn = arn",
        "credential_source = CustomHttp",
        "role_arn = arn\nweb_identity_token_file = /token\ncredential_source = CustomHttp",
    ],
)
def test_a_profile_that_may_be_ours_is_none(text, config):
    assert not in_profile(text, config)


def test_without_a_profile_the_default_one_counts(config):
    config("[default]\ncognito_identity_pool_id = us-east-1:pool\n")
    assert not bystanders.is_bystander(botocore.session.Session())


def test_no_key_of_a_bystander_selects_or_is_near_to_one_of_ours(caplog):
    selecting = {one.ini for kind in PROVIDERS for one in kind.options() if one.selects}
    assert not bystanders._AWS_KEYS & selecting
    for key in bystanders._AWS_KEYS:
        profiles._warn_if_misspelt(key, "p")
    assert not [one for one in caplog.records if one.name.startswith("botocore_ext")]


def test_its_resolver_holds_botocores_providers_alone():
    botocore_ext.install()
    resolver = boto3.Session()._session.get_component("credential_provider")
    assert [type(one) for one in resolver.providers] == [type(one) for one in PLAIN]
    assert isinstance(resolver, CredentialResolver)


def test_extend_still_adds_to_it():
    botocore_ext.install()
    session = botocore.session.Session()
    assert session.get_component("credential_provider").providers[0].METHOD == "env"
    botocore_ext.extend(session, lambda: botocore_ext.Keys("AKIA", "s"))
    assert session.get_credentials().access_key == "AKIA"
