"""`python -m epochtop.core.engine RUN_DIRECTORY`: the process that `launch` starts."""

import sys

from .process import main

if __name__ == "__main__":
    sys.exit(main())
