"""The command line: its commands, and how it ends.

Nothing heavy is imported before `main` begins, so that Ctrl-C ends the imports, too, with one line.
"""

import os
import sys
from functools import partial

from trajbatt.commandline import streams

INTERRUPTED = 130
HELP = "Simulate a quantum battery of N two-level atoms, photon by photon."
COMMANDS = (
    "charge",
    "discharge",
    "cycle",
    "steady",
    "secular",
    "sweep",
    "merge",
    "show",
    "photons",
    "filter",
    "export",
)


def main(argv=None):
    """Run the command line and return its exit status: 0, 2 for bad input, 130 for Ctrl-C.

    Without `argv` it is the whole process, which Ctrl-C ends at once, whatever threads still do.
    """
    if argv is None:
        sys.unraisablehook = partial(_unless_half_made, sys.unraisablehook)
    try:
        status = _run(sys.argv[1:] if argv is None else list(argv))
    except KeyboardInterrupt:  # during imports, or again while the command was ending
        status = INTERRUPTED
    if status == INTERRUPTED:
        _interrupted(is_process=argv is None)
    return status


def _unless_half_made(report, unraisable):
    """Report what a destructor raises, unless Ctrl-C left its object half made by the compiler."""
    module = getattr(unraisable.object, "__module__", None) or ""
    if not module.startswith("llvmlite"):
        report(unraisable)


def _interrupted(is_process):
    if is_process:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)
    streams.say("interrupted")
    if is_process:
        streams.leave()
        os._exit(INTERRUPTED)  # threads may be in chunks that nobody waits for any more


def _run(words):
    streams.prepare()
    given = sys.stdout, sys.stderr
    import typer

    from trajbatt.commandline.surroundings import surroundings

    try:
        with surroundings():
            status = _app()(args=words or ["--help"], prog_name="trajbatt", standalone_mode=False)
            sys.stdout.flush()
    except typer.TyperException as error:
        return _fail(error.format_message())
    except (ValueError, TypeError, ArithmeticError, ImportError, RuntimeError) as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("not enough memory for so many atoms, or for a run of so many photons")
    except (BrokenPipeError, SystemExit):
        # The reader has gone, as in `trajbatt charge | head -1`: Typer exits then with status 1.
        sys.stdout, sys.stderr = given
        streams.leave()
        return 0
    except OSError as error:
        doing = "write" if error.filename is None else "read or write"
        status = _fail(f"cannot {doing} {error.filename or 'the output'}: {error.strerror}")
        streams.leave()
        return status
    return status or 0


def _fail(message):
    streams.say(message)
    return 2


def _app():
    """Return the Typer app of all commands."""
    from importlib import import_module
    from typing import Annotated

    import typer

    app = typer.Typer(
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=HELP,
    )
    for name in COMMANDS:
        module = import_module(f"trajbatt.commandline.commands.{name}")
        app.command(short_help=module.HELP)(getattr(module, name))

    @app.callback()
    def options(
        version: Annotated[
            bool,
            typer.Option(
                "--version", callback=_show_version, is_eager=True, help="show the version"
            ),
        ] = False,
    ):
        """Take the options that belong to no command."""

    return app


def _show_version(wanted: bool):
    if wanted:
        import typer

        from trajbatt.base.version import __version__

        print(f"trajbatt {__version__}")
        raise typer.Exit
