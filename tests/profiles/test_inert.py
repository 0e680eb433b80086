"""Which sessions have nothing to do with this package, and what is done for them: nothing."""

import boto3
import botocore.session
import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import CredentialResolver

import botocore_ext
from botocore_ext import catalogue
from botocore_ext.profiles import inert, selection
from botocore_ext.profiles.plain_roles import PlainRoleProvider
from tests.declared import PROVIDERS

PLAIN = botocore.session.Session().get_component("credential_provider").providers


def profiles_of(text, config):
    config(text)
    return botocore.session.Session().full_config["profiles"]


def in_profile(text, config):
    return inert.is_inert(profiles_of(f"[profile p]\n{text}\n", config), "p")


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
        "a_setting_of_another_tool = 1",
        "role_arn = arn\nsource_profile = other",
        "role_arn = arn",
        "credential_source = CustomHttp",
        "role_arn = arn\nweb_identity_token_file = /token\ncredential_source = CustomHttp",
    ],
)
def test_profile_with_a_setting_is_not_inert(text, config):
    assert not in_profile(text, config)


def test_without_a_profile_the_default_one_counts(config):
    config("[default]\ncognito_identity_pool_id = us-east-1:pool\n")
    botocore_ext.install()
    session = botocore.session.Session()
    methods = [one.METHOD for one in session.get_component("credential_provider").providers]
    assert "custom-cognito-identity-pool" in methods


def test_settings_of_aws_are_not_similar_to_this_packages():
    selecting = {one.ini for kind in PROVIDERS for one in kind.options() if one.selects}
    assert not inert.AWS_KEYS & selecting
    for row in (None, *catalogue.INSERTED):
        assert not [*selection.without_effect(dict.fromkeys(inert.AWS_KEYS, "x"), row)]


def role(text, config):
    profiles = profiles_of(f"[profile p]\nrole_arn = arn\n{text}\n", config)
    return inert.is_plain_role(profiles, "p")


KEYS = "aws_access_key_id = A\naws_secret_access_key = s"
DEEP = "source_profile = q\n[profile q]\nrole_arn = b\nsource_profile = r\n[profile r]\n"


@pytest.mark.parametrize(
    "text",
    [
        f"source_profile = q\n[profile q]\n{KEYS}",
        f"{DEEP}credential_process = true",
        f"source_profile = p\n{KEYS}",
        "credential_source = Ec2InstanceMetadata\nduration_seconds = 900\nmfa_serial = m",
        "source_profile = q\n[profile q]\nrole_arn = b\nsource_profile = p",
        "source_profile = missing",
        "source_profile =\n    a = block",
        "",
    ],
    ids=["keys", "deep", "itself", "named", "circle", "missing", "block", "none"],
)
def test_plain_role_with_errors_is_still_plain(text, config):
    assert role(text, config)


@pytest.mark.parametrize(
    "text",
    [
        "source_profile = q\n[profile q]\ncognito_identity_pool_id = us-east-1:pool",
        f"{DEEP}role_arn = c\ncredential_source = CustomHttp",
        "source_profile = q\n[profile q]\nrole_arn = b\nweb_identity_token = token",
        "source_profile = q\n[profile q]\nrole_arn = b\nsource_profile = p\na_key = 1",
        "credential_source = customprocess",
        "credential_source = Nonsense",  # its error is botocore's; looking closer only takes time
        "credential_source = Environment\ncogntio_identity_id = us-east-1:id",
        "web_identity_token_file = /token\nsource_profile = q\n[profile q]",
    ],
    ids=["pool", "deep", "web", "circle", "process", "nonsense", "misspelled", "no role"],
)
def test_a_role_that_may_need_us_is_none(text, config):
    assert not role(text, config)


def test_plain_role_session_has_only_botocores_providers(config):
    config(f"[profile p]\nrole_arn = arn\nsource_profile = q\n[profile q]\n{KEYS}\n")
    plain = botocore.session.Session(profile="p").get_component("credential_provider").providers
    botocore_ext.install()
    session = botocore.session.Session(profile="p")
    found = session.get_component("credential_provider").providers
    assert PlainRoleProvider in map(type, found)
    for one, theirs in zip(found, plain, strict=True):
        assert type(one) in (type(theirs), PlainRoleProvider)
        assert one.METHOD == theirs.METHOD
    botocore_ext.extend(session, lambda: botocore_ext.FrozenCredentials("AKIA", "s"))
    assert session.get_credentials().access_key == "AKIA"


def test_its_resolver_holds_botocores_providers_alone():
    botocore_ext.install()
    resolver = boto3.Session()._session.get_component("credential_provider")
    assert [type(one) for one in resolver.providers] == [type(one) for one in PLAIN]
    assert isinstance(resolver, CredentialResolver)


def test_extend_still_adds_to_it():
    botocore_ext.install()
    session = botocore.session.Session()
    assert session.get_component("credential_provider").providers[0].METHOD == "env"
    botocore_ext.extend(session, lambda: botocore_ext.FrozenCredentials("AKIA", "s"))
    assert session.get_credentials().access_key == "AKIA"


def test_every_setting_of_botocores_is_known():
    """One that is missing costs time: providers of other packages are then looked for."""
    names = {one[0] for one in BOTOCORE_DEFAUT_SESSION_VARIABLES.values() if one[0]}
    assert {one for one in names if isinstance(one, str)} - {"profile"} <= inert.AWS_KEYS
