"""The protocol's manners where pygls (2.1.1) has none: each request gets an answer, also one that is malformed or comes
at the wrong time, and an answer of the client that makes no sense fails the question that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

import attrs
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, lsp_method

from outpace_server.lsp.documents import Documents


class Protocol(LanguageServerProtocol):
    def structure_message(self, data: dict[str, Any]) -> Any:
        """Called for each JSON object; a whole message is one that says `jsonrpc`."""
        if "jsonrpc" not in data:
            return data
        id, method = data.get("id"), data.get("method")
        asked = self._result_types.get(id) if isinstance(id, (str, int)) and method is None else None
        if asked is types.ShowMessageResponse and data.get("result") == {}:
            data = {**data, "result": None}  # Kate (26.08), of a question that was put away
        try:
            message: Any = super().structure_message(data)
        except JsonRpcException:
            message = None
        if message is not None and (id is None or method is None or hasattr(message, "id")):
            return message
        fault = self._fault(method)
        if isinstance(id, (str, int)):
            if method is None:
                self._handle_response(id, error=fault.to_response_error())
            else:
                self._send_response(id, error=fault.to_response_error())
        raise fault

    def handle_message(self, message: Any) -> None:
        if not hasattr(message, "jsonrpc"):
            raise JsonRpcInvalidRequest(f"a {type(message).__name__} is no message")
        method = getattr(message, "method", None)
        refused = self._refusal(method) if method is not None else None
        if refused is None:
            super().handle_message(message)
        elif (id := getattr(message, "id", None)) is not None:
            self._send_response(id, error=refused.to_response_error())

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """pygls lets go of what has answered a request, but keeps what a notification left: some kB with every key."""

        def done(future: Future[Any]) -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _handle_response(self, msg_id: str | int, result: Any = None, error: types.ResponseError | None = None) -> None:
        """Nobody waits any more for the answer to a question that was given up."""
        future = self._request_futures.get(msg_id)
        if future is not None and future.cancelled():
            del self._request_futures[msg_id]
        else:
            super()._handle_response(msg_id, result, error)

    def _fault(self, method: object) -> JsonRpcException:
        """Of what does not fit its type. A notification with an id is a request that nobody knows."""
        message = self.get_message_type(method) if isinstance(method, str) else None
        if method is None or (message is not None and "id" in attrs.fields_dict(message)):
            return JsonRpcInvalidParams()
        return JsonRpcMethodNotFound.of(f"{method} is no request")

    def _refusal(self, method: str) -> JsonRpcException | None:
        """Before `initialize` and after `shutdown` nothing else is in order, and `initialize` comes once."""
        if method == types.EXIT:
            return None
        if self._shutdown:
            return JsonRpcInvalidRequest("the server has been shut down")
        if self._workspace is None:
            return None if method == types.INITIALIZE else JsonRpcServerNotInitialized()
        return JsonRpcInvalidRequest("the server is initialized already") if method == types.INITIALIZE else None

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        result = yield from super().lsp_initialize(params)
        self._workspace = Documents.like(self.workspace)
        return result

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Generator[Any, Any, Any]:
        """No arguments are none, not as many as the command takes."""
        params.arguments = params.arguments or []
        return (yield from super().lsp_workspace__execute_command(params))
