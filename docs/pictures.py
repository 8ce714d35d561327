"""Draw the pictures of the README and the pages: ``python docs/pictures.py``."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import gpuscale
import gpuscale.array as ga

PAGES = Path(__file__).parent / "pages"

x = ga.random.default_rng(0).random((20_000, 20_000), chunks=10_000)
y = (x + x.T) - x.mean(axis=0)
result = y.std(axis=0)

result.visualize(filename=PAGES / "headline-expression.svg", kind="expression", stage="expression")
result.visualize(filename=PAGES / "headline-tasks.svg")

# What a report looks like, as Chromium shows it (with the extra report).
x = ga.random.default_rng(0).random((8_000, 8_000), chunks=1_000)
sorted_rows = ga.map_blocks(np.sort, x, dtype=x.dtype)
z = (sorted_rows + x.T) - sorted_rows.mean(axis=0)
z.std(axis=0).compute()  # so that no compiler is on the picture
with tempfile.TemporaryDirectory() as folder:
    page, picture = Path(folder, "run.html"), PAGES / "report.png"
    with gpuscale.report(page):
        z.std(axis=0).compute()
    chromium = shutil.which("chromium") or "google-chrome"
    command = [chromium, "--headless", "--no-sandbox", "--virtual-time-budget=20000"]
    command += [
        "--window-size=1240,1150",
        "--hide-scrollbars",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True)
