"""Tests that every provider passes, for packages that add providers (pytest).

A test class inherits ``ProviderContract``::

    class TestAcme(ProviderContract):
        provider = AcmeProvider

        def options(self):
            return {"path": "team/app"}

pytest shows the values of a failed assertion after
``pytest.register_assert_rewrite("botocore_ext.testing")`` in ``conftest.py``.
"""

import builtins
import inspect
import io
import pickle
import pydoc
import re
import socket
import subprocess
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar

import botocore.session

from .aws.frozen_credentials import FrozenCredentials
from .errors import ConfigurationError
from .options.option import Option
from .options.scope import ProfileScope, Scope, reset
from .profiles.registry import rows_of
from .providers.base import Provider
from .system import Clock, system_environment

__all__ = ["ProviderContract"]

#: Credentials that live shorter are refreshed later than five minutes before they expire.
_SHORT = 20 * 60
_open: Any = io.open
E = TypeVar("E", bound=Exception)


class ProviderContract:
    """What every provider promises."""

    #: The class under test.
    provider: ClassVar[type[Provider]]
    #: Whether the provider reads profiles itself, so that it looks into the AWS files to load.
    reads_files: ClassVar[bool] = False

    # What a test class says of its provider.

    def options(self) -> dict[str, Any]:
        """Return the fewest options with which the provider works."""
        return {}

    def prepare(self) -> None:
        """Set up what the provider reads besides its options, such as a server or files."""

    def now(self) -> float:
        """Return the time at which credentials are retrieved, in seconds since 1970."""
        return Clock().now()

    def home(self, monkeypatch: Any, tmp_path: Path) -> Path:
        """Leave AWS settings out of the test; return the folder of ``config`` and ``credentials``.

        Args:
            monkeypatch: The fixture of pytest.
            tmp_path: The fixture of pytest.
        """
        for name in [one for one in system_environment() if one.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        reset()
        return tmp_path

    def ways_to_set(self, one: Option, home: Path) -> list[str]:  # noqa: ARG002 - of subclasses
        """Return what an error says about setting a required option in code."""
        keyword = "" if one.positional else f"{one.name}="
        ways = [f"pass {keyword}{one.code_example} to {self.provider.FACTORY}()"]
        return [*ways, *([f"set the environment variable {one.env}="] if one.env else [])]

    # The declaration.

    def test_every_option_is_explained_and_typed(self) -> None:
        """The signature of the factory has each option, with its type."""
        signature = inspect.signature(self.provider)
        names = [name for name in signature.parameters if name != "unknown"]
        assert names == [one.name for one in self.provider.options()]
        for one in self.provider.options():
            parameter = signature.parameters[one.name]
            assert isinstance(getattr(self.provider, one.name), Option)
            assert one.help.endswith("."), f"{one.name}: help is not a sentence"
            assert parameter.annotation is not inspect.Parameter.empty, f"{one.name} has no type"
            kind = parameter.VAR_POSITIONAL if one.positional else parameter.KEYWORD_ONLY
            assert parameter.kind is kind

    def test_help_lists_the_options_required_ones_first(self) -> None:
        """``help()`` shows the docstring of the class and its options."""
        shown = pydoc.plain(pydoc.render_doc(self.provider))
        text = str(inspect.getdoc(self.provider))
        assert text.splitlines()[0] in shown
        arguments = text.partition("\n\nArgs:\n")[2]
        found = re.findall(r"^    \*?(\w+) \(.+", arguments, re.MULTILINE)
        options = self.provider.options()
        assert sorted(found) == sorted(one.name for one in options)
        required = [one.name for one in options if one.required]
        assert found[: len(required)] == required
        assert arguments.count("Required.") == len(required)
        whole = " ".join(shown.split())
        assert all(" ".join(line.split()) in whole for line in arguments.splitlines())

    def test_an_unknown_keyword_names_the_nearest(self) -> None:
        """A misspelled option is a TypeError."""
        for one in self.provider.options():
            unknown: dict[str, Any] = {f"{one.name}x": 1}
            error = _error_of(TypeError, partial(self.provider, **unknown))
            text = f"has no option '{one.name}x': did you mean '{one.name}'?"
            assert str(error) == f"{self.provider.FACTORY}() {text}"

    def test_options_by_position_are_refused_with_an_example(self) -> None:
        """As JavaScript takes them: one object."""
        first = self.provider.options()[0]
        if any(one.positional for one in self.provider.options()):
            return
        create: Any = self.provider
        error = _error_of(TypeError, lambda: create({first.name: 1}))
        text = f"takes its options by name: {first.name}={first.code_example}"
        assert str(error) == f"{self.provider.FACTORY}() {text}"

    def test_a_profile_finds_the_provider_by_its_keys(self) -> None:
        """An entry point of the group ``botocore_ext.providers`` has the name of each key."""
        for key in _keys(self.provider):
            rows = [row for row in rows_of({key: "x"}) if key in row.selecting]
            assert rows, f"there is no entry point {key}"
            assert rows[0].problem is None, rows[0].problem
            assert rows[0].load() is self.provider

    # Construction and ``load``.

    def test_construction_and_load_do_no_io(self, monkeypatch: Any, tmp_path: Path) -> None:
        """The first signed request fetches."""
        home = self.home(monkeypatch, tmp_path)
        self.prepare()
        options = self.options()
        files = {str(home / "config"), str(home / "credentials")} if self.reads_files else ()
        with monkeypatch.context() as patch:
            _refuse_io(patch)
            provider = self._build(options)
            _refuse_io(patch, files)
            credentials = provider.load()
        assert credentials is not None
        assert credentials.method == self.provider.METHOD

    def test_load_in_a_profile_does_no_network_io(self, monkeypatch: Any, tmp_path: Path) -> None:
        """The profile selects the provider by its keys."""
        home = self.home(monkeypatch, tmp_path)
        options = self.options()
        given = {
            one.ini: options[one.name]
            for one in self.provider.options()
            if one.ini and isinstance(options.get(one.name), str)
        }
        if not given:
            return
        bound = self._in_profile(home, given)
        assert bound.scope.files.full_config  # botocore reads the file once
        with monkeypatch.context() as patch:
            _refuse_io(patch)
            credentials = bound.load()
        assert credentials is not None
        assert credentials.method == self.provider.METHOD

    def test_load_is_none_where_nothing_selects_the_provider(
        self, monkeypatch: Any, tmp_path: Path
    ) -> None:
        """A chain then goes on."""
        home = self.home(monkeypatch, tmp_path)
        role = {"region": "eu-west-1", "role_arn": "arn:aws:iam::123456789012:role/Other"}
        provider = self._in_profile(home, role)
        assert provider.load() is None
        assert provider._not_configured().try_next_link

    def test_a_missing_option_is_named_with_every_way_to_set_it(
        self, monkeypatch: Any, tmp_path: Path
    ) -> None:
        """The error has the remedy."""
        home = self.home(monkeypatch, tmp_path)
        for missing in [one for one in self.provider.options() if one.required]:
            options = self.options()
            del options[missing.name]
            provider = self._build(options)
            error = _error_of(ConfigurationError, partial(_load_and_fetch, provider))
            assert f"{missing.name} is not set" in str(error)
            for way in self.ways_to_set(missing, home):
                assert way in str(error)

    def test_a_missing_option_of_a_profile_names_key_and_file(
        self, monkeypatch: Any, tmp_path: Path
    ) -> None:
        """The error has a line that can be copied into the profile."""
        home = self.home(monkeypatch, tmp_path)
        selecting = [one for one in self.provider.options() if one.selects and one.ini][:1]
        required = [one for one in self.provider.options() if one.required and one.ini]
        for missing in [one for one in required if one not in selecting]:
            others = [one for one in (*selecting, *required) if one is not missing]
            provider = self._in_profile(home, {str(one.ini): one.example for one in others})
            error = _error_of(ConfigurationError, provider.load)
            assert error.reason == (
                f"{missing.ini} is not set in profile 'mine': for example, set {missing.ini} = "
                f"{missing.example} in profile 'mine' of {home / 'config'}"
            )

    # ``fetch``.

    def test_no_secret_is_shown(self, monkeypatch: Any, tmp_path: Path, caplog: Any) -> None:
        """Neither ``repr`` nor a log record has one."""
        self.home(monkeypatch, tmp_path)
        self.prepare()
        caplog.set_level("DEBUG")
        provider = self._build(self.options())
        credentials = provider.load()
        assert credentials is not None
        frozen = credentials.get_frozen_credentials()
        given = provider._code_values
        hidden = [one.name for one in provider.options() if one.secret and one.name in given]
        secrets = [given[name] for name in hidden] + [frozen.secret_key, frozen.token]
        shown = f"{provider!r} {credentials!r} {provider.fetch()!r} {caplog.text}"
        assert not [one for one in secrets if isinstance(one, str) and one in shown]
        assert all(f"{name}=<hidden>" in repr(provider) for name in hidden)

    def test_a_specification_travels_and_credentials_do_not(
        self, monkeypatch: Any, tmp_path: Path
    ) -> None:
        """Another process gets the options and fetches for itself."""
        self.home(monkeypatch, tmp_path)
        self.prepare()
        provider = self._build(self.options())
        credentials = provider.load()
        assert credentials is not None
        frozen = credentials.get_frozen_credentials()
        pickled = pickle.dumps(provider)
        restored = pickle.loads(pickled)  # noqa: S301 - made above
        assert repr(restored) == repr(provider)
        assert repr(restored._code_values) == repr(provider._code_values)
        assert restored.load().get_frozen_credentials().access_key
        secrets = [one for one in (frozen.secret_key, frozen.token) if one]
        assert not [one for one in secrets if one.encode() in pickled]

    def test_refresh_begins_five_minutes_before_expiration(
        self, monkeypatch: Any, tmp_path: Path
    ) -> None:
        """Credentials that do not expire, or within twenty minutes, have other rules."""
        self.home(monkeypatch, tmp_path)
        self.prepare()
        fetched = []
        fetch = self.provider.fetch

        def counted(provider: Provider) -> FrozenCredentials:
            fetched.append(provider)
            return fetch(provider)

        monkeypatch.setattr(self.provider, "fetch", counted)
        for left, fetches in ((301, 1), (300, 2)):
            clock = _Clock(self.now())
            credentials = self._build(self.options()).bind(Scope(clock=clock.clock())).load()
            assert credentials is not None
            fetched.clear()
            credentials.get_frozen_credentials()
            expiration = credentials.expiration
            if expiration is None or expiration.timestamp() - clock.time < _SHORT:
                return
            clock.time = expiration.timestamp() - left
            credentials.get_frozen_credentials()
            assert len(fetched) == fetches

    def test_only_tokens_can_be_replaced(self, monkeypatch: Any, tmp_path: Path) -> None:
        """Every other option is settled at construction."""
        self.home(monkeypatch, tmp_path)
        provider = self._build(self.options())
        for one in self.provider.options():
            if one.token:
                setattr(provider, one.name, self.options().get(one.name))
                continue
            error = _error_of(AttributeError, partial(setattr, provider, one.name, None))
            assert f"{one.name} cannot be changed" in str(error)

    # Helpers.

    def _build(self, options: dict[str, Any]) -> Provider:
        """Build a provider; what is positional is given by position."""
        left = dict(options)
        positional = [left.pop(one.name, ()) for one in self.provider.options() if one.positional]
        create: Any = self.provider
        provider: Provider = create(*(one for values in positional for one in values), **left)
        return provider

    def _in_profile(self, home: Path, settings: dict[str, Any]) -> Provider:
        """Return the provider for a profile with these settings."""
        lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
        (home / "config").write_text(f"[profile mine]\n{lines}", encoding="utf-8")
        session = botocore.session.Session(profile="mine")
        rows = [row for row in rows_of(settings) if row.method == self.provider.METHOD]
        scope = ProfileScope if rows else Scope
        return self._build({}).bind(scope(session, profile="mine"))


def _keys(provider: type[Provider]) -> list[str]:
    return [one.ini for one in provider.options() if one.selects and one.ini]


class _Clock:
    """A clock that a test moves."""

    def __init__(self, time: float) -> None:
        self.time = time

    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, monotonic=lambda: self.time)


def _load_and_fetch(provider: Provider) -> None:
    provider.load()
    provider.fetch()


def _error_of(kind: type[E], call: Callable[[], object]) -> E:
    """Return the error that a call raises."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def _refuse_io(patch: Any, files: Collection[str] = ()) -> None:
    """Make sockets, processes and files fail, except these files."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("building a provider and load() do no I/O")

    def guarded(path: object, *rest: Any, **more: Any) -> Any:
        return _open(path, *rest, **more) if str(path) in files else refuse()

    for owner, name in ((socket, "socket"), (socket, "getaddrinfo"), (subprocess, "Popen")):
        patch.setattr(owner, name, refuse)
    for owner in (builtins, io):
        patch.setattr(owner, "open", guarded)
