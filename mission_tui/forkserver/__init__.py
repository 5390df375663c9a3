"""One loaded program from which a lab server's sessions are forked: they share its memory.

``client`` is what a student starts; it hands its terminal to the ``server``, which forks a
``session`` that belongs to the student. ``warm`` is what the server does beforehand.
"""
