"""The processors: what each reads, how a batch becomes effects, and the one runner that carries them out.

Reading order: record (what a processor is), points, runner, lane (reader), claiming, stillness, outbox; inbox, resolve (ruled), customer;
app hosts them, ending ends them.
Beside customer: standing and words (what every batch asks, and is told), caching, moving and retelling (histories in pieces), letters,
arrivals, accounts, calls, duplicates and estimating, erasing, escalating. What is decided comes in by relay (telling), broadcasting and
ruling; time by timers.
The parts of customer: parts (their seam), remembering, ticking. Rules: triggering, turn, in_force, recalling, surveying, signal_records.
Segments: segmenting, membership. Contacts: candidates, contacting, responding, objecting, then deliver, sending, silences.
Scores: learning (pure), scoring, saying, score_records, retracing, days, sweeping, learn, cutting. Value: valuing, fitting, appraising.
"""
