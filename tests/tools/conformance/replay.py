"""Replays a case: through plain botocore, under ``install()``, and through our factories."""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
from botocore.context import get_context, start_as_current_context
from botocore.loaders import create_loader

import botocore_ext
from botocore_ext import Provider, Scope
from botocore_ext.providers.insertion import outer_region
from botocore_ext.system import Clock

from . import refreshing
from .case import Case, Seen
from .world import ScriptedAws, world

#: Read once for all sessions: it holds botocore's service models, and nothing of a session.
_LOADER = create_loader()
#: What differs between two runs of one program.
_VOLATILE = re.compile(r"(?<=botocore-session-)\d+|(?<=botocore-ext-)\d+|(?<=ttl=)\w+")
_VOLATILE_HEADERS = {"x-amz-date", "amz-sdk-invocation-id", "authorization", "user-agent", "dpop"}
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")

#: Nothing was found, and nothing is wrong.
NOTHING = "nothing"


class _Log(logging.Handler):
    """Keeps the text of every record."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
    root, log = logging.getLogger(), _Log()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        yield log.texts
    finally:
        root.removeHandler(log)
        root.setLevel(level)


class Replay:
    """Replays cases in one directory and through one server, one after the other."""

    def __init__(self, root: Path, aws: ScriptedAws) -> None:
        """Take an empty directory, and the server that every request goes to."""
        self.root, self.aws = root, aws

    def plain(self, case: Case) -> Seen:
        """Return what plain botocore shows."""
        return self._once(case, None)

    def installed(self, case: Case) -> Seen:
        """Return what a session shows under ``install()``."""
        botocore_ext.install()
        try:
            return self._once(case, None)
        finally:
            botocore_ext.uninstall()

    def ours(self, case: Case, factory: str) -> Seen:
        """Return what one of our factories shows."""
        return self._once(case, case.factories[factory])

    def _once(self, case: Case, factory: Callable[[Path], Provider] | None) -> Seen:
        with world(case, self.root, self.aws) as clock, _logged() as log:
            with start_as_current_context():
                outcomes = ACTS[case.act](case, factory, clock, self.root)
                context = get_context()
            features = set(context.features) if context else set()
            complaints = [*self.aws.complaints]
            rest = getattr(self.aws.wire, "rest", None)
            complaints += rest() if rest else []
            files = {
                f"/{path.relative_to(self.root)}": path.read_text(errors="replace")
                for path in self.root.rglob("*")
                if path.is_file()
            }
            return Seen(outcomes, self.aws.sent, files, features, "\n".join(log), complaints)


def session_of(case: Case) -> botocore.session.Session:
    """Make the session that a case is about."""
    session = botocore.session.Session(profile=case.profile)
    session.register_component("data_loader", _LOADER)
    for name, value in case.settings.items():
        session.set_config_variable(name, value)
    return session


def _told(error: Exception) -> dict[str, str]:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return {"error": kind, "text": _VOLATILE.sub("<time>", str(error))}


def _shown(credentials: Any) -> Any:
    if credentials is None:
        return NOTHING
    frozen = credentials.get_frozen_credentials()
    expiration = getattr(credentials, "expiration", None)
    expiration = expiration or getattr(credentials, "_expiry_time", None)
    return {
        "method": credentials.method,
        "access_key_id": frozen.access_key,
        "secret_access_key": frozen.secret_key,
        "session_token": frozen.token,
        "account_id": frozen.account_id,
        "expiry": expiration and expiration.timestamp(),
    }


def _credentials(case: Case, factory: Any, clock: Clock, root: Path) -> list[Any]:
    """Look credentials up as often as the case has it."""
    session, loaded = None, None

    def use(number: int) -> Any:
        nonlocal session, loaded
        session = session or session_of(case)
        if factory is None and number:
            loaded = session.get_component("credential_provider").load_credentials()
        elif factory is None:
            loaded = session.get_credentials()
        elif number and loaded is not None:
            loaded.refresh()
        else:
            scope = Scope(session, outer_region=outer_region(session, None), clock=clock)
            loaded = factory(root).bind(scope).load()
        return _shown(loaded)

    return [_outcome(lambda number=number: use(number)) for number in range(case.uses)]


def _outcome(act: Callable[[], Any]) -> Any:
    """Return what ``act`` does, or the error, whatever it is."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - an outcome
        return _told(error)


def _token(case: Case, _factory: Any, _clock: Clock, _root: Path) -> list[Any]:
    """Look a bearer token up."""

    def use() -> Any:
        token = session_of(case).get_auth_token()
        frozen = token and token.get_frozen_token()
        return {"token": frozen.token, "expiration": frozen.expiration} if frozen else NOTHING

    return [_outcome(use)]


def _files(case: Case, factory: Any, clock: Clock, root: Path) -> list[Any]:
    """Read the AWS files, and where they are."""

    def use() -> Any:
        session = session_of(case)
        profile = session.get_config_variable("profile") or "default"
        if factory is not None:
            scope = factory(root).bind(Scope(session, clock=clock)).scope
            session, profile = scope.files, scope.profile
        found = {"config": session.full_config, "profile": profile}
        for name in ("config_file", "credentials_file"):
            path = Path(session.get_config_variable(name)).expanduser()
            found[name] = str(path).removeprefix(str(root))
        return found

    return [_outcome(use)]


def _refresh(case: Case, factory: Any, _clock: Clock, _root: Path) -> list[Any]:
    """Go through the steps of a refresh vector."""
    return refreshing.came(case.data, ours=factory is not None)


ACTS: dict[str, Callable[[Case, Any, Clock, Path], list[Any]]] = {
    "credentials": _credentials,
    "token": _token,
    "files": _files,
    "refresh": _refresh,
}


def visible(seen: Seen) -> dict[str, Any]:
    """Return what must be the same with ``install()`` as without."""
    return {
        "outcomes": seen.outcomes,
        "features": seen.features,
        "files": seen.files,
        "sent": [
            (
                one.method,
                one.url,
                _VOLATILE.sub("<time>", one.body),
                {
                    name: _VOLATILE.sub("<time>", one.headers[name])
                    for name in one.headers.keys() - _VOLATILE_HEADERS
                },
                _CREDENTIAL.findall(one.headers.get("authorization", "")),
            )
            for one in seen.sent
        ],
    }


def leaked(case: Case, seen: Seen) -> list[str]:
    """Say which secret of the case is in a log or in an error."""
    texts = [one["text"] for one in seen.outcomes if isinstance(one, dict) and "text" in one]
    return [
        f"{where} shows a secret"
        for where, text in (("a log", seen.log), ("an error", "\n".join(texts)))
        if any(secret in text for secret in case.secrets)
    ]
