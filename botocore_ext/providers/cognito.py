"""Credentials from Amazon Cognito identity pools: both flows, and developer identities.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetCredentialsForIdentity.html
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdToken.html
https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetOpenIdTokenForDeveloperIdentity.html
"""

import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from functools import partial
from operator import delitem, is_, setitem
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from weakref import ref

from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ..aws.clients import call
from ..aws.frozen_credentials import FieldError, FrozenCredentials, member
from ..catalogue import load
from ..errors import ConfigurationError, FetchError, is_recoverable, near
from ..options import references, types
from ..options.option import Option, option, option_like
from ..options.resolution import PROFILE, Resolved
from ..refresh.credentials import ProviderCredentials
from ..runtime.context import RoutedLogger
from ..runtime.single_flight import use_last
from .base import CachedIds, Provider, WebIdentityRoleProvider
from .function import Source, credentials_or_provider
from .signed import SignedProvider

if TYPE_CHECKING:
    from botocore.client import BaseClient

logger = RoutedLogger(__name__)

T = TypeVar("T")

#: The options that only the classic flow uses.
_CLASSIC = ("role_arn", "role_session_name", "duration_seconds")
#: The name of Cognito's own tokens among logins, and by region where it is another one: see "Amazon
#: Cognito in AWS GovCloud (US)" and ``CognitoCredentialsProvider`` of AWS's SDK for Android.
_COGNITO = "cognito-identity.amazonaws.com"
_COGNITO_IN = {
    "cn-north-1": "cognito-identity.cn-north-1.amazonaws.com.cn",
    "us-gov-east-1": "cognito-identity.us-gov-east-1.amazonaws.com",
    "us-gov-west-1": "cognito-identity-us-gov.amazonaws.com",
}


