"""The command line: its commands, and how it ends."""

import os
import sys
from typing import Annotated

import typer

from trajbatt.commandline.commands import (
    charge,
    cycle,
    discharge,
    export,
    filter,
    photons,
    secular,
    show,
    steady,
    sweep,
)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Simulate a quantum battery of N two-level atoms, photon by photon.",
)
app.command(short_help=charge.HELP)(charge.charge)
app.command(short_help=discharge.HELP)(discharge.discharge)
app.command(short_help=cycle.HELP)(cycle.cycle)
app.command(short_help=steady.HELP)(steady.steady)
app.command(short_help=secular.HELP)(secular.secular)
app.command(short_help=sweep.HELP)(sweep.sweep)
app.command(short_help=show.HELP)(show.show)
app.command(short_help=photons.HELP)(photons.photons)
app.command(short_help=filter.HELP)(filter.filter)
app.command(short_help=export.HELP)(export.export)

INTERRUPTED = 130


def _show_version(wanted: bool):
    if wanted:
        from trajbatt.base.version import __version__

        print(f"trajbatt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="show the version"),
    ] = False,
):
    """Take the options that belong to no command."""


def main(argv=None):
    """Run the command line and return its exit status: 0, 2 for bad input, 130 for Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Greek letters
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        status = app(args=words or ["--help"], prog_name="trajbatt", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _fail(error.format_message())
    except (ValueError, TypeError, ArithmeticError, ImportError, RuntimeError) as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("not enough memory for so many atoms, or for a run of so many photons")
    except BrokenPipeError:  # the reader has gone, as in `trajbatt charge | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _fail(f"cannot write {error.filename or 'the output'}: {error.strerror}")
    if status == INTERRUPTED:  # Typer's own status for Ctrl-C
        print("trajbatt: interrupted", file=sys.stderr)
    return status or 0


def _fail(message):
    print("trajbatt: " + " ".join(message.split()), file=sys.stderr)
    return 2
