from __future__ import annotations

from outpace_audit.errors import OutpaceError


class UsageError(OutpaceError):
    """The command line was wrong."""
