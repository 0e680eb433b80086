"""What every provider promises."""

import inspect

import botocore.session
import pytest

from botocore_ext import ConfigurationError, NotConfigured, Provider, from_http, from_ini
from botocore_ext.providers.files import FilesProvider
from botocore_ext.testing import ProviderContract
from tests import fakes, x509

from ..declared import EVERY, NATIVE, PROVIDERS

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
ROLE = "arn:aws:iam::123456789012:role/Web"
START_URL = "https://d-abc123.awsapps.com/start"
USER = "arn:aws:iam::123456789012:user/me"


def working_options(kind, url, world=None):
    """The least that makes each provider work, with every secret it may hold."""
    return {
        "create_credential_chain": lambda: {"links": [endpoint(url)]},
        "from_web_token": lambda: {
            "role_arn": ROLE,
            "web_identity_token": fakes.secret("token"),
        },
        "from_cognito_identity": lambda: {
            "identity_id": POOL,
            "logins": {"accounts.google.com": fakes.secret("login")},
        },
        "from_cognito_identity_pool": lambda: {
            "identity_pool_id": POOL,
            "logins": {"accounts.google.com": fakes.secret("login")},
        },
        "from_http": lambda: endpoint(url)._code_values,
        "from_roles_anywhere": lambda: {
            "trust_anchor_arn": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/TA",
            "profile_arn": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/P",
            "role_arn": ROLE,
            "certificate": f"{world}/server.pem",
            "private_key": f"{world}/server.key",
        },
        "from_temporary_credentials": lambda: {
            "params": {"RoleArn": ROLE},
            "master_credentials": endpoint(url),
        },
        "from_token_file": lambda: {
            "role_arn": ROLE,
            "web_identity_token_file": f"{world}/token",
        },
        "from_sso": lambda: {
            "sso_start_url": START_URL,
            "sso_account_id": "123456789012",
            "sso_region": "us-east-1",
            "sso_role_name": "SampleRole",
        },
        "from_login_credentials": lambda: {"login_session": USER},
        "from_process": lambda: {"credential_process": fakes.keys_command(world, url)},
    }.get(kind.FACTORY, dict)()


def endpoint(url):
    return from_http(
        aws_container_credentials_full_uri=f"{url}/{fakes.secret('path')}",
        aws_container_authorization_token=fakes.secret("authorization"),
    )


@pytest.fixture
def surroundings(world, monkeypatch, aws):
    """Give a provider what it needs besides its options: files, and the environment."""
    aws.now = fakes.FakeClock().now  # no key of the fake expires during a test

    def environment():
        keys = aws.keys()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", keys["Token"])
        monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", keys["Expiration"])

    def instance():
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.url)

    def profile():
        address = f"container_credentials_full_uri = {aws.url}/{fakes.secret('path')}"
        (world / "config").write_text(f"[default]\n{address}\n")

    def certificate():
        own = x509.issue("server", key := x509.ec_key(), days=3650)
        (world / "server.pem").write_bytes(x509.pem(own))
        (world / "server.key").write_bytes(x509.pem_of(key))

    container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/{fakes.secret('path')}")
    logins, expires = world / ".aws" / "login" / "cache", aws.now() + 3600
    needs = {
        "from_env": environment,
        "from_ini": profile,
        "from_default_chain": profile,
        "from_container_metadata": lambda: monkeypatch.setenv(*container),
        "from_instance_metadata": instance,
        "from_token_file": lambda: (world / "token").write_text(fakes.secret("token")),
        "from_roles_anywhere": certificate,
        "from_sso": lambda: fakes.sso_token(world, START_URL, expires + 3600),
        "from_login_credentials": lambda: fakes.login_token(logins, USER, expires),
    }
    return lambda kind: needs.get(kind.FACTORY, lambda: None)()


class _OfThisPackage(ProviderContract):
    """The contract for one provider of this package."""

    @pytest.fixture(autouse=True)
    def _surroundings(self, surroundings, world, aws):
        self._prepare, self._world, self._url = surroundings, world, aws.url

    def options(self):
        return working_options(self.provider, self._url, self._world)

    def prepare(self):
        self._prepare(self.provider)

    def now(self):
        return fakes.FakeClock().now()

    def home(self, *_):
        return self._world

    def ways_to_set(self, one, home):
        if self.reads_files and len(self.options()) == 1:  # it is a profile that is to have it
            return [f"{one.ini} = {one.example} in profile 'default' of {home}"]
        return super().ways_to_set(one, home)


