"""Questions to one model, within its limits: counted before they are asked, repeated where that can help."""

from __future__ import annotations

import random
import re
import uuid
from functools import partial
from pathlib import Path

from outpace_audit.errors import ModelError
from outpace_audit.records import content_id
from outpace_optimizers.model.asking import Asking
from outpace_optimizers.model.client import Answer, CallFailedError, Messages, ModelProcess, Price
from outpace_optimizers.model.reply import SCHEMA
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.records import Asked, ModelRequest, Spend

PASSING = ("RateLimitError", "ServiceUnavailableError", "InternalServerError", "BadGatewayError", "APIConnectionError")
"""A later try may succeed, and nothing was charged."""
UNSURE = ("Timeout", "Hung", "Died")
"""A later try may succeed, but the provider may have charged for this one: it stays counted at its worst case."""
FILTERED = ("ContentPolicyViolationError",)
"""The question was not let through. Another may be; nothing was charged."""
WITHHELD = "the provider's filter did not let the question through: propose another idea"
HINTS = {
    "ContextWindowExceededError": "the question does not fit: take a server, or a model, with a longer context",
    "UnreadableReply": "the server answers in another way than the protocol has it",
    "NotFoundError": "is the name right, and the model there?",
    "AuthenticationError": "is the key in the environment, and valid?",
}
UNREADABLE = ("UnreadableReply",)
"""What came may have been charged for, and would come again: counted at its worst case, and not asked for once more."""
TRIES = 4
LONGEST_WAIT_S = 60.0
_REPLY_LIMIT = re.compile(r"max_(completion_|output_|new_)?tokens", re.IGNORECASE)
PER_MESSAGE = 16
"""Tokens that providers wrap each message in, at most."""
_late: dict[tuple[Path, str], Asking] = {}
"""By the books and the question: replies that a search did not wait for any more, and that are still under way. The
next search in this process that asks the same waits for them, in place of paying twice."""


class LimitReachedError(ModelError):
    """A run pays for no more replies."""


class UnreachedError(ModelError):
    """The model gave no answer; it may on another day."""


class QuestionTooLongError(ModelError):
    """A shorter one may be answered."""


TOO_LONG = {"ContextWindowExceededError": QuestionTooLongError}


