"""The platform: the HTTP service that keeps datasets and runs avatarizations.

Start reading at ``app.py``: :func:`create_app` is the only place that names concrete parts.
"""

from avatars.models.describing import describe_wire_models

# Before any route is made of the models: OpenAPI says what their fields are.
describe_wire_models()
