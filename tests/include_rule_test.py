#!/usr/bin/env python3
"""Checks what keeps the house in order: who may include whom, file and function length, and what stands at the top level.

Each rule is also run on a planted violation, so that a check that stopped finding anything fails too.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent

# A folder may include itself and these; tests may include everything.
ALLOWED = {
    "engine_core": set(),
    "kernels": {"engine_core"},
    "profiler": {"engine_core"},
    "sessions": {"profiler", "engine_core"},
    "views": {"sessions", "profiler", "engine_core"},
    "app": {"views", "sessions", "profiler", "engine_core", "kernels"},
    "tests": {"app", "views", "sessions", "profiler", "engine_core", "kernels"},
}
# Kernels of one kind know those of no other, only what all work out alike; the CPU's list of tactics ends with the references.
ALLOWED_KERNELS = {
    "shared": {"shared"},
    "reference": {"reference", "shared"},
    "cpu": {"cpu", "reference", "shared"},
    "cuda": {"cuda", "shared"},
}
# Outside headers by prefix, and the folders that may know them.
OUTSIDE = {
    r"Q[A-Z]|Qt[A-Z]|qt": {"views", "app", "tests"},
    r"(oneapi/)?dnnl|hwy/": {"kernels", "tests"},
    r"cuda|cudnn|cublas|cupti|nvrtc|cusparse|cutlass|nvml": {"kernels", "tests"},
    r"sqlite3": {"sessions", "tests"},
}
TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
             "app", "engine_core", "kernels", "profiler", "views", "sessions", "tests", "resources"}
MAX_FILE_P95, MAX_FUNCTION_P95 = 600, 50
# A ratchet: lower the share as long lines go.
MAX_COLUMNS, MAX_LONG_SHARE = 120, 0.025

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


# What stands between a function's parameters and its body.
BODY = re.compile(r"\)\s*(const|noexcept|override|final|mutable|->[^=]*|:[^:].*|\s)*$")


def sources(top):
    return sorted(path for folder in ALLOWED for pattern in ("*.h", "*.cpp", "*.cu", "*.cuh") for path in (top / folder).rglob(pattern))


def include_violations(top):
    found = []
    for path in sources(top):
        name = path.relative_to(top).as_posix()
        owner = name.split("/")[0]
        for bracket, target in INCLUDE.findall(path.read_text(encoding="utf-8")):
            folder = target.split("/")[0]
            if folder in ALLOWED:
                if folder != owner and folder not in ALLOWED[owner]:
                    found.append(f"{name}: {owner} must not include {target}")
                elif folder == owner == "kernels" and foreign_kernels(name, target):
                    found.append(f"{name}: must not include {target}")
            elif bracket == '"' and "/" not in target and (path.parent / target).exists():
                found.append(f"{name}: write the path of {target} from the top of the tree")
            else:
                found += [f"{name}: {owner} must not know {target}" for prefix, knowing in OUTSIDE.items()
                          if owner not in knowing and re.match(prefix, target)]
    return found


def foreign_kernels(name, target):
    """Whether a file in a folder of kernels includes one of another folder that it may not know."""
    own, other = name.split("/")[1], target.split("/")[1]
    return own in ALLOWED_KERNELS and other in ALLOWED_KERNELS and other not in ALLOWED_KERNELS[own]


def function_lengths(text):
    """Lines of each outermost braced body that follows a ')' (with what may stand behind it): functions, not namespaces, types or tables."""
    text = NOISE.sub(lambda match: "\n" * match.group().count("\n"), text)
    lengths, stack, line, head = [], [], 1, ""
    for token in re.finditer(r"[{};\n]|[^{};\n]+", text):
        piece = token.group()
        if piece == "\n":
            line += 1
            head += " "
        elif piece == "{":
            member = bool(re.search(r"\)[\w\s]*:[^:].*\w\s*$", head))  # m_a{...} in a constructor's list: the body comes later
            is_function = not member and not any(kind for kind, _, _ in stack) and bool(BODY.search(head)) and "=" not in head.split("(")[0]
            stack.append((is_function, line, head if member else ""))
            head = ""
        elif piece == "}":
            is_function, start, before = stack.pop() if stack else (False, 0, "")
            if is_function:
                lengths.append(line - start + 1)
            head = before and before + "()"
        elif piece == ";":
            head = ""
        else:
            head += piece
    return lengths


def percentile95(values):
    return sorted(values)[int(len(values) * 0.95)] if values else 0


def length_violations(top):
    texts = {path: path.read_text(encoding="utf-8") for path in sources(top)}
    files = [text.count("\n") for text in texts.values()]
    functions = [length for text in texts.values() for length in function_lengths(text)]
    found = []
    if (p95 := percentile95(files)) >= MAX_FILE_P95:
        worst = max(texts, key=lambda path: texts[path].count("\n"))
        found.append(f"95 % of the files must be shorter than {MAX_FILE_P95} lines, the percentile is {p95}; longest: {worst}")
    if (p95 := percentile95(functions)) >= MAX_FUNCTION_P95:
        found.append(f"95 % of the functions must be shorter than {MAX_FUNCTION_P95} lines, the percentile is {p95}")
    wide = sum(len(line) > MAX_COLUMNS for text in texts.values() for line in text.splitlines())
    if (share := wide / max(1, sum(files))) > MAX_LONG_SHARE:
        found.append(f"{share:.2%} of the lines have more than {MAX_COLUMNS} columns, {MAX_LONG_SHARE:.2%} may")
    return found


def top_level_violations(names):
    return [f"{name} does not belong at the top level" for name in sorted(names) if not name.startswith(".") and name not in TOP_LEVEL]


def tracked_top_level(top):
    """What git would commit at the top; without git (an unpacked archive) all that lies there but build folders."""
    try:
        listing = subprocess.run(["git", "-C", top, "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
        return {name.split("/")[0] for name in listing.split("\0") if name}
    except (OSError, subprocess.CalledProcessError):
        return {path.name for path in top.iterdir() if not path.name.startswith("build")}


class HouseTest(unittest.TestCase):
    def test_includes_go_downward_only(self):
        self.assertEqual(include_violations(TOP), [])

    def test_files_and_functions_stay_short(self):
        self.assertEqual(length_violations(TOP), [])

    def test_top_level_holds_only_the_house(self):
        self.assertEqual(top_level_violations(tracked_top_level(TOP)), [])


class PlantedTest(unittest.TestCase):
    def plant(self, **files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        top = pathlib.Path(folder.name)
        for name, text in files.items():
            path = top / name.replace("__", "/").replace("_cpp", ".cpp")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return top

    def test_upward_include_is_found(self):
        top = self.plant(engine_core__a_cpp='#include "engine_core/b.h"\n#include "kernels/c.h"\n', views__b_cpp='#include "sessions/d.h"\n')
        self.assertEqual(include_violations(top), ["engine_core/a.cpp: engine_core must not include kernels/c.h"])

    def test_outside_include_is_found(self):
        top = self.plant(sessions__a_cpp="#include <QString>\n#include <queue>\n#include <sqlite3.h>\n", engine_core__b_cpp="  #  include <oneapi/dnnl/dnnl.hpp>\n",
                         profiler__c_cpp="#include <cupti.h>\n", kernels__d_cpp="#include <dnnl.hpp>\n#include <cuda_runtime.h>\n")
        self.assertEqual(include_violations(top), ["engine_core/b.cpp: engine_core must not know oneapi/dnnl/dnnl.hpp",
                                                   "profiler/c.cpp: profiler must not know cupti.h", "sessions/a.cpp: sessions must not know QString"])

    def test_include_between_kernels_is_found(self):
        top = self.plant(kernels__cuda__a_cpp='#include "kernels/shared/b.h"\n#include "kernels/cpu/c.h"\n#include "kernels/cuda_loader.h"\n',
                         kernels__reference__d_cpp='#include "kernels/cpu/c.h"\n', kernels__cpu__c_cpp='#include "kernels/reference/d.h"\n')
        self.assertEqual(include_violations(top), ["kernels/cuda/a.cpp: must not include kernels/cpu/c.h",
                                                   "kernels/reference/d.cpp: must not include kernels/cpu/c.h"])

    def test_function_lengths_are_counted(self):
        text = ('namespace n {\nstruct S {\n    S(int a) : m_a{a} {\n    }\n    int get() const { return "}{"[0]; }\n};\nconst T kTable[] = {\n{1},\n{2}};\n'
                "int f(int a,\n      int b) {\n    if (a) {  // {\n        g();\n    }\n    auto h = [](int c) { return c; };\n    return b;\n}\n}\n")
        self.assertEqual(function_lengths(text), [2, 1, 7])

    def test_long_code_is_found(self):
        top = self.plant(app__a_cpp="void f() {\n" + "    g();\n" * 700 + "}\n")
        self.assertEqual(len(length_violations(top)), 2)

    def test_wide_lines_are_found(self):
        top = self.plant(app__a_cpp="int a;\n" * 38 + "int " + "b" * 120 + ";\n")
        self.assertEqual(len(length_violations(top)), 1)
        top = self.plant(app__a_cpp="int a;\n" * 40 + "int " + "b" * 120 + ";\n")
        self.assertEqual(length_violations(top), [])

    def test_stray_top_level_name_is_found(self):
        self.assertEqual(top_level_violations({"app", ".ci", "notes.txt"}), ["notes.txt does not belong at the top level"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
