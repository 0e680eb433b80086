"""When credentials are fetched, cached, refreshed and invalidated."""

from ..runtime.context import RoutedLogger

#: Failed and successful fetches.
logger = RoutedLogger(__name__)
