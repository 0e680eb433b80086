"""The catalogue has what the providers declare, and a session loads only what it names."""

import ast
import subprocess
import sys
from pathlib import Path

import botocore.session

import botocore_ext
from botocore_ext import catalogue
from botocore_ext.profiles import registry

ROLE = "role_arn = arn:aws:iam::123456789012:role/Web\n"
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"

#: Loaded for every profile: the chain is always in the resolver.
FOR_ALL = {"base", "chain", "files", "function", "insertion", "links"}
#: The text of a profile -> the providers whose modules a look for its credentials loads.
SHAPES = {
    f"{ROLE}web_identity_token = token": {"web_identity"},
    f"cognito_identity_id = {POOL}": {"cognito", "signed"},
    f"cognito_identity_pool_id = {POOL}": {"cognito", "signed"},
    "container_credentials_full_uri = http://127.0.0.1": {"http"},
    f"{ROLE}credential_source = customhttp\ncontainer_credentials_full_uri = http://[::1]": {
        "http"
    },
    f"{ROLE}source_profile = pool": {"cognito", "signed"},
    f"{ROLE}credential_source = CustomProcess\ncredential_process = true": {"process"},
    "cogntio_identity_id = misspelled": set(),
}
#: Looks for the credentials of each profile in a fork of its own, and prints what that has loaded.
LOADS = """
import os, sys, boto3, botocore_ext
botocore_ext.install()
for at in range(int(sys.argv[1])):
    if os.fork() == 0:
        boto3.Session(profile_name=f"p{at}").get_credentials()
        print(*sys.modules, flush=True)
        os._exit(0)
    os.wait()
"""


def row_of(row):
    """Return the row as the declarations of its class say."""
    kind = row.load()
    keys = {one.ini: one.name for one in kind.options() if one.ini}
    return row._replace(
        factory=kind.FACTORY,
        method=kind.METHOD,
        canonical_name=kind.CANONICAL_NAME,
        home=f"{kind.__module__.removeprefix('botocore_ext.')}:{kind.__name__}",
        keys=keys,
        selecting=tuple(one.ini for one in kind.options() if one.ini and one.selects),
    )


def test_rows_are_what_the_providers_declare():
    for row in catalogue.ROWS:
        assert row == row_of(row), f"write into ROWS of catalogue.py: {row_of(row)}"


def test_type_checkers_know_every_public_name():
    """The package itself finds a factory in the catalogue."""
    tree = ast.parse(Path(botocore_ext.__file__).read_text(encoding="utf-8"))
    known = {one.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
             for one in node.names}  # fmt: skip
    for name in [*botocore_ext.__all__, "tokens"]:
        assert name in known, f"write into __init__.py: from .MODULE import {name} as {name}"


def test_import_star_gives_the_public_names():
    names = {}
    exec("from botocore_ext import *", names)
    assert {*names} - {"__builtins__"} == {*botocore_ext.__all__}


def test_a_provider_is_found_by_any_of_its_names():
    for row in catalogue.ROWS:
        for name in (row.method, row.canonical_name, row.factory, f" {row.method.upper()} "):
            assert catalogue.find(name) is row


def test_a_source_is_found_by_the_names_that_it_may_have():
    """Those of botocore's keep their spelling."""
    for row in catalogue.INSERTED:
        for name in (row.method, row.canonical_name, row.factory, f" {row.method.upper()} "):
            assert registry.find_source(name) is row
    assert registry.find_source("CUSTOMSSO").method == "sso"
    assert registry.find_source("from_env").canonical_name == "Environment"
    assert registry.find_source("Environment").source_of == "botocore"
    for name in ("sso", "login", "custom-process", "environment", "custom", "CustomTokenFile"):
        assert registry.find_source(name) is None


def test_a_session_loads_the_providers_that_its_profile_names(config):
    """Each in a fork of one process, which has loaded what all have in common."""
    profiles = [f"[profile p{at}]\nregion = eu-west-1\n{text}\n" for at, text in enumerate(SHAPES)]
    config("".join([*profiles, f"[profile pool]\ncognito_identity_id = {POOL}\n"]))
    arguments = [sys.executable, "-c", LOADS, str(len(SHAPES))]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    prefix = "botocore_ext.providers."
    loaded = [
        {name.removeprefix(prefix) for name in line.split() if name.startswith(prefix)} - FOR_ALL
        for line in done.stdout.splitlines()
    ]
    assert dict(zip(SHAPES, loaded, strict=True)) == SHAPES


def test_unselected_provider_keeps_its_position(config, caplog):
    """Others look for it by its names, and ask it."""
    caplog.set_level("DEBUG", "botocore_ext")
    config(f"[profile p]\ncognito_identity_id = {POOL}\n")
    botocore_ext.install()
    resolver = botocore.session.Session(profile="p").get_component("credential_provider")
    for row in catalogue.INSERTED:
        provider = resolver.get_provider(row.method)
        assert row.canonical_name == provider.CANONICAL_NAME
    assert provider.load() is None
    assert f"Not configured: {row.method}" in caplog.messages
