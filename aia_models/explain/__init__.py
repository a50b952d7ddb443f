"""Explains by Grad-CAM what a gender classifier sees in images.

Other rooms use `image_classifier` (to fit, save and load the classifier) and `grad_cam.grad_cam`.
"""
