"""Credentials from Amazon Cognito identity pools (enhanced flow).

https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
"""

import json
import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from operator import delitem, setitem
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from ..aws.clients import call
from ..aws.frozen_credentials import FieldError, FrozenCredentials, member
from ..errors import FetchError, is_recoverable
from ..options import references, types
from ..options.option import Option, option
from .base import ServiceProvider

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = logging.getLogger(__name__)

T = TypeVar("T")


class CognitoProvider(ServiceProvider):
    """What Cognito providers share: logins, client, and the credentials of an identity."""

    custom_role_arn: str | None = option(
        default=None,
        ini="cognito_custom_role_arn",
        example="arn:aws:iam::123456789012:role/Mobile",
        parse=types.arn,
        help="The role to assume when the logins allow more than one.",
    )
    logins: Mapping[str, references.Token] | None = option(
        default=None,
        ini="cognito_logins",
        example="(and below it, indented) accounts.google.com = env://GOOGLE_TOKEN",
        code="{'accounts.google.com': get_token}",
        secret=True,
        token=True,
        parse=references.tokens,
        read=references.references,
        help="Names of identity providers with their tokens, or with callables that return "
        "them, called once for each fetch. In a profile an indented block.",
    )
    client: "BaseClient | None" = option(
        default=None,
        code="boto3.client('cognito-identity', config=Config(signature_version=UNSIGNED))",
        parse=types.client_with("get_credentials_for_identity"),
        help="A ready-made Cognito Identity client, used instead of an inner one.",
    )

    def _client(self, cognito_id: str) -> "BaseClient":
        region = cognito_id.partition(":")[0]
        return self.client or self.scope.client("cognito-identity", self.client_config, region)

    def _logins(self) -> dict[str, Any]:
        """Return the `Logins` parameter. Each token is read once for all calls of one fetch."""
        logins = self.logins
        if logins is None:
            return {}
        tokens = {
            name: self.read_token(token, f"the login {name}", in_json=True)
            for name, token in logins.items()
        }
        return {"Logins": tokens}

    def _get_credentials(
        self, client: "BaseClient", identity: str, logins: dict[str, Any]
    ) -> FrozenCredentials:
        """Call GetCredentialsForIdentity; the answer may be for another identity.

        Cognito merges the identity of a guest who signs in into the identity of the user.
        """
        role = {"CustomRoleArn": self.custom_role_arn} if self.custom_role_arn else {}
        parameters = {"IdentityId": identity, **logins, **role}
        answer = call(client, "get_credentials_for_identity", parameters)
        try:
            current = _identity_in(answer) or identity
            if current != identity:
                logger.info("Cognito has merged the identity %s into %s", identity, current)
            return FrozenCredentials.from_mapping(
                {**member(answer, "Credentials"), "IdentityId": current}
            )
        except FieldError as error:
            fact = f"the answer for the identity {identity} has no usable credentials ({error})"
        raise FetchError(provider=self.METHOD, error_msg=f"{fact}: check the endpoint")


def _identity_in(answer: Mapping[str, Any]) -> str | None:
    """Return the identity that an answer names, or None.

    Raises:
        FieldError: The identity is malformed.
    """
    try:
        return types.cognito_id(answer["IdentityId"]) if answer.get("IdentityId") else None
    except ValueError as error:
        fact = str(error)
    raise FieldError("IdentityId", fact)


