"""Copies of a session of aiobotocore."""

import aiobotocore.session  # pyright: ignore[reportMissingImports] - of the extra aio

from ..aws.sessions import SameSettings


class AioSameSettings(SameSettings, aiobotocore.session.AioSession):
    """A session of aiobotocore with the settings of another one, also when they change."""
