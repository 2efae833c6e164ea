"""The processors: what each reads, how a batch becomes effects, and the one runner that carries them out.

Reading order: `record`, `publishing`, `runner`, then `inbox`, `resolve`, `customer`, `letters`; `app` hosts them.
"""
