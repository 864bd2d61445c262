"""The country for tax and shipping, and for nothing else.

The marketplace's server, or a buyer's own browser, asks which country a cart should start with.
The address lives for one request; the country never reaches the statistics.
"""
