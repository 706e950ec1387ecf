#include "base/json_parse.hpp"
#include "tasks/blocking_handler.hpp"
#include "tasks/files.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>

namespace fp::tasks {

namespace {

bool is_file(const FileRoot::Place& place) {
  struct stat status{};
  return fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode);
}

Result<Json> move_step(const FileRoot& root, const ports::AttemptRequest& request) {
  const auto path = json_string(*request.config, "path");
  const auto to = json_string(*request.config, "to");
  const auto* overwrite = json_find(*request.config, "overwrite");
  const auto source = root.find_place(path, false);
  if (!source) return source.error();
  const auto target = root.find_place(to, true);
  if (!target) return target.error();
  const Json moved = JsonObject{{"path", to}, {"moved_from", path}};
  struct stat status{};
  if (fstatat(source->folder.get(), source->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    // An earlier attempt may have moved it and not been heard.
    if (errno == ENOENT && request.attempt > 1 && is_file(*target)) return moved;
    return make_file_error(errno, path);
  }
  if (!S_ISREG(status.st_mode)) return make_file_error(EISDIR, path);
  const auto flags = overwrite != nullptr && overwrite->as_bool() ? 0u : unsigned{RENAME_NOREPLACE};
  if (renameat2(source->folder.get(), source->name.c_str(), target->folder.get(), target->name.c_str(),
                flags) != 0)
    return make_file_error(errno, errno == EEXIST ? to : path);
  if (fsync(target->folder.get()) != 0 || fsync(source->folder.get()) != 0) return make_file_error(errno, to);
  return moved;
}

}  // namespace

std::unique_ptr<ports::TaskHandler> make_file_move_handler(std::shared_ptr<const FileRoot> root) {
  model::TaskTypeSpec spec;
  spec.type = "file_move";
  spec.title = "Move file";
  spec.category = "files";
  spec.icon = "file-output";
  spec.description = "Moves or renames a file below the configured folder.";
  spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["path", "to"],
    "properties": {"path": {"type": "string", "minLength": 1, "description": "Below the root"}, "to": {"type": "string", "minLength": 1, "description": "New path; missing folders are made"},
      "overwrite": {"type": "boolean", "default": false, "description": "Replace a file that is there"}}
  })");
  spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"path": {"type": "string"}, "moved_from": {"type": "string"}}})");
  return std::make_unique<BlockingHandler>(
      std::move(spec), [root](const ports::AttemptRequest& request, ports::AttemptControl&) {
        return move_step(*root, request);
      });
}

}  // namespace fp::tasks
