"""Providers and token schemes of other installed packages."""

import sys

import boto3
import pytest

import botocore_ext
from botocore_ext import ConfigurationError, create_credential_chain, explain, from_ini
from botocore_ext.__main__ import main
from tests import fakes

ROLE = "role_arn = arn:aws:iam::123456789012:role/Web"
TOKENS = """
def token(rest, scope):
    return None if rest == "/" else lambda: scope.environ["ACME"] + rest


def constant(rest, scope):
    return rest


nothing = None
"""
ACME = """
from botocore_ext import FrozenCredentials, Provider, option


class AcmeProvider(Provider):
    '''Credentials of a vault.'''

    METHOD = "custom-acme"
    CANONICAL_NAME = "CustomAcme"
    FACTORY = "from_acme"

    path = option(default=None, ini="acme_path", selects=True, required=True, help="The path.")
    role_arn = option(default=None, ini="role_arn", help="The role.")
    size = option(default=1, ini="acme_size", parse=int, help="A number.")

    def fetch(self):
        return FrozenCredentials(f"AKIA{self.path}{self.role_arn or ''}", "secret")
"""
PROVIDER = [("acme_path", "AcmeProvider")]


#: Broken in each way, with the error.
REFUSED = {
    "METHOD = acme does not begin with custom-": ('METHOD = "custom-acme"', 'METHOD = "acme"'),
    "CANONICAL_NAME = Acme does not begin with Custom": ("CustomAcme", "Acme"),
    "METHOD = custom-http is the name of a provider of botocore_ext": (
        "custom-acme",
        "custom-http",
    ),
    "FACTORY = from_sso is the name of a provider of botocore_ext": ("from_acme", "from_sso"),
    "AcmeProvider has no fetch()": ("def fetch", "def get"),
    "its entry point names no subclass of botocore_ext.Provider": (
        "class AcmeProvider(Provider)",
        "class AcmeProvider",
    ),
    "acme_path is not the ini key of an option that selects AcmeProvider": ("acme_path", "acme_x"),
    "its option size has the key output of AWS or botocore_ext": ("acme_size", "output"),
    "its option size has the key cognito_logins of AWS or botocore_ext": (
        "acme_size",
        "cognito_logins",
    ),
    "it has no entry point for acme_size, which selects it too": (
        'ini="acme_size"',
        'ini="acme_size", selects=True',
    ),
}
KEY = "aws_access_key_id = AKIA\naws_secret_access_key = s"


@pytest.fixture
def load(config):
    """Load the credentials of a profile with these settings."""

    def load(*lines):
        config("[profile mine]\nregion = eu-west-1\n" + "\n".join(lines))
        botocore_ext.install()
        return boto3.Session(profile_name="mine").get_credentials()

    return load


@pytest.fixture
def acme(package):
    """Install a package with a provider."""
    return package("acme", ACME, PROVIDER)


def signer_of(request):
    """Return the access key that a request was signed with."""
    return request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]


# Providers.


@pytest.mark.usefixtures("acme")
def test_a_profile_selects_a_provider_of_another_package(load):
    credentials = load("acme_path = vault")
    assert credentials.method == "custom-acme"
    assert credentials.access_key == "AKIAvault"
    for create in (from_ini, botocore_ext.from_default_chain):
        assert create(profile="mine").load().access_key == "AKIAvault"


@pytest.mark.usefixtures("acme")
def test_an_empty_setting_of_another_package_is_an_error(load):
    with pytest.raises(
        ConfigurationError, match="acme_path in profile 'mine' is empty: for example"
    ):
        load("acme_path =")


@pytest.mark.usefixtures("acme")
def test_role_arn_belongs_to_the_provider_that_declares_it(load):
    """A role of another provider needs a source, as next to our own settings."""
    assert load("acme_path = vault", "role_arn = arn:a").access_key == "AKIAvaultarn:a"
    chain = ("credential_chain = CustomAcme", "acme_path = vault", "role_arn = arn:a")
    assert load(*chain).access_key == "AKIAvaultarn:a"


def test_a_role_next_to_a_provider_without_roles_is_refused(package, load):
    package("acme", ACME.replace('ini="role_arn", ', ""), PROVIDER)
    with pytest.raises(ConfigurationError, match="add credential_source = CustomAcme to assume"):
        load("acme_path = vault", ROLE)


