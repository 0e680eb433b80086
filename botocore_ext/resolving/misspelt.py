"""Keys of a profile that are nearly ours."""

import logging
from collections.abc import Collection

from ..options import nearest
from .index import ENTRIES

logger = logging.getLogger(__name__)

#: Keys of the AWS config file that providers of ours read too.
_AWS_KEYS = {"role_arn", "role_session_name", "duration_seconds"}
_OUR_KEYS = {key for entry in ENTRIES for key in entry.selecting + entry.others} - _AWS_KEYS
#: Changes of one character within which a key is taken for a misspelt one of ours.
_TYPO = 2
#: How keys begin that nobody else has: one that is unknown limits or selects nothing.
_PREFIXES = (
    "aws_container_",
    "cognito",
    "container_authorization",
    "container_credentials",
    "credential_chain",
    "web_identity_p",
)


def warn_if_misspelt(key: str, profile: str) -> None:
    """Warn of a key that is nearly one of ours: it selects nothing, and limits nothing."""
    meant = meant_by(key)
    if meant is not None:
        logger.warning(
            "Profile '%s' has the key %s, which botocore_ext does not know: did you mean %s?",
            profile,
            key,
            meant,
        )


def meant_by(key: str, known: Collection[str] = _OUR_KEYS) -> str | None:
    """Return which of the keys ``known`` a misspelt one is meant to be; None if none, or itself."""
    near = [one for one in known if abs(len(one) - len(key)) <= _TYPO]
    is_ours = known is _OUR_KEYS and key.startswith(_PREFIXES)
    is_near = is_ours or any(_edits(key, one) <= _TYPO for one in near)
    return nearest(key, known) if is_near and key not in known else None


def _edits(one: str, other: str) -> int:
    """Count the insertions, deletions and replacements that turn one text into the other."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        above = row
        row = [i]
        for j, right in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right)))
    return row[-1]
