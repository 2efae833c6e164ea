"""Says which records are probably one person's, why, and how sure that is: Fellegi and Sunter's model, learned without labels.

Reading order: kinds, forms (dates, codes), aligning, aspects (sound), table, agreement, blocking, weights, thirds, alone, matching;
then customers, who are compared as they live, estimating and published, their weights.
"""
