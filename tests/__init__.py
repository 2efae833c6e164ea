"""Tests, named for behaviour. `tests/conftest.py` has the engines and the isolated worlds they run in."""

import os

# As in a worker (infra/bootstrap.py): two threads for small matrices wait for each other, longest where two test processes share two cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
