"""aiohttp, imported without its first act: it loads the system's certificates twice, half of its import time.

Those contexts would serve https without one of our own, which does not happen here (`tls.tls_context`); if it did, they
would trust nobody. Everything in this room imports aiohttp from here.
"""

from __future__ import annotations

import ssl

ssl.SSLContext.set_default_verify_paths = lambda self: None  # type: ignore[method-assign]
try:
    import aiohttp
finally:
    del ssl.SSLContext.set_default_verify_paths  # the one of its base class is back

__all__ = ["aiohttp"]
