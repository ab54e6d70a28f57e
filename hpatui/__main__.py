"""`python -m hpatui` is the same program as `hpatui`."""

from hpatui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
