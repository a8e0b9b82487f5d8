# SPDX-License-Identifier: Apache-2.0
"""ECP in Python: an embedded control plane, agents, and what they know.

Names, and what they mean, are those of the C++ library. A failure is an exception of the class Error or one of its
subclasses, with `code`, `reason`, `params`, `message` and `context`. Times are aware datetimes, durations timedeltas.
Every call that can block lets other threads run.
"""
from . import _ecp
from ._ecp import *  # noqa: F401,F403

__all__ = [name for name in dir(_ecp) if not name.startswith("_")]

for _name in __all__:
    if isinstance(getattr(_ecp, _name), type):
        getattr(_ecp, _name).__module__ = "ecp"
del _name
