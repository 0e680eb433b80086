"""``python -m tests.tools.parity record FOLDER``: record what JavaScript does; or ``check`` it."""

import sys

from . import record

if __name__ == "__main__":
    sys.exit(record.main(sys.argv[1:]))
