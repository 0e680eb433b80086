"""botocore's role provider, so that threads can share a session."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.credentials import AssumeRoleProvider, Credentials

from .inert import source_profile_chain


class PlainRoleProvider(AssumeRoleProvider):
    """botocore's role provider, copied for each load, because it can load only once.

    What programs set on it, such as a ``cache`` (AWS CLI, SAM) or a prompter, is used.
    """

    def __init__(
        self, original: AssumeRoleProvider, load_config: Callable[[], Any], profile: str
    ) -> None:
        """Take a provider that was not loaded, its configuration, and the profile."""
        vars(self).update(vars(original))
        self._names = tuple(vars(original))
        self._chain_of = load_config, profile
        #: The credentials of an earlier load, and the attributes of this provider at that time.
        self._cached: tuple[Credentials, dict[str, Any]] | None = None

    def load(self) -> Any:
        """Return the role's credentials; those of an earlier load if they can be reused.

        Threads that come just after a first load would otherwise assume the role again. With an
        MFA device every load asks for a code, as in botocore.
        """
        mine = vars(self)
        attributes = {name: mine[name] for name in self._names}
        if self._cached is not None and _same(self._cached[1], attributes) and self._is_final():
            return self._cached[0]
        provider = AssumeRoleProvider.__new__(AssumeRoleProvider)
        # It adds the profiles that it visits to a list.
        own = {name: [*one] if type(one) is list else one for name, one in attributes.items()}
        vars(provider).update(own)
        credentials = provider.load()
        if credentials is not None:
            self._cached = (credentials, attributes)
        return credentials

    def _is_final(self) -> bool:
        """Return whether the credentials can be reused, and no load asks for a code."""
        load_config, profile = self._chain_of
        profiles = load_config()["profiles"]
        chain = [profiles[name] for name in source_profile_chain(profiles, profile)]
        return not self.is_repeatable(chain) and not any("mfa_serial" in values for values in chain)

    def is_repeatable(self, chain: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether plain botocore can load a role with this chain again."""
        return len(chain) == 1


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[name] is other[name] for name in one)
