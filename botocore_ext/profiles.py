"""Which provider a profile selects, and what in it contradicts that."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .errors import ConfigurationError
from .options import nearest
from .provider import Provider
from .registry import PROVIDERS
from .scope import Scope

logger = logging.getLogger(__name__)

#: Keys of the AWS config file that providers of ours read too.
_AWS_KEYS = {"role_arn", "role_session_name", "duration_seconds"}
_OUR_KEYS = {one.ini for kind in PROVIDERS for one in kind.options() if one.ini} - _AWS_KEYS
#: Changes of one character within which a key is taken for a misspelt one of ours.
_TYPO = 2


@dataclass(frozen=True, eq=False)
class ProfileScope(Scope):
    """The scope of providers that a profile selects."""

    def allows(self, method: str | None) -> bool:
        """Whether the profile selects the provider ``method``.

        Raises:
            ConfigurationError: The profile contradicts itself.
        """
        return self._selected is not None and self._selected == method

    @cached_property
    def _selected(self) -> str | None:
        values, name = self.profile_values, str(self.profile)
        for key in values:
            _warn_if_misspelt(key, name)
        selecting = dict(_selecting_keys(values))
        if not selecting:
            return None
        provider, key = next(iter(selecting.items()))
        self._refuse_contradictions(provider, key, selecting, values)
        if "aws_access_key_id" in values:
            logger.warning(
                "Profile '%s' has both %s and aws_access_key_id: the keys of %s are used; "
                "remove one of the two",
                name,
                key,
                provider.METHOD,
            )
        return provider.METHOD

    def _refuse_contradictions(
        self,
        provider: type[Provider],
        key: str,
        selecting: Mapping[type[Provider], str],
        values: Mapping[str, Any],
    ) -> None:
        where = f"profile '{self.profile}' of {self.config_file}"
        problem = None
        if len(selecting) > 1:
            problem = f"has both {' and '.join(selecting.values())}: keep one of them"
        elif key == "web_identity_token" and "web_identity_token_file" in values:
            problem = (
                "has both web_identity_token and web_identity_token_file: keep one of them "
                "(web_identity_token = file://PATH reads a file too)"
            )
        elif "role_arn" in values:
            for source in ("source_profile", "credential_source"):
                if source in values:
                    problem = (
                        f"has both {source} and {key}: the role takes its credentials from "
                        f"{source}, so {key} would not be used; remove one of them"
                    )
            if problem is None and key != "web_identity_token":
                problem = (
                    f"has both role_arn and {key}, but does not say how they belong together: "
                    f"add credential_source = {provider.CANONICAL_NAME} to assume the role with "
                    f"the keys of {key}, or remove role_arn"
                )
        if problem is not None:
            raise ConfigurationError(provider=provider.METHOD, error_msg=f"{where} {problem}")


def _selecting_keys(values: Mapping[str, Any]) -> Iterator[tuple[type[Provider], str]]:
    """Give each provider that a key of the profile selects, with the key."""
    for kind in PROVIDERS:
        for one in kind.options():
            if one.selects and one.ini is not None and one.ini in values:
                yield kind, one.ini
                break


def _warn_if_misspelt(key: str, profile: str) -> None:
    if key in _OUR_KEYS:
        return
    close = nearest(key, _OUR_KEYS)
    if key.startswith("cognito_") or 0 < _edits(key, close) <= _TYPO:
        logger.warning(
            "Profile '%s' has the key %s, which nothing reads: did you mean %s?",
            profile,
            key,
            close,
        )


def _edits(one: str, other: str) -> int:
    """Count the insertions, deletions and replacements that turn one text into the other."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        above = row
        row = [i]
        for j, right in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right)))
    return row[-1]
