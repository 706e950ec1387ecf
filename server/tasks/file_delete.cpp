#include "base/json_parse.hpp"
#include "tasks/blocking_handler.hpp"
#include "tasks/files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace fp::tasks {

namespace {

Result<Json> delete_step(const FileRoot& root, const ports::AttemptRequest& request) {
  const auto path = json_string(*request.config, "path");
  const auto* missing_ok = json_find(*request.config, "missing_ok");
  // An earlier attempt may have deleted it and not been heard.
  const bool may_miss = request.attempt > 1 || (missing_ok != nullptr && missing_ok->as_bool());
  const auto answer = [&](bool deleted) { return Json(JsonObject{{"path", path}, {"deleted", deleted}}); };
  const auto place = root.find_place(path, false);
  if (!place && place.error().code == "file.missing" && may_miss) return answer(false);
  if (!place) return place.error();
  struct stat status{};
  if (fstatat(place->folder.get(), place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT && may_miss) return answer(false);
    return make_file_error(errno, path);
  }
  if (!S_ISREG(status.st_mode)) return make_file_error(EISDIR, path);
  if (unlinkat(place->folder.get(), place->name.c_str(), 0) != 0) return make_file_error(errno, path);
  if (fsync(place->folder.get()) != 0) return make_file_error(errno, path);
  return answer(true);
}

}  // namespace

std::unique_ptr<ports::TaskHandler> make_file_delete_handler(std::shared_ptr<const FileRoot> root) {
  model::TaskTypeSpec spec;
  spec.type = "file_delete";
  spec.title = "Delete file";
  spec.category = "files";
  spec.icon = "file-x";
  spec.description = "Deletes a file below the configured folder; never a folder.";
  spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false, "required": ["path"],
    "properties": {"path": {"type": "string", "minLength": 1, "description": "Below the root"}, "missing_ok": {"type": "boolean", "default": false, "description": "A missing file is no failure"}}
  })");
  spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"path": {"type": "string"}, "deleted": {"type": "boolean"}}})");
  return std::make_unique<BlockingHandler>(
      std::move(spec), [root](const ports::AttemptRequest& request, ports::AttemptControl&) {
        return delete_step(*root, request);
      });
}

}  // namespace fp::tasks
