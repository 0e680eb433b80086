"""The index says of the providers what they declare, and a session loads only what it names."""

import subprocess
import sys

import botocore.session
import pytest

import botocore_ext
from botocore_ext.registry import NATIVE, PROVIDERS
from botocore_ext.resolving import index

ROLE = "role_arn = arn:aws:iam::123456789012:role/Web\n"
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"

#: The text of a profile -> the providers whose modules a look for its credentials loads.
SHAPES = {
    f"{ROLE}web_identity_token = token": {"web_identity", "web_token"},
    f"cognito_identity_id = {POOL}": {"cognito", "cognito_identity"},
    f"cognito_identity_pool_id = {POOL}": {"cognito", "cognito_identity_pool"},
    "container_credentials_full_uri = http://127.0.0.1": {"http"},
    f"{ROLE}credential_source = customhttp\ncontainer_credentials_full_uri = http://[::1]": {
        "http"
    },
    f"{ROLE}source_profile = pool": {"cognito", "cognito_identity"},
    f"{ROLE}credential_source = CustomProcess\ncredential_process = true": {"process"},
    "cogntio_identity_id = misspelt": set(),
}


def entry_of(kind):
    """Return the entry that a provider must have."""
    keys = {one.ini: one.selects for one in kind.options() if one.ini}
    return index.Entry(
        method=kind.METHOD,
        canonical_name=kind.CANONICAL_NAME,
        factory=kind.FACTORY,
        module=kind.__module__.removeprefix("botocore_ext."),
        class_name=kind.__name__,
        selecting=tuple(key for key, selects in keys.items() if selects),
        others=tuple(key for key, selects in keys.items() if not selects),
    )


def test_the_entries_are_what_the_providers_declare():
    """In their order, which is the precedence."""
    right = tuple(map(entry_of, PROVIDERS))
    lines = "\n".join(f"    {one}," for one in right)
    assert right == index.ENTRIES, (
        f"write into ENTRIES of botocore_ext/resolving/index.py:\n{lines}"
    )


def test_an_entry_loads_its_class():
    assert tuple(entry.kind() for entry in index.ENTRIES) == PROVIDERS
    for name in index.NATIVE_SOURCES:
        kind = index.source_by_name(name)
        assert kind in NATIVE
        assert name == kind.CANONICAL_NAME


def test_a_source_is_named_in_any_case_and_ours_by_method_too():
    for kind in PROVIDERS:
        for name in (kind.METHOD, kind.CANONICAL_NAME, kind.FACTORY, f" {kind.METHOD.upper()} "):
            assert index.source_by_name(name) is kind
    for name in ("CUSTOMSSO", "from_sso"):
        assert index.source_by_name(name).METHOD == "sso"
    for name in ("sso", "login", "custom-process", "Environment", "custom"):
        assert index.source_by_name(name) is None


@pytest.mark.parametrize("shape", SHAPES)
def test_a_session_loads_the_providers_that_its_profile_names(shape, config):
    config(
        f"[profile p]\nregion = eu-west-1\n{shape}\n[profile pool]\ncognito_identity_id = {POOL}\n"
    )
    code = (
        "import sys, boto3, botocore_ext; botocore_ext.install(); "
        "boto3.Session(profile_name='p').get_credentials(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    of_providers = "botocore_ext.providers."
    loaded = {
        name.removeprefix(of_providers) for name in done.stdout.split() if of_providers in name
    }
    assert loaded == SHAPES[shape]
    assert "botocore_ext.registry" not in done.stdout.split()


def test_the_place_of_a_provider_that_nothing_selects_is_kept(config, caplog):
    """Others look for it by its names, and ask it."""
    caplog.set_level("DEBUG", "botocore_ext")
    config(f"[profile p]\ncognito_identity_id = {POOL}\n")
    botocore_ext.install()
    resolver = botocore.session.Session(profile="p").get_component("credential_provider")
    for entry in index.ENTRIES:
        provider = resolver.get_provider(entry.method)
        assert entry.canonical_name == provider.CANONICAL_NAME
    assert provider.load() is None
    assert "Not called for: custom-http, because nothing selects it" in caplog.messages
