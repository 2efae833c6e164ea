"""Measures Yekta on this machine against the barest program that could do the same: `yekta bench`.

Reading order: workload (what is sent), ground (the engines, and a fresh database and topics for each measurement), usage and children
(whose CPU time it was), then one module an experiment: throughput, doors, living (reading, visible), growth; run, report.
The programs it is compared with are floor, bare_door and quix_twin. docs/performance.md says how to read the table.
"""
