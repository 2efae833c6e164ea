"""Service requests as they are listed: by customer, owner, queue and due time; and what a supervisor sees of them all.

Reading order: table.
"""
