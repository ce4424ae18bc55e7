"""`python -m trajbatt` is the command line."""

import sys

from trajbatt.commandline.main import main

sys.exit(main())
