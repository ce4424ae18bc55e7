"""Run every study and write the report: `python -m experiments [--quick]`."""

from experiments.report import main

main()
