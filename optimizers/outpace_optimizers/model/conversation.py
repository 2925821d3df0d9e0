"""Questions to one model, within its limits: counted before they are asked, repeated where that can help."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable

from outpace_audit.errors import ModelError
from outpace_audit.records import content_id
from outpace_optimizers.model.client import Answer, CallFailedError, Messages, ModelProcess, Price
from outpace_optimizers.model.reply import SCHEMA
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.records import ModelRequest, Spend

PASSING = ("RateLimitError", "ServiceUnavailableError", "InternalServerError", "BadGatewayError", "APIConnectionError")
"""A later try may succeed, and nothing was charged."""
UNSURE = ("Timeout", "Hung", "Died")
"""A later try may succeed, but the provider may have charged for this one: it stays counted at its worst case."""
TRIES = 4
LONGEST_WAIT_S = 60.0
PER_MESSAGE = 16
"""Tokens that providers wrap each message in, at most."""


class LimitReachedError(ModelError):
    """A run pays for no more replies."""


class UnreachedError(ModelError):
    """The model gave no answer; it may on another day."""


class Conversation:
    """`tell` hears what is waited for. `run`: the name that its calls are counted under, else a new one."""

    def __init__(
        self,
        request: ModelRequest,
        process: ModelProcess,
        spending: Spending,
        tell: Callable[[str], None],
        *,
        fresh: bool,
        run: str = "",
    ) -> None:
        self._request = request
        self._process = process
        self._spending = spending
        self._tell = tell
        self._fresh = fresh
        self._price: Price | None = None
        self._run = run or uuid.uuid4().hex
        self.remembered = 0
        self.unusable = 0

    @property
    def price_known(self) -> bool | None:
        """None before the first question that had to be paid for."""
        return None if self._price is None else self._price.known

    def ask(self, messages: Messages) -> Answer:
        """The reply: an earlier one where the question is the very same. Raises ModelError where none can be had,
        LimitReachedError where another would have to be paid for."""
        question = content_id(self._request.name, list(messages), self._request.reply_tokens)
        known = None if self._fresh else self._spending.remembered(question)
        if known is not None:
            self.remembered += 1
            return Answer(known, False, None, None)
        if self.paid >= self._request.ideas:
            raise LimitReachedError(f"the model was asked {self.paid} times, the limit of a run")
        for number in range(1, TRIES + 1):
            try:
                return self._asked(messages, question)
            except CallFailedError as error:
                if error.kind not in (*PASSING, *UNSURE) or number == TRIES:
                    kind = UnreachedError if error.kind in (*PASSING, *UNSURE) else ModelError
                    raise kind(f"{self._request.name}: {error.kind}: {error}") from error
                wait = _wait_s(number, error.retry_after_s)
                self._tell(f"{self._request.name}: {error.kind}; try {number + 1} of {TRIES} in {wait:.0f} s")
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def spend(self) -> Spend:
        run, today = self._spending.of_run(self._run), self._spending.today()
        return Spend(
            self._request.name, run.calls, self.remembered, self.unusable, run.tokens,
            None if self.price_known is False else run.dollars, today.tokens, today.dollars,
        )  # fmt: skip

    @property
    def paid(self) -> int:
        return self._spending.of_run(self._run).calls

    def _asked(self, messages: Messages, question: str) -> Answer:
        """One call, on the books before it is made."""
        price, limit = self._priced(), self._request.reply_tokens
        limit = min(limit, price.limit) if price.limit else limit
        most = worst_case_tokens(messages)
        call = self._spending.commit(
            self._run, self._request, question, most + limit, price.dollars(most, limit) or 0.0
        )
        try:
            answer = self._process.complete(self._request.name, messages, SCHEMA, limit, self._request.timeout_s)
        except CallFailedError as error:
            if error.kind not in UNSURE:
                self._spending.settle(call, 0, 0.0, None)
            raise
        prompt = most if answer.prompt_tokens is None else answer.prompt_tokens
        reply = limit if answer.reply_tokens is None else answer.reply_tokens
        # A reply that was cut off is paid for, and of no use to a later run.
        kept = None if answer.cut else answer.text
        self._spending.settle(call, prompt + reply, price.dollars(prompt, reply) or 0.0, kept)
        return answer

    def _priced(self) -> Price:
        if self._price is None:
            try:
                self._price = self._process.price(self._request.name)
            except CallFailedError as error:
                raise ModelError(f"{self._request.name}: {error}") from error
            if not self._price.known:
                self._tell(
                    f"no price is known for {self._request.name}: its tokens are counted and limited, dollars are not"
                )
        return self._price


def worst_case_tokens(messages: Messages) -> int:
    """No tokenizer makes more tokens of a text than it has bytes."""
    return sum(len(message["content"].encode("utf-8", "replace")) + PER_MESSAGE for message in messages)


def _wait_s(number: int, retry_after_s: float | None) -> float:
    """What the server asked for, else 1, 2, 4 seconds, a little apart for those who ask at the same time."""
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), LONGEST_WAIT_S)
    return 2.0 ** (number - 1) * random.uniform(1.0, 1.25)
