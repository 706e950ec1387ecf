#!/usr/bin/env python3
"""Writes the C++ table of contract/settings.yaml: generate_settings.py settings.yaml out.cpp"""
import json
import sys

import yaml


def main(source: str, target: str) -> None:
    with open(source, encoding="utf-8") as file:
        settings = yaml.safe_load(file)
    lines = [
        "// Generated from contract/settings.yaml by tools/generate_settings.py; edit that file instead.",
        '#include "app/settings.hpp"',
        "",
        "namespace fp::app {",
        "",
        "const std::vector<SettingSpec> kSettings = {",
    ]
    for name, entry in settings.items():
        cells = [json.dumps(str(text)) for text in (name, entry["type"], entry["default"], entry["help"], entry.get("only", ""))]
        cells += [str(entry.get("least", 1)), str(entry.get("most", 1024))]
        lines.append(f"    {{{', '.join(cells)}}},")
    lines += ["};", "", "}  // namespace fp::app", ""]
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
