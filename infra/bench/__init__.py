"""Measures Yekta on this machine against the barest program that could do the same: `yekta bench`.

Reading order: workload and dialect (what is sent), feed, ground (the engines, and a fresh database and topics for each measurement),
resolved, usage and children (whose CPU time it was), workers, hop, serving and client (what is measured and what posts), then one module
an experiment: throughput, doors, living (reading, visible, webhooks, desks; marketing sets it up), growth, identities, ruling, scoring,
bursts; run, rows, report, table.
The programs it is compared with are floor, bare_door and quix_twin (run by quix). docs/performance.md says how to read the table.
"""
