"""The profiles of the property tests hold here as well."""

from __future__ import annotations

import tests.properties.conftest  # noqa: F401
