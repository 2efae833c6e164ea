"""The read models: what is known of customers, folded from their events; each is disposable and can be built again from the log.

One folder per read model: `fold.py` is pure, `tables.sql` and `table.py` are what it leaves in PostgreSQL, on a connection handed in.
Reading order: timeline (every event as it was), view (what it comes to), search (finding a customer), generation, positions; rows, alike,
money and spans serve several. Who is who: identity, duplicates, accounts, erasure. Marketing: triggers, segments, declared, contacts,
deliveries. Models: churn, value. Service: service, calls, knowledge. Channels: arrivals, dead_letters.
"""
