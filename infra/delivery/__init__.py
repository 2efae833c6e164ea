"""How approaches and news leave the house: webhooks, e-mail, SMS, and what keeps their settings and secrets.

Reading order: webhooks, policies, addresses (where nothing may be sent), http, adapters.
"""
