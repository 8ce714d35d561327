"""What the commands of clusters share: parsers made from the table of options, errors in words."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from gpuscale.base.errors import ConfigError
from gpuscale.cluster.option import ClusterOption, Taker
from gpuscale.cluster.options import options_of

__all__ = ["guarded", "parser_of", "read"]


def read(taker: Taker, description: str, arguments: Sequence[str] | None) -> dict[str, Any]:
    """Read the arguments of one of the commands, by the names that the table has for them.

    Parameters
    ----------
    taker : Taker
        The command.
    description : str
    arguments : sequence of str or None
        By default those of the process.

    Examples
    --------
    >>> chosen = read(Taker.WORKER, "", ["tcp://127.0.0.1:8786", "--nthreads", "2", "--no-nanny"])
    >>> chosen["scheduler"], chosen["threads_per_worker"], chosen["nanny"], chosen["name"]
    ('tcp://127.0.0.1:8786', 2, False, None)
    """
    return vars(parser_of(taker, description).parse_args(arguments))


def parser_of(taker: Taker, description: str) -> argparse.ArgumentParser:
    """Make the parser of a command."""
    parser = argparse.ArgumentParser(prog=taker, description=description, allow_abbrev=False)
    if taker is not Taker.SCHEDULER:
        parser.add_argument("scheduler", nargs="?", help="address of the scheduler")
    for option in options_of(taker):
        _add(parser, option)
    return parser


def _add(parser: argparse.ArgumentParser, option: ClusterOption) -> None:
    told = {"dest": option.name, "default": option.default, "help": option.help.replace("%", "%%")}
    if option.is_switch:
        parser.add_argument(*option.flags, action="store_true", **told)
        if option.off_flags:
            opposite = {**told, "help": f"the opposite of {option.flags[0]}"}
            parser.add_argument(*option.off_flags, action="store_false", **opposite)
        return
    action = "append" if option.is_repeated else "store"
    metavar = option.name.upper()
    parser.add_argument(
        *option.flags, action=action, type=_checked(option), metavar=metavar, **told
    )


def _checked(option: ClusterOption) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        try:
            return option.check(text)
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return check


def guarded(program: str, run: Callable[[], int]) -> int:
    """Run a command; what its user did wrong is told in a sentence, without a traceback.

    Parameters
    ----------
    program : str
        Its name, which begins the sentence.
    run : callable

    Returns
    -------
    int
        The exit status: 0 after a signal too, which closes cleanly; 1 if it could not start or go
        on, 2 if options contradict each other.

    Examples
    --------
    >>> def run():
    ...     raise OSError("no scheduler has written f.json")
    >>> guarded("gpuscale-worker", run)  # says it on stderr
    1
    """
    try:
        return run()
    except KeyboardInterrupt:  # before the servers listen to signals
        return 128 + signal.SIGINT
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"{program}: error: {_in_words(error)}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1


def _in_words(error: BaseException) -> str:
    """Join an error with its causes: that a server failed to start says little without."""
    words = str(error) or type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name in ("dask", "distributed"):
        return f"clusters need dask.distributed: pip install 'gpuscale[cluster]' ({words})"
    cause = error.__cause__
    return words if cause is None or str(cause) in words else f"{words} {_in_words(cause)}"
