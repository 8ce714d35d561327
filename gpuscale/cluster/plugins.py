"""Plugins of schedulers, workers and nannies, which are those of dask.distributed."""

from __future__ import annotations

from distributed.diagnostics.plugin import (
    CondaInstall,
    Environ,
    ForwardLoggingPlugin,
    ForwardOutput,
    InstallPlugin,
    NannyPlugin,
    PipInstall,
    SchedulerPlugin,
    SchedulerUploadFile,
    UploadDirectory,
    UploadFile,
    WorkerPlugin,
)

__all__ = [
    "CondaInstall",
    "Environ",
    "ForwardLoggingPlugin",
    "ForwardOutput",
    "InstallPlugin",
    "NannyPlugin",
    "PipInstall",
    "SchedulerPlugin",
    "SchedulerUploadFile",
    "UploadDirectory",
    "UploadFile",
    "WorkerPlugin",
]
