"""Tokens that an OAuth 2.0 authorization server issues (``oauth://NAME``).

authlib forms the requests and reads the answers. This module reads the section of the config file,
sends each request under the rules for credential endpoints, and stores refresh tokens that rotate.

https://datatracker.ietf.org/doc/html/rfc6749 (grants)
https://datatracker.ietf.org/doc/html/rfc8628 (device_code)
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode

from ..aws.endpoint import Endpoint, EndpointError
from ..aws.http import Timeouts, is_transient, refusal, request, retry
from ..errors import ConfigurationError, FetchError, near, nearest
from ..runtime.deadline import pause_budget, share_of_budget
from ..runtime.files import Replacement, lock_file
from ..system import in_home, is_file
from . import types
from .oidc import CONNECT, READ, RETRIES
from .references import Token, reference, resolve
from .resolution import PROFILE, check_texts
from .scope import Scope
from .sources import TokenFile

T = TypeVar("T")

logger = logging.getLogger(__name__)

GRANTS = ("client_credentials", "refresh_token", "device_code")
#: Seconds that a discovery document is used.
_DISCOVERY = 3600
#: Seconds between two checks whether the user has signed in, if the server names no interval; and
#: the seconds that ``slow_down`` adds (RFC 8628).
_INTERVAL = 5
#: The fewest seconds, whatever the server names.
_SHORTEST_INTERVAL = 1.0
#: The longest time that a person has to sign in.
_LONGEST_SIGN_IN = 1800
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

#: The codes of refusals that only another configuration changes -> the fact and the remedy.
_FINAL = {
    "invalid_client": "does not accept the client: check client_id and client_secret",
    "invalid_grant": "does not accept the refresh token (it has expired, was revoked, or was used "
    "by another program): sign in again, and store the new one",
    "invalid_request": "rejects the request as malformed: check grant, scope, audience and "
    "resource",
    "invalid_scope": "does not allow the scope: check scope",
    "invalid_target": "does not know the audience: check audience and resource",
    "unauthorized_client": "does not allow this grant for the client: allow it there, or change "
    "grant",
    "unsupported_grant_type": "does not support this grant: change grant",
}
#: The same for refusals after which another attempt may succeed.
_TEMPORARY = {
    "access_denied": "denied the request: allow the client the audience and the scope, or sign in "
    "again",
    "expired_token": "waited too long for the sign-in: try again",
}


class _RefusedError(Exception):
    """The server refused with an OAuth error."""

    def __init__(self, code: object) -> None:
        super().__init__()
        #: The code; other parts of the answer may contain secrets.
        self.code = str(code)


@dataclass(frozen=True, kw_only=True)
class OAuthToken:
    """Gets a token from an OAuth 2.0 authorization server (``oauth://NAME``).

    The token is the access token if ``audience`` or ``resource`` is set or there is no other, and
    otherwise the ID token. It must be a JWT. The package authlib speaks the protocol (extra
    ``oauth``).

    Args:
        issuer: The URL of the server, as in its discovery document; https, or http on this machine.
        client_id: The ID of the client that is registered with the server.
        client_secret: The secret of the client, or a callable that returns it, called at every
            fetch. None: a public client.
        grant: ``client_credentials``, ``refresh_token``, or ``device_code``, for which a person
            signs in at a terminal.
        scope: Scopes, separated by spaces.
        audience: The audience of the access token, where the server takes ``audience``.
        resource: The audience of the access token, where the server takes ``resource`` (RFC 8707).
        refresh_token: The refresh token, or a callable that returns it. With a ``TokenFile`` a
            refresh token that rotates is written back, and one of a sign-in is stored.
        timeout: Seconds to wait for data; all requests end within the 25 seconds of a fetch, and a
            person may take what the server allows, at most 1800 seconds.
    """

    issuer: str
    client_id: str
    client_secret: Token | None = field(default=None, repr=False)
    grant: str = "client_credentials"
    scope: str | None = None
    audience: str | None = None
    resource: str | None = None
    refresh_token: Token | None = field(default=None, repr=False)
    timeout: float = READ
    bound_to: Scope = field(default_factory=Scope, repr=False, compare=False)
    #: The discovery document, and until when it is used.
    _discovery: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what can be checked without a request.

        Raises:
            ConfigurationError: A value is malformed, or the grant lacks something.
        """
        try:
            Endpoint.parse(self.issuer)
        except ValueError as error:
            raise _mistake(f"issuer {error}: correct it") from None
        if self.grant not in GRANTS:
            raise _mistake(f"grant is not one of {', '.join(GRANTS)}: correct it")
        if self.grant == "client_credentials" and self.client_secret is None:
            raise _mistake(
                "grant is client_credentials, and client_secret is not set: add "
                "client_secret = file://PATH"
            )
        if self.grant == "refresh_token" and self.refresh_token is None:
            raise _mistake(
                "grant is refresh_token, and refresh_token is not set: add "
                "refresh_token = file://PATH"
            )
        has_source = self.refresh_token is not None and not isinstance(
            self.refresh_token, TokenFile
        )
        if self.grant == "device_code" and has_source:
            raise _mistake(
                "grant is device_code, and refresh_token is not a file, in which the new one is "
                "stored: write refresh_token = file://PATH"
            )

    def __call__(self) -> str:
        """Request a token, with retries, and return it.

        Raises:
            ConfigurationError: authlib is not installed, or the server refuses the configuration.
            FetchError: The token could not be retrieved.
        """
        try:
            from authlib.oauth2.client import OAuth2Client  # noqa: PLC0415 - of the extra oauth
        except ImportError:
            fact = "the package authlib is not installed: run `pip install authlib`"
            raise _mistake(fact) from None
        metadata = self._metadata()
        method = self._auth_method(metadata)
        # authlib does not encode what it joins with a colon (RFC 6749, section 2.3.1).
        encoded = quote_plus if method == "client_secret_basic" else str
        client = OAuth2Client(
            _Wire(self._send),
            encoded(self.client_id),
            self.client_secret and encoded(resolve(self.client_secret, "client_secret")),
            token_endpoint_auth_method=method,
            scope=self.scope,
            token_endpoint=metadata["token_endpoint"],
        )
        try:
            return self._token_in(self._answer(client))
        except _RefusedError as error:
            code = error.code
        server = self._endpoint(metadata["token_endpoint"]).authority
        if code in _FINAL:
            raise _mistake(f"{server} {_FINAL[code]}")
        fact = _TEMPORARY.get(code, "refused the request: check its log")
        raise _failure(f"{server} {fact}")

    @classmethod
    def from_section(cls, name: str, scope: Scope | None = None) -> "OAuthToken":
        """Return the source that the section ``[oauth NAME]`` of the config file describes.

        Args:
            name: The name.
            scope: Where the config file is; by default that of a new session.

        Raises:
            ConfigurationError: There is no such section, or a setting is missing or malformed.
        """
        scope = scope or Scope()
        section, sections = f"oauth {name}", scope.files.full_config
        if section not in sections:
            similar = near(section, [one for one in sections if one.startswith("oauth ")])
            remedy = "add this section, with issuer, client_id and client_secret"
            hint = f"did you mean [{similar}]? If not, {remedy}" if similar else remedy
            raise _mistake(f"refers to [{section}], which is not in {scope.config_file}: {hint}")
        try:
            return cls(**_arguments(section, sections[section], scope), bound_to=scope)
        except ConfigurationError as error:
            fact = f"refers to [{section}] of {scope.config_file}, in which {error.reason}"
        raise _mistake(fact)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments; the receiving process uses its own environment."""
        names = [one.name for one in fields(self) if one.init and one.name != "bound_to"]
        return partial(OAuthToken, **{name: getattr(self, name) for name in names}), ()

    # The grants.

    def _answer(self, client: Any) -> Mapping[str, Any]:
        """Return the answer with the token.

        Raises:
            _RefusedError: The server refused.
        """
        source = self.refresh_token
        if self.grant == "client_credentials":
            call = partial(client.fetch_token, grant_type=self.grant, **self._target)
            return _unless_refused(call)
        if not isinstance(source, TokenFile):
            token = source and resolve(source, "refresh_token")
            answer = self._signed_in(client, token)
            if token and answer.get("refresh_token") != token:
                logger.warning(
                    "The issuer %s has replaced the refresh token, and only refresh_token = "
                    "file://PATH stores the new one: the next fetch may fail",
                    self.issuer,
                )
            return answer
        path = os.path.realpath(in_home(source.path))
        with _replace_locked(path) as replacement:
            is_stored = self.grant == "refresh_token" or is_file(path)
            token = resolve(source, "refresh_token") if is_stored else None
            answer = self._signed_in(client, token)
            renewed = answer.get("refresh_token")
            if isinstance(renewed, str) and renewed != token:
                _store(renewed, replacement, path)
        return answer

    @property
    def _target(self) -> dict[str, str | None]:
        return {"audience": self.audience, "resource": self.resource}

    def _signed_in(self, client: Any, token: str | None) -> Mapping[str, Any]:
        """Return the answer for the refresh token; without a usable one, a person signs in."""
        if token is not None:
            call = partial(client.refresh_token, refresh_token=token, **self._target)
            try:
                return _unless_refused(call)
            except _RefusedError as error:
                if error.code != "invalid_grant" or self.grant == "refresh_token":
                    raise
        return pause_budget(partial(self._sign_in, client))

    def _sign_in(self, client: Any) -> Mapping[str, Any]:
        """Show a code at the terminal, and wait until a person has entered it (RFC 8628)."""
        if not sys.stderr.isatty():
            fact = "grant is device_code, for which a user must sign in, and there is no terminal"
            raise _mistake(
                f"{fact}: run the program once at a terminal, with refresh_token = file://PATH"
            )
        url = self._metadata().get("device_authorization_endpoint")
        if url is None:
            raise _mistake("the issuer does not support device_code: use another grant")
        values = {"scope": self.scope, **self._target}
        form = {name: value for name, value in values.items() if value}
        auth = client.client_auth(client.token_endpoint_auth_method)
        code = _unless_refused(
            lambda: client.parse_response_token(client.session.post(url, form, {}, auth))
        )
        page, shown = (str(code.get(name)) for name in ("verification_uri", "user_code"))
        self._endpoint(page)
        if not re.fullmatch(r"[ -~]{1,40}", shown):
            raise _failure("the issuer answered without a code for the sign-in: check its log")
        sys.stderr.write(f"To sign in, open {page} in a browser and enter the code {shown}\n")
        sys.stderr.flush()
        return self._wait(client, code)

    def _wait(self, client: Any, code: Mapping[str, Any]) -> Mapping[str, Any]:
        clock = self.bound_to.clock
        pause = max(_SHORTEST_INTERVAL, _seconds(code.get("interval"), _INTERVAL))
        deadline = clock.monotonic() + code["expires_in"]
        device_code = code.get("device_code")
        call = partial(client.fetch_token, grant_type=_DEVICE_CODE, device_code=device_code)
        while clock.monotonic() < deadline:
            clock.sleep(pause)
            try:
                return _unless_refused(call)
            except _RefusedError as error:
                if error.code not in ("authorization_pending", "slow_down"):
                    raise
                pause += _INTERVAL if error.code == "slow_down" else 0
            except FetchError as error:
                logger.debug("Still waiting for the sign-in: %s", error.reason)
        raise _RefusedError("expired_token")

    def _token_in(self, answer: Mapping[str, Any]) -> str:
        is_for_audience = self.audience or self.resource
        name = "access_token" if is_for_audience or "id_token" not in answer else "id_token"
        token = answer.get(name)
        if isinstance(token, str) and _JWT.fullmatch(token):
            return token
        is_opaque = isinstance(token, str) and token != ""
        del answer, token  # error trackers send the variables of a traceback
        if is_opaque:
            fact = "is opaque, and AWS accepts a JWT only: set audience or resource to what the "
            raise _mistake(
                f"the {name} of {self.issuer} {fact}issuer knows the API by, or add openid to scope"
            )
        raise _failure(f"{self.issuer} answered without a token: check its log")

    # The server.

    def _metadata(self) -> Mapping[str, Any]:
        """Return the discovery document."""
        now, cached = self.bound_to.clock.monotonic(), self._discovery
        if now < cached.get("end", now):
            metadata: Mapping[str, Any] = cached["metadata"]
            return metadata
        status, body = self._send(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        metadata = _object(body) or {}
        if not isinstance(metadata.get("token_endpoint"), str):
            fact = f"answered with status {status} and no discovery document"
            raise _failure(f"the issuer {self.issuer} {fact}: check issuer")
        if metadata.get("issuer") != self.issuer:
            fact = "is not the one in its discovery document: write issuer as it is there, with or"
            raise _mistake(f"the issuer {self.issuer} {fact} without a / at the end")
        cached.update(metadata=metadata, end=now + _DISCOVERY)
        return metadata

    def _auth_method(self, metadata: Mapping[str, Any]) -> str:
        if self.client_secret is None:
            return "none"
        named = metadata.get("token_endpoint_auth_methods_supported")
        supported: list[Any] = named if isinstance(named, list) else []
        takes_only_post = "client_secret_post" in supported
        takes_only_post = takes_only_post and "client_secret_basic" not in supported
        return "client_secret_post" if takes_only_post else "client_secret_basic"

    def _endpoint(self, url: str) -> Endpoint:
        """Return an address that the issuer names.

        Raises:
            FetchError: It must not be called. Only the issuer can correct it.
        """
        try:
            return Endpoint.parse(url)
        except ValueError as error:
            fact = f"an address of the issuer {self.issuer} {error}: ask its operator to correct it"
        raise _failure(fact)

    def _send(
        self, url: str, form: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a request, retry temporary failures, and return status and body."""
        endpoint = self._endpoint(url)
        connect = min(CONNECT, self.timeout)
        timeouts = Timeouts(connect, self.timeout, whole=connect + self.timeout)
        session = self.bound_to.session

        def attempt() -> tuple[int, bytes]:
            status, body = request(endpoint, headers or {}, timeouts, session, form)
            if is_transient(status, body.decode(errors="replace")):
                raise refusal(status, "", is_transient=True)
            return status, body

        host, clock, seconds = endpoint.authority, self.bound_to.clock, share_of_budget()
        try:
            return retry(attempt, host, timeouts, RETRIES, clock, seconds)
        except EndpointError as error:
            fact = f"{host} {error}"
        raise _failure(fact)


class _Wire:
    """Sends the requests of authlib, whose own sessions follow redirects and log requests."""

    def __init__(self, send: Callable[..., tuple[int, bytes]]) -> None:
        self._send = send

    def post(self, url: str, data: Any, headers: Mapping[str, str], auth: Any) -> "_Answer":
        # A copy: authlib passes its defaults, and would add the secret of the client to them.
        own = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        url, own, form = auth.prepare("POST", url, own, urlencode(data))
        return _Answer(url, *self._send(url, form, own))


class _Answer:
    """A response, as authlib reads it."""

    def __init__(self, url: str, status: int, body: bytes) -> None:
        self._url, self.status_code, self._body = url, status, body

    def json(self) -> dict[str, Any]:
        """Return the token response, with a lifetime that authlib can read.

        Raises:
            FetchError: The answer is neither a token response nor a refusal.
        """
        answer = _object(self._body)
        if answer is None or (self.status_code != HTTPStatus.OK and "error" not in answer):
            host = Endpoint.parse(self._url).authority
            fact = f"answered with status {self.status_code} and no token response"
            raise _failure(f"{host} {fact}: check the issuer and its log")
        lifetime = _seconds(answer.get("expires_in"), _LONGEST_SIGN_IN)
        return {**answer, "expires_in": lifetime, "expires_at": None}


def _unless_refused(call: Callable[[], T]) -> T:
    """Call authlib.

    Raises:
        _RefusedError: The server refused. The error of authlib would show the server's text.
    """
    from authlib.oauth2 import OAuth2Error  # noqa: PLC0415 - of the extra oauth

    try:
        return call()
    except OAuth2Error as error:
        code = error.error
    raise _RefusedError(code)


@contextmanager
def _replace_locked(path: str) -> Iterator[Replacement]:
    """Lock the refresh token in a file, and yield its replacement.

    A server that rotates refresh tokens revokes all of them if one is used twice.

    Raises:
        FetchError: Another process holds the lock for too long, or the directory is not writable.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_file(f"{path}.lock", share_of_budget()))
            replacement = stack.enter_context(Replacement(path))
        except TimeoutError:
            fact = "is in use by another process, perhaps for a sign-in: wait for that"
        except OSError as error:
            fact = f"cannot be replaced ({error.strerror}), and refresh tokens may change: make its"
            fact += " directory writable"
        else:
            yield replacement
            return
    raise _failure(f"the refresh token file {path} {fact}")


def _store(token: str, replacement: Replacement, path: str) -> None:
    try:
        replacement.write(token)
        replacement.commit()
    except OSError as error:
        logger.warning(
            "The new refresh token could not be written to %s (%s): make the directory writable, "
            "and sign in again",
            path,
            error.strerror,
        )


def _object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a body; None if there is none."""
    try:
        found = json.loads(body)
    except (RecursionError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _seconds(value: Any, default: int) -> float:
    is_usable = isinstance(value, (int, float)) and value > 0  # not so NaN
    return float(min(value, _LONGEST_SIGN_IN)) if is_usable else default  # a float has a limit


def _mistake(fact: str) -> ConfigurationError:
    return ConfigurationError(provider="oauth token", error_msg=fact)


def _failure(fact: str) -> FetchError:
    return FetchError(provider="oauth token", error_msg=fact)


# The section ``[oauth NAME]``.

#: The settings of a section, and the required ones.
_SETTINGS = [one.name for one in fields(OAuthToken) if one.init][:-2]
_REQUIRED = ("issuer", "client_id")
_SECRETS = ("client_secret", "refresh_token")


def _arguments(section: str, values: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """Return the arguments of ``OAuthToken`` that a section has.

    Raises:
        ConfigurationError: A setting is missing or malformed.
    """
    for name in _REQUIRED:
        if name not in values:
            raise _mistake(f"{name} is not set: add a line {name} = VALUE")
    for name in values:
        if name not in _SETTINGS:
            raise _mistake(
                f"{name} is not a known setting: did you mean {nearest(name, _SETTINGS)}?"
            )
    return {name: _value(section, name, text, scope) for name, text in values.items()}


def _value(section: str, name: str, text: object, scope: Scope) -> object:
    try:
        value = types.text(text)
        check_texts([value], PROFILE)
        source = _secret(value, scope) if name in _SECRETS else None
    except ValueError as error:
        fact = f"{name} {error}: correct it"
        raise _mistake(fact) from None
    if isinstance(source, str):
        logger.warning(
            "%s in [%s] of %s is a secret in plain text: write %s = file://PATH or env://NAME, and "
            "keep the secret there",
            name,
            section,
            scope.config_file,
            name,
        )
    return source or value


def _secret(value: str, scope: Scope) -> object:
    scheme, separator, _ = value.partition("://")
    if separator and scheme.lower() not in ("env", "file", "process"):
        raise ValueError("must be env://NAME, file://PATH or process://COMMAND")
    return reference(value, scope)