@pytest.mark.caller_signs
@pytest.mark.parametrize("name", ["CustomAcme", "CUSTOM-ACME", "from_acme"])
def test_it_is_a_credential_source(name, package, load, aws):
    package("acme", ACME.replace('ini="role_arn", ', ""), PROVIDER)
    lines = (ROLE, f"credential_source = {name}", "acme_path = vault")
    assert load(*lines).get_frozen_credentials()
    assert from_ini(profile="mine").load().get_frozen_credentials()
    assert [signer_of(one) for one in aws.requests] == ["AKIAvault", "AKIAvault"]


@pytest.mark.caller_signs
@pytest.mark.usefixtures("acme")
def test_it_is_a_source_profile_at_any_depth(load, aws):
    top = (ROLE, "source_profile = two", "[profile two]", ROLE, "source_profile = three")
    assert load(*top, "[profile three]", "acme_path = vault").get_frozen_credentials()
    assert aws.operations() == ["AssumeRole", "AssumeRole"]
    assert signer_of(aws.requests[0]) == "AKIAvault"


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("name", ["CustomAcme", "CUSTOM-ACME", "from_acme", "profile other"])
def test_it_is_a_link_of_a_chain(name, load):
    of = "\n[profile other]\n" if name.startswith("profile") else ""
    lines = (f"credential_chain = CustomHttp, {name}", f"{of}acme_path = vault")
    assert load(*lines).access_key == "AKIAvault"


@pytest.mark.usefixtures("acme")
def test_a_chain_in_code_names_it(config):
    config("[default]\nacme_path = vault\n")
    chain = create_credential_chain("custom-acme", "profile default")
    assert chain.load().access_key == "AKIAvault"


@pytest.mark.usefixtures("acme")
def test_explain_and_export_serve_it(load, capsys):
    with pytest.raises(ConfigurationError, match="acme_size in profile 'mine' invalid literal"):
        load("acme_path = vault", "acme_size = x")
    text = str(explain(boto3.Session(profile_name="mine")))
    assert "custom-acme is configured but failed" in text
    load("acme_path = vault")
    text = str(explain(boto3.Session(profile_name="mine")))
    assert "acme_path = vault  (" in text
    assert "Found by custom-acme" in text
    assert main(["export", "--profile", "mine", "--format", "env", "--show-secrets"]) == 0
    assert "export AWS_ACCESS_KEY_ID=AKIAvault" in capsys.readouterr().out


@pytest.mark.usefixtures("acme", "aws")
def test_a_role_with_it_is_explained(load):
    load(ROLE, "source_profile = other", "[profile other]", "acme_path = vault")
    text = str(explain(boto3.Session(profile_name="mine"), offline=True))
    assert "acme_path = vault  (" in text


def test_the_command_lists_providers_of_other_packages(package, capsys):
    assert main(["providers"]) == 0
    assert "package" not in capsys.readouterr().out
    package("acme", ACME, [*PROVIDER, ("http_url", "absent")])
    assert main(["providers"]) == 0
    shown = capsys.readouterr().out
    assert "| `from_acme` | `custom-acme` | `CustomAcme` | `acme_path` | acme |" in shown
    assert "Not used: a profile that needs http_url of the package acme, which cannot" in shown


def test_providers_fit_a_terminal(package, capsys, mocker, monkeypatch):
    """Markdown is for pages, and a row of it is longer."""
    package("acme", ACME, PROVIDER)
    monkeypatch.setenv("COLUMNS", "80")
    mocker.patch.object(sys.stdout, "isatty", return_value=True)
    assert main(["providers"]) == 0
    shown = capsys.readouterr().out
    assert "from_env                      env\n    Environment, selected by code only\n" in shown
    assert "    CustomAcme, selected by acme_path, of the package acme\n" in shown
    assert not [line for line in shown.splitlines() if len(line) > 80 or "`" in line]


def test_two_entry_points_may_name_one_provider(package, load, capsys):
    source = ACME.replace('ini="acme_size"', 'ini="acme_size", selects=True')
    package("acme", source, [*PROVIDER, ("acme_size", "AcmeProvider")])
    assert load("acme_path = vault", "acme_size = 2").access_key == "AKIAvault"
    assert main(["providers"]) == 0
    assert capsys.readouterr().out.count("custom-acme") == 1


