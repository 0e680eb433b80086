"""What people put around a session: their idioms, with the profiles of this package.

AWS CLI has a file of its own; gunicorn, Lambda, Airflow and worker processes are recipes.
"""

import pickle
import subprocess
import sys
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import JSONFileCache
from moto import mock_aws

import botocore_ext
from botocore_ext import from_web_token, tokens
from tests.commands.test_export import POOL

from . import fakes

ROOT = Path(__file__).parent.parent
PROFILES = f"""
[profile mobile]
region = eu-west-1
{POOL}

[profile app]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/App
source_profile = mobile

[profile web]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/Web
role_session_name = test
web_identity_token = env://GOOGLE_TOKEN
"""


@pytest.fixture(autouse=True)
def _profiles(config, monkeypatch):
    config(PROFILES)
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))


def signers(aws):
    """Return the access keys that signed the calls of the program."""
    return [
        one.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        for one in aws.requests
        if one.operation == "GetCallerIdentity"
    ]


def returned_keys(aws, operation):
    """Return the access keys that an operation returned."""
    return [one.gave for one in aws.requests if one.operation == operation]


@pytest.mark.caller_signs
def test_sam_keeps_roles_in_files_on_its_default_session(aws, tmp_path):
    """As ``samcli/cli/context.py`` does, and programs like it."""
    botocore_ext.install()
    for _ in range(2):  # two runs of the program
        session = botocore.session.get_session()
        boto3.setup_default_session(botocore_session=session, profile_name="app")
        roles = session.get_component("credential_provider").get_provider("assume-role")
        roles.cache = JSONFileCache(str(tmp_path))
        boto3.client("sts").get_caller_identity()
        boto3.DEFAULT_SESSION = None
    assert len([*tmp_path.iterdir()]) == 1
    assert signers(aws) == returned_keys(aws, "AssumeRole") * 2


@pytest.mark.caller_signs
def test_a_session_of_boto3_is_given_the_cache_of_roles(aws, tmp_path):
    """The same from boto3's side, as programs do that wish to share what AWS CLI keeps."""
    botocore_ext.install()
    for _ in range(2):
        session = boto3.Session(profile_name="app")
        resolver = session._session.get_component("credential_provider")
        resolver.get_provider("assume-role").cache = JSONFileCache(str(tmp_path))
        session.client("sts").get_caller_identity()
    assert signers(aws) == returned_keys(aws, "AssumeRole") * 2


@pytest.mark.caller_signs
def test_the_default_session_of_boto3(aws):
    botocore_ext.install()
    boto3.setup_default_session(profile_name="mobile")
    boto3.client("sts").get_caller_identity()
    boto3.resource("s3")
    boto3.setup_default_session(profile_name="web")
    boto3.client("sts").get_caller_identity()
    assert signers(aws) == [
        *returned_keys(aws, "GetCredentialsForIdentity"),
        *returned_keys(aws, "AssumeRoleWithWebIdentity"),
    ]


@pytest.mark.filterwarnings("error:boto3 has a default session already")
def test_a_default_session_that_was_there_before_is_extended(aws):
    boto3.setup_default_session(profile_name="mobile")
    botocore_ext.extend(boto3.DEFAULT_SESSION)
    assert boto3.DEFAULT_SESSION.get_credentials().method == "custom-cognito-identity-pool"


@pytest.fixture
def simulated():
    """A fixture as people write it."""
    with mock_aws():
        yield boto3.Session(profile_name="web")


@pytest.mark.caller_signs
def test_profiles_under_mock_aws(request):
    """The inner call is answered by moto, too; nothing is sent."""
    botocore_ext.install()
    session = request.getfixturevalue("simulated")
    session.client("s3", region_name="us-east-1").create_bucket(Bucket="reports")
    me = session.client("sts").get_caller_identity()["Arn"]
    assert me == "arn:aws:sts::123456789012:assumed-role/Web/test"
    assert session.get_credentials().method == "custom-web-token"


