#include "base/error_code.hpp"
#include "base/hash.hpp"
#include "base/json_parse.hpp"
#include "tasks/blocking_handler.hpp"
#include "tasks/files.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>

namespace fp::tasks {

namespace {

struct Content {
  std::string path;
  std::string bytes;
  bool overwrite = false;
};

Result<Content> read_content(const Json& config) {
  Content out{json_string(config, "path"), "",
              config.as_object().contains("overwrite") && config.at("overwrite").as_bool()};
  const auto& content = config.at("content");
  if (json_string(config, "encoding") == "base64") {
    auto bytes = content.is_string() ? from_base64(content.get_string()) : std::nullopt;
    if (!bytes) return Error(codes::file_encoding, "the content is not base64");
    out.bytes = std::move(*bytes);
  } else {
    out.bytes = content.is_string() ? std::string(content.get_string()) : to_pretty_text(content) + "\n";
  }
  if (out.bytes.size() > FileRoot::kMostBytes)
    return Error(codes::file_too_large, "the content is larger than 16 MiB");
  return out;
}

/// Is the file there with just these bytes? So it is when an earlier attempt wrote it and nobody heard of
/// that.
bool holds(const FileRoot& root, const Content& content) {
  const auto fd = root.open_file(content.path);
  if (!fd) return false;
  const auto bytes = read_all(fd->get(), content.path);
  return bytes && *bytes == content.bytes;
}

std::string part_name(const ports::AttemptRequest& request, std::uint32_t attempt) {
  return fmt::format(".fp-{}-{}.part", to_hex(hash_128(request.idempotency_key)), attempt);
}

/// The file is either as before or complete, whenever the process dies: written aside, forced to disk,
/// renamed, and the folder forced to disk too.
Result<void> replace(const FileRoot& root, const Content& content, const ports::AttemptRequest& request) {
  const auto place = root.find_place(content.path, true);
  if (!place) return place.error();
  const int folder = place->folder.get();
  for (std::uint32_t earlier = 1; earlier < request.attempt; ++earlier)
    unlinkat(folder, part_name(request, earlier).c_str(), 0);
  const auto part = part_name(request, request.attempt);
  {
    const FileDescriptor fd(
        openat(folder, part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (fd.get() < 0) return make_file_error(errno, content.path);
    auto written = write_all(fd.get(), content.bytes, content.path);
    if (written && fsync(fd.get()) != 0) written = make_file_error(errno, content.path);
    if (!written) {
      unlinkat(folder, part.c_str(), 0);
      return written;
    }
  }
  struct stat target{};
  const bool is_special =
      fstatat(folder, place->name.c_str(), &target, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(target.st_mode);
  const auto flags = content.overwrite ? 0u : unsigned{RENAME_NOREPLACE};
  if (is_special || renameat2(folder, part.c_str(), folder, place->name.c_str(), flags) != 0) {
    const int why = is_special ? EISDIR : errno;
    unlinkat(folder, part.c_str(), 0);
    if (why == EEXIST && holds(root, content)) return {};
    return make_file_error(why, content.path);
  }
  if (fsync(folder) != 0) return make_file_error(errno, content.path);
  return {};
}

Result<void> append(const FileRoot& root, const Content& content) {
  const auto place = root.find_place(content.path, true);
  if (!place) return place.error();
  const FileDescriptor fd(openat(place->folder.get(), place->name.c_str(),
                                 O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666));
  if (fd.get() < 0) return make_file_error(errno, content.path);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return make_file_error(EISDIR, content.path);
  if (const auto written = write_all(fd.get(), content.bytes, content.path); !written) return written;
  if (fsync(fd.get()) != 0) return make_file_error(errno, content.path);
  return {};
}

Result<Json> write_file_step(const FileRoot& root, const ports::AttemptRequest& request) {
  const auto content = read_content(*request.config);
  if (!content) return content.error();
  const auto* appends = json_find(*request.config, "append");
  const bool is_append = appends != nullptr && appends->as_bool();
  const auto written = is_append ? append(root, *content) : replace(root, *content, request);
  if (!written) return written.error();
  return Json(JsonObject{
      {"path", content->path}, {"size", content->bytes.size()}, {"sha256", sha256_hex(content->bytes)}});
}

}  // namespace

std::unique_ptr<ports::TaskHandler> make_file_write_handler(std::shared_ptr<const FileRoot> root) {
  model::TaskTypeSpec spec;
  spec.type = "file_write";
  spec.title = "Write file";
  spec.category = "files";
  spec.icon = "file-plus";
  spec.description = "Writes a file below the configured folder in one step: nobody ever sees half of it.";
  spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["path", "content"],
    "properties": {"path": {"type": "string", "minLength": 1, "description": "Below the root; missing folders are made"},
      "content": {"description": "Text; any other value is written as JSON"},
      "encoding": {"enum": ["utf-8", "base64"], "default": "utf-8", "description": "Of content"},
      "overwrite": {"type": "boolean", "default": false, "description": "Replace a file that is there"},
      "append": {"type": "boolean", "default": false, "description": "Add to the end; a repeated attempt may add twice"}},
    "not": {"required": ["append", "overwrite"], "properties": {"append": {"const": true}, "overwrite": {"const": true}}}
  })");
  spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"path": {"type": "string"}, "size": {"type": "integer", "description": "Bytes written"},
    "sha256": {"type": "string", "description": "Of the bytes written"}}})");
  return std::make_unique<BlockingHandler>(
      std::move(spec), [root](const ports::AttemptRequest& request, ports::AttemptControl&) {
        return write_file_step(*root, request);
      });
}

}  // namespace fp::tasks
