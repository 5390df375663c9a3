"""The physics of the game in pure numpy: models that compute, and nothing else.

The engine knows nothing of missions, files, ledgers or screens. Everything outside it sees
the one interface of :mod:`engine.contract`, through :mod:`engine.registry`.

Importing this package is free: numpy loads with the first model.
"""
