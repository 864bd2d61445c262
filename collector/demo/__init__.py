"""The demo: a shop with three sellers, a month of generated visits, and Collector behind it.

A composition root of its own. Everything in it goes the way that a real shop's visits go: pages
carry the same snippets, sellers sign in by the same tokens, and the month is made of requests.
"""
