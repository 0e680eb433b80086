"""Resolves one case with ``botocore_ext``, in this process."""

from datetime import timezone
from urllib.parse import urlsplit

import botocore.loaders
import botocore.session
from botocore.exceptions import ClientError

import botocore_ext
from botocore_ext import NotConfigured, ProviderError

#: Where the values are names of users and services, and no options.
_VERBATIM = {"params", "cache", "client_config", "policy"}
#: What botocore reads is read once for all cases.
_LOADER = botocore.loaders.create_loader()


class CallbackError(Exception):
    """What a function of a case raises."""

    def __init__(self, text, try_next_link):
        super().__init__(text)
        self.try_next_link = try_next_link


def function(said):
    """Make what a case says that a function does."""

    def call(*_):
        if "raises" in said:
            raise CallbackError(said["raises"], said.get("try_next_link", False))
        return None if said["returns"] == "nothing" else said["returns"]

    return call


def argument(value):
    if not isinstance(value, dict):
        return value
    if "provider" in value:
        return build(value)
    if "returns" in value or "raises" in value:
        return function(value)
    return value


def build(described):
    """Make the provider that a case describes."""
    options = dict(described.get("options", {}))
    for name, value in options.items():
        if name == "logins":
            options[name] = {user: argument(login) for user, login in value.items()}
        elif name not in _VERBATIM:
            options[name] = argument(value)
    links = [argument(link) for link in options.pop("links", [])]
    after = options.pop("expire_after", None)
    made = getattr(botocore_ext, described["provider"])(*links, **options)
    return made if after is None else made.expire_after(after)


def redirected(session, aws):
    """Send every request of a session's clients to ``aws``, with the original host."""

    def redirect(request, **_):
        parts = urlsplit(request.url)
        if parts.hostname not in ("127.0.0.1", "localhost"):
            request.headers["X-Parity-Host"] = parts.netloc
            request.url = aws.url + parts._replace(scheme="", netloc="").geturl()

    session.register("before-send", redirect)


def resolve(case, aws):
    """Return the outcome of each call."""
    session = botocore.session.Session(profile=case.get("client_profile"))
    session.register_component("data_loader", _LOADER)
    redirected(session, aws)
    loaded = []
    return [_called(case, session, loaded) for _ in range(case.get("calls", 1))]


def _called(case, session, loaded):
    """Fetch; again if there are ``loaded`` credentials already."""
    try:
        if loaded:
            loaded[0].refresh()
        else:
            loaded.append(_load(case, session))
        return {"keys": keys(loaded[0])}
    except Exception as error:  # noqa: BLE001 - every error is an outcome
        return {"error": failure(error)}


def _load(case, session):
    credentials = botocore_ext.Session(
        credentials=build(case),
        region_name=case.get("client_region"),
        botocore_session=session,
    ).get_credentials()
    if credentials is None:
        raise NotConfigured(provider="", error_msg="there are no keys")
    return credentials


def keys(credentials):
    frozen = credentials.get_frozen_credentials()
    expiration = credentials.expiration
    return {
        "access_key": frozen.access_key,
        "secret_key": frozen.secret_key,
        "token": frozen.token,
        "expiration": expiration and time(expiration),
        "account_id": frozen.account_id,
        "identity_id": credentials.identity_id,
    }


def time(moment):
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z").replace(".000Z", "Z")


def failure(error):
    kind = "provider" if isinstance(error, ProviderError) else "other"
    if isinstance(error, ClientError):
        kind = "service"
    return {
        "kind": kind,
        "code": error.response["Error"]["Code"] if kind == "service" else None,
        "try_next_link": bool(getattr(error, "try_next_link", False)),
        "name": type(error).__name__,
        "message": str(error),
    }
