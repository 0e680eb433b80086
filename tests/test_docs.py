"""What the documentation says, done: its tables, its ini blocks, its Python, its names."""

import dataclasses
import logging
import os
import re
import shelve
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config

import botocore_ext
from botocore_ext import Scope
from botocore_ext.__main__ import main
from botocore_ext.options.option import Option
from botocore_ext.providers import cognito
from botocore_ext.runtime import context

from . import fakes
from .declared import EVERY, PROVIDERS
from .tools import tables

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
#: Its Python asks what its commands serve: it has a test of its own.
QUICKSTART = ROOT / "docs" / "quickstart.md"
#: All but the recipes, which stand alone each: tests/test_recipes.py runs them.
PAGES = [README, *sorted({*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "recipes.md"})]

_FENCE = re.compile(r"^```(?P<kind>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_DIRECTIVES = {
    "{eval-rst}",
    "{include} ../CHANGELOG.md",
    "{literalinclude} ../tests/parity/differences.toml",
    "{raw} html",
    "{toctree}",
}
_BUILT = {"build", "dist", "_build", "__pycache__", "node_modules"}


@dataclasses.dataclass
class Block:
    """A fenced block; its ``kind`` is the text after the fence."""

    page: Path
    line: int
    kind: str
    text: str
    #: The credentials file next to a config file.
    credentials: str = ""
    #: The error that a mistake gives.
    error: str = ""
    #: What each profile sends, a line for each.
    wire: str = ""

    def __str__(self):
        return f"{self.page.name}:{self.line}"


def blocks(page):
    """Give the blocks of a page in order; what belongs to the block before it is joined to it."""
    content = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(content):
        line = content.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, match["kind"].strip(), match["text"]))
    for before, block in pairwise(found):
        if block.kind == "ini credentials":
            before.credentials = block.text
        if before.kind == "ini mistake" and block.kind == "text":
            before.error = block.text
        if before.kind == "ini" and block.kind == "wire":
            before.wire = block.text
    return found


def all_blocks(*kinds):
    chosen = [block for page in PAGES for block in blocks(page) if block.kind in kinds]
    return pytest.mark.parametrize("block", chosen, ids=str)


def profiles():
    """Return the profiles of the files that botocore reads now."""
    return botocore.session.Session().full_config["profiles"]


def selected_by(values):
    """Return the METHOD of the provider that the keys of a profile select."""
    if "botocore_ext_reload" in values or {"role_tags", "credential_source"} <= values.keys():
        return "custom-profile"
    if "role_arn" in values and {"source_profile", "credential_source"} & {*values}:
        return "assume-role"
    return next(
        kind.METHOD
        for kind in PROVIDERS
        for one in kind.options()
        if one.selects and one.ini in values
    )


