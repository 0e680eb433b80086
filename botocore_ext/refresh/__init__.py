"""When credentials are fetched, cached, refreshed and invalidated."""

import logging

#: Failed and successful fetches.
logger = logging.getLogger(__name__)
