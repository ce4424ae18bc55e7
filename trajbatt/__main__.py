"""`python -m trajbatt` is the command line."""

import sys

from trajbatt.cli import main

sys.exit(main())
