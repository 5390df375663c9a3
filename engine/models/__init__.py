"""One module a model; formulas with their sources in the docstrings."""
