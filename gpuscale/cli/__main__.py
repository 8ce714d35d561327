"""``python -m gpuscale.cli``: the command line where the script ``gpuscale`` is not on PATH."""

import sys

from gpuscale.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
