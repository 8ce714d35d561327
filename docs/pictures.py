"""Draw the pictures of the README and the pages: ``python docs/pictures.py``."""

from __future__ import annotations

from pathlib import Path

import gpuscale.array as ga

PAGES = Path(__file__).parent / "pages"

x = ga.random.default_rng(0).random((20_000, 20_000), chunks=10_000)
y = (x + x.T) - x.mean(axis=0)
result = y.std(axis=0)

result.visualize(filename=PAGES / "headline-expression.svg", kind="expression", stage="expression")
result.visualize(filename=PAGES / "headline-tasks.svg")
