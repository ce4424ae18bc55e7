"""Studies that check the paper and the package, and show what the package does.

One thread for linear algebra, set before NumPy is imported: matrices here are small, several
threads would wait for each other, and benchmarks compare one core with one core.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
