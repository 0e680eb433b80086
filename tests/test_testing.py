"""``botocore_ext.testing``: the contract for providers of other packages, and what it finds."""

import json
import socket
import subprocess
import sys
import venv
from importlib import import_module
from pathlib import Path

import pytest

from botocore_ext import FrozenCredentials, option
from botocore_ext.testing import ProviderContract

PLUGIN = Path(__file__).parent / "plugin"
ENTRIES = {"providers": [("acme_path", "AcmeProvider")], "tokens": [("acme", "token")]}


@pytest.fixture
def acme(package):
    """Install the package, and return its provider."""
    package("acme-vault", (PLUGIN / "acme_vault.py").read_text(encoding="utf-8"), **ENTRIES)
    return import_module("acme_vault").AcmeProvider


class TestAcme(ProviderContract):
    """The contract for the provider of another package."""

    @pytest.fixture(autouse=True)
    def _provider(self, acme, monkeypatch):
        monkeypatch.setattr(type(self), "provider", acme, raising=False)

    def options(self):
        return {"path": "team/app", "passphrase": "open sesame"}


#: Test of the contract -> what breaks it.
BROKEN = {
    "every_option_is_explained_and_typed": {"more": option(help="not a sentence")},
    "a_profile_finds_the_provider_by_its_keys": {
        "other": option(ini="other_path", selects=True, help="Another key.")
    },
    "construction_and_load_do_no_io": {"load": lambda self: socket.socket()},
    "load_in_a_profile_does_no_network_io": {"load": lambda self: None},
    "load_is_none_where_nothing_selects_the_provider": {"load": lambda self: self},
    "a_missing_option_is_named_with_every_way_to_set_it": {
        "load": lambda self: None,
        "fetch": lambda self: FrozenCredentials("AKID", "secret"),
    },
    "an_unknown_keyword_names_the_nearest": {"__init__": lambda self, **_: None},
    "no_secret_is_shown": {"__repr__": lambda self: f"{self._code_values}"},
    "a_specification_travels_and_credentials_do_not": {
        "__reduce__": lambda self: (str, ("secret of team/app",))
    },
    "refresh_begins_five_minutes_before_expiration": {"refresh_window": 60},
    "only_tokens_can_be_replaced": {
        "__setattr__": lambda self, name, value: name == "path" or vars(self).update({name: value})
    },
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_contract_finds_what_is_broken(name, acme, request, monkeypatch, tmp_path):
    broken = type("AcmeProvider", (acme,), BROKEN[name])
    contract = type("Contract", (TestAcme,), {"provider": broken})()
    test = getattr(contract, f"test_{name}")
    names = test.__code__.co_varnames[1 : test.__code__.co_argcount]
    with pytest.raises(AssertionError):
        test(**{one: request.getfixturevalue(one) for one in names})


def test_the_contract_has_options_for_providers_without_any(monkeypatch, tmp_path):
    """Such as one that reads the environment alone."""
    contract = ProviderContract()
    assert contract.options() == {}
    assert contract.prepare() is None
    assert contract.home(monkeypatch, tmp_path) == tmp_path


def test_credentials_without_expiration_have_no_refresh(acme, monkeypatch, tmp_path):
    fetch = {"fetch": lambda self: FrozenCredentials("AKID", "secret")}
    contract = type("Contract", (TestAcme,), {"provider": type("Static", (acme,), fetch)})()
    contract.test_refresh_begins_five_minutes_before_expiration(monkeypatch, tmp_path)


@pytest.mark.proof
def test_a_wheel_adds_its_provider_to_a_fresh_environment(tmp_path, config):
    """Built and installed without a network; botocore comes from this environment."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(build, check=True, cwd=PLUGIN, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    fresh = tmp_path / "fresh"
    venv.create(fresh, symlinks=True, with_pip=True)
    python = fresh / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(install, check=True)
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    place = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    here = [one for one in sys.path if one.endswith("site-packages")]
    (place / "here.pth").write_text("\n".join([str(PLUGIN.parent.parent), *here]))

    config("[default]\nacme_path = team/app\n")
    export = [python, "-m", "botocore_ext", "export"]
    done = subprocess.run(export, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["SecretAccessKey"] == "secret of team/app"
    contract = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "contract_of_acme.py"]
    done = subprocess.run(
        [*contract, f"--rootdir={tmp_path}", "-c", "/dev/null"],
        check=False,
        capture_output=True,
        text=True,
        cwd=PLUGIN,
    )
    assert " passed" in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout
