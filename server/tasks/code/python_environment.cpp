#include "tasks/code/python_environment.hpp"

#include <filesystem>
#include <fstream>

namespace fp::tasks {

namespace {

bool is_of_the_system(const std::filesystem::path& path) {
  return path.string().starts_with("/usr/") || path.string().starts_with("/bin/");
}

}  // namespace

std::vector<std::string> list_python_folders(const std::string& interpreter) {
  std::vector<std::string> out;
  std::error_code ec;
  const auto add = [&](const std::filesystem::path& folder) {
    if (!folder.empty() && !is_of_the_system(folder / "") && folder != "/usr" && folder != "/")
      out.push_back(folder.string());
  };
  const auto root = std::filesystem::path(interpreter).parent_path().parent_path();
  add(root);
  std::ifstream config(root / "pyvenv.cfg");
  for (std::string line; std::getline(config, line);) {
    const auto equals = line.find('=');
    if (!line.starts_with("home") || equals == std::string::npos) continue;
    const auto home = line.substr(line.find_first_not_of(" \t", equals + 1));
    add(std::filesystem::path(home).parent_path());
  }
  add(std::filesystem::canonical(interpreter, ec).parent_path().parent_path());
  return out;
}

}  // namespace fp::tasks
