"""A real batch system on one machine: its daemons are processes of this host, for tests as root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self


def why_not(commands: Sequence[str], packages: Sequence[str]) -> str:
    """Say what keeps a batch system from running here; "" if nothing does."""
    if os.geteuid() != 0:
        return "daemons of batch systems are started by root"
    missing = [name for name in commands if path_of(name) is None]
    return f"there is no {missing[0]}: apt-get install {' '.join(packages)}" if missing else ""


def path_of(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


class OneMachine(ABC):
    """Daemons that run within a ``with`` block, as does what they start.

    Parameters
    ----------
    folder : Path
        For configuration, state and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Variables by which commands of this system find it.
        self.environment: dict[str, str] = {}
        self._daemons: list[subprocess.Popen[bytes]] = []

    @abstractmethod
    def _start_all(self) -> None:
        """Write the configuration, start the daemons and wait until they are ready."""

    def __enter__(self) -> Self:
        make_known(host_name())
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons.clear()

    def call(
        self, *command: str, cwd: Path | None = None, env: dict[str, str] | None = None
    ) -> str:
        """Run a command of the system, in a folder and an environment; return what it prints."""
        env = {**(os.environ if env is None else env), **self.environment}
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=240
        )
        if done.returncode:
            said = done.stderr or done.stdout
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {said}")
        return done.stdout

    def _start(self, name: str, *arguments: str, **options: Any) -> None:
        log = (self.folder / f"{name}-{len(self._daemons)}.log").open("wb")
        path = path_of(name)
        assert path is not None
        options.setdefault("env", {**os.environ, **self.environment})
        with log:
            daemon = subprocess.Popen([path, *arguments], stdout=log, stderr=log, **options)
        self._daemons.append(daemon)

    def _wait_for(self, is_so: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until it is so; a command that ends with an error says that it is not yet."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if is_so():
                    return
                why = ""
            except RuntimeError as error:
                why = str(error)
            if time.monotonic() > deadline:
                logs = [
                    "\n".join([path.name, *path.read_text().splitlines()[-5:]])
                    for path in sorted(self.folder.glob("*.log"))
                ]
                raise TimeoutError("\n".join(["it does not become ready", why, *logs]))
            time.sleep(0.2)


def host_name() -> str:
    return socket.gethostname().partition(".")[0]


def make_known(host: str) -> None:
    """Give the host's own name an address, which containers often leave out."""
    try:
        socket.gethostbyname(host)
    except OSError:
        with open("/etc/hosts", "a") as file:
            file.write(f"127.0.1.1 {host}\n")