class CognitoIdentityProvider(CognitoProvider):
    """Credentials of a Cognito identity that is already known."""

    METHOD = "custom-cognito-identity"
    CANONICAL_NAME = "CustomCognitoIdentity"
    FACTORY = "from_cognito_identity"
    _CHANGING = frozenset({"identity_id"})  # Cognito may merge it into another one

    identity_id: str = option(
        default=None,
        ini="cognito_identity_id",
        example="us-east-1:128d0a74-c82f-4553-916d-90053e4a8b0f",
        selects=True,
        required=True,
        parse=types.cognito_id,
        help="The identity. When a guest signs in, Cognito may merge it into the identity of the "
        "user: then `identity_id` of the provider and of its credentials is the user's.",
    )

    def _option_value(self, wanted: Option) -> Any:
        """See ``Specification._option_value``; the identity is the one in the last answer."""
        value = super()._option_value(wanted)
        return self._cell.ids.get(value, value) if wanted.name == "identity_id" else value

    def fetch(self) -> FrozenCredentials:
        """Call GetCredentialsForIdentity: one round trip."""
        merged = self._cell.ids  # before the logins: see Provider._replace_token
        configured = str(super()._option_value(self._option_named("identity_id")))
        identity = merged.get(configured, configured)
        credentials = self._get_credentials(self._client(identity), identity, self._logins())
        merged[configured] = str(credentials.identity_id)
        return credentials


from_cognito_identity = CognitoIdentityProvider


# Caching identity IDs between fetches.
#
# An ID is not a secret, but it decides whose data the credentials give access to: it is shared only
# under a cache key made of pool, region, endpoint, account and user, and a value that does not look
# like an identity of the pool's region is ignored.

#: IDs that ``user_identifier`` shares between the providers of this process.
_by_user: dict[str, str] = {}


def reset() -> None:
    """Forget the IDs that ``user_identifier`` shares in this process."""
    _by_user.clear()


@dataclass(frozen=True)
class CachedIdentity:
    """The cached identity of one user in one pool, in memory and in the caller's cache."""

    key: str
    region: str
    #: The cache of this provider.
    own_cache: dict[str, str]
    #: Whether ``user_identifier`` is set, so that providers of this process share the identity.
    by_user: bool
    #: The caller's cache; None when it must not be used. An error of it never fails a fetch.
    cache: MutableMapping[str, str] | None

    def get(self) -> str | None:
        """Return the cached ID, or None."""
        return self._in_memory.get(self.key) or self._from_cache()

    def store(self, identity: str) -> str:
        """Cache ``identity``; return it, or the ID that another thread has stored meanwhile."""
        identity = self._in_memory.setdefault(self.key, identity)
        self.own_cache.pop(self.key, None)  # the identity in use is the last one
        self.own_cache[self.key] = identity
        if self._from_cache() != identity:
            self._use_cache("written", lambda cache: setitem(cache, self._cache_key, identity))
        return identity

    def replace(self, identity: str, merged: str) -> None:
        """Cache ``merged`` wherever ``identity`` is cached."""
        if self._in_memory.get(self.key) == identity:
            self._in_memory[self.key] = merged
        self.store(merged)

    def drop(self, identity: str) -> None:
        """Remove ``identity`` wherever it is cached."""
        for cached in (self.own_cache, self._in_memory):
            if cached.get(self.key) == identity:
                cached.pop(self.key, None)
        if self._from_cache() == identity:
            self._use_cache("written", lambda cache: delitem(cache, self._cache_key))

    @property
    def _cache_key(self) -> str:
        return f"botocore-ext:cognito-identity:{self.key}"

    @property
    def _in_memory(self) -> dict[str, str]:
        """The cache on which the threads of this process agree."""
        return _by_user if self.by_user else self.own_cache

    def _from_cache(self) -> str | None:
        return self._use_cache("read", self._read)

    def _read(self, cache: MutableMapping[str, str]) -> str | None:
        try:
            cached = types.cognito_id(cache[self._cache_key])
        except KeyError:
            return None
        return cached if cached.partition(":")[0] == self.region else None

    def _use_cache(self, action: str, work: Callable[[MutableMapping[str, str]], T]) -> T | None:
        """Return what ``work`` returns; None without a cache or if ``work`` fails.

        Args:
            action: "read" or "written", for the warning.
            work: Called with the cache.
        """
        if self.cache is None:
            return None
        try:
            return work(self.cache)
        except Exception as error:  # noqa: BLE001 - a failing cache never fails a fetch
            # Log only the type: the text may contain the password of the cache.
            kind = type(error).__name__
            logger.warning("The cache of Cognito identities could not be %s (%s)", action, kind)
            return None


