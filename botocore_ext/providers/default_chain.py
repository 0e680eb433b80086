"""The keys that a plain session would use.

https://docs.aws.amazon.com/boto3/latest/guide/credentials.html
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from botocore.credentials import BotoProvider, OriginalEC2Provider

from ..errors import Attempt, ChainError, NotConfigured
from ..keys import Keys
from ..provider import Provider
from ..resolving.outcomes import keys_or_reason
from ..threads.circles import is_looked_for
from .container import ContainerProvider
from .environment import EnvironmentProvider
from .instance import InstanceProvider
from .profile import Asked, ProfileProvider
from .token_file import TokenFileProvider

#: What takes its keys from outside the profile.
_OUTSIDE = (EnvironmentProvider, TokenFileProvider, ContainerProvider, InstanceProvider)


class DefaultChainProvider(ProfileProvider):
    """The keys that a session without any of this package's code would use, ours among them."""

    METHOD = "custom-default-chain"
    CANONICAL_NAME = "CustomDefaultChain"
    FACTORY = "from_default_chain"

    def is_selected(self) -> bool:
        """Always: only asking shows who has keys."""
        return True

    def nothing(self, attempts: Sequence[Attempt], /) -> ChainError:
        """Return the error where nobody has keys, with a line for each."""
        return ChainError(provider=self.METHOD, attempts=attempts)

    def asked(self) -> list[Asked]:
        """Return what is asked, in botocore's order."""
        session = self.scope.unchecked_session
        named = self.scope.profile
        if named != "default" and named not in self.scope.files.full_config["profiles"]:
            raise self.not_here()  # as a plain session says
        outside = replace(self.scope, profile=None)
        own, token, container, instance = (self.asked_of(kind, outside) for kind in _OUTSIDE)
        is_explicit = "profile" in self.given() or "profile" in session.instance_variables()
        before = ([], []) if is_explicit else ([own], [token])
        last = (OriginalEC2Provider(), BotoProvider())
        return [
            *before[0],
            *self.first_asked(),
            *before[1],
            self.asked_of(TokenFileProvider),
            *self.last_asked(),
            *((str(one.METHOD), partial(keys_or_reason, one)) for one in last),
            container,
            instance,
        ]

    def ask(self, provider: Provider) -> Keys | None:
        """Return the keys of one of ours, unless it is for that one that this chain is asked."""
        if is_looked_for(provider.place):
            fact = "left out, because it asks for the default chain itself"
            raise NotConfigured(provider=provider.METHOD, error_msg=fact)
        return super().ask(provider)


from_default_chain = DefaultChainProvider
