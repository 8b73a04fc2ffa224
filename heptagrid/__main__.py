"""`python -m heptagrid` is the command line."""

import sys

try:
    from heptagrid.cli import main

    main()
except KeyboardInterrupt:  # before the command line was there to say so
    print("heptagrid: interrupted", file=sys.stderr)
    sys.exit(130)
