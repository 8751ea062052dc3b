"""Run the command line as `python -m ddoauth_kit`."""

import sys

from ddoauth_kit.cli import main

sys.exit(main())