@pytest.mark.usefixtures("acme")
def test_a_profile_that_is_read_again_has_it(load, config):
    """With `botocore_ext_reload`, another program may replace its settings."""
    credentials = load("botocore_ext_reload = true", "acme_path = vault")
    assert credentials.access_key == "AKIAvault"
    config("[profile mine]\nbotocore_ext_reload = true\nacme_path = other\n")
    credentials.invalidate()
    assert credentials.access_key == "AKIAother"


# Providers that cannot be used.


@pytest.mark.parametrize("fact", REFUSED)
def test_a_provider_is_refused_by_name(fact, package, load):
    package("acme", ACME.replace(*REFUSED[fact]), PROVIDER)
    with pytest.raises(ConfigurationError) as raised:
        load("acme_path = vault")
    assert raised.value.reason.endswith(
        f"has acme_path of the package acme, which cannot be used: {fact}"
    )


@pytest.mark.parametrize(
    "lines", [("credential_chain = CustomAcme",), (ROLE, "credential_source = CustomAcme")]
)
def test_a_refused_provider_is_refused_by_its_name_too(lines, package, load):
    package("acme", ACME.replace("custom-acme", "acme"), PROVIDER)
    with pytest.raises(ConfigurationError, match="of the package acme, which cannot be used"):
        load(*lines)


@pytest.mark.parametrize("key", ["cognito_identity_id", "output"])
def test_a_setting_of_aws_or_ours_stays_what_it_is(key, package, load, capsys):
    package("acme", ACME, [(key, "AcmeProvider")])
    load(KEY, f"{key} = us-east-1:x")
    main(["providers"])
    fact = f"has {key} of the package acme, which cannot be used: AWS or botocore_ext has that key"
    assert fact in capsys.readouterr().out


def test_two_packages_with_one_key_are_refused_by_name(package, load):
    package("acme", ACME, PROVIDER)
    package("other", ACME, PROVIDER)
    fact = "has acme_path, which the packages acme and other both have: uninstall one of them"
    with pytest.raises(ConfigurationError, match=fact):
        load("acme_path = vault")


def test_two_packages_with_one_name_are_refused_by_name(package, load):
    package("acme", ACME, PROVIDER)
    package("other", ACME.replace("acme_path", "other_path"), [("other_path", "AcmeProvider")])
    assert load("acme_path = vault")
    fact = "names CustomAcme, which the packages acme and other both have: uninstall one of them"
    with pytest.raises(ConfigurationError, match=fact):
        load("credential_chain = CustomAcme", "acme_path = vault")


@pytest.mark.parametrize(
    "lines",
    [
        ("acme_path = vault",),
        ("credential_chain = CustomAcme",),
        (ROLE, "credential_source = CustomAcme"),
        (ROLE, "source_profile = other", "[profile other]", "acme_path = vault"),
        ("acme_path = vault", "botocore_ext_reload = true"),
    ],
)
def test_a_package_that_cannot_be_imported_fails_what_needs_it(lines, package, load):
    package("acme", "import not_installed", PROVIDER)
    fact = (
        "needs acme_path of the package acme, which cannot be imported "
        "(ModuleNotFoundError: not_installed): reinstall the package"
    )
    with pytest.raises(ConfigurationError) as raised:
        load(*lines).get_frozen_credentials()
    assert raised.value.reason.endswith(fact)
    assert raised.value.reason.count("CustomAcme, which is not a known provider, and") == (
        "CustomAcme" in lines[-1]
    )
    with pytest.raises(ConfigurationError) as raised:
        from_ini(profile="mine").load().get_frozen_credentials()
    assert raised.value.reason.endswith(fact)


def test_no_other_profile_fails_with_it(package, load):
    package("acme", "import not_installed", PROVIDER)
    broken = ("[profile other]", "acme_path = vault", ROLE)
    assert load("granted_x = 1", KEY, *broken)
    assert load(ROLE, "source_profile = key", "[profile key]", KEY, "other_x = 1", *broken)


def test_explain_says_which_package_cannot_be_used(package, config):
    package("acme", "import not_installed", PROVIDER)
    config("[profile mine]\nacme_path = vault\n")
    session = boto3.Session(profile_name="mine")
    botocore_ext.extend(session)
    text = str(explain(session))
    assert "acme_path is configured but failed" in text
    assert "which cannot be imported (ModuleNotFoundError: not_installed)" in text


