#pragma once

#include <string>
#include <vector>

namespace fp::tasks {

/// The folders an interpreter needs besides the system's own: a venv, and the installation it was made from.
std::vector<std::string> list_python_folders(const std::string& interpreter);

}  // namespace fp::tasks
