"""Replies as families of models write them, each to one of five targets of this project. They were written before
anything was run, by one who had not read how replies are read; what was expected of each was written with it."""

from __future__ import annotations

import json
from dataclasses import dataclass

TAKE, REFUSE = "take", "refuse"

GELU = "examples/mlp_norm.py:gelu"
BLOCK = "examples/mlp_norm.py:FeedForward"
ATTENTION = "examples/attention.py:CausalSelfAttention"
SOFTMAX = "benchmarks/tuner/softmax.py:softmax"
CPP = "examples/extension.py:gated"
NOTEBOOK = "notebook:rms"

CELLS = (
    "# Norms\n",
    "import torch\nfrom torch.nn import functional as F\n",
    (
        "def rms(x, weight):\n    variance = x.pow(2).mean(-1, keepdim=True)\n"
        "    return x * torch.rsqrt(variance + 1e-6) * weight\n"
    ),
    "def get_inputs():\n    return [torch.randn(64, 256), torch.ones(256)]\n",
)


@dataclass(frozen=True, slots=True)
class Written:
    """`has`, `lacks`: what the changed text must and must not hold, where the reply is to be taken."""

    name: str
    target: str
    text: str
    expected: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    cut: bool = False


GELU_LINE = "    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))"
FUSED_LINE = '    return torch.nn.functional.gelu(x, approximate="tanh")'
IDEA = {
    "title": "Use the fused tanh GELU",
    "rationale": "One kernel reads and writes x once instead of eight times.",
    "numerics": "tolerant",
    "edits": [{"search": GELU_LINE, "replace": FUSED_LINE}],
}
FUSED = ((FUSED_LINE,), ("torch.pow(x, 3.0)",))

MASKED = '        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))'
SCORES = "        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))"
SDPA = "        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)"

CHATTY = f"""Great question! Looking at `gelu`, the formula launches roughly eight elementwise kernels, each of which
round-trips the whole activation through memory. PyTorch ships a fused version.

Here's my proposal:

```json
{json.dumps(IDEA, indent=2)}
```

**Why this works**
- `approximate="tanh"` is *exactly* this formula.
- The backward is fused too.

Let me know if you would like me to fuse the preceding linear as well!"""

TOOL_STRING = json.dumps({"name": "propose_change", "arguments": json.dumps(IDEA)})

TOOL_TAGS = f"""I'll submit the change.

<tool_call>
{json.dumps({"name": "submit_idea", "arguments": IDEA})}
</tool_call>"""

WRONG_TAG = f'''The tanh approximation is built in:

```cpp
def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation, as in GPT-2."""
{FUSED_LINE}
```
'''

OPTION_A_B = f"""There are two good ways.

### Option A: fused GELU
```json
{json.dumps(IDEA)}
```

### Option B: cheaper power
```json
{json.dumps({**IDEA, "title": "x*x*x", "edits": [{"search": "torch.pow(x, 3.0)", "replace": "x * x * x"}]})}
```

I would go with Option A, but B keeps more bits."""

OPTION_IN_PROSE = f"""Option A: replace torch.pow(x, 3.0) with x * x * x. Saves one kernel only, so I reject it.
Option B: use the fused operator. This is my answer:

{json.dumps(IDEA)}"""

ELIDED = f"""```python
class CausalSelfAttention(nn.Module):
    def __init__(self, n_embd: int, n_head: int, block_size: int, dropout: float = 0.0, bias: bool = True):
        ...  # unchanged

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
{SDPA}
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        return self.resid_dropout(self.c_proj(y))
```"""

RENAMED = ELIDED.replace("class CausalSelfAttention", "class OptimizedCausalSelfAttention").replace(
    "        ...  # unchanged",
    "        super().__init__()\n        self.c_attn = nn.Linear(n_embd, 3 * n_embd, bias=bias)\n"
    "        self.c_proj = nn.Linear(n_embd, n_embd, bias=bias)\n        self.resid_dropout = nn.Dropout(dropout)\n"
    "        self.n_head = n_head\n        self.n_embd = n_embd",
)