class CognitoProvider(WebIdentityRoleProvider):
    """What Cognito providers share: logins, client, flow, and the credentials of an identity."""

    custom_role_arn: str | None = option(
        ini="cognito_custom_role_arn",
        example="arn:aws:iam::123456789012:role/Mobile",
        parse=types.arn,
        help="The role to assume when the logins allow more than one.",
    )
    logins: Mapping[str, references.Token] | None = option(
        ini="cognito_logins",
        example="accounts.google.com=env://GOOGLE_TOKEN",
        code="{'accounts.google.com': get_token}",
        secret=True,
        token=True,
        parse=references.tokens,
        read=references.references,
        help="Names of identity providers with their tokens, or with callables that return "
        "them, called once per refresh. In a profile one line `NAME=REFERENCE, NAME=REFERENCE`, "
        "or an indented block.",
    )
    client: "BaseClient | None" = option(
        code="boto3.client('cognito-identity', config=Config(signature_version=UNSIGNED))",
        parse=types.client_with("get_credentials_for_identity"),
        help="A ready-made Cognito Identity client, used instead of an inner one.",
    )
    flow: Literal["enhanced", "classic"] = option(
        default="enhanced",
        ini="cognito_flow",
        example="classic",
        parse=types.choice("enhanced", "classic"),
        help="`enhanced`: Cognito assumes the role. `classic`: this provider does, with "
        "GetOpenIdToken and AssumeRoleWithWebIdentity; it needs `role_arn`.",
    )
    role_arn: str | None = option_like(
        WebIdentityRoleProvider._option_named("role_arn"),
        example="arn:aws:iam::123456789012:role/Mobile",
        help="The role to assume in the classic flow.",
    )

    def check(self) -> None:
        """See ``Provider.check``; the options must belong to the flow."""
        super().check()
        if self.flow == "classic":
            if self.role_arn is None:
                raise self._missing(self._option_named("role_arn"))
            if self.custom_role_arn is not None:
                raise self._of_no_use("custom_role_arn", "belongs to the enhanced flow")
        for name in _CLASSIC if self.flow != "classic" else ():
            if name in self._code_values:
                raise self._of_no_use(name, "belongs to the classic flow", "flow")

    def _of_no_use(self, name: str, fact: str, other: str | None = None) -> ConfigurationError:
        """Return the error for an option that has no effect without ``other``, or at all."""
        wanted = self._option_named(name)
        origin: Any = self._resolution(wanted).origin
        remedy = (
            f"{origin.remedy(self._option_named(other))}, or remove it" if other else "remove it"
        )
        fact = f"{origin.where(wanted)} {fact}: {remedy}"
        return ConfigurationError(provider=self.METHOD, error_msg=fact)

    def _resolution(self, wanted: Option) -> Resolved:
        """See ``Specification._resolution``; a role in the profile may not be for Cognito."""
        found = super()._resolution(wanted)
        is_in_profile = found.origin is not None and found.origin.kind == PROFILE
        return found if not is_in_profile or self._uses(wanted.name) else Resolved(wanted.default)

    def _uses(self, name: str) -> bool:
        """Whether an option is used if a profile sets it."""
        return name not in _CLASSIC or self.flow == "classic"

    def logout(self) -> None:
        """Drop the logins that code set, the identity, and the credentials of all copies.

        A fetch under way does not bring them back. The next fetch is for a guest, or for the user
        that a profile or ``developer_user`` names.
        """
        copies: list[Provider | ProviderCredentials] = [self, *self._cell.credentials_of_copies()]
        try:
            for one in copies:
                one._forget_ids()
        finally:
            self._code_values.pop("logins", None)
            self._cell.ids.log_out()
            self._drop_credentials()

    def _features(self) -> tuple[str, ...]:
        """See ``Provider._features``."""
        return ("CREDENTIALS_STS_ASSUME_ROLE_WEB_ID",) if self.flow == "classic" else ()

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
        """Return the credentials of an identity; the answer may be for another one.

        Cognito merges the identity of a guest who signs in into the identity of the user.
        """
        if self.flow == "classic":
            parameters = {"IdentityId": identity, **logins}
            answer = call(client, "get_open_id_token", parameters)
            asked = f"the identity {identity}"
            return self._assume_classic_role(*self._open_id_token(answer, asked, identity))
        role = {"CustomRoleArn": self.custom_role_arn} if self.custom_role_arn else {}
        parameters = {"IdentityId": identity, **logins, **role}
        answer = call(client, "get_credentials_for_identity", parameters)

        def convert(answer: Mapping[str, Any]) -> FrozenCredentials:
            current = {"IdentityId": _identity_in(answer, identity)}
            return FrozenCredentials.from_mapping({**member(answer, "Credentials"), **current})

        return self._credentials_in(answer, f"the identity {identity}", convert)

    def _open_id_token(
        self, answer: Mapping[str, Any], asked: str, identity: str | None = None
    ) -> tuple[str, str]:
        """Return the identity and the token in an answer, which may be for an identity."""
        try:
            current, token = _identity_in(answer, identity), answer.get("Token")
            if current and isinstance(token, str) and token:
                return current, token
            fact = f"{'Token' if current else 'IdentityId'} is missing"
        except FieldError as error:
            fact = str(error)
        raise self._unusable(f"the answer for {asked} has no usable token ({fact})")

    def _assume_classic_role(self, identity: str, token: str) -> FrozenCredentials:
        """Call AssumeRoleWithWebIdentity, in the region of the identity."""
        region = identity.partition(":")[0]
        credentials = self._assume_role(self._role_parameters(token), region)
        return replace(credentials, identity_id=identity)

    def _unusable(self, fact: str) -> FetchError:
        return FetchError(provider=self.METHOD, error_msg=f"{fact}: check the endpoint")


def _identity_in(answer: Mapping[str, Any], identity: str | None) -> str | None:
    """Return the identity that an answer names, or the one that it is for.

    Raises:
        FieldError: The identity is malformed.
    """
    try:
        found = types.cognito_id(answer["IdentityId"]) if answer.get("IdentityId") else identity
    except ValueError as error:
        fact = str(error)
    else:
        if None not in (found, identity) and found != identity:
            logger.info("Cognito has merged the identity %s into %s", identity, found)
        return found
    raise FieldError("IdentityId", fact)


