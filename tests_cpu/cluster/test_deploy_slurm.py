"""The job script of the page on SLURM, with stand-ins for its commands: two tasks, a device each.

`test_slurm` submits it to a real SLURM, which takes root.
"""

import contextlib
import os
import signal
import subprocess

import pytest

from .job_script import SIZE, add_command, expected, write

pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
pytest.importorskip("cryptography", exc_type=ModuleNotFoundError)

SRUN = """#!/bin/bash
echo $$ >"$SLURM_SUBMIT_DIR/step-$SLURM_JOB_ID.0"
trap 'kill $(jobs -p) 2>/dev/null' TERM
for task in $(seq 0 $((SLURM_NTASKS - 1))); do
    CUDA_VISIBLE_DEVICES=$task "$@" &
done
wait; wait
"""
SCANCEL = """#!/bin/bash
[ "$1" = --signal=TERM ] && kill "$(cat "$SLURM_SUBMIT_DIR/step-$2")"
"""


def test_the_job_script(tmp_path):
    environment = write(tmp_path) | {
        "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_JOB_ID": "7",
        "SLURM_NTASKS": "2",
    }
    add_command(tmp_path, "srun", SRUN)
    add_command(tmp_path, "scancel", SCANCEL)
    job = subprocess.Popen(
        ["bash", "job.sh", str(SIZE), "numpy"],
        cwd=tmp_path,
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
    assert float(printed.split()[-1]) == pytest.approx(expected())
    assert "Traceback" not in said
    assert not (tmp_path / "scheduler-7.json").exists()
