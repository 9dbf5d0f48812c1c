"""Who may call: the `authentication` of exposed adapters.

To add a scheme: write a module with a `Gate`, and put it into `opening.py`.
"""
