"""``python -m imgtrust`` is the command line."""

import sys

from imgtrust.cli.main import main

sys.exit(main())
