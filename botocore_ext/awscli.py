"""The plugin for AWS CLI v1: ``aws --profile mobile s3 ls`` with every key of this package.

It stands in ``~/.aws/config``, for a package that is installed beside ``awscli``::

    [plugins]
    botocore_ext = botocore_ext.awscli
"""

import sys
from typing import Any

from botocore.exceptions import ProfileNotFound
from botocore.hooks import HierarchicalEmitter
from botocore.session import Session

from .session.hook import extend

#: Said for a command whose session is of a botocore that is not the one that we import.
NOT_HERE = (
    "botocore_ext: this AWS CLI has a botocore of its own, which its plugins cannot reach: remove "
    "botocore_ext from [plugins], and put credential_process = botocore-ext export --profile NAME "
    "into a profile of its own\n"
)


def awscli_initialize(event_hooks: HierarchicalEmitter) -> None:
    """Be called with the session of a command, as soon as its profile is known.

    First, because AWS CLI then gives the role providers of the session their cache, and what it
    gives it to has to be ours.
    """
    event_hooks.register_first("session-initialized", _extend, unique_id="botocore_ext")


def _extend(session: Any, **_: object) -> None:
    if not isinstance(session, Session):
        sys.stderr.write(NOT_HERE)
        return
    try:
        extend(session)
    except ProfileNotFound:
        return  # "aws configure set --profile" makes it; all other commands say so themselves
