"""Dashboards: what sellers and the marketplace see. Reads counts; can never write one."""