def test_explain_shows_a_role_whose_source_cannot_be_used(package, load, config):
    package("acme", "import not_installed", PROVIDER)
    config(f"[profile mine]\n{ROLE}\nsource_profile = other\n[profile other]\nacme_path = vault\n")
    session = boto3.Session(profile_name="mine")
    botocore_ext.extend(session)
    text = str(explain(session))
    assert "assume-role is configured but failed" in text
    assert "profile 'other' of" in text
    assert "needs acme_path of the package acme, which cannot be imported" in text


# Inertness.


@pytest.mark.parametrize(
    "lines",
    [
        ("cli_pager =", "cli_of_tomorrow = 1", "output = json"),
        ("container_credentials_full_uri = http://127.0.0.1/",),
        (ROLE, "web_identity_token = env://TOKEN"),
        (ROLE, "source_profile = key", "[profile key]", KEY, "cli_pager ="),
    ],
)
def test_entry_points_are_not_read_for_known_settings(lines, acme, load, caplog):
    """Reading them would warn."""
    (acme / "entry_points.txt").write_bytes(b"\xff")
    load(*lines)
    assert not [one for one in caplog.messages if "entry points" in one]
    load("unknown_x = 1", *lines)
    assert len([one for one in caplog.messages if "entry points" in one]) == 1


@pytest.mark.usefixtures("acme")
def test_without_plugins_a_setting_is_unknown(load, monkeypatch):
    monkeypatch.setenv("BOTOCORE_EXT_NO_PLUGINS", "1")
    assert load("acme_path = vault") is None
    text = str(explain(boto3.Session(profile_name="mine")))
    assert "BOTOCORE_EXT_NO_PLUGINS is set, so no other package is searched for acme_path" in text


@pytest.mark.usefixtures("acme")
def test_a_misspelled_setting_of_another_package_is_an_error(load):
    fact = "the setting acme_siez, which botocore_ext does not know: did you mean acme_size"
    with pytest.raises(ConfigurationError, match=fact):
        load("acme_path = vault", "acme_siez = 2")


@pytest.mark.usefixtures("acme")
def test_a_misspelled_setting_next_to_the_right_one_is_named(load, caplog):
    load("acme_path = vault", "acme_pathh = x")
    assert "acme_pathh, which botocore_ext does not know: did you mean acme_path?" in caplog.text


def test_a_setting_of_another_package_is_not_taken_for_ours(package, load, caplog):
    package("acme", ACME.replace("acme_path", "cognito_path"), [("cognito_path", "AcmeProvider")])
    assert load("cognito_path = vault").access_key == "AKIAvault"
    assert "did you mean" not in caplog.text


# Token schemes.


def reason(load, token):
    with pytest.raises(ConfigurationError) as raised:
        load(ROLE, f"web_identity_token = {token}")
    return raised.value.reason.partition(": for example, set ")[0]


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
        assert found.endswith("oauth://NAME, acme://...)")


def test_a_misspelled_scheme_of_another_package_is_named(package, load):
    package("acme-tokens", TOKENS, tokens=[("acme", "token")])
    assert "did you mean acme://" in reason(load, "amce://x")


def test_token_scheme_that_cannot_be_imported_names_its_package(package, load):
    """The profile fails, and no other one."""
    package("acme-tokens", "import not_installed", tokens=[("acme", "token")])
    package("broken", "1 / 0", tokens=[("broken", "token")])
    package("empty", TOKENS, tokens=[("absent", "absent"), ("empty", "nothing")])
    of = "web_identity_token in profile 'mine' uses"
    assert reason(load, "acme://x") == (
        f"{of} acme:// of the package acme-tokens, which cannot be imported "
        "(ModuleNotFoundError: not_installed): reinstall the package"
    )
    assert "cannot be imported (ZeroDivisionError): reinstall" in reason(load, "broken://x")
    assert "cannot be imported (AttributeError): reinstall" in reason(load, "absent://x")
    assert reason(load, "empty://x") == (
        f"{of} empty:// of the package empty, whose entry point names no function: update it"
    )
    assert load(ROLE, "web_identity_token = env://TOKEN")


def test_two_packages_with_one_token_scheme_are_refused(package, load):
    package("acme-tokens", TOKENS, tokens=[("acme", "token")])
    package("other-tokens", TOKENS, tokens=[("acme", "token")])
    assert reason(load, "acme://x") == (
        "web_identity_token in profile 'mine' uses acme://, which the packages acme-tokens and "
        "other-tokens both have: uninstall one of them"
    )


def test_a_plugin_cannot_replace_our_token_scheme(package, load, aws, monkeypatch):
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