HELPERS = json.dumps({
    "title": "Fused norm and GELU in the block",
    "rationale": "Both helpers are chains of elementwise kernels.",
    "numerics": "tolerant",
    "edits": [
        {
            "search": "        variance = x.float().pow(2).mean(-1, keepdim=True)\n"
            "        normed = x.float() * torch.rsqrt(variance + self.eps)\n"
            "        return (normed * self.weight.float()).to(x.dtype)",
            "replace": "        wide = x.float()\n"
            "        return torch.nn.functional.rms_norm(wide, (wide.shape[-1],), self.weight.float(), self.eps)"
            ".to(x.dtype)",
        },
        {"search": GELU_LINE, "replace": FUSED_LINE},
    ],
})  # fmt: skip

ELSEWHERE = json.dumps({
    **IDEA,
    "title": "No sync in the step",
    "edits": [{"search": "    return loss.item()", "replace": "    return loss.detach()"}],
})  # fmt: skip

KERNEL = '''@triton.jit
def _gelu_tanh_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    keep = at < n
    x = tl.load(x_ptr + at, mask=keep).to(tl.float32)
    inner = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    e = tl.exp(-2.0 * tl.abs(inner))
    t = (1.0 - e) / (1.0 + e)
    t = tl.where(inner < 0, -t, t)
    tl.store(y_ptr + at, 0.5 * x * (1.0 + t), mask=keep)


def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation, as in GPT-2."""
    if x.is_cuda and x.dtype == torch.float32 and x.is_contiguous() and not x.requires_grad and x.numel() > 0:
        y = torch.empty_like(x)
        _gelu_tanh_kernel[(triton.cdiv(x.numel(), 1024),)](x, y, x.numel(), BLOCK=1024)
        return y
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))'''

TRITON = json.dumps({
    "title": "One Triton kernel for the GELU",
    "rationale": "x is read and written once.",
    "numerics": "tolerant",
    "edits": [
        {
            "search": "import torch\nfrom torch import nn\n",
            "replace": "import torch\nimport triton\nimport triton.language as tl\nfrom torch import nn\n",
        },
        {
            "search": "def gelu(x: torch.Tensor) -> torch.Tensor:\n"
            '    """The tanh approximation, as in GPT-2."""\n' + GELU_LINE,
            "replace": KERNEL,
        },
    ],
})  # fmt: skip

TRITON_BLOCK = f"""Here is the kernel together with the wrapper.

```python
import torch
import triton
import triton.language as tl

{KERNEL}
```

On the CPU it falls back to the original."""

TRITON_UNIMPORTED = f"```python\n{KERNEL}\n```"

CONFIG = """```json
{
  "title": "Wider blocks, more warps",
  "rationale": "128 elements a step leave the memory idle",
  "numerics": "tolerant",
  "edits": [
    {"search": "BLOCK=128, num_warps=1, num_stages=1", "replace": "BLOCK=4096, num_warps=8, num_stages=2"}
  ]
}
```"""

ROW_KERNEL = """<<<<<<< SEARCH
    for start in range(0, columns, BLOCK):
        at = start + offsets
        values = tl.load(x + row + at, mask=at < columns, other=0.0).to(tl.float32)
        tl.store(out + row + at, (tl.exp(values - top) / total).to(out.dtype.element_ty), mask=at < columns)
=======
    inverse = 1.0 / total
    for start in range(0, columns, BLOCK):
        at = start + offsets
        values = tl.load(x + row + at, mask=at < columns, other=0.0).to(tl.float32)
        tl.store(out + row + at, (tl.exp(values - top) * inverse).to(out.dtype.element_ty), mask=at < columns)
>>>>>>> REPLACE"""
AIDER = f"One division a row instead of one an element.\n\nsoftmax.py\n```python\n{ROW_KERNEL}\n```\n"

NEW_RMS = "    return F.rms_norm(x, (x.shape[-1],), weight, 1e-6)"
CELL = f"""In the third cell, change the function to

```python
# %%
def rms(x, weight):
{NEW_RMS}
```

and run the cells below again."""

CELL_MAGIC = f"```python\n%%time\ndef rms(x, weight):\n{NEW_RMS}\n```"

