"""The platform: the HTTP service that keeps datasets and runs avatarizations.

Start reading at ``app.py``: :func:`create_app` is the only place that names concrete parts.
"""