CHILD = """
import pickle, sys
from botocore_ext import Session
made = pickle.load(sys.stdin.buffer)
session = Session(credentials=made["credentials"], region_name=made["config"].region_name)
print(session.client("sts", config=made["config"]).get_caller_identity()["Arn"])
"""


@pytest.mark.caller_signs
def test_frozen_clock_reaches_the_package(aws, clock, monkeypatch):
    """As freezegun does it; moto then gives credentials that end in that year."""
    clock.jump(-10 * 365 * 86_400)
    monkeypatch.setattr("time.time", clock.now)
    aws.now = clock.now
    token, role = fakes.secret("token"), "arn:aws:iam::123456789012:role/Web"
    credentials = from_web_token(role_arn=role, web_identity_token=token).load()
    old = credentials.get_frozen_credentials()
    assert (credentials.expired, credentials.get_frozen_credentials()) == (False, old)
    clock.jump(4000)
    assert credentials.expired
    assert credentials.get_frozen_credentials() != old


def test_a_pickled_configuration_is_used_in_another_process(aws):
    """As schedulers do that send the settings of a task to a worker."""
    web = from_web_token(
        role_arn="arn:aws:iam::123456789012:role/Web",
        web_identity_token=tokens.TokenVariable("GOOGLE_TOKEN"),
    )
    botocore_ext.Session(credentials=web).get_credentials().get_frozen_credentials()
    pickled = pickle.dumps({"credentials": web, "config": Config(region_name="eu-west-1")})
    assert not [one for one in fakes.SECRETS if one.encode() in pickled]
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=pickled, capture_output=True, check=False, cwd=ROOT
    )
    assert done.stderr == b""
    assert done.stdout == b"arn:aws:sts::123456789012:assumed-role/Caller/session\n"
    assert signers(aws) == returned_keys(aws, "AssumeRoleWithWebIdentity")[1:]


@pytest.mark.caller_signs
def test_aws_assume_role_lib_on_top(aws):
    library = pytest.importorskip("aws_assume_role_lib")
    parent = botocore_ext.Session(profile_name="mobile")
    child = library.assume_role(parent, "arn:aws:iam::123456789012:role/App")
    child.client("sts").get_caller_identity()
    assert aws.operations() == [
        "GetId",
        "GetCredentialsForIdentity",
        "AssumeRole",
        "GetCallerIdentity",
    ]
    assert signers(aws) == returned_keys(aws, "AssumeRole")
    botocore_ext.install()  # the child's own session is made with it, too, and stays the child's
    again = library.assume_role(parent, "arn:aws:iam::123456789012:role/App")
    assert again.get_credentials().method == "assume-role"


XRAY = """
import sys
from aws_xray_sdk.core import patch, xray_recorder
from botocore_ext import from_cognito_identity_pool, from_http, from_temporary_credentials
from botocore_ext import from_web_token

xray_recorder.configure(context_missing="RUNTIME_ERROR", sampling=False)
patch(("botocore", "httplib"))
pool = from_cognito_identity_pool(identity_pool_id="us-east-1:pool")
role = {"RoleArn": "arn:aws:iam::123456789012:role/App"}
with xray_recorder.in_segment("request") as segment:
    for provider in (
        from_web_token(role_arn=role["RoleArn"], web_identity_token="the-token"),
        from_http(aws_container_credentials_full_uri=sys.argv[1]),
        from_temporary_credentials(params=role, master_credentials=pool),
    ):
        provider.load().get_frozen_credentials()
    print(*[one.name for one in segment.subsegments])
"""


def test_calls_inside_a_segment_of_xray_are_recorded(aws):
    """Outside Lambda its state is in thread-locals: a fetch in another thread would fail."""
    pytest.importorskip("aws_xray_sdk", reason="aws-xray-sdk is not installed")
    command = [sys.executable, "-c", XRAY, aws.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == ["sts", "cognito-identity", "cognito-identity", "sts"]
    assert "GET" in aws.operations()  # it does not record this one
