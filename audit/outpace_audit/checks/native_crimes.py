"""What no honest kernel in C++ or CUDA needs either, in the texts that a Python file has compiled: files, processes,
connections, clocks, the environment, Python itself, torch's settings. No check of its own; `crimes` asks.

It reads words, not syntax: a macro can hide one, so what builds words (token pasting, flags that define or include) is
named too. None of it counts that the baseline does as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from outpace_audit.native_builds import FLAGS, MODULE, SUFFIXES, Build, builds
from outpace_audit.records import Code

# fmt: off
_WORDS: Mapping[str, tuple[str, ...]] = {
    "reaches files": (
        "fopen", "fopen64", "freopen", "fdopen", "openat", "open64", "creat", "ifstream", "ofstream", "fstream",
        "basic_ifstream", "basic_ofstream", "basic_fstream", "filebuf", "basic_filebuf", "filesystem", "tmpfile",
        "mkstemp", "opendir", "readlink", "unlink", "incbin", "_IO_FILE", "FileAdapter", "mmap", "mmap64",
    ),
    "reads the environment": ("getenv", "secure_getenv", "environ", "__environ", "setenv", "putenv", "unsetenv"),
    "starts or signals processes": (
        "popen", "fork", "vfork", "execv", "execve", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve",
        "posix_spawn", "posix_spawnp", "ptrace", "_exit", "quick_exit", "tgkill", "pthread_kill", "process_vm_readv",
        "process_vm_writev",
    ),
    "opens connections": (
        "socket", "socketpair", "sendto", "sendmsg", "recvfrom", "recvmsg", "getaddrinfo", "shm_open", "memfd_create",
        "mkfifo", "TCPStore", "FileStore",
    ),
    "makes system calls of its own": ("syscall", "sysenter", "svc"),
    "loads other code": ("dlopen", "dlsym", "dlmopen", "dlvsym", "mprotect", "nvrtcCompileProgram", "cuModuleLoad",
                         "cuModuleLoadData", "cuModuleLoadDataEx"),
    "reads clocks": (
        "clock_gettime", "gettimeofday", "timespec_get", "chrono", "rdtsc", "__rdtsc", "__rdtscp", "rdtscp",
        "_rdtsc", "clock64", "globaltimer", "__globaltimer", "cudaEventRecord", "cudaEventElapsedTime",
        "cudaEventQuery", "cudaStreamQuery",
    ),
    "sleeps": ("nanosleep", "usleep", "sleep_for", "sleep_until", "clock_nanosleep"),
    "hooks into torch": (
        "addGlobalCallback", "addThreadLocalCallback", "RecordFunction", "RecordFunctionCallback", "enableProfiler",
        "TORCH_LIBRARY_IMPL", "registerKernel", "GlobalStateManager", "PythonDispatcherTLS", "setGlobalContext",
        "SetAllocator", "setAllocator", "SetCPUAllocator", "registerOomObserver", "setPlacementNewAllocator",
    ),
    "changes torch's global state": (
        "set_num_threads", "set_num_interop_threads", "setAllowTF32CuBLAS", "setAllowTF32CuDNN",
        "setFloat32MatmulPrecision", "setDeterministicAlgorithms", "setBenchmarkCuDNN", "set_default_dtype",
        "setFlushDenormal", "omp_set_num_threads", "sched_setaffinity", "pthread_setaffinity_np",
    ),
    "changes how numbers are rounded": (
        "_MM_SET_FLUSH_ZERO_MODE", "_MM_SET_DENORMALS_ZERO_MODE", "_mm_setcsr", "fesetround", "fesetenv", "ldmxcsr",
    ),
    "reseeds the generator": ("manual_seed", "set_current_seed", "set_state", "getDefaultCPUGenerator",
                              "getDefaultCUDAGenerator"),
    "runs Python": (
        "PyRun_String", "PyRun_SimpleString", "PyRun_SimpleFile", "PyImport_ImportModule", "PyImport_Import",
        "PyEval_EvalCode", "PyEval_GetFrame", "PyThreadState_GetFrame", "Py_CompileString", "module_",
        "PyObject_SetAttrString",
        "PyObject_GetAttrString", "PySys_GetObject", "PyImport_GetModule", "PyImport_GetModuleDict", "eval_file",
    ),
}
_CALLS: Mapping[str, tuple[str, ...]] = {
    "reaches files": ("open", "remove", "rename", "getline"),
    "starts or signals processes": ("system", "clone", "kill", "raise", "abort", "exit", "atexit"),
    "opens connections": ("connect", "bind", "listen", "accept", "send", "recv"),
    "reads clocks": ("time", "clock", "times"),
    "sleeps": ("sleep",),
    "runs Python": ("exec", "eval", "import"),
}
"""Too common as words: these count as plain calls, or named by `::`."""
# fmt: on
_WORD_OF = {word: why for why, words in _WORDS.items() for word in words}
_CALL_OF = {word: why for why, words in _CALLS.items() for word in words}
_TOKEN = re.compile(r"[A-Za-z_]\w*")
_CALL = re.compile(rf"(?<![\w.>])(?:\w+::)*({'|'.join(_CALL_OF)})\s*\(|::\s*({'|'.join(_CALL_OF)})\b")
_OWN = re.compile(r"(?:->|\.)\s*$")
_INCLUDE = re.compile(r"(?:#|%:)\s*(?:include|include_next|import|embed)\b\s*(.*?)\s*$", re.MULTILINE)
_HEADER = re.compile(r"<[\w+./-]+>|\"[\w+./-]+\"")

_FLAG = re.compile(
    r"-O(?:[0-3sgz]|fast)?|-g\d?|-std=[\w+]+|-W[a-z][\w=+-]*|-[DU][A-Za-z_]\w*(?:=\w*)?|-l\w+|-w|-pthread|-fopenmp(?:=\w+)?"
    r"|-m[\w.+-]+(?:=[\w.+,-]+)?|-f(?!plugin|profile|dump|pre-include|working|debug-prefix|instrument)[\w-]+(?:=[\w-]+)?"
    r"|--?(?:arch|gpu-architecture|gpu-code|code|gencode|generate-code)(?:=[\w,=\[\]]+)?|arch=[\w,=\[\]]+|(?:sm|compute)_\w+"
    r"|--?use_fast_math|--?(?:ftz|prec-div|prec-sqrt|fmad)=\w+|--?(?:expt-[\w-]+|extended-lambda|lineinfo|generate-line-info)"
    r"|--?maxrregcount=?\d*|\d+|(?:-Xptxas|--ptxas-options)(?:=[\w,=-]+)?|--?extra-device-vectorization|--?restrict|-v|--?split-compile=\d+"
    r"|--?threads=\d+|-dlto|-lto|-rdc=\w+|--?diag-suppress=?[\d,]*"
)
"""Flags that neither read files that are named to the compiler, nor run programs, nor pass anything on unseen."""


def native_crimes(code: Code) -> list[str]:
    """Every one, in words, without line numbers so that two sides can be compared. Raises SyntaxError."""
    found: list[str] = []
    for text in code.texts:
        tree = ast.parse(text)
        every = builds(tree)
        for build in every:
            found += _of_build(build)
        found += _unseen(tree, every)
    for file in code.files:
        found += crimes_of(file.text) if file.path.endswith(SUFFIXES) else []
    return found


def crimes_of(text: str) -> list[str]:
    """Of one C++ or CUDA text."""
    whole = text.replace("\\\r\n", "").replace("\\\n", "")
    found = [f"its C++ {_WORD_OF[word]} by {word}" for word in _TOKEN.findall(whole) if word in _WORD_OF]
    for call in _CALL.finditer(whole):
        word = call[1] or call[2]
        if not _OWN.search(whole[: call.start()]):
            found.append(f"its C++ {_CALL_OF[word]} by {word}")
    found += ["its C++ makes names by pasting tokens"] * whole.count("##")
    found += ["its C++ spells letters by number"] * len(re.findall(r"\\u[0-9A-Fa-f]{4}|\?\?[=/'()!<>-]", whole))
    return [*found, *_includes(whole)]


def _includes(text: str) -> Iterator[str]:
    for header in _INCLUDE.findall(text):
        named = _HEADER.match(header)
        if named is None:
            yield f"its C++ includes what a macro names: {header[:60]}"
        elif named[0][1] == "/" or ".." in named[0]:
            yield f"its C++ includes {named[0]}, a file of elsewhere"


def _of_build(build: Build) -> Iterator[str]:
    for text in build.texts:
        yield from crimes_of(text.text)
    for argument in build.unread:
        yield f"builds C++ from {argument} that is made up as it runs"
    for argument in FLAGS:
        for flag in build.flags(argument) or ():
            given = str(flag.value)
            yield from (f"{given} {_WORD_OF[word]} by {word}" for word in _TOKEN.findall(given) if word in _WORD_OF)
            if not _FLAG.fullmatch(given):
                yield f"hands the compiler {given[:60]!r}"
    for argument in ("build_directory", "extra_include_paths", "is_standalone"):
        if argument in build.arguments:
            yield f"builds C++ with {argument}={ast.unparse(build.arguments[argument])[:60]}"


def _unseen(tree: ast.Module, every: list[Build]) -> Iterator[str]:
    """Ways to torch's builder other than a call of it."""
    seen = {id(build.node.func) for build in every}
    inside = {id(part) for build in every for part in ast.walk(build.node.func)}
    taken = {alias.asname or alias.name for node in ast.walk(tree) for alias in _taken(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in seen:
            if node.attr in ("load_inline", "_jit_compile", "_write_ninja_file_and_build_library"):
                yield f"reaches {node.attr} other than by a call"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inside:
            if node.id in taken:
                yield f"hands {node.id} of {MODULE} on"
        elif isinstance(node, ast.Constant) and node.value in (MODULE, "cpp_extension", "load_inline"):
            yield f"names {node.value}"


def _taken(node: ast.AST) -> list[ast.alias]:
    """What is imported from torch's builder."""
    return node.names if isinstance(node, ast.ImportFrom) and node.module == MODULE else []
