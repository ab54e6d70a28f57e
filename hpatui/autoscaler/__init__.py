"""What the HorizontalPodAutoscaler controller computes, as pure code: no clock, no input or output, standard library
only.
"""
