"""Puts the server together: which function answers which method."""

from __future__ import annotations

from lsprotocol import types

from outpace_server.lsp.methods import (
    code_action,
    code_action_resolve,
    code_lens,
    did_change,
    did_change_configuration,
    did_change_workspace_folders,
    did_close,
    did_open,
    did_save,
    execute_command,
    hover,
    initialize,
    initialized,
    inlay_hint,
    notebook_did_change,
    notebook_did_close,
    notebook_did_open,
    notebook_did_save,
    report,
    shutdown,
    text_document_content,
)
from outpace_server.lsp.server import OutpaceServer


def make_server() -> OutpaceServer:
    server = OutpaceServer()
    server.feature(types.INITIALIZE)(initialize.initialize)
    server.feature(types.INITIALIZED)(initialized.initialized)
    server.feature(types.SHUTDOWN)(shutdown.shutdown)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(did_change_configuration.did_change_configuration)
    server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)(
        did_change_workspace_folders.did_change_workspace_folders
    )
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(did_open.did_open)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change.did_change)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(did_save.did_save)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(did_close.did_close)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)(notebook_did_open.notebook_did_open)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)(notebook_did_change.notebook_did_change)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)(notebook_did_save.notebook_did_save)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)(notebook_did_close.notebook_did_close)
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, code_action.OPTIONS)(code_action.code_action)
    server.feature(types.CODE_ACTION_RESOLVE)(code_action_resolve.code_action_resolve)
    server.feature(types.TEXT_DOCUMENT_CODE_LENS, code_lens.OPTIONS)(code_lens.code_lens)
    server.feature(types.TEXT_DOCUMENT_INLAY_HINT, inlay_hint.OPTIONS)(inlay_hint.inlay_hint)
    server.feature(types.TEXT_DOCUMENT_HOVER)(hover.hover)
    server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)(text_document_content.text_document_content)
    server.feature(report.METHOD)(report.report)
    for name, command in execute_command.COMMANDS.items():
        server.command(name)(command)
    return server