class Conversation:
    """One question at a time. `run`: the name that its calls are counted under, else a new one."""

    def __init__(
        self, request: ModelRequest, process: ModelProcess, spending: Spending, *, fresh: bool, run: str = ""
    ) -> None:
        self._request = request
        self._process = process
        self._spending = spending
        self._fresh = fresh
        self._price: Price | None = None
        self._run = run or uuid.uuid4().hex
        self._asking: Asking | None = None
        self.remembered = 0
        self.unusable = 0

    def close(self) -> None:
        """Ends the process, after the reply that is under way."""
        if self._asking is None or self._asking.arrived:
            self._process.close()
            return
        late = self._spending.path, self._asking.question
        _late.setdefault(late, self._asking)

        def ended() -> None:
            _late.pop(late, None)
            self._process.close()

        if not self._asking.leave(ended):
            ended()

    @property
    def price_known(self) -> bool | None:
        """None before the first question that had to be paid for."""
        return None if self._price is None else self._price.known

    def question(self, messages: Messages) -> str:
        """What it is remembered by."""
        return content_id(self._request.name, list(messages), self._request.reply_tokens)

    def begin(self, messages: Messages) -> Asking:
        """Asked for; an earlier reply where the question is the very same. Raises LimitReachedError where another
        would have to be paid for."""
        question = self.question(messages)
        late = None if self._fresh else _late.get((self._spending.path, question))
        if late is not None and late.take_back():
            self._asking = late
        elif not self._fresh and (known := self._spending.remembered(question)) is not None:
            self.remembered += 1
            self._asking = Asking(question, known)
        elif self.paid >= self._request.ideas:
            raise LimitReachedError(f"the model was asked {self.paid} times, the limit of a run")
        else:
            self._asking = Asking(question)
            self._asking.begin(partial(self._tried, messages))
        return self._asking

    def spend(self) -> Spend:
        run, today = self._spending.of_run(self._run), self._spending.today()
        return Spend(
            self._request.name, run.calls, self.remembered, self.unusable, run.tokens,
            None if self.price_known is False else run.dollars, today.tokens, today.dollars,
        )  # fmt: skip

    @property
    def paid(self) -> int:
        return self._spending.of_run(self._run).calls

    # In the thread of the question, with books of its own: those of the search may be closed before the reply is there.

    def _tried(self, messages: Messages, asking: Asking) -> Answer:
        with Spending(self._spending.path.parent) as books:
            for number in range(1, TRIES + 1):
                try:
                    return self._asked(messages, asking, books)
                except CallFailedError as error:
                    passes = error.kind in (*PASSING, *UNSURE)
                    if not passes or number == TRIES or asking.left:
                        kind = UnreachedError if passes else TOO_LONG.get(error.kind, ModelError)
                        raise kind(f"{self._request.name}: {error.kind}: {error}{_hint(error)}") from error
                    wait = _wait_s(number, error.retry_after_s)
                    asking.say(f"{self._request.name}: {error.kind}; try {number + 1} of {TRIES} in {wait:.0f} s")
                    asking.pause(wait)
                    if asking.left:
                        raise UnreachedError(f"{self._request.name}: {error.kind}: {error}") from error
        raise AssertionError("the last try returns or raises")

    def _asked(self, messages: Messages, asking: Asking, books: Spending) -> Answer:
        """One call, on the books before it is made."""
        price, limit = self._priced(asking), self._request.reply_tokens
        limit = min(limit, price.limit) if price.limit else limit
        most = worst_case_tokens(messages)
        if asking.left:
            raise UnreachedError(f"{self._request.name} was not asked: the run was over before")
        before, dearest = asking.cost, price.dollars(most, limit) or 0.0
        call = books.commit(self._run, self._request, asking.question, most + limit, dearest)
        asking.cost = _more(before, most + limit, dearest)
        try:
            answer = self._process.complete(self._request.name, messages, SCHEMA, limit, self._request.timeout_s)
        except CallFailedError as error:
            withheld = Answer("", False, None, None, f"{WITHHELD} ({error})") if error.kind in FILTERED else None
            if error.kind not in (*UNSURE, *UNREADABLE):
                books.settle(call, 0, 0.0, withheld)
                asking.cost = before
            if withheld is not None:
                return withheld
            raise
        prompt = most if answer.prompt_tokens is None else answer.prompt_tokens
        reply = limit if answer.reply_tokens is None else answer.reply_tokens
        dollars = price.dollars(prompt, reply) or 0.0
        books.settle(call, prompt + reply, dollars, answer)
        asking.cost = _more(before, prompt + reply, dollars)
        return answer

    def _priced(self, asking: Asking) -> Price:
        if self._price is None:
            try:
                self._price = self._process.price(self._request.name)
            except CallFailedError as error:
                raise ModelError(f"{self._request.name}: {error}") from error
            if not self._price.known:
                asking.say(
                    f"no price is known for {self._request.name}: its tokens are counted and limited, dollars are not"
                )
        return self._price


def _more(before: Asked, tokens: int, dollars: float) -> Asked:
    return Asked(before.seconds, before.tokens + tokens, before.dollars + dollars)


def worst_case_tokens(messages: Messages) -> int:
    """No tokenizer makes more tokens of a text than it has bytes."""
    return sum(len(message["content"].encode("utf-8", "replace")) + PER_MESSAGE for message in messages)


def _hint(error: CallFailedError) -> str:
    if error.kind == "BadRequestError" and _REPLY_LIMIT.search(str(error)):
        return "; set model-reply-tokens to what the model can write"
    return f"; {HINTS[error.kind]}" if error.kind in HINTS else ""


def _wait_s(number: int, retry_after_s: float | None) -> float:
    """What the server asked for, else 1, 2, 4 seconds, a little apart for those who ask at the same time."""
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), LONGEST_WAIT_S)
    return 2.0 ** (number - 1) * random.uniform(1.0, 1.25)
