"""Providers and token schemes of other installed packages."""

import boto3
import pytest

import botocore_ext
from botocore_ext import ConfigurationError
from tests import fakes

ROLE = "role_arn = arn:aws:iam::123456789012:role/Web"
TOKENS = """
def token(rest, scope):
    return None if rest == "/" else lambda: scope.environ["ACME"] + rest


def constant(rest, scope):
    return rest


nothing = None
"""


@pytest.fixture
def load(config):
    """Load the credentials of a profile with these settings."""

    def load(*lines):
        config("[profile mine]\n" + "\n".join(lines))
        botocore_ext.install()
        return boto3.Session(profile_name="mine").get_credentials()

    return load


# Token schemes.


def reason(load, token):
    with pytest.raises(ConfigurationError) as raised:
        load(ROLE, f"web_identity_token = {token}")
    return raised.value.reason.partition(": write, for example")[0]


def test_a_token_scheme_of_another_package_is_read_at_each_fetch(package, load, aws, monkeypatch):
    package("acme-tokens", TOKENS, tokens=[("acme", "token"), ("plain", "constant")])
    credentials = load(ROLE, "web_identity_token = ACME://-vault")
    for token in (fakes.secret(), fakes.secret()):
        monkeypatch.setenv("ACME", token)
        credentials.invalidate()
        assert credentials.get_frozen_credentials().access_key
        assert aws.requests[-1].parameters["WebIdentityToken"] == f"{token}-vault"
    assert load(ROLE, "web_identity_token = plain://text").get_frozen_credentials()
    assert aws.requests[-1].parameters["WebIdentityToken"] == "text"


def test_a_login_may_use_a_token_scheme_of_another_package(package, load, aws):
    package("acme-tokens", TOKENS, tokens=[("plain", "constant")])
    pool = "cognito_identity_id = us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
    login = "    accounts.google.com = plain://text"
    assert load(pool, "cognito_logins =", login).get_frozen_credentials()
    assert aws.requests[-1].parameters["Logins"] == {"accounts.google.com": "text"}


def test_a_token_scheme_may_refuse_a_reference(package, load):
    package("acme-tokens", TOKENS, tokens=[("acme", "token")])
    for incomplete in ("acme:///", "acme://"):
        found = reason(load, incomplete)
        assert "is not a complete token reference (file:///ABSOLUTE/PATH, " in found
        assert found.endswith("ambient://AUDIENCE, acme://...)")


def test_a_misspelled_scheme_of_another_package_is_named(package, load):
    package("acme-tokens", TOKENS, tokens=[("acme", "token")])
    assert "but nearly acme://" in reason(load, "amce://x")


def test_a_token_scheme_that_cannot_be_imported_names_its_package(package, load):
    """The profile fails, and no other one."""
    package("acme-tokens", "import not_installed", tokens=[("acme", "token")])
    package("broken", "1 / 0", tokens=[("broken", "token")])
    package("empty", TOKENS, tokens=[("absent", "absent"), ("empty", "nothing")])
    of = "web_identity_token in profile 'mine' uses"
    assert reason(load, "acme://x") == (
        f"{of} acme:// of the package acme-tokens, which cannot be imported "
        "(ModuleNotFoundError: not_installed)"
    )
    assert reason(load, "broken://x").endswith("cannot be imported (ZeroDivisionError)")
    assert reason(load, "absent://x").endswith("cannot be imported (AttributeError)")
    assert reason(load, "empty://x") == (
        f"{of} empty:// of the package empty, whose entry point names no function"
    )
    assert load(ROLE, "web_identity_token = env://TOKEN")


def test_two_packages_with_one_token_scheme_are_refused(package, load):
    package("acme-tokens", TOKENS, tokens=[("acme", "token")])
    package("other-tokens", TOKENS, tokens=[("acme", "token")])
    assert reason(load, "acme://x") == (
        "web_identity_token in profile 'mine' uses acme://, which the packages acme-tokens and "
        "other-tokens both have (uninstall one of them)"
    )


def test_a_token_scheme_of_ours_stays_ours(package, load, aws, monkeypatch):
    package("acme-tokens", TOKENS, tokens=[("env", "constant")])
    monkeypatch.setenv("TOKEN", token := fakes.secret())
    assert load(ROLE, "web_identity_token = env://TOKEN").get_frozen_credentials()
    assert aws.requests[-1].parameters["WebIdentityToken"] == token


def test_plugins_can_be_switched_off(package, load, monkeypatch):
    package("acme-tokens", TOKENS, tokens=[("acme", "token")])
    monkeypatch.setenv("BOTOCORE_EXT_NO_PLUGINS", "1")
    found = reason(load, "acme://x")
    assert "is not a known kind of token reference (" in found
    assert found.endswith("and those of other packages, without BOTOCORE_EXT_NO_PLUGINS)")
    monkeypatch.setenv("BOTOCORE_EXT_NO_PLUGINS", "0")
    assert load(ROLE, "web_identity_token = acme://x")


def test_a_damaged_package_is_not_an_error_of_every_profile(package, load, caplog):
    """A profile that plain botocore can use stays usable."""
    about = package("acme-tokens", TOKENS, tokens=[("acme", "token")])
    (about / "entry_points.txt").write_bytes(b"[botocore_ext.tokens]\n\xff = a:b\n")
    assert "is not a known kind" in reason(load, "acme://x")
    assert "The entry points of installed packages cannot be read (UnicodeDecodeError)" in (
        caplog.text
    )
