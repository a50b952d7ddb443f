"""The losses that training minimises, as functions of batches.

Other rooms use the functions of `losses` (Eq. 5 to 8 and contrastive losses) and of `penalties` (terms that β weighs).
"""
