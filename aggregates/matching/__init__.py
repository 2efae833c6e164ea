"""Says which records are probably one person's, why, and how sure that is: Fellegi and Sunter's model, learned without labels.

Reading order: kinds, forms, codes, aligning, table, agreement, blocking, weights, matching, evidence.
"""
