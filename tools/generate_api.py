#!/usr/bin/env python3
"""Writes the C++ table of contract/openapi.yaml: generate_api.py openapi.yaml OUT_DIR

OUT_DIR/api/operations.hpp  the operations as an enum, and what the router knows of each
OUT_DIR/api/operations.cpp  the table, the schemas of parameters and bodies ($refs filled in), and the document as JSON
"""
import json
import re
import sys
from pathlib import Path

import yaml

METHODS = ("get", "post", "put", "patch", "delete")


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def cpp_text(text: str) -> str:
    """As pieces of raw text: compilers limit the length of one literal."""
    pieces = [text[i:i + 8000] for i in range(0, len(text), 8000)]
    return "\n".join(f'R"json~({piece})json~"' for piece in pieces)


class Document:
    def __init__(self, root: dict) -> None:
        self.root = root

    def find(self, reference: str):
        node = self.root
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        return node

    def fill(self, node):
        """`node` with every $ref replaced by what it names; schemas here do not refer to themselves."""
        if isinstance(node, list):
            return [self.fill(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return self.fill(self.find(node["$ref"]))
        return {key: self.fill(value) for key, value in node.items()}

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item, item[method]

    def schemas_of(self, item: dict, operation: dict) -> dict:
        parameters = self.fill(item.get("parameters", []) + operation.get("parameters", []))
        out = {"parameters": [{key: p[key] for key in ("name", "in", "schema")} | {"required": p.get("required", False)}
                              for p in parameters]}
        body = self.fill(operation.get("requestBody"))
        if body:
            out["body_required"] = body.get("required", False)
            out["is_document"] = body.get("x-document", False)
            out["content_types"] = list(body["content"])
            if not out["is_document"]:
                out["body"] = body["content"]["application/json"]["schema"]
        return out


def main(source: str, target: str) -> None:
    document = Document(yaml.safe_load(Path(source).read_text(encoding="utf-8")))
    rows, names, schemas = [], [], {}
    for path, method, item, operation in document.operations():
        if "x-action" not in operation:
            sys.exit(f"{source}: {method.upper()} {path} has no x-action: every route says what the policy decides about")
        name = operation["operationId"]
        if name in names:
            sys.exit(f"{source}: two operations are called {name}")
        names.append(name)
        schemas[name] = document.schemas_of(item, operation)
        flags = ", ".join("true" if operation.get(flag) else "false" for flag in ("x-inline", "x-slow"))
        rows.append(f'    {{Operation::{snake(name)}, "{name}", "{method.upper()}", "{path}", "{operation["x-action"]}", {flags}}},')
    actions = sorted({operation["x-action"] for _, _, _, operation in document.operations()})
    out = Path(target) / "api"
    out.mkdir(parents=True, exist_ok=True)
    head = "// Generated from contract/openapi.yaml by tools/generate_api.py; edit that file instead.\n"
    (out / "operations.hpp").write_text(head + "\n".join([
        "#pragma once", "", "#include <span>", "#include <string_view>", "", "namespace fp::api {", "",
        "enum class Operation {", *[f"  {snake(name)}," for name in names], "};", "",
        "struct OperationSpec {", "  Operation operation;", "  const char* id;", "  const char* method;", "  const char* path;",
        "  const char* action;", "  bool is_inline;", "  bool is_slow;", "};", "",
        "std::span<const OperationSpec> list_operations();",
        f"inline constexpr std::string_view kActions[] = {{{', '.join(json.dumps(a) for a in actions)}}};",
        "/// {operation id: {parameters: [{name, in, schema, required}], body?, body_required?, is_document?, content_types?}}",
        "std::string_view operation_schemas();",
        "/// The document as compact JSON.",
        "std::string_view openapi_text();", "", "}  // namespace fp::api", ""]), encoding="utf-8")
    text = json.dumps(document.root, ensure_ascii=False, separators=(",", ":"))
    (out / "operations.cpp").write_text(head + "\n".join([
        '#include "api/operations.hpp"', "", "namespace fp::api {", "", "namespace {",
        "constexpr OperationSpec kOperations[] = {", *rows, "};",
        f"constexpr std::string_view kSchemas = {cpp_text(json.dumps(schemas, separators=(',', ':')))};",
        f"constexpr std::string_view kOpenApi = {cpp_text(text)};", "}  // namespace", "",
        "std::span<const OperationSpec> list_operations() {", "  return kOperations;", "}",
        "std::string_view operation_schemas() {", "  return kSchemas;", "}",
        "std::string_view openapi_text() {", "  return kOpenApi;", "}", "", "}  // namespace fp::api", ""]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