CELL_JSON = json.dumps({
    "cell_type": "code",
    "source": ["def rms(x, weight):\n", NEW_RMS + "\n"],
    "metadata": {},
    "outputs": [],
})  # fmt: skip

CRLF = json.dumps(
    {
        **IDEA,
        "edits": [
            {
                "search": "        h = self.norm(x)\r\n        h = gelu(self.up(h))\r\n",
                "replace": "        h = torch.nn.functional.gelu(self.up(self.norm(x)), approximate='tanh')\r\n",
            }
        ],
    },
    indent=1,
).replace("\n", "\r\n")

TABS = (
    "<<<<<<< SEARCH\n\t\th = self.norm(x)\n\t\th = gelu(self.up(h))\n=======\n"
    "\t\th = self.up(self.norm(x))\n\t\th = torch.nn.functional.gelu(h, approximate='tanh')\n>>>>>>> REPLACE"
)

CURLY_JSON = (
    "{“title”: “fused softmax attention”, “rationale”: “one kernel”, “numerics”: “tolerant”, "
    "“edits”: [{“search”: “        att = F.softmax(att, dim=-1)”, “replace”: “        att = torch.softmax(att, -1)”}]}"
)

CURLY_CODE = json.dumps(
    {
        **IDEA,
        "title": "Boolean mask once",
        "edits": [
            {
                "search": MASKED.replace('"-inf"', "“-inf”"),
                "replace": "        att = att.masked_fill(self.mask[:, :, :T, :T].logical_not(), float(“-inf”))",
            }
        ],
    },
    ensure_ascii=False,
)

TABLE = f"""| | Before | After |
|---|---|---|
| GELU | `{GELU_LINE.strip()}` | `{FUSED_LINE.strip()}` |
| kernels | 8 | 1 |"""

TABLE_AND_JSON = f"| step | kernels | µs |\n|---|---|---|\n| pow | 1 | 3 |\n| tanh | 1 | 3 |\n\n{json.dumps(IDEA)}\n"

CUT = json.dumps(IDEA)[:-60]
CUT_BLOCKS = f"{ROW_KERNEL}\n\n<<<<<<< SEARCH\n    softmax_rows[(x.shape[0],)](x, out, x.shape[1], BLOCK=128"

GERMAN = f"""Der Vorschlag: Die Formel braucht acht Kernel, der eingebaute Operator nur einen. Die Rückwärtsrechnung ist
ebenfalls in einem Kernel enthalten („fused“).

```json
{json.dumps({**IDEA, "title": "Eingebautes GELU verwenden", "rationale": "Ein Kernel statt acht."}, ensure_ascii=False)}
```"""

GERMAN_KEYS = json.dumps(
    {
        "überschrift": "Eingebautes GELU",
        "begründung": "ein Kernel",
        "änderungen": [{"suche": GELU_LINE, "ersetze": FUSED_LINE}],
    },
    ensure_ascii=False,
)

CHINESE = f'''<think>
首先看瓶颈。这里有八个逐元素算子，可以用 {{"approximate": "tanh"}} 的融合算子。
```python
return x * torch.sigmoid(1.702 * x)
```
不行，精度不够。
</think>
使用融合的 GELU：

```python
def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation, as in GPT-2."""
{FUSED_LINE}
```'''

JSON_IN_XML = f"""<response>
<thinking>The chain is memory bound.</thinking>
<answer>
{json.dumps(IDEA)}
</answer>
</response>"""

XML = f"""<idea>
<title>Use the fused tanh GELU</title>
<rationale>one kernel instead of eight</rationale>
<numerics>tolerant</numerics>
<edits>
<edit>
<search>
{GELU_LINE}
</search>
<replace>
{FUSED_LINE}
</replace>
</edit>
</edits>
</idea>"""

DIFF = f"""```diff
--- a/mlp_norm.py
+++ b/mlp_norm.py
@@ -112,9 +112,7 @@ def gelu(x):
 def gelu(x: torch.Tensor) -> torch.Tensor:
     \"\"\"The tanh approximation, as in GPT-2.\"\"\"
-{GELU_LINE}
+{FUSED_LINE}
```"""

