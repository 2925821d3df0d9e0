from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from outpace_server.lsp.server import OutpaceServer
from outpace_server.lsp.settings import Settings, settings_from_json
from outpace_server.lsp.status import show_status


def did_change_configuration(ls: OutpaceServer, params: types.DidChangeConfigurationParams) -> None:
    """Clients that can be asked are; others send their settings along."""
    if ls.features.pulls_settings:
        ls.in_background(pull_settings(ls))
    else:
        given: Any = params.settings
        use_settings(ls, given.get("outpace") if isinstance(given, Mapping) else None)  # pyright: ignore[reportUnknownMemberType]


async def pull_settings(ls: OutpaceServer) -> None:
    if not ls.features.pulls_settings:
        return
    asked = types.ConfigurationParams(items=[types.ConfigurationItem(section="outpace")])
    try:
        given = await ls.workspace_configuration_async(asked)
    except JsonRpcException as error:
        ls.log(f"the editor did not tell its settings ({error}): those from before hold", types.MessageType.Warning)
    else:
        use_settings(ls, _own(given[0]) if given else None)


def _own(given: Any) -> Any:
    """Some editors have one table of all settings, and answer with it whatever section is asked for."""
    return given.get("outpace", given) if isinstance(given, Mapping) else given  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def use_settings(ls: OutpaceServer, given: object) -> None:
    """Names that are not there keep the value that they have: trust is told at the start alone."""
    before: Settings = ls.settings
    ls.settings, troubles = settings_from_json(given, before)
    ls.tell_wrong_settings(troubles)
    if (before.runs and not ls.settings.runs) or not ls.settings.allows:
        ls.optimizing.cancel_all()
    for uri in ls.open_uris:
        ls.publish(uri)
    ls.profiles.look_again()
    ls.refresh()
    show_status(ls, ls.optimizing.running)
