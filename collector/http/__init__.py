"""The server: uvicorn with bounds, an express way beside ASGI's, what all processes answer."""
