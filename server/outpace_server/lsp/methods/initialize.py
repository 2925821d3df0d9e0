from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsprotocol import types

from outpace_server.lsp.client_features import client_features
from outpace_server.lsp.server import OutpaceServer
from outpace_server.lsp.settings import settings_from_json


def initialize(ls: OutpaceServer, params: types.InitializeParams) -> None:
    """Capabilities are read once; settings come from `initializationOptions.settings`, or stand there without that
    group, and later by configuration."""
    ls.features = client_features(params.capabilities)
    options: Any = params.initialization_options
    if isinstance(options, Mapping):
        ls.settings, ls.wrong_settings = settings_from_json(options.get("settings", options), ls.settings)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