DIFF_BARE = f"""```diff
@@
def gelu(x: torch.Tensor) -> torch.Tensor:
    \"\"\"The tanh approximation, as in GPT-2.\"\"\"
-{GELU_LINE}
+{FUSED_LINE}
```"""

FILES = f"""**kernels/gelu.py**
```python
import torch

def fast_gelu(x):
{FUSED_LINE}
```

**mlp_norm.py**
```python
from kernels.gelu import fast_gelu as gelu
```"""

CPP_LOOP = "      const float v = in[i * columns + j] + b[j];\n      sum += v * v * 0.5f;\n    }\n    to[i] = sum;"
CPP_FAST = "      const float v = in[i * columns + j] + b[j];\n      sum += v * v;\n    }\n    to[i] = 0.5f * sum;"
CPP_EDIT = json.dumps({
    "title": "Halve once a row",
    "rationale": "one multiplication less an element",
    "numerics": "tolerant",
    "edits": [{"search": CPP_LOOP, "replace": CPP_FAST}],
})  # fmt: skip

CPP_TEXT = """#include <cmath>

torch::Tensor gated_sum(torch::Tensor x, torch::Tensor bias) {
  TORCH_CHECK(x.dim() == 2 && x.is_contiguous() && bias.is_contiguous(), "rows expected");
  TORCH_CHECK(bias.dim() == 1 && bias.size(0) == x.size(1), "one bias a column");
  auto out = torch::empty({x.size(0)}, x.options());
  const float* in = x.data_ptr<float>();
  const float* b = bias.data_ptr<float>();
  float* to = out.data_ptr<float>();
  const int64_t rows = x.size(0), columns = x.size(1);
  for (int64_t i = 0; i < rows; i++) {
    float s0 = 0.0f, s1 = 0.0f;
    int64_t j = 0;
    for (; j + 1 < columns; j += 2) {
      const float v0 = in[i * columns + j] + b[j], v1 = in[i * columns + j + 1] + b[j + 1];
      s0 += v0 * v0;
      s1 += v1 * v1;
    }
    if (j < columns) {
      const float v = in[i * columns + j] + b[j];
      s0 += v * v;
    }
    to[i] = 0.5f * (s0 + s1);
  }
  return out;
}
"""
CPP_BLOCK = f"Two accumulators break the chain of additions:\n\n```cpp\n{CPP_TEXT}```\n"
CPP_CONSTANT = f'```python\nSOURCE = r"""\n{CPP_TEXT}"""\n```'

GEMINI = f"```json\n[\n  {json.dumps(IDEA, indent=2)},\n]\n```\n\nThis should give a 3x speedup on A100."

SORRY = "I'm sorry, but `gelu` is already close to optimal; I can't find a change that is both exact and faster."

ECHO = f'''**Original**
```python
def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation, as in GPT-2."""
{GELU_LINE}
```

**Optimized**
```python
def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh approximation, as in GPT-2."""
{FUSED_LINE}
```'''

ESCAPED_TWICE = json.dumps({
    **IDEA,
    "edits": [
        {
            "search": "        h = self.norm(x)\\n        h = gelu(self.up(h))",
            "replace": "        h = torch.nn.functional.gelu(self.up(self.norm(x)), approximate='tanh')",
        }
    ],
})  # fmt: skip

IMPORT_IN_BLOCK = """Use SDPA:

```
from torch.nn.functional import scaled_dot_product_attention

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        q, k, v = (t.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for t in (q, k, v))
        y = scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C)))
```"""

METHOD_ONLY = f"""Only `forward` changes:

```python
def forward(self, x: torch.Tensor) -> torch.Tensor:
    B, T, C = x.size()
    q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
    q, k, v = (t.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for t in (q, k, v))
{SDPA[4:]}
    return self.resid_dropout(self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C)))
```"""

