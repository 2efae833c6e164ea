"""How approaches and news leave the house: webhooks, e-mail, SMS, and what keeps their settings and secrets.

Reading order: webhooks, policies, addresses (where nothing may be sent), http, adapters, channels, rechecking, outgoing (all of it put
together); smpp, smpp_session, smpp_reading, smpp_receipts (a message center).
"""
