"""Keys from Amazon Cognito identity pools (enhanced flow).

https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html
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


class CognitoProvider(ServiceProvider):
    """The logins, the client, and how an identity is exchanged for its keys."""

    custom_role_arn: str | None = option(
        default=None,
        ini="cognito_custom_role_arn",
        example="arn:aws:iam::123456789012:role/Mobile",
        parse=types.arn,
        help="The role to assume where the logins allow more than one.",
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
        "them, asked once for each fetch. In a profile an indented block.",
    )
    client: "BaseClient | None" = option(
        default=None,
        code="boto3.client('cognito-identity', config=Config(signature_version=UNSIGNED))",
        parse=types.client_with("get_credentials_for_identity"),
        help="A ready-made Cognito Identity client, used instead of an inner one.",
    )

    def _client(self, of_id: str) -> "BaseClient":
        region = of_id.partition(":")[0]
        return self.client or self.scope.client("cognito-identity", self.client_config, region)

    def _logins(self) -> dict[str, Any]:
        """Ask every login once, for all calls of one fetch."""
        logins = self.logins
        if logins is None:
            return {}
        found = {
            name: self.read_token(source, f"the login {name}", in_json=True)
            for name, source in logins.items()
        }
        return {"Logins": found}

    def _keys(
        self, client: "BaseClient", identity: str, logins: dict[str, Any]
    ) -> FrozenCredentials:
        """Ask for the credentials of ``identity``, which may be those of another one.

        Cognito merges the identity of a guest who signs in into that of the user.
        """
        role = {"CustomRoleArn": self.custom_role_arn} if self.custom_role_arn else {}
        parameters = {"IdentityId": identity, **logins, **role}
        answer = call(client, "get_credentials_for_identity", parameters)
        try:
            answered = _answered(answer) or identity
            if answered != identity:
                logger.info("Cognito has merged the identity %s into %s", identity, answered)
            return FrozenCredentials.from_mapping(
                {**member(answer, "Credentials"), "IdentityId": answered}
            )
        except FieldError as error:
            fact = f"the answer for the identity {identity} holds no keys ({error})"
        raise FetchError(provider=self.METHOD, error_msg=f"{fact}: check the endpoint")


def _answered(answer: Mapping[str, Any]) -> str | None:
    """Return the identity that an answer names, if any.

    Raises:
        FieldError: It is malformed.
    """
    try:
        return types.cognito_id(answer["IdentityId"]) if answer.get("IdentityId") else None
    except ValueError as error:
        fact = str(error)
    raise FieldError("IdentityId", fact)


# Keys for an identity of Amazon Cognito.


class CognitoIdentityProvider(CognitoProvider):
    """Keys for a Cognito identity that is known already."""

    METHOD = "custom-cognito-identity"
    CANONICAL_NAME = "CustomCognitoIdentity"
    FACTORY = "from_cognito_identity"

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

    def option_value(self, wanted: Option) -> Any:
        """See ``Specification.option_value``; the identity is the one that Cognito answered."""
        value = super().option_value(wanted)
        return self._cell.kept.get(value, value) if wanted.name == "identity_id" else value

    def fetch(self) -> FrozenCredentials:
        """Ask Cognito for the keys of the identity: one round trip."""
        merged = self._cell.kept  # before the logins: see Provider.replace_token
        given = str(super().option_value(self.option_named("identity_id")))
        identity = merged.get(given, given)
        found = self._keys(self._client(identity), identity, self._logins())
        merged[given] = str(found.identity_id)
        return found


from_cognito_identity = CognitoIdentityProvider


# Where the id of a Cognito identity is kept between fetches.
#
# An id is no secret, but it decides whose data the keys open: it is shared only under a key that
# holds pool, region, endpoint, account and user, and a value that does not look like an identity of
# the pool's region is not used.

T = TypeVar("T")


#: Ids that ``user_identifier`` shares between the providers of this process.
_by_user: dict[str, str] = {}


def reset() -> None:
    """Forget the ids that ``user_identifier`` shares in this process."""
    _by_user.clear()


@dataclass(frozen=True)
class KeptIdentities:
    """The places that may know the identity of one user in one pool."""

    key: str
    region: str
    #: The provider's own.
    mine: dict[str, str]
    #: Whether the user is named, so that the process may share the identity.
    by_user: bool
    #: The caller's; None where it must not be used. Whatever it does, no fetch fails.
    cache: MutableMapping[str, str] | None

    def find(self) -> str | None:
        """Return the kept id, or None."""
        return self._in_memory.get(self.key) or self._cached()

    def keep(self, identity: str) -> str:
        """Keep ``identity``; return it, or the one that another thread has kept meanwhile."""
        identity = self._in_memory.setdefault(self.key, identity)
        self.mine.pop(self.key, None)  # the identity in use is the last one
        self.mine[self.key] = identity
        if self._cached() != identity:
            self._use("written", lambda cache: setitem(cache, self._cache_key, identity))
        return identity

    def replace(self, identity: str, merged: str) -> None:
        """Keep ``merged`` wherever ``identity`` is kept."""
        if self._in_memory.get(self.key) == identity:
            self._in_memory[self.key] = merged
        self.keep(merged)

    def drop(self, identity: str) -> None:
        """Forget ``identity`` wherever it is kept."""
        for known in (self.mine, self._in_memory):
            if known.get(self.key) == identity:
                known.pop(self.key, None)
        if self._cached() == identity:
            self._use("written", lambda cache: delitem(cache, self._cache_key))

    @property
    def _cache_key(self) -> str:
        return f"botocore-ext:cognito-identity:{self.key}"

    @property
    def _in_memory(self) -> dict[str, str]:
        """What decides among the threads of this process."""
        return _by_user if self.by_user else self.mine

    def _cached(self) -> str | None:
        return self._use("read", self._read)

    def _read(self, cache: MutableMapping[str, str]) -> str | None:
        try:
            kept = types.cognito_id(cache[self._cache_key])
        except KeyError:
            return None
        return kept if kept.partition(":")[0] == self.region else None

    def _use(self, done: str, work: Callable[[MutableMapping[str, str]], T]) -> T | None:
        """Return what ``work`` returns; None without a cache, and if that fails."""
        if self.cache is None:
            return None
        try:
            return work(self.cache)
        except Exception as error:  # noqa: BLE001 - a failing cache never fails a fetch
            # Its type alone: the text may hold the password of the cache.
            kind = type(error).__name__
            logger.warning("The cache of Cognito identities cannot be %s (%s)", done, kind)
            return None


# Keys for an identity of a pool of Amazon Cognito, which says itself which one.
#
# https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html

#: With these a kept identity id is worth asking for again.
_REJECTED = frozenset({"NotAuthorizedException", "ResourceNotFoundException"})


class CognitoIdentityPoolProvider(CognitoProvider):
    """Keys for the identity that a Cognito identity pool gives to these logins, or to a guest."""

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
        help="Who the user is: providers of this process with the same one share its identity.",
    )
    cache: MutableMapping[str, str] | None = option(
        default=None,
        code="shelve.open('identities')",
        secret=True,
        parse=types.mutable_mapping,
        help="Where identity ids are kept beyond this process. With logins it is used only "
        "beside `user_identifier`, so that no user gets the identity of another.",
    )

    @property
    def identity_id(self) -> str | None:
        """The identity in use; None before the first fetch."""
        return next(reversed(self._cell.kept.values()), None)

    def fetch(self) -> FrozenCredentials:
        """Ask Cognito for the identity, unless it is kept, and for its keys."""
        mine = self._cell.kept  # before the logins: see Provider.replace_token
        client, logins = self._client(self.identity_pool_id), self._logins()
        identities = self._identities(client, logins, mine)
        kept = identities.find()
        if kept is not None:
            try:
                return self._keys_of(client, identities, kept, logins)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code not in _REJECTED or is_recoverable(error):
                    raise  # an expired login says nothing against the identity
            logger.info("Cognito rejects the kept identity %s: asking for another", kept)
            identities.drop(kept)
        return self._keys_of(client, identities, self._ask(client, logins), logins)

    def _keys_of(
        self,
        client: "BaseClient",
        identities: KeptIdentities,
        identity: str,
        logins: dict[str, Any],
    ) -> FrozenCredentials:
        """Ask for the credentials of ``identity``, and keep the identity that they are of."""
        asked = identities.keep(identity)
        found = self._keys(client, asked, logins)
        if found.identity_id != asked:
            identities.replace(asked, str(found.identity_id))
        return found

    def _identities(
        self, client: "BaseClient", logins: dict[str, Any], mine: dict[str, str]
    ) -> KeptIdentities:
        meta, user, cache = client.meta, self.user_identifier, self.cache
        pool, account = self.identity_pool_id, self.account_id
        return KeptIdentities(
            key=json.dumps([pool, meta.region_name, meta.endpoint_url, account, user]),
            region=pool.partition(":")[0],
            mine=mine,
            by_user=user is not None,
            # Whose identity it is, only the user identifier says; without logins it is a guest's.
            cache=cache if user is not None or not logins else None,
        )

    def _ask(self, client: "BaseClient", logins: dict[str, Any]) -> str:
        account = {"AccountId": self.account_id} if self.account_id else {}
        parameters = {"IdentityPoolId": self.identity_pool_id, **account, **logins}
        identity = call(client, "get_id", parameters).get("IdentityId")
        if not identity:
            raise FetchError(
                provider=self.METHOD,
                error_msg=f"the answer for the pool {self.identity_pool_id} names no identity: "
                "check the endpoint",
            )
        return str(identity)


from_cognito_identity_pool = CognitoIdentityPoolProvider
