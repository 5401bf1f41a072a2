"""`faults`: kill -9 in turn over watch, worker and web under load; then compare what was acknowledged with what was told.

Nothing here asks the product what it has done: the client writes down what was answered 200, the gateways write down
what reached them, and both are compared with the rows of the database.
"""

from __future__ import annotations

from bench.faults.campaign import FIGURES, run

__all__ = ["FIGURES", "run"]
