"""What a battery does: the tables and schedules that all solvers eat."""
