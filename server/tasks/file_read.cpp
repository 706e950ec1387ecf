#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/blocking_handler.hpp"
#include "tasks/files.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

namespace fp::tasks {

namespace {

Result<Json> read_file_step(const FileRoot& root, const ports::AttemptRequest& request) {
  const auto path = json_string(*request.config, "path");
  const auto fd = root.open_file(path);
  if (!fd) return fd.error();
  const auto bytes = read_all(fd->get(), path);
  if (!bytes) return bytes.error();
  const bool base64 = json_string(*request.config, "encoding") == "base64";
  if (!base64 && !is_utf8(*bytes))
    return Error(codes::file_encoding,
                 fmt::format("{} is not UTF-8; read it with encoding: base64", cut_utf8(path, 200)));
  return Json(JsonObject{{"path", path},
                         {"content", base64 ? to_base64(*bytes) : *bytes},
                         {"encoding", base64 ? "base64" : "utf-8"},
                         {"size", bytes->size()},
                         {"sha256", sha256_hex(*bytes)}});
}

}  // namespace

std::unique_ptr<ports::TaskHandler> make_file_read_handler(std::shared_ptr<const FileRoot> root) {
  model::TaskTypeSpec spec;
  spec.type = "file_read";
  spec.title = "Read file";
  spec.category = "files";
  spec.icon = "file-text";
  spec.description = "Reads a file below the configured folder, as text or base64, up to 16 MiB.";
  spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["path"],
    "properties": {"path": {"type": "string", "minLength": 1, "description": "Below the root"}, "encoding": {"enum": ["utf-8", "base64"], "default": "utf-8"}}
  })");
  spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"},
    "encoding": {"type": "string"}, "size": {"type": "integer"}, "sha256": {"type": "string"}}})");
  return std::make_unique<BlockingHandler>(
      std::move(spec), [root](const ports::AttemptRequest& request, ports::AttemptControl&) {
        return read_file_step(*root, request);
      });
}

}  // namespace fp::tasks
