"""The vocabulary and the decisions of Yekta: values and pure functions, no I/O, clock or randomness.

Reading order, what is witnessed: identifier, normal, moment, touchpoint, source, contracts, refusal, reading; sealing and signing,
canonical, apart and naming (what may stand in the log, and what of it is compared); wire, log, partition (how it stands there);
cloudevents, segment and rows (the ways in which it is said); patch and dead_letter (what was refused).
What every fold takes: fact. What is decided: decision; identity and matching (who is one); declaration, rules, contact_policy, uplift
(who is approached) and unsubscribing (who ends it); webhook and webhook_signature (who is told); churn, churn_model and value (what is
foretold); service_request and knowledge (who is helped); source_settings, access and secret (who may speak). Below several of them:
written (texts that people write), addressing, jalali.
"""