@pytest.fixture
def _no_network(monkeypatch):
    def refuse(self, address):
        pytest.fail(f"connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def _tokens(monkeypatch):
    """Set the environment variables that the pages read tokens from."""
    for name in ("GOOGLE_TOKEN", "FACEBOOK_TOKEN"):
        monkeypatch.setenv(name, fakes.secret("token"))


def test_the_table_is_printed(capsys):
    assert main(["providers"]) == 0
    assert capsys.readouterr().out == tables.part("providers")


def test_what_is_written_from_the_declarations_is_what_they_say():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert tables.updated(text) == text, f"run python -m tests.tools.tables {page}"


def test_every_provider_has_a_complete_page_with_an_example():
    """In one order, so that a reader of one page knows the others."""
    order = ["In a profile", "In Python", "Options", "Trust policy", "Errors"]
    assert "<!-- providers: begin" in README.read_text(encoding="utf-8")
    for kind in EVERY:
        page = ROOT / "docs" / "providers" / f"{kind.FACTORY}.md"
        text = page.read_text(encoding="utf-8")
        assert f"<!-- {kind.FACTORY}: begin" in text
        assert re.search(f"<!-- {kind.FACTORY}_(options|links): begin", text)
        assert [one for one in blocks(page) if one.kind == "python" and kind.FACTORY in one.text]
        assert "\nUse it " in text.partition("\n## ")[0], page.name
        headings = [one for one in re.findall(r"^## (.*)$", text, re.MULTILINE) if one in order]
        assert headings == [one for one in order if one in headings], page.name
        assert {*order} - {*headings} <= {"Trust policy"}, page.name


def test_examples_of_options_are_accepted(tmp_path, monkeypatch):
    """What the pages and errors show can be copied."""
    monkeypatch.chdir(tmp_path)  # where shelve creates a file
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    stubs = ("get_token", "get_passphrase", "ask_for_code", "assume_role")
    known = vars(botocore_ext) | {name: lambda *_: "text" for name in stubs}
    known |= {kind.FACTORY: kind for kind in EVERY}
    known |= {"boto3": boto3, "Config": Config, "UNSIGNED": UNSIGNED}
    known |= {"logging": logging, "shelve": shelve}
    for kind in EVERY:
        for one in kind.options():
            value = eval(one.code_example, dict(known))
            one.parse(list(value) if one.positional else value)
            if one.ini:
                scope = Scope(botocore.session.Session())
                one.parse(one.read(one.example, scope) if one.read else one.example)


def test_the_tool_writes_only_the_generated_parts(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- every: begin (see) -->\nold\n<!-- every: end -->\nafter\n")
    tables.main([page])
    begin, end = "before\n<!-- every: begin (see) -->\n\n", "\n<!-- every: end -->\nafter\n"
    assert page.read_text() == begin + tables.part("every") + end


@pytest.mark.usefixtures("_no_network")
@all_blocks("ini")
def test_every_profile_selects_its_provider_without_network(block, config):
    config(block.text, block.credentials)
    botocore_ext.install()
    assert profiles()
    for name, values in profiles().items():
        credentials = boto3.Session(profile_name=name).get_credentials()
        assert credentials.method == selected_by(values)


def with_wire():
    found = [block for page in PAGES for block in blocks(page) if block.wire]
    return pytest.mark.parametrize("block", found, ids=str)


@pytest.mark.caller_signs
@pytest.mark.usefixtures("_tokens")
@with_wire()
def test_every_profile_sends_what_its_page_shows(block, config, aws, world, monkeypatch):
    """Against the loopback AWS, with the page's endpoints, files and programs put within reach."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    (world / "token").write_text(fakes.secret("token"))
    text = block.text
    for on_the_page, here in {
        "https://credentials.example.com": aws.url,
        "http://localhost:8080": aws.url,
        "/var/run/token": str(world / "token"),
        "process://get-token": "process://echo",
    }.items():
        text = text.replace(on_the_page, here)
    config(text)
    botocore_ext.install()
    for line in block.wire.splitlines():
        name, _, operations = line.partition(": ")
        aws.requests.clear()
        boto3.Session(profile_name=name).get_credentials().get_frozen_credentials()
        assert aws.operations() == operations.split(", "), name
        cognito.reset()


@pytest.mark.usefixtures("_no_network")
@all_blocks("ini mistake")
def test_every_mistake_raises_the_error_that_the_page_shows(block, config):
    file = config(block.text)
    botocore_ext.install()
    (name,) = profiles()
    with pytest.raises(botocore_ext.ConfigurationError) as caught:
        boto3.Session(profile_name=name).get_credentials()
    assert str(caught.value).replace(str(file), "~/.aws/config") == block.error.strip()


@pytest.mark.caller_signs
@pytest.mark.usefixtures("aws", "_tokens")
@pytest.mark.parametrize("page", sorted({*PAGES} - {QUICKSTART}), ids=lambda page: page.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, config, tmp_path):
    """With the ini block above it as the config file; functions that are tests are called."""
    if page.stem == "async":
        pytest.importorskip("aiobotocore", reason="aiobotocore is not installed")
    names = {"__name__": page.stem}
    for block in blocks(page):
        if block.kind == "ini":
            config(block.text, block.credentials)
        if block.kind == "python":
            source = "\n" * block.line + block.text  # so that a traceback shows the page's line
            exec(compile(source, page, "exec"), names)
    for name, value in names.items():
        if name.startswith("test_"):
            value(tmp_path) if value.__code__.co_argcount else value()


def test_every_block_is_of_a_kind_that_is_tested():
    others = {"console", "ini explained", "ini tools", "json", "python", "sh", "text"}
    kinds = {"ini", "ini credentials", "ini mistake", "wire"} | others | _DIRECTIVES
    # "console", "ini tools": tests/tools/tools_page.py; "ini explained": tests/tools/explaining.py
    assert {block.kind for page in PAGES for block in blocks(page)} <= kinds


def test_every_public_name_is_in_the_reference():
    reference = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r":: botocore_ext\.(\w+)$", reference, re.MULTILINE)
    assert {*botocore_ext.__all__, "tokens"} - {*listed} == set()


def test_every_argument_of_option_is_explained():
    page = (ROOT / "docs" / "new-provider.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(explained) == sorted(Option.__annotations__)


def test_security_page_lists_providers_and_loggers():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    sends = page.partition("## What is sent")[2].partition("\n## ")[0]
    rows = [line for line in sends.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert listed == {kind.FACTORY for kind in EVERY}
    assert [one.name for one in context._LOGGERS if f"`{one.name}`" not in page] == []


def test_symptoms_quote_messages_that_exist():
    """A symptom in backticks with a space in it is part of a message of this package or boto3."""
    folder = ROOT / "docs"
    messages = (folder / "errors.md").read_text(encoding="utf-8") + README.read_text("utf-8")
    page = (folder / "troubleshooting.md").read_text(encoding="utf-8")
    symptoms = re.findall(r"^\| (.*?) \|", page, re.MULTILINE)
    quoted = [one for cell in symptoms for one in re.findall(r"`([^`]* [^`]*)`", cell)]
    assert len(quoted) > 50
    assert [one for one in quoted if one not in messages] == []


def test_every_link_to_a_file_has_its_file():
    for page in PAGES:
        for target in re.findall(r"\]\(([^):#]+)[)#]", page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_readme_has_no_relative_links():
    """A package index shows it without the files that they lead to."""
    assert re.findall(r"\]\((?!https:)[^)]*\)", README.read_text(encoding="utf-8")) == []


def test_the_quickstart_ends_with_what_it_shows(tmp_path):
    """Its files and its commands, but for pip and the demonstration, which the gate runs."""
    page, port, url = QUICKSTART, free_port(), "http://127.0.0.1:8080/"
    kinds = {"json": "credentials.json", "ini": "config", "python": "first.py"}
    for block in reversed(blocks(page)):  # of two of a kind the first counts
        if block.kind in kinds:
            text = block.text.replace(url, f"http://127.0.0.1:{port}/")
            (tmp_path / kinds[block.kind]).write_text(text)
    install, serve, run, *demonstration = [one.text for one in blocks(page) if one.kind == "sh"]
    assert [install, *demonstration] == [
        "pip install .\n",
        'pip install ".[demo]"\n',
        "python -m botocore_ext demo\n",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    python = tmp_path / "python"  # a link would lose the virtual environment
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o700)
    (shown,) = (one.text for one in blocks(page) if one.kind == "text")
    command = ["sh", "-c", f"exec {serve.replace('8080', str(port))}"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port)
            printed = subprocess.check_output(
                ["sh", "-c", run], cwd=tmp_path, env=environment, text=True, timeout=120
            )
        finally:
            server.terminate()
    assert printed == shown


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    """Return when something listens."""
    for _ in range(600):
        with socket.socket() as one, suppress(OSError):
            one.connect(("127.0.0.1", port))
            return
        time.sleep(0.05)
    pytest.fail("nothing listens")


def test_the_commands_of_the_readme_are_one_line_each():
    commands = [block.text for block in blocks(README) if block.kind == "sh"]
    assert [command.count("\n") for command in commands] == [1, 1]


def test_no_page_says_to_install_from_an_index():
    """The package is on none, so another package that takes its name would be installed."""
    sources = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *files(ROOT / "botocore_ext")]
    installs = re.compile("pip install [^`\\n]*botocore-ext")
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in sources}
    assert [path for path, text in texts.items() if installs.search(text)] == []


def files(folder):
    """Give every file of the repository: what was built or hidden is none of it."""
    for path in folder.iterdir():
        if path.name in _BUILT or (path.name.startswith(".") and path.name != ".ci"):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def test_no_file_holds_a_path_of_the_machine_it_was_written_on():
    places = re.compile("/(?:work|root|tmp/lab)/")
    for path in files(ROOT):
        found = places.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path.relative_to(ROOT)}: {found}"
