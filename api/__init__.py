"""The doors, the queries, the live streams and the desk, as one ASGI application.

Reading order: app, ports (what it needs from outside), one route from end to end (doors/cloudevents, then customers).
What routes share: answers, answering, hanging_up, problem and explained (failures); access, key_ring, session, limits, masks (who may);
body, decoding, query, cursor (what is asked); position, visibility, awaiting, changes (reading one's writes); opening, recent, commands,
witnessing; openapi, asyncapi, schemas, docs, heads, shelving.
Events: doors, events, web, asked_first, browser, imports, mappings, dead_letters, replaying, sources, snippets.
Customers: customers, score, looks, accounts, identity, explaining, uniting, deciding, duplicates, duplicate_weights, identity_conflicts,
identity_rules, erasures. Marketing: written, hints, declaring, declared, triggers, segments, rehearsing, signals, contact_policy, contacts,
decisions, deliveries, webhooks, models. Service: calls, call_list, requesting, service_requests, writing, knowledge.
Live streams: watching, lasting, stream, signal_stream, tailing. Whoever runs it: keys, operations, metrics. The pages: desk.
"""
