"""What a profile means: which provider it selects, whose credentials assume its role."""

import logging

#: Warnings about the settings of profiles, here and where they are used.
logger = logging.getLogger(__name__)
