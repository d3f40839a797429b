"""`python -m services.dispatch api | worker | migrate`."""

import sys

from shared.runtime.start import start

if __name__ == "__main__":
    raise SystemExit(start("services.dispatch.roles", sys.argv[1:]))
