"""The plugin for AWS CLI v1, by the event that it is called with, and with the real program.

``BOTOCORE_EXT_AWS`` names programs, with ``os.pathsep`` between them; otherwise ``aws`` is taken
that is next to this interpreter. This package must be installed in the environment of each.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import botocore.session
import pytest
from botocore.credentials import JSONFileCache

from botocore_ext import awscli
from botocore_ext.profiles.plain_roles import PlainRoleProvider
from botocore_ext.providers.insertion import RoleProvider
from tests import fakes
from tests.commands.test_export import POOL
from tests.tools import tools_page

BESIDE = Path(sys.executable).parent
PROGRAMS = [*filter(None, os.environ.get("BOTOCORE_EXT_AWS", "").split(os.pathsep))] or [
    str(BESIDE / "aws")
]
PLUGIN = """
[plugins]
botocore_ext = botocore_ext.awscli
"""
PROFILES = f"""
[default]
region = eu-west-1

[profile mobile]
region = eu-west-1
{POOL}

[profile identity]
region = eu-west-1
cognito_identity_id = us-east-1:00000000-0000-0000-0000-000000000000

[profile web]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://GOOGLE_TOKEN

[profile endpoint]
region = eu-west-1
container_credentials_full_uri = ENDPOINT/keys

[profile chain]
region = eu-west-1
credential_chain = Environment, profile web

[profile source]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/App
source_profile = mobile

[profile named]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/App
credential_source = CustomCognitoIdentityPool
{POOL}

[profile plain-role]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/App
source_profile = long-term

[profile plain-web]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token_file = TOKEN_FILE

[profile for-others]
region = eu-west-1
credential_process = PYTHON -m botocore_ext export --profile mobile
"""
STATIC = """
[long-term]
aws_access_key_id = AKIALONGTERM
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
#: How the credentials of each profile come about.
METHODS = {
    "mobile": "custom-cognito-identity-pool",
    "identity": "custom-cognito-identity",
    "web": "custom-web-token",
    "endpoint": "custom-http",
    "chain": "custom-credential-chain",
    "source": "assume-role",
    "named": "assume-role",
    "plain-role": "assume-role",
    "plain-web": "assume-role-with-web-identity",
    "for-others": "custom-process",
}
OURS = ["mobile", "identity", "web", "endpoint", "chain"]
BUCKETS = """<ListAllMyBucketsResult><Owner><ID>me</ID></Owner><Buckets><Bucket>
<Name>reports</Name><CreationDate>2026-11-22T12:00:00.000Z</CreationDate>
</Bucket></Buckets></ListAllMyBucketsResult>"""


@pytest.fixture
def profiles(aws, config, world, monkeypatch):
    """Return what writes the config file, with the plugin or another."""
    token = world / "token"
    token.write_text(fakes.secret("token"))
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))
    here = {"ENDPOINT": aws.url, "TOKEN_FILE": str(token), "PYTHON": sys.executable}

    def write(plugin=PLUGIN):
        text = PROFILES
        for name, value in here.items():
            text = text.replace(name, value)
        config(plugin + text, STATIC)

    write()
    return write


def signer(aws):
    """Return the access key of the last signed request."""
    return aws.requests[-1].headers["Authorization"].partition("Credential=")[2].partition("/")[0]


@pytest.mark.caller_signs
class TestEvent:
    """What the event does, without the program: a session, and the CLI's own part in it."""

    @pytest.fixture
    def start(self, profiles, tmp_path):
        """Return what starts a command: with its plugins, its profile, its caches."""

        def inject(session, **_):
            resolver = session.get_component("credential_provider")
            for method in ("assume-role", "assume-role-with-web-identity"):
                resolver.get_provider(method).cache = JSONFileCache(str(tmp_path))

        def start(profile, inject=inject):
            session = botocore.session.Session()
            hooks = session.get_component("event_emitter")
            hooks.register("session-initialized", inject)
            awscli.awscli_initialize(hooks)
            session.set_config_variable("profile", profile)
            session.emit("session-initialized", session=session, parsed_args=None)
            return session

        return start

    @pytest.mark.parametrize("profile", METHODS)
    def test_session_has_new_credentials(self, start, profile):
        credentials = start(profile).get_credentials()
        assert credentials.method == METHODS[profile]
        assert credentials.access_key.startswith("ASIA")

    @pytest.mark.parametrize(
        ("profile", "kind"), [("source", RoleProvider), ("plain-role", PlainRoleProvider)]
    )
    def test_the_cache_of_roles_is_that_of_the_cli(self, start, profile, kind, tmp_path, aws):
        session = start(profile)
        resolver = session.get_component("credential_provider")
        assert type(resolver.get_provider("assume-role")) is kind
        key = session.get_credentials().access_key
        assert len([*tmp_path.iterdir()]) == 1
        assert start(profile).get_credentials().access_key == key
        assert aws.operations().count("AssumeRole") == 1

    def test_aws_configure_creates_a_profile_as_before(self, start):
        assert start("new", inject=lambda **_: None).profile == "new"

    def test_session_of_another_botocore_is_reported(self, capsys):
        hooks = botocore.session.Session().get_component("event_emitter")
        awscli.awscli_initialize(hooks)
        hooks.emit("session-initialized", session=SimpleNamespace(), parsed_args=None)
        assert capsys.readouterr().err == awscli.NOT_HERE


