"""What channels besides the shop might have seen of CDNOW's customers: invented, seeded, marked, and blind to the future.

Blind: whatever is told up to a day follows from the orders up to that day. What is told after an order comes from dice of their own, which
know that order and those before it, so nothing here can teach a model what comes next. Reading order: dice, names, person, spelling,
telling, then the channels (crm, web, calls, resellers), then `customer`, which asks them all.
"""
