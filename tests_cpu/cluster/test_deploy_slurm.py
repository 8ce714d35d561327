"""The job script of the page on SLURM, with a stand-in for srun: two tasks, a device each.

A real SLURM would take root; here the script, the program and our commands are what is written.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gpuscale.array as ga

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
pytest.importorskip("cryptography", exc_type=ModuleNotFoundError)

PAGE = Path(__file__).parents[2] / "docs" / "pages" / "deploy-slurm.md"

SRUN = """#!/bin/bash
trap 'kill $(jobs -p) 2>/dev/null' TERM
for task in $(seq 0 $((SLURM_NTASKS - 1))); do
    CUDA_VISIBLE_DEVICES=$task "$@" &
done
wait; wait
"""


@pytest.fixture
def folder(tmp_path):
    """Where the user submits from, with the commands that a node has."""
    text = PAGE.read_text()
    (job,) = re.findall(r"```bash\n(#!/bin/bash\n.*?)```", text, re.DOTALL)
    (program,) = re.findall(r"```py\n(import sys\n.*?)```", text, re.DOTALL)
    (tmp_path / "job.sh").write_text(job)
    (tmp_path / "headline.py").write_text(program)
    module = f"exec {sys.executable} -m gpuscale.cli"
    commands = {
        "gpuscale-scheduler": f'{module}.scheduler --no-dashboard "$@"',
        "gpuscale-cuda-worker": f'{module}.cuda_worker --allow-no-device "$@"',
        "python": f'exec {sys.executable} "$@"',
    }
    (tmp_path / "bin").mkdir()
    for name, line in commands.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{line}\n")
    (tmp_path / "bin" / "srun").write_text(SRUN)
    for file in (tmp_path / "bin").iterdir():
        file.chmod(0o755)
    return tmp_path


def test_the_job_script(folder):
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "SLURM_SUBMIT_DIR": str(folder),
        "SLURM_JOB_ID": "7",
        "SLURM_NTASKS": "2",
    }
    job = subprocess.Popen(
        ["bash", "job.sh", "1_000", "numpy"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, said = job.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
    assert job.returncode == 0, said
    x = ga.random.default_rng(0).random((1_000, 1_000))
    expected = ((x + x.T) - x.mean(axis=0)).std().compute()
    assert float(printed.split()[-1]) == pytest.approx(float(expected))
    assert "Traceback" not in said
    assert not (folder / "scheduler-7.json").exists()
