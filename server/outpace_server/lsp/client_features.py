"""What the connected editor can do, read once from its `initialize` request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsprotocol import types


@dataclass(frozen=True, slots=True)
class ClientFeatures:
    action_literals: bool
    """Takes code actions, not bare commands alone."""
    resolves_edits: bool
    """Asks for the edit of a code action only when it is chosen."""
    resolves_commands: bool
    """Takes from that answer the command too."""
    preferred_actions: bool
    disabled_actions: bool
    tagged_actions: bool
    """Marks what a language model has written."""
    applies_edits: bool
    """When the server asks for it."""
    document_changes: bool
    diagnostic_links: bool
    diagnostic_data: bool
    diagnostic_versions: bool
    markdown: bool
    """In hovers."""
    lens_refresh: bool
    hint_refresh: bool
    progress: bool
    shows_documents: bool
    virtual_documents: bool
    pulls_settings: bool
    registers_settings: bool
    status: bool
    """Understands the notification `outpace/status`."""
    speedups: bool
    """Understands the notification `outpace/speedups`."""
    preview: bool
    """Has the command `outpace.showDiff`, and shows `$(zap)` as an icon."""
    profile: bool
    """Understands the notification `outpace/profile`, and shows a profile as a page (`outpace/report`)."""


def client_features(capabilities: types.ClientCapabilities) -> ClientFeatures:
    text = capabilities.text_document or types.TextDocumentClientCapabilities()
    window = capabilities.window or types.WindowClientCapabilities()
    workspace = capabilities.workspace or types.WorkspaceClientCapabilities()
    resolve = text.code_action.resolve_support if text.code_action else None
    tags = text.code_action.tag_support if text.code_action else None
    hover = text.hover.content_format if text.hover else None
    diagnostics = text.publish_diagnostics
    experimental: Any = capabilities.experimental
    known: Mapping[str, Any] = experimental if isinstance(experimental, Mapping) else {}  # pyright: ignore[reportUnknownVariableType]
    dynamic = workspace.did_change_configuration
    return ClientFeatures(
        action_literals=bool(text.code_action and text.code_action.code_action_literal_support),
        resolves_edits=bool(
            text.code_action and text.code_action.data_support and resolve and "edit" in resolve.properties
        ),
        resolves_commands=bool(resolve and "command" in resolve.properties),
        preferred_actions=bool(text.code_action and text.code_action.is_preferred_support),
        disabled_actions=bool(text.code_action and text.code_action.disabled_support),
        tagged_actions=types.CodeActionTag.LlmGenerated in (tags.value_set if tags else ()),
        applies_edits=bool(workspace.apply_edit),
        document_changes=bool(workspace.workspace_edit and workspace.workspace_edit.document_changes),
        diagnostic_links=bool(diagnostics and diagnostics.code_description_support),
        diagnostic_data=bool(diagnostics and diagnostics.data_support),
        diagnostic_versions=bool(diagnostics and diagnostics.version_support),
        markdown=types.MarkupKind.Markdown in (hover or ()),
        lens_refresh=bool(workspace.code_lens and workspace.code_lens.refresh_support),
        hint_refresh=bool(workspace.inlay_hint and workspace.inlay_hint.refresh_support),
        progress=bool(window.work_done_progress),
        shows_documents=bool(window.show_document and window.show_document.support),
        virtual_documents=bool(
            workspace.text_document_content and workspace.text_document_content.dynamic_registration
        ),
        pulls_settings=bool(workspace.configuration),
        registers_settings=bool(dynamic and dynamic.dynamic_registration),
        status=bool(known.get("outpaceStatus")),
        speedups=bool(known.get("outpaceSpeedups")),
        preview=bool(known.get("outpacePreview")),
        profile=bool(known.get("outpaceProfile")),
    )
