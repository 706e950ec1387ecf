#!/usr/bin/env python3
"""Writes the C++ constants of contract/errors.yaml: generate_error_codes.py errors.yaml out.hpp"""
import json
import sys

import yaml

FIELDS = {"status", "retryable", "title", "cause", "remedy"}


def main(source: str, target: str) -> None:
    with open(source, encoding="utf-8") as file:
        codes = yaml.safe_load(file)
    lines = [
        "// Generated from contract/errors.yaml by tools/generate_error_codes.py; edit that file instead.",
        "#pragma once",
        "",
        "#include <string_view>",
        "",
        "namespace fp {",
        "",
        "/// One documented error code: what a reader needs to look it up and act.",
        "struct ErrorCode {",
        "  const char* id;",
        "  int status;",
        "  bool retryable;",
        "  const char* title;",
        "  const char* cause;",
        "  const char* remedy;",
        "};",
        "",
        "namespace codes {",
    ]
    names = []
    for code, entry in codes.items():
        if set(entry) != FIELDS:
            sys.exit(f"{source}: {code} needs exactly the fields {sorted(FIELDS)}")
        name = code.replace(".", "_").replace("-", "_")
        names.append(name)
        text = [json.dumps(code), str(int(entry["status"])), "true" if entry["retryable"] else "false"]
        text += [json.dumps(str(entry[field]), ensure_ascii=False) for field in ("title", "cause", "remedy")]
        lines.append(f"inline constexpr ErrorCode {name}{{{', '.join(text)}}};")
    lines += ["}  // namespace codes", "", "inline constexpr const ErrorCode* kAllErrorCodes[] = {"]
    lines += [f"    &codes::{name}," for name in names]
    lines += ["};", "/// The entry of that id; nullptr for a code that is not ours.", "const ErrorCode* find_error_code(std::string_view id);"]
    lines += ["", "}  // namespace fp", ""]
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
