"""The master key of the tests."""

from infra.sealing import MasterKey

MASTER = MasterKey(bytes(range(32)))