class CognitoIdentityProvider(CognitoProvider):
    """Credentials of a Cognito identity that is already known."""

    METHOD = "custom-cognito-identity"
    CANONICAL_NAME = "CustomCognitoIdentity"
    FACTORY = "from_cognito_identity"
    _CHANGING = frozenset({"identity_id"})  # Cognito may merge it into another one

    identity_id: str = option(
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
        return self._cell.ids.current.get(value, value) if wanted.name == "identity_id" else value

    def fetch(self) -> FrozenCredentials:
        """Call GetCredentialsForIdentity: one round trip; two in the classic flow."""
        merged = self._cell.ids.current  # before the logins: see Provider._replace_token
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

#: The number of users whose IDs are kept while no provider uses them.
MAX_USERS = 10_000
#: IDs that ``user_identifier`` shares between the providers of this process, by cache key.
_by_user: dict[str, ref[CachedIds]] = {}
#: Those that were used last.
_recent: dict[str, CachedIds] = {}


def ids_of_user(key: str) -> CachedIds:
    """Return the IDs under a cache key: the same object for all providers that use it."""
    new = CachedIds()
    # setdefault is atomic, and so are the end of an object and the callback of its reference.
    found = _by_user.setdefault(key, ref(new, partial(_by_user.pop, key)))() or new
    use_last(_recent, key, found, MAX_USERS)
    return found


def reset() -> None:
    """Forget the IDs that ``user_identifier`` shares in this process."""
    _recent.clear()
    _by_user.clear()


class CachedIdentity:
    """The cached identity of one user in one pool, in memory and in the caller's cache.

    It belongs to one fetch: if the user logs out meanwhile, it changes nothing that others see.
    """

    def __init__(
        self,
        key: str,
        region: str,
        own: CachedIds,
        shared: CachedIds | None = None,
        cache: MutableMapping[str, str] | None = None,
    ) -> None:
        """Take the cache key, the region of the pool, and where the identity is cached.

        That is in the IDs of the provider, in those that providers of this process share by user
        identifier, and in the caller's cache. An error of that cache fails no fetch.
        """
        self.key, self.region = key, region
        self.cache = self._cache_of_guests = cache
        self._ids = [own] if shared is None else [own, shared]
        self._began = [ids.current for ids in self._ids]
        self._own_cache, self._in_memory = self._began[0], self._began[-1]

    def get(self) -> str | None:
        """Return the cached ID, or None."""
        if self.key in self._in_memory:
            return self._in_memory[self.key]
        cached = self._from_cache()
        return None if any(cached in ids.logged_out for ids in self._ids) else cached

    def remember(self, identity: str) -> None:
        """Note that the provider uses ``identity`` now: the last one is in use."""
        self._own_cache.pop(self.key, None)
        self._own_cache[self.key] = identity

    def store(self, identity: str) -> str:
        """Cache ``identity``; return it, or the ID that another thread has stored meanwhile."""
        identity = self._in_memory.setdefault(self.key, identity)
        self.remember(identity)
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
        for cached in self._began:
            if cached.get(self.key) == identity:
                cached.pop(self.key, None)
        self._remove(identity)

    def sign_in(self) -> None:
        """Leave the caller's cache to guests, because it does not say whose identity it has."""
        self.cache = None

    def remove_guest(self, identity: str) -> None:
        """Remove ``identity`` from the cache of guests: it belongs to the user who signed in."""
        self.cache = self._cache_of_guests
        self._remove(identity)

    def _remove(self, identity: str) -> None:
        if self._from_cache() == identity:
            self._use_cache("written", lambda cache: delitem(cache, self._cache_key))

    def log_out(self) -> None:
        """Remove the identity wherever it is cached; fetches under way do not bring it back."""
        cached = self._from_cache()
        if cached is not None:
            self._use_cache("written", lambda cache: delitem(cache, self._cache_key))
        for ids in self._ids:
            ids.log_out(*([] if cached is None else [cached]))

    @property
    def _cache_key(self) -> str:
        return f"botocore-ext:cognito-identity:{self.key}"

    def _from_cache(self) -> str | None:
        return self._use_cache("read", self._read)

    def _read(self, cache: MutableMapping[str, str]) -> str | None:
        try:
            cached = types.cognito_id(cache[self._cache_key])
        except KeyError:
            return None
        return cached if cached.partition(":")[0] == self.region else None

    def _use_cache(self, action: str, work: Callable[[MutableMapping[str, str]], T]) -> T | None:
        """Return what ``work`` returns for the cache; None without one, or if ``work`` fails."""
        is_same = all(map(is_, [ids.current for ids in self._ids], self._began))
        if self.cache is None or not is_same:
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
#: The error code for logins that belong to another identity than the cached one of a guest.
_CONFLICT = "ResourceConflictException"


class CognitoIdentityPoolProvider(CognitoProvider, SignedProvider):
    """Credentials of the identity that a Cognito identity pool assigns to the logins or a guest."""

    METHOD = "custom-cognito-identity-pool"
    CANONICAL_NAME = "CustomCognitoIdentityPool"
    FACTORY = "from_cognito_identity_pool"

    identity_pool_id: str = option(
        ini="cognito_identity_pool_id",
        example="us-east-1:1699ebc0-7900-4099-b910-2df94f52a030",
        selects=True,
        required=True,
        parse=types.cognito_id,
        help="The identity pool.",
    )
    account_id: str | None = option(
        ini="cognito_account_id",
        example="123456789012",
        parse=types.text,
        help="The AWS account that owns the pool.",
    )
    user_identifier: str | None = option(
        ini="cognito_user_identifier",
        example="user_0",
        parse=types.text,
        help="An ID of the user. Providers of this process with the same ID share the identity.",
    )
    cache: MutableMapping[str, str] | None = option(
        code="shelve.open('identities')",
        secret=True,
        parse=types.mutable_mapping,
        help="A mapping that keeps identity IDs beyond this process. With logins it is used only "
        "together with `user_identifier`, so that no user gets the identity of another.",
    )
    developer_provider: str | None = option(
        ini="cognito_developer_provider",
        example="login.example.com",
        parse=types.text,
        help="The developer provider name of the pool, if your backend authenticates its users.",
    )
    developer_user: str | None = option(
        ini="cognito_developer_user",
        example="user_0",
        parse=types.text,
        help="The user's ID at the developer provider.",
    )
    source_profile: str | None = option(
        ini="source_profile",
        example="backend",
        parse=types.text,
        help="The profile whose credentials sign GetOpenIdTokenForDeveloperIdentity.",
    )
    master_credentials: Source | Credentials | FrozenCredentials | Mapping[str, Any] | None = (
        option(
            code="from_env()",
            secret=True,
            parse=credentials_or_provider,
            help="The credentials that sign GetOpenIdTokenForDeveloperIdentity: a provider, a "
            "chain, a callable, or credentials.",
        )
    )

    @property
    def identity_id(self) -> str | None:
        """The identity in use; None before the first fetch."""
        return next(reversed(self._cell.ids.current.values()), None)

    @property
    def _identity(self) -> object:
        """See ``Provider._identity``; that of a profile is created for each use."""
        scope = self.scope
        named = (id(scope.files), scope.profile, self.METHOD)
        return super()._identity if scope.profile is None else named

    def check(self) -> None:
        """See ``Provider.check``; a developer identity needs a user, and credentials that sign."""
        super().check()
        named = self._option_named
        if self.developer_provider is None:
            for name in ("developer_user", "master_credentials", "source_profile"):
                if getattr(self, name) is not None:
                    fact = "is for a developer identity"
                    raise self._of_no_use(name, fact, "developer_provider")
            return
        if self.developer_user is None:
            raise self._missing(named("developer_user"))
        source, profiles = self.source_profile, self.scope.profiles
        if self.master_credentials is None and source is None:
            in_code = [named("master_credentials")] if self.scope.profile is None else []
            raise self._missing(*in_code, named("source_profile"))
        if self.master_credentials is not None and source is not None:
            raise self._of_no_use("source_profile", "conflicts with master_credentials")
        if source is not None and source not in profiles:
            similar = near(source, profiles)
            remedy = f"did you mean {similar}?" if similar else "add it, or correct the name"
            fact = (
                f"source_profile = {source} is not a profile of {self.scope.config_file}: {remedy}"
            )
            raise ConfigurationError(provider=self.METHOD, error_msg=fact)

    def _uses(self, name: str) -> bool:
        """See ``CognitoProvider._uses``."""
        is_used = name != "source_profile" or self.developer_provider is not None
        return is_used and super()._uses(name)

    def _forget_ids(self) -> None:
        """See ``Provider._forget_ids``; the identity is removed from the caches, too."""
        self._cached_identity(self._client(self.identity_pool_id)).log_out()

    def _ids_after_new_token(self) -> dict[str, str]:
        """See ``Provider._ids_after_new_token``; a guest who signs in keeps the identity."""
        is_guest = self.logins is None and self.developer_provider is None
        return dict(self._cell.ids.current) if is_guest else super()._ids_after_new_token()

    def _subscribe(self, credentials: ProviderCredentials, distance: int = 0) -> None:
        """See ``Provider._subscribe``."""
        super()._subscribe(credentials, distance)
        if self.developer_provider is not None:
            self._subscribe_to_master(credentials, distance)

    def fetch(self) -> FrozenCredentials:
        """Call GetId, unless the identity is cached, and GetCredentialsForIdentity.

        In the classic flow GetOpenIdToken and AssumeRoleWithWebIdentity instead of the latter; for
        a developer identity GetOpenIdTokenForDeveloperIdentity in place of GetId.
        """
        if self.developer_provider is not None:
            return self._fetch_developer_identity(self.developer_provider)
        client = self._client(self.identity_pool_id)
        cached_identity = self._cached_identity(client)  # before the logins: see CachedIds
        logins = self._logins()
        if logins and self.user_identifier is None:
            cached_identity.sign_in()
        identity = cached_identity.get()
        if identity is not None:
            try:
                return self._store_and_get(client, cached_identity, identity, logins)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                is_rejected = code in _REJECTED and not is_recoverable(error)
                if not is_rejected and code != _CONFLICT:
                    raise  # an expired login does not mean that the identity is wrong
            logger.info("Cognito rejects the cached identity %s: getting another one", identity)
            cached_identity.drop(identity)
        return self._store_and_get(client, cached_identity, self._get_id(client, logins), logins)

    def _fetch_developer_identity(self, developer_provider: str) -> FrozenCredentials:
        """Return the credentials of the user's identity, whose ID is not taken from a cache."""
        pool, ids = self.identity_pool_id, self._cell.ids.current
        master = self._resolve_master()
        _, keys = master
        region = pool.partition(":")[0]
        client = self.scope.client("cognito-identity", self.client_config, region, credentials=keys)
        logins = {**self._logins().get("Logins", {}), developer_provider: self.developer_user}
        parameters = {"IdentityPoolId": pool, "Logins": logins}
        operation = "get_open_id_token_for_developer_identity"
        answer = self._call_signed(client, operation, parameters, master)
        identity, token = self._open_id_token(answer, f"the pool {pool}")
        if self.flow == "classic":
            credentials = self._assume_classic_role(identity, token)
        else:
            unsigned: BaseClient = self.client or client  # botocore does not sign this operation
            login = {_COGNITO_IN.get(region, _COGNITO): token}
            credentials = self._get_credentials(unsigned, identity, {"Logins": login})
        ids[pool] = str(credentials.identity_id)
        return credentials.with_features(keys.features)

    def _master_source(self) -> Any:
        """See ``SignedProvider._master_source``."""
        if self.master_credentials is not None:
            return self.master_credentials
        return load("from_ini")(profile=self.source_profile, client_config=self.client_config)

    @property
    def _master_purpose(self) -> str:
        """See ``SignedProvider._master_purpose``."""
        return f"sign for the developer provider {self.developer_provider}"

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
        if logins and self.user_identifier is None:
            cached_identity.remove_guest(identity)
        if credentials.identity_id != identity:
            cached_identity.replace(identity, str(credentials.identity_id))
        return credentials

    def _cached_identity(self, client: "BaseClient") -> CachedIdentity:
        meta, user = client.meta, self.user_identifier
        pool, account = self.identity_pool_id, self.account_id
        key = json.dumps([pool, meta.region_name, meta.endpoint_url, account, user])
        shared = None if user is None else ids_of_user(key)
        self._binding.once("shared_ids", lambda: shared)  # a logout must reach this provider
        return CachedIdentity(key, pool.partition(":")[0], self._cell.ids, shared, self.cache)

    def _get_id(self, client: "BaseClient", logins: dict[str, Any]) -> str:
        account = {"AccountId": self.account_id} if self.account_id else {}
        parameters = {"IdentityPoolId": self.identity_pool_id, **account, **logins}
        identity = call(client, "get_id", parameters).get("IdentityId")
        if not identity:
            raise self._unusable(
                f"the answer for the pool {self.identity_pool_id} has no IdentityId"
            )
        return str(identity)


from_cognito_identity_pool = CognitoIdentityPoolProvider
