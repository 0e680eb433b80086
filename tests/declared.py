"""The classes of the providers in the catalogue."""

from botocore_ext.catalogue import INSERTED, ROWS

#: All that have a factory.
EVERY = tuple(row.load() for row in ROWS)
#: Those that a profile can select, in order of precedence.
PROVIDERS = tuple(row.load() for row in INSERTED)
#: Those that botocore has itself.
NATIVE = tuple(row.load() for row in ROWS if row.is_native)
