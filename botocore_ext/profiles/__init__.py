"""What a profile means: the provider that it selects, and the source of its role."""

import logging

#: Warnings about the settings of profiles, here and where they are used.
logger = logging.getLogger(__name__)