def _contract_of(kind):
    changed = {"provider": kind, "reads_files": issubclass(kind, FilesProvider)}
    if kind in NATIVE:  # a profile has it by the settings of botocore, from botocore
        changed["test_a_profile_finds_the_provider_by_its_keys"] = None
    if kind.FACTORY in ("from_ini", "from_default_chain"):  # any profile that is there selects it
        changed["test_load_is_none_where_nothing_selects_the_provider"] = None
    return type(f"Test{kind.__name__}", (_OfThisPackage,), changed)


globals().update({f"Test{kind.__name__}": _contract_of(kind) for kind in EVERY})


def test_from_ini_is_not_configured_without_its_profile(config):
    config("[profile other]\nregion = eu-west-1\n")
    provider = from_ini(profile="none")
    assert provider.load() is None
    assert provider._not_configured().try_next_link


def test_every_inserted_provider_has_a_selecting_setting():
    for kind in PROVIDERS:
        assert [one for one in kind.options() if one.selects and one.ini]


def test_names_are_unique_and_differ_from_botocores():
    session = botocore.session.Session()
    taken = session.get_component("credential_provider").providers
    theirs = {one.METHOD: one.CANONICAL_NAME for one in taken}
    same = {kind.METHOD: kind for kind in EVERY if kind.METHOD in theirs}
    assert set(same.values()) == set(NATIVE)
    for method, kind in same.items():
        assert (theirs[method] or f"Custom{kind.__name__[:-8]}") == kind.CANONICAL_NAME
    for kind in set(EVERY) - set(NATIVE):
        assert kind.METHOD.startswith("custom-")
        assert kind.CANONICAL_NAME.startswith("Custom")
    assert len({kind.METHOD for kind in EVERY}) == len(EVERY)
    names = {str(kind.CANONICAL_NAME).lower() for kind in EVERY}
    assert len(names) == len(EVERY)
    assert {name.lower() for name in theirs.values() if name} & names == {
        theirs[method].lower() for method in same if theirs[method]
    }


def test_each_ini_key_means_one_thing():
    meanings = {}
    for kind in EVERY:
        for one in kind.options():
            if one.ini:
                meanings.setdefault(one.ini, set()).add(one.name)
    assert all(len(names) == 1 for names in meanings.values())


def test_help_of_a_class_without_options_is_its_docstring():
    (without,) = (one for one in Provider.__mro__ if one.__name__ == "Specification")
    assert inspect.getdoc(without).startswith("A provider without credentials")
    assert "Args:" not in inspect.getdoc(without)


def test_help_shows_the_public_names_of_types():
    """What they consist of would be three lines, which Sphinx cannot read."""
    help_of = {kind.FACTORY: str(kind.__doc__) for kind in EVERY}
    assert "web_identity_token (Token): " in help_of["from_web_token"]
    assert "master_credentials (Source | Mapping" in help_of["from_temporary_credentials"]


def test_dir_shows_what_a_user_needs():
    """What completion offers is the API: the rest of a provider has an underscore."""
    for kind in EVERY:
        expected = {"METHOD", "CANONICAL_NAME", "FACTORY", "FEATURE_IDS", "options", "scope"}
        expected |= {"load", "fetch", "bind", "invalidate", "is_selected", "check", "read_token"}
        expected |= {one.name for one in kind.options()}
        expected |= {
            "from_cognito_identity": {"logout"},
            "from_cognito_identity_pool": {"identity_id", "logout"},
        }.get(kind.FACTORY, set())
        assert {name for name in dir(kind) if not name.startswith("_")} == expected


def test_http_without_an_address_names_all_ways_to_set_it():
    kind = from_http
    assert kind().load() is None
    with pytest.raises(ConfigurationError) as raised:
        kind().fetch()
    for one in kind.options():
        if one.selects:
            assert f"pass {one.name}={one.code_example} to {kind.FACTORY}()" in str(raised.value)
            assert f"set the environment variable {one.env}=" in str(raised.value)


@pytest.mark.parametrize(
    "kind",
    [kind for kind in NATIVE if not any(one.required for one in kind.options())],
    ids=lambda kind: kind.FACTORY,
)
def test_reason_names_the_variable_that_is_not_set(kind):
    assert kind().load() is None
    with pytest.raises(NotConfigured, match="AWS_.* is (not set|set|true)"):
        kind().fetch()