#: Error codes that may mean that the cached identity does not exist anymore.
_REJECTED = frozenset({"NotAuthorizedException", "ResourceNotFoundException"})


class CognitoIdentityPoolProvider(CognitoProvider):
    """Credentials of the identity that a Cognito identity pool assigns to the logins or a guest."""

    METHOD = "custom-cognito-identity-pool"
    CANONICAL_NAME = "CustomCognitoIdentityPool"
    FACTORY = "from_cognito_identity_pool"

    identity_pool_id: str = option(
        default=None,
        ini="cognito_identity_pool_id",
        example="us-east-1:1699ebc0-7900-4099-b910-2df94f52a030",
        selects=True,
        required=True,
        parse=types.cognito_id,
        help="The identity pool.",
    )
    account_id: str | None = option(
        default=None,
        ini="cognito_account_id",
        example="123456789012",
        parse=types.text,
        help="The AWS account that owns the pool.",
    )
    user_identifier: str | None = option(
        default=None,
        ini="cognito_user_identifier",
        example="user_0",
        parse=types.text,
        help="An ID of the user. Providers of this process with the same ID share the identity.",
    )
    cache: MutableMapping[str, str] | None = option(
        default=None,
        code="shelve.open('identities')",
        secret=True,
        parse=types.mutable_mapping,
        help="A mapping that keeps identity IDs beyond this process. With logins it is used only "
        "together with `user_identifier`, so that no user gets the identity of another.",
    )

    @property
    def identity_id(self) -> str | None:
        """The identity in use; None before the first fetch."""
        return next(reversed(self._cell.ids.values()), None)

    def fetch(self) -> FrozenCredentials:
        """Call GetId, unless the identity is cached, and GetCredentialsForIdentity."""
        own_cache = self._cell.ids  # before the logins: see Provider._replace_token
        client, logins = self._client(self.identity_pool_id), self._logins()
        cached_identity = self._cached_identity(client, logins, own_cache)
        identity = cached_identity.get()
        if identity is not None:
            try:
                return self._store_and_get(client, cached_identity, identity, logins)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code not in _REJECTED or is_recoverable(error):
                    raise  # an expired login does not mean that the identity is wrong
            logger.info("Cognito rejects the cached identity %s: getting another one", identity)
            cached_identity.drop(identity)
        return self._store_and_get(client, cached_identity, self._get_id(client, logins), logins)

    def _store_and_get(
        self,
        client: "BaseClient",
        cached_identity: CachedIdentity,
        identity: str,
        logins: dict[str, Any],
    ) -> FrozenCredentials:
        """Return the credentials of ``identity``; cache the identity that they belong to."""
        identity = cached_identity.store(identity)
        credentials = self._get_credentials(client, identity, logins)
        if credentials.identity_id != identity:
            cached_identity.replace(identity, str(credentials.identity_id))
        return credentials

    def _cached_identity(
        self, client: "BaseClient", logins: dict[str, Any], own_cache: dict[str, str]
    ) -> CachedIdentity:
        meta, user, cache = client.meta, self.user_identifier, self.cache
        pool, account = self.identity_pool_id, self.account_id
        return CachedIdentity(
            key=json.dumps([pool, meta.region_name, meta.endpoint_url, account, user]),
            region=pool.partition(":")[0],
            own_cache=own_cache,
            by_user=user is not None,
            # With logins only the user identifier says who the user is; without them it is a guest.
            cache=cache if user is not None or not logins else None,
        )

    def _get_id(self, client: "BaseClient", logins: dict[str, Any]) -> str:
        account = {"AccountId": self.account_id} if self.account_id else {}
        parameters = {"IdentityPoolId": self.identity_pool_id, **account, **logins}
        identity = call(client, "get_id", parameters).get("IdentityId")
        if not identity:
            raise FetchError(
                provider=self.METHOD,
                error_msg=f"the answer for the pool {self.identity_pool_id} has no IdentityId: "
                "check the endpoint",
            )
        return str(identity)


from_cognito_identity_pool = CognitoIdentityPoolProvider
