"""Tests, named for behaviour. `tests/conftest.py` has the engines and the isolated worlds they run in."""
