"""The learner: predicts at once, remembers, and learns when the horizon is over. All of it is pure but `champion`, which keeps it.

Reading order: `logistic` (one expert's arithmetic), `vocabulary`, `learner` (experts, race, calibration), `linear` (what it comes to),
`drift`, `working` (day by day), `course` (the fold over a log that the live run and the evaluation share) and `waiting` (its examples),
`snapshot`, `champion`; `metrics` and `batch` judge it.
"""
