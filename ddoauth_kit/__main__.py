"""Run the command line as `python -m ddoauth_kit`."""

import sys

from ddoauth_kit.own_python import leave_the_current_folder

if __name__ == "__main__":
    leave_the_current_folder()
    from ddoauth_kit.cli import main

    sys.exit(main())
