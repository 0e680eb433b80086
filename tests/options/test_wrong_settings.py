"""Malformed settings of botocore, for a provider of this package: a fact and a remedy."""

import botocore.session
import pytest

from botocore_ext import (
    ConfigurationError,
    FrozenCredentials,
    NotConfigured,
    Session,
    create_credential_chain,
    from_cognito_identity_pool,
    from_default_chain,
    from_env,
    from_http,
    from_ini,
    from_instance_metadata,
    from_temporary_credentials,
    from_token_file,
    from_web_token,
    install,
)

ROLE = "arn:aws:iam::123456789012:role/App"
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"

NO_PROFILE = (
    "there is no profile 'none' in the AWS files: add it, or correct AWS_PROFILE or profile_name"
)
SETTINGS = {
    "AWS_METADATA_SERVICE_TIMEOUT": (
        "abc",
        (
            "metadata_service_timeout is not a whole number: correct AWS_METADATA_SERVICE_TIMEOUT, "
            "or metadata_service_timeout in the profile"
        ),
    ),
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": (
        "1.5",
        (
            "metadata_service_num_attempts is not a whole number: correct "
            "AWS_METADATA_SERVICE_NUM_ATTEMPTS, or metadata_service_num_attempts in the profile"
        ),
    ),
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": (
        "ipv5",
        (
            "ipv5 is neither ipv4 nor ipv6: correct AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE or "
            "ec2_metadata_service_endpoint_mode"
        ),
    ),
}

each_setting = pytest.mark.parametrize(
    ("name", "value", "reason"), [(name, *rest) for name, rest in SETTINGS.items()]
)


def reason_of(act):
    with pytest.raises(ConfigurationError) as raised:
        act()
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    return raised.value.reason


@pytest.fixture
def _is_instance(monkeypatch):
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")


@pytest.mark.usefixtures("_is_instance")
@each_setting
@pytest.mark.parametrize("factory", [from_instance_metadata, from_default_chain])
def test_a_setting_of_the_metadata_service_that_is_none(factory, name, value, reason, monkeypatch):
    monkeypatch.setenv(name, value)
    assert reason_of(factory().fetch) == reason


@pytest.mark.usefixtures("_is_instance")
@pytest.mark.parametrize("option", [{"timeout": 0.1}, {"max_retries": 0}])
def test_value_in_code_is_not_read_from_the_session(option, aws, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)
    number = "TIMEOUT" if "timeout" in option else "NUM_ATTEMPTS"
    monkeypatch.setenv(f"AWS_METADATA_SERVICE_{number}", "abc")
    assert from_instance_metadata(**option).fetch().access_key


@each_setting
def test_malformed_number_is_an_error_without_an_instance(name, value, reason, monkeypatch):
    """Read for every session, ours for one provider among them, and for its links."""
    monkeypatch.setenv(name, value)
    assert reason_of(lambda: Session(credentials=from_env())) == reason
    assert reason_of(create_credential_chain("boto-config").fetch) == reason


def test_of_a_session_for_one_provider_its_profile_is_set_later(config, monkeypatch):
    config("[profile app]\nmetadata_service_timeout = abc\n")
    monkeypatch.setenv("AWS_PROFILE", "app")
    _, reason = SETTINGS["AWS_METADATA_SERVICE_TIMEOUT"]
    assert reason_of(lambda: Session(credentials=from_env())) == reason
    monkeypatch.delenv("AWS_PROFILE")
    session = botocore.session.Session()
    found = Session(credentials=from_env(), botocore_session=session)
    session.set_config_variable("profile", "app")
    assert reason_of(found.get_credentials) == reason


@each_setting
@pytest.mark.parametrize("profile", [None, "app"])
def test_whole_chain_gets_botocores_own_error(name, value, reason, profile, config, monkeypatch):
    """As without this package, also where its providers come before botocore's."""
    config("[profile app]\nweb_identity_token = a.b.c\n")
    monkeypatch.setenv(name, value)
    with pytest.raises(Exception, match=value) as plain:
        botocore.session.Session(profile=profile).get_credentials()
    install(*([] if profile else [from_env()]))
    with pytest.raises(Exception, match=value) as ours:
        botocore.session.Session(profile=profile).get_credentials()
    assert (type(ours.value), str(ours.value)) == (type(plain.value), str(plain.value))


def test_session_profile_precedes_aws_profile(config, monkeypatch):
    config("[profile app]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_PROFILE", "none")
    assert Session(profile_name="app").get_credentials().access_key == "AKIA"
    with pytest.raises(NotConfigured):
        Session(profile_name="app", credentials=from_env()).get_credentials()
    assert reason_of(lambda: Session(credentials=from_env())) == NO_PROFILE


PROVIDERS = {
    "web token": lambda _: from_web_token(role_arn=ROLE, web_identity_token="token"),
    "token file": lambda path: from_token_file(role_arn=ROLE, web_identity_token_file=path),
    "pool": lambda _: from_cognito_identity_pool(identity_pool_id=POOL),
    "endpoint": lambda _: from_http(aws_container_credentials_full_uri="http://127.0.0.1:9"),
    "role": lambda _: from_temporary_credentials(
        params={"RoleArn": ROLE}, master_credentials=FrozenCredentials("AKIA", "s")
    ),
    "role of a profile": lambda _: from_ini(profile="app"),
    "instance": lambda _: from_instance_metadata(),
    "a link of botocore's": lambda _: create_credential_chain("boto-config"),
}


@pytest.mark.usefixtures("_is_instance")
@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_profile_that_is_not_there(kind, config, world, monkeypatch):
    """Whatever a provider needs the session for: its region, endpoints, CA bundle and retries."""
    (world / "token").write_text("token", encoding="utf-8")
    config(
        f"[profile app]\nrole_arn = {ROLE}\nsource_profile = keys\n"
        "[profile keys]\naws_access_key_id = AKIA\naws_secret_access_key = s\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "none")
    assert reason_of(PROVIDERS[kind](str(world / "token")).fetch) == NO_PROFILE


def test_credentials_of_one_profile_need_no_other(config, monkeypatch):
    config("[profile keys]\naws_access_key_id = AKIA\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_PROFILE", "none")
    assert from_ini(profile="keys").fetch().access_key == "AKIA"
