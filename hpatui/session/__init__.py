"""Where source, engine, store and clock meet. Front ends use a `SessionPort`; `hpatui.session.live` has the real one."""

from hpatui.session.port import ContextInfo, SessionPort

__all__ = ["ContextInfo", "SessionPort"]
