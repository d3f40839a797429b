"""`python -m services.intake api | worker | migrate`."""

import sys

from shared.runtime.start import start

if __name__ == "__main__":
    raise SystemExit(start("services.intake.roles", sys.argv[1:]))
