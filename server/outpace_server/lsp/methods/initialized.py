from __future__ import annotations

import asyncio
import os

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from outpace_server.lsp.methods.did_change_configuration import pull_settings
from outpace_server.lsp.quiet import collect_in_pauses
from outpace_server.lsp.report_uri import PREVIEW_SCHEME, SCHEME
from outpace_server.lsp.server import OutpaceServer
from outpace_server.lsp.status import show_status

PARENT_POLL_S = 5.0


def initialized(ls: OutpaceServer, params: types.InitializedParams) -> None:
    ls.in_background(_begin(ls))
    ls.in_background(collect_in_pauses(ls.attention))
    if ls.process_id:
        ls.in_background(_end_with(ls, ls.process_id))


async def _begin(ls: OutpaceServer) -> None:
    from outpace_server.watching import Watching

    ls.tell_wrong_settings(ls.wrong_settings)
    ls.watching = Watching(ls.changed_on_disk, ls.profiles.noticed)
    try:
        await _register(ls)
    except JsonRpcException as error:
        ls.log(f"the editor refused a registration: {error}", types.MessageType.Warning)
    await pull_settings(ls)
    show_status(ls, ls.optimizing.running)
    ls.speedups.begin()
    ls.profiles.look_again()


async def _register(ls: OutpaceServer) -> None:
    wanted: list[types.Registration] = []
    if ls.features.registers_settings:
        options = types.DidChangeConfigurationRegistrationOptions(section="outpace")
        wanted.append(types.Registration("settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, options))
    if ls.features.virtual_documents:
        served = types.TextDocumentContentRegistrationOptions(schemes=[SCHEME, PREVIEW_SCHEME])
        wanted.append(types.Registration("reports", types.WORKSPACE_TEXT_DOCUMENT_CONTENT, served))
    if wanted:
        await ls.client_register_capability_async(types.RegistrationParams(wanted))


async def _end_with(ls: OutpaceServer, parent: int) -> None:
    """An editor that was killed says no goodbye, and a pipe that somebody else holds open shows nothing."""
    while True:
        await asyncio.sleep(PARENT_POLL_S)
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            ls.stop_work()
            os._exit(1)
        except PermissionError:
            return