WRITTEN = (
    Written("chatty with a fence", GELU, CHATTY, TAKE, *FUSED),
    Written("a tool call as text", GELU, TOOL_STRING, TAKE, *FUSED),
    Written("a tool call in tags", GELU, TOOL_TAGS, TAKE, *FUSED),
    Written("another language's tag", GELU, WRONG_TAG, TAKE, *FUSED),
    Written("options A and B", GELU, OPTION_A_B, REFUSE),
    Written("an option in prose alone", GELU, OPTION_IN_PROSE, TAKE, *FUSED),
    Written("a method left out", ATTENTION, ELIDED, REFUSE),
    Written("class renamed", ATTENTION, RENAMED, REFUSE),
    Written("one method alone", ATTENTION, METHOD_ONLY, TAKE, (SDPA, "self.register_buffer"), ("F.softmax",)),
    Written("a method with an import", ATTENTION, IMPORT_IN_BLOCK, TAKE, ("self.register_buffer",), ("F.softmax",)),
    Written("helpers far away", BLOCK, HELPERS, TAKE, (FUSED_LINE, "rms_norm(wide"), ("torch.pow",)),
    Written("a function out of reach", GELU, ELSEWHERE, REFUSE),
    Written("a kernel with imports", GELU, TRITON, TAKE, ("import triton.language as tl", "_gelu_tanh_kernel[")),
    Written("a kernel in one block", GELU, TRITON_BLOCK, TAKE, ("import triton.language as tl", "_gelu_tanh_kernel[")),
    Written("a kernel without imports", GELU, TRITON_UNIMPORTED, REFUSE),
    Written("other sizes", SOFTMAX, CONFIG, TAKE, ("BLOCK=4096, num_warps=8, num_stages=2",), ("BLOCK=128",)),
    Written("blocks with the file's name", SOFTMAX, AIDER, TAKE, ("* inverse)",), ("/ total)",)),
    Written("a cell", NOTEBOOK, CELL, TAKE, (NEW_RMS,), ("rsqrt",)),
    Written("a cell with a magic", NOTEBOOK, CELL_MAGIC, REFUSE),
    Written("a cell as JSON", NOTEBOOK, CELL_JSON, REFUSE),
    Written("ends of lines of Windows", BLOCK, CRLF, TAKE, ("gelu(self.up(self.norm(x)), ",), ("\r", "h = self.norm")),
    Written("tabs", BLOCK, TABS, TAKE, ("        h = self.up(self.norm(x))\n",), ("\t",)),
    Written("curly quotes around", ATTENTION, CURLY_JSON, TAKE, ("torch.softmax(att, -1)",), ("F.softmax",)),
    Written("curly quotes in code", ATTENTION, CURLY_CODE, TAKE, ('logical_not(), float("-inf"))',), ("“",)),
    Written("a table", GELU, TABLE, REFUSE),
    Written("a table and the idea", GELU, TABLE_AND_JSON, TAKE, *FUSED),
    Written("cut", GELU, CUT, REFUSE, cut=True),
    Written("cut in the second block", SOFTMAX, CUT_BLOCKS, REFUSE, cut=True),
    Written("German", GELU, GERMAN, TAKE, *FUSED),
    Written("German fields", GELU, GERMAN_KEYS, REFUSE),
    Written("thoughts in Chinese", GELU, CHINESE, TAKE, *FUSED),
    Written("JSON in XML", GELU, JSON_IN_XML, TAKE, *FUSED),
    Written("XML", GELU, XML, TAKE, *FUSED),
    Written("a diff with wrong numbers", GELU, DIFF, TAKE, *FUSED),
    Written("a diff without blanks", GELU, DIFF_BARE, TAKE, *FUSED),
    Written("several files", GELU, FILES, REFUSE),
    Written("C++ in an edit", CPP, CPP_EDIT, TAKE, (CPP_FAST,), (CPP_LOOP,)),
    Written("C++ in a block", CPP, CPP_BLOCK, TAKE, ("0.5f * (s0 + s1)", "SOURCE = r"), ("float sum",)),
    Written("C++ as the constant", CPP, CPP_CONSTANT, TAKE, ("0.5f * (s0 + s1)", "SOURCE = r"), ("float sum",)),
    Written("a list of one", GELU, GEMINI, TAKE, *FUSED),
    Written("no idea", GELU, SORRY, REFUSE),
    Written("the original, then the idea", GELU, ECHO, TAKE, *FUSED),
    Written("escaped twice", BLOCK, ESCAPED_TWICE, TAKE, ("gelu(self.up(self.norm(x)), ",), ("h = self.norm",)),
)
