"""The plugin for AWS CLI v1: ``aws --profile mobile s3 ls`` with all settings of this package.

If this package is installed in the environment of ``awscli``, add to ``~/.aws/config``::

    [plugins]
    botocore_ext = botocore_ext.awscli
"""

import sys
from typing import Any

from botocore.exceptions import ProfileNotFound
from botocore.hooks import HierarchicalEmitter
from botocore.session import Session

from .session.hook import extend

#: Printed if the session of a command is of another botocore than the imported one.
NOT_HERE = (
    "botocore_ext: this AWS CLI has a botocore of its own, which its plugins cannot reach: remove "
    "botocore_ext from [plugins], and put credential_process = botocore-ext export --profile NAME "
    "into a profile of its own\n"
)


def awscli_initialize(event_hooks: HierarchicalEmitter) -> None:
    """Register for the session of a command, as soon as its profile is known.

    First, because AWS CLI then sets the cache of the session's role providers, which have to be
    those of this package by then.
    """
    event_hooks.register_first("session-initialized", _extend, unique_id="botocore_ext")


def _extend(session: Any, **_: object) -> None:
    if not isinstance(session, Session):
        sys.stderr.write(NOT_HERE)
        return
    try:
        extend(session)
    except ProfileNotFound:
        return  # "aws configure set --profile" creates it; other commands report it