def reason_not_selected(program):
    """Return why a program cannot be tried; empty where it can."""
    if shutil.which(program) is None:
        return f"there is no AWS CLI ({program}): name some in BOTOCORE_EXT_AWS"
    return ""


@pytest.fixture(params=PROGRAMS)
def cli(request, profiles):
    """Return what runs the program, and gives what it prints."""
    if reason_not_selected(request.param):
        pytest.skip(reason_not_selected(request.param))

    def cli(*arguments, status=0):
        done = subprocess.run(
            [request.param, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == status, done.stderr
        assert not [one for one in fakes.SECRETS if one in done.stderr]
        return done.stderr if status else done.stdout

    return cli


def cached_roles(world):
    """Return the files of the cache of roles."""
    return [*(world / ".aws" / "cli" / "cache").glob("*.json")]


@pytest.mark.parametrize("profile", OURS)
def test_command_signs_with_new_credentials(cli, aws, world, profile):
    """AWS CLI does not cache them, unlike those of roles."""
    said = json.loads(cli("--profile", profile, "sts", "get-caller-identity"))
    assert said["Account"] == "123456789012"
    assert aws.operations()[-1] == "GetCallerIdentity"
    assert signer(aws) == aws.requests[-2].gave
    assert cached_roles(world) == []


@pytest.mark.parametrize("profile", ["plain-role", "plain-web", "source", "named"])
def test_next_command_reads_the_role_from_the_cache(cli, aws, world, profile):
    for _ in range(2):
        cli("--profile", profile, "sts", "get-caller-identity")
    (cached,) = cached_roles(world)
    assert json.loads(cached.read_text())["Credentials"]["AccessKeyId"] == signer(aws)
    assert len([one for one in aws.operations() if one.startswith("AssumeRole")]) == 1


def test_configure_list_shows_the_method_of_a_role_on_top(cli):
    (line,) = [
        one
        for one in cli("--profile", "source", "configure", "list").splitlines()
        if "access_key" in one
    ]
    assert "assume-role" in line


def test_command_prints_the_error_of_a_provider(cli, aws):
    aws.always("GetId", fakes.error("ResourceNotFoundException"))
    said = cli("--profile", "mobile", "sts", "get-caller-identity", status=255)
    assert "ResourceNotFoundException" in said


def test_without_the_plugin_there_are_no_credentials(cli, profiles):
    profiles(plugin="")
    said = cli("--profile", "mobile", "sts", "get-caller-identity", status=255)
    assert "Unable to locate credentials" in said


@pytest.mark.parametrize(("command", "printed"), tools_page.commands("aws"))
def test_the_page_shows_what_a_command_prints(command, printed, cli, aws, config, world):
    file = config(tools_page.PROFILES)
    aws.always("GetCredentialsForIdentity", tools_page.keys)
    aws.always("GET", fakes.Answer(BUCKETS.encode()))
    assert cli(*command.split()[1:]).replace(str(file), "~/.aws/config") == printed


def test_a_new_profile_can_be_made(cli, world):
    cli("configure", "set", "region", "eu-west-3", "--profile", "new")
    assert "eu-west-3" in (world / "config").read_text()
    said = cli("--profile", "other", "sts", "get-caller-identity", status=255)
    assert "The config profile (other) could not be found" in said


def test_without_the_plugin_it_takes_what_export_prints(cli, aws, profiles):
    profiles(plugin="")
    cli("--profile", "for-others", "sts", "get-caller-identity")
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity", "GetCallerIdentity"]
    assert signer(aws) == aws.requests[1].gave
