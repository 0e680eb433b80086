"""Threads that share a new session: no first load fails, and each thing is fetched once.

Plain botocore loses first loads here: its ``AssumeRoleProvider`` can be loaded only once.
"""

import boto3
import botocore.session
import pytest

import botocore_ext
from botocore_ext.profiles.plain_roles import PlainRoleProvider
from botocore_ext.providers.insertion import RoleProvider
from tests import effort, fakes
from tests.refresh.test_refresh import together

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
ROLE = "arn:aws:iam::123456789012:role"
SHAPES = {
    "web": ["AssumeRoleWithWebIdentity"],
    "identity": ["GetCredentialsForIdentity"],
    "pool": ["GetId", "GetCredentialsForIdentity"],
    "endpoint": ["GET"],
    "chain": ["GET"],
    "role-on-pool": ["GetId", "GetCredentialsForIdentity", "AssumeRole"],
    "role-on-web": ["AssumeRoleWithWebIdentity", "AssumeRole"],
    "role-by-source": ["GET", "AssumeRole"],
    "role-on-chain": ["GET", "AssumeRole"],
    "role-on-keys": ["AssumeRole"],
    "role-on-role-on-keys": ["AssumeRole", "AssumeRole"],
    "keys": [],
}


@pytest.fixture
def profiles(config, aws, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config(f"""
[profile web]
role_arn = {ROLE}/Web
web_identity_token = {fakes.secret("token")}
[profile identity]
cognito_identity_id = {POOL}
[profile pool]
cognito_identity_pool_id = {POOL}
[profile endpoint]
container_credentials_full_uri = {aws.url}
[profile chain]
credential_chain = CustomCognitoIdentity, profile endpoint
[profile role-on-pool]
role_arn = {ROLE}/App
source_profile = pool
[profile role-on-web]
role_arn = {ROLE}/App
source_profile = web
[profile role-by-source]
role_arn = {ROLE}/App
credential_source = CustomHttp
container_credentials_full_uri = {aws.url}
[profile role-on-chain]
role_arn = {ROLE}/App
source_profile = chain
[profile role-on-keys]
role_arn = {ROLE}/App
source_profile = keys
[profile role-on-role-on-keys]
role_arn = {ROLE}/Second
source_profile = role-on-keys
[profile keys]
aws_access_key_id = AKIAFILE
aws_secret_access_key = {fakes.secret()}
""")


@pytest.mark.caller_signs
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.usefixtures("profiles")
def test_sixteen_threads_share_one_new_session(shape, aws):
    botocore_ext.install()
    for _ in range(effort.rounds(3, 20)):
        aws.requests.clear()
        session = boto3.Session(profile_name=shape)
        found = together(16, lambda s=session: s.get_credentials().get_frozen_credentials())
        assert not [one for one in found if isinstance(one, Exception)]
        assert len(set(found)) == 1
        assert aws.operations() == SHAPES[shape]


@pytest.mark.caller_signs
@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.startswith("role")])
def test_a_role_can_be_loaded_a_hundred_times(shape, aws):
    botocore_ext.install()
    session = botocore.session.Session(profile=shape)
    first = session.get_credentials().get_frozen_credentials()
    for _ in range(100):
        session._credentials = None
        assert session.get_credentials().get_frozen_credentials() == first
    assert aws.operations() == SHAPES[shape]


@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.startswith("role")])
def test_the_tests_of_roles_here_are_of_both_classes(shape):
    botocore_ext.install()
    resolver = botocore.session.Session(profile=shape).get_component("credential_provider")
    kind = PlainRoleProvider if shape.endswith("on-keys") else RoleProvider
    assert type(resolver.get_provider("assume-role")) is kind


@pytest.mark.caller_signs
@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize("shape", ["role-on-keys", "role-by-source"])
def test_a_cache_that_is_set_later_is_used(aws, shape):
    """SAM sets it on the resolver's provider; credentials of an earlier load do not hide it."""
    botocore_ext.install()
    session = botocore.session.Session(profile=shape)
    session.get_credentials().get_frozen_credentials()
    resolver = session.get_component("credential_provider")
    resolver.get_provider("assume-role").cache = cache = {}
    session._credentials = None
    session.get_credentials().get_frozen_credentials()
    assert len(cache) == 1
    assert aws.operations() == [*SHAPES[shape], "AssumeRole"]


@pytest.mark.caller_signs
@pytest.mark.usefixtures("profiles")
@pytest.mark.parametrize(
    ("role", "name"),
    [("role-on-keys", "role-on-keys"), ("role-on-keys", "keys"), ("role-on-pool", "role-on-pool")],
)
def test_with_an_mfa_device_every_load_needs_a_code(world, role, name):
    path = world / "config"
    text = path.read_text().replace(f"[profile {name}]", f"[profile {name}]\nmfa_serial = device")
    path.write_text(text)
    botocore_ext.install()
    session = botocore.session.Session(profile=role)
    one = session.get_credentials()
    session._credentials = None
    assert session.get_credentials() is not one
