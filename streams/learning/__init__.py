"""The learner: predicts at once, remembers, and learns when the horizon is over. All of it is pure; snapshots are values.

Reading order: `logistic` (one expert's arithmetic), `vocabulary`, `learner` (experts, race, calibration), `reasons`, `examples` (what is
remembered until its label is known), `course` (the fold over a log that the live run and the evaluation share), `snapshot`.
"""
