"""Records what JavaScript does, or shows where Python differs from the record."""

import sys

from . import record

if __name__ == "__main__":
    sys.exit(record.main(sys.argv[1:]))
