"""The processors: nothing acknowledged is lost and nothing counts twice, whoever dies where.

Reading order: `memory` (a log without Kafka), `crew` (workers that can be killed), `people` (what happens to customers), `truth` (what must
come out), then the tests. `model` is the same protocol without PostgreSQL, for thousands of histories.
"""
