"""What editors announce in `initialize`, and what they must not be sent because they did not announce it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lsprotocol import types

VSCODE: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "configuration": True,
        "workspaceFolders": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create", "rename", "delete"],
            "normalizesLineEndings": True,
            "changeAnnotationSupport": {"groupsOnLabel": True},
        },
        "didChangeConfiguration": {"dynamicRegistration": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True, "relativePatternSupport": True},
        "executeCommand": {"dynamicRegistration": True},
        "codeLens": {"refreshSupport": True},
        "inlayHint": {"refreshSupport": True},
        "textDocumentContent": {"dynamicRegistration": True},
    },
    "textDocument": {
        "synchronization": {"dynamicRegistration": True, "willSave": True, "didSave": True},
        "hover": {"dynamicRegistration": True, "contentFormat": ["markdown", "plaintext"]},
        "codeAction": {
            "dynamicRegistration": True,
            "codeActionLiteralSupport": {
                "codeActionKind": {"valueSet": ["", "quickfix", "refactor", "refactor.rewrite", "source", "notebook"]}
            },
            "isPreferredSupport": True,
            "disabledSupport": True,
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit", "command"]},
            "documentationSupport": True,
            "tagSupport": {"valueSet": [1]},
        },
        "codeLens": {"dynamicRegistration": True, "resolveSupport": {"properties": ["command"]}},
        "inlayHint": {"dynamicRegistration": True, "resolveSupport": {"properties": ["tooltip", "label.tooltip"]}},
        "publishDiagnostics": {
            "versionSupport": False,
            "relatedInformation": True,
            "tagSupport": {"valueSet": [1, 2]},
            "codeDescriptionSupport": True,
            "dataSupport": True,
        },
    },
    "notebookDocument": {"synchronization": {"dynamicRegistration": True, "executionSummarySupport": True}},
    "window": {
        "workDoneProgress": True,
        "showMessage": {"messageActionItem": {"additionalPropertiesSupport": True}},
        "showDocument": {"support": True},
    },
    "general": {"positionEncodings": ["utf-16"]},
}
"""Of VS Code 1.139, without what no part of this server would ever use."""

Seen = Callable[[str], Any]
"""The value of a capability by its path, None where it was not announced."""


NEEDED = {
    types.WINDOW_WORK_DONE_PROGRESS_CREATE: "window.work_done_progress",
    types.PROGRESS: "window.work_done_progress",
    types.WINDOW_SHOW_DOCUMENT: "window.show_document.support",
    types.WORKSPACE_CONFIGURATION: "workspace.configuration",
    types.WORKSPACE_APPLY_EDIT: "workspace.apply_edit",
    types.WORKSPACE_CODE_LENS_REFRESH: "workspace.code_lens.refresh_support",
    types.WORKSPACE_INLAY_HINT_REFRESH: "workspace.inlay_hint.refresh_support",
    types.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH: "workspace.text_document_content.dynamic_registration",
}
"""Messages of the server, and what the editor has to announce first."""

REGISTERED = {
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: "workspace.did_change_configuration.dynamic_registration",
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: "workspace.did_change_watched_files.dynamic_registration",
    types.WORKSPACE_TEXT_DOCUMENT_CONTENT: "workspace.text_document_content.dynamic_registration",
}

ACTION = "text_document.code_action"
DIAGNOSTIC = "text_document.publish_diagnostics"


def breaches(capabilities: types.ClientCapabilities, method: str, value: Any) -> list[str]:
    """By the specification, of a message of the server (its parameters) or the result of one of the editor's
    requests."""

    def seen(path: str) -> Any:
        at: Any = capabilities
        for name in path.split("."):
            at = getattr(at, name, None)
        return at

    wanted = [NEEDED[method]] if method in NEEDED else []
    found = [f"{method} without {path}" for path in wanted if not seen(path)]
    if value is not None and method in CHECKS:
        found += [f"{method}: {what}" for what in CHECKS[method](value, seen)]
    return found


def _registrations(params: types.RegistrationParams, seen: Seen) -> Iterator[str]:
    for one in params.registrations:
        if not seen(REGISTERED[one.method]):
            yield f"{one.method} cannot be registered"


def _diagnostics(params: types.PublishDiagnosticsParams, seen: Seen) -> Iterator[str]:
    if params.version is not None and not seen(f"{DIAGNOSTIC}.version_support"):
        yield "a version"
    for one in params.diagnostics:
        if one.code_description and not seen(f"{DIAGNOSTIC}.code_description_support"):
            yield "a link"
        if one.data is not None and not seen(f"{DIAGNOSTIC}.data_support"):
            yield "data"
        if one.related_information and not seen(f"{DIAGNOSTIC}.related_information"):
            yield "related information"


def _actions(actions: Iterable[Any], seen: Seen) -> Iterator[str]:
    kinds = seen(f"{ACTION}.code_action_literal_support.code_action_kind.value_set")
    for one in actions:
        if isinstance(one, types.Command):
            continue
        if kinds is None:
            yield f"more than a command: {one.title}"
            continue
        if one.disabled and not seen(f"{ACTION}.disabled_support"):
            yield "a disabled action"
        if one.is_preferred and not seen(f"{ACTION}.is_preferred_support"):
            yield "a preferred action"
        if one.data is not None and not seen(f"{ACTION}.data_support"):
            yield "data"
        if one.tags and not seen(f"{ACTION}.tag_support"):
            yield "tags"
        if not (one.edit or one.command or one.disabled or seen(f"{ACTION}.resolve_support")):
            yield f"nothing comes of {one.title}"
        if not any(f"{getattr(one.kind, 'value', one.kind)}.".startswith(f"{getattr(k, 'value', k)}.") for k in kinds):
            yield f"kind {one.kind}"
        yield from _edit(one.edit, seen)


def _resolved(action: types.CodeAction, seen: Seen) -> Iterator[str]:
    if action.edit and action.command and "command" not in seen(f"{ACTION}.resolve_support.properties"):
        yield "a command that was not there before"
    yield from _actions([action], seen)


def _edit(edit: types.WorkspaceEdit | None, seen: Seen) -> Iterator[str]:
    if edit and edit.document_changes and not seen("workspace.workspace_edit.document_changes"):
        yield "document changes"
    if edit and edit.change_annotations and not seen("workspace.workspace_edit.change_annotation_support"):
        yield "annotations"


def _hover(found: types.Hover, seen: Seen) -> Iterator[str]:
    assert isinstance(found.contents, types.MarkupContent)
    if found.contents.kind not in (seen("text_document.hover.content_format") or ()):
        yield f"{found.contents.kind}"


CHECKS: dict[str, Callable[[Any, Seen], Iterator[str]]] = {
    types.CLIENT_REGISTER_CAPABILITY: _registrations,
    types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: _diagnostics,
    types.TEXT_DOCUMENT_CODE_ACTION: _actions,
    types.CODE_ACTION_RESOLVE: _resolved,
    types.WORKSPACE_APPLY_EDIT: lambda params, seen: _edit(params.edit, seen),
    types.TEXT_DOCUMENT_HOVER: _hover,
}
