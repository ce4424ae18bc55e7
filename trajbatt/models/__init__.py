"""What a battery does: the tables and schedules that all solvers eat."""

from trajbatt.models import asymptotics as asymptotics  # public as `trajbatt.asymptotics`
