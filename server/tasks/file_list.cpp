#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/time.hpp"
#include "tasks/blocking_handler.hpp"
#include "tasks/files.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <vector>

namespace fp::tasks {

namespace {

constexpr std::size_t kMostEntries = 10'000;

struct Entry {
  std::string name;
  struct stat status{};
};

struct FolderCloser {
  void operator()(DIR* folder) const { closedir(folder); }
};

Result<std::vector<Entry>> read_folder(FileDescriptor fd, const std::string& pattern,
                                       const std::string& path) {
  const std::unique_ptr<DIR, FolderCloser> folder(fdopendir(fd.get()));
  if (!folder) return make_file_error(errno, path);
  fd.release();  // closedir closes it
  std::vector<Entry> out;
  while (const auto* found = readdir(folder.get())) {
    Entry entry{found->d_name, {}};
    if (entry.name.front() == '.' || !is_utf8(entry.name)) continue;
    if (!pattern.empty() && fnmatch(pattern.c_str(), entry.name.c_str(), 0) != 0) continue;
    if (fstatat(dirfd(folder.get()), entry.name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;  // gone meanwhile
    if (!S_ISREG(entry.status.st_mode) && !S_ISDIR(entry.status.st_mode)) continue;
    if (out.size() == kMostEntries)
      return Error(codes::file_too_large, fmt::format("{} has more than {} entries; use a pattern",
                                                      cut_utf8(path, 200), kMostEntries));
    out.push_back(std::move(entry));
  }
  std::sort(out.begin(), out.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return out;
}

Result<Json> list_step(const FileRoot& root, const ports::AttemptRequest& request) {
  const auto named = json_string(*request.config, "path");
  const auto path = named.empty() ? std::string(".") : named;
  auto fd = root.open_folder(path);
  if (!fd) return fd.error();
  const auto entries = read_folder(std::move(*fd), json_string(*request.config, "pattern"), path);
  if (!entries) return entries.error();
  JsonArray files;
  for (const auto& entry : *entries) {
    const bool is_folder = S_ISDIR(entry.status.st_mode);
    const auto seconds = TimePoint(std::chrono::seconds(entry.status.st_mtim.tv_sec)) +
                         Milliseconds(entry.status.st_mtim.tv_nsec / 1'000'000);
    files.push_back(
        JsonObject{{"name", entry.name},
                   {"path", path == "." ? entry.name : path + (path.ends_with('/') ? "" : "/") + entry.name},
                   {"type", is_folder ? "folder" : "file"},
                   {"size", is_folder ? Json(nullptr) : Json(std::int64_t(entry.status.st_size))},
                   {"modified_at", to_rfc3339(seconds)}});
  }
  const auto count = files.size();
  return Json(JsonObject{{"files", std::move(files)}, {"count", count}});
}

}  // namespace

std::unique_ptr<ports::TaskHandler> make_file_list_handler(std::shared_ptr<const FileRoot> root) {
  model::TaskTypeSpec spec;
  spec.type = "file_list";
  spec.title = "List files";
  spec.category = "files";
  spec.icon = "folder";
  spec.description = "Lists a folder below the configured one, by name; hidden entries are left out.";
  spec.config_schema = parse_trusted_json(R"({
    "type": "object", "additionalProperties": false,
    "properties": {"path": {"type": "string", "default": ".", "description": "Below the root"}, "pattern": {"type": "string", "maxLength": 255, "description": "Names to keep, such as *.csv"}}
  })");
  spec.output_schema = parse_trusted_json(
      R"({"type": "object", "properties": {"count": {"type": "integer"}, "files": {"type": "array", "items": {"type": "object",
    "properties": {"name": {"type": "string"}, "path": {"type": "string"}, "type": {"enum": ["file", "folder"]}, "size": {"type": ["integer", "null"]}, "modified_at": {"type": "string"}}}}}})");
  return std::make_unique<BlockingHandler>(
      std::move(spec), [root](const ports::AttemptRequest& request, ports::AttemptControl&) {
        return list_step(*root, request);
      });
}

}  // namespace fp::tasks
