#pragma once

#include <string>

namespace fp::launcher {

/// The whole of a small file, "" when it can not be read.
std::string read_text(const std::string& path);
/// One write to a file that exists.
bool write_text(const std::string& path, const std::string& text);
bool is_folder(const std::string& path);
/// Makes a folder and those above it; true when it is there afterwards.
bool make_folders(const std::string& path);
/// Removes a folder with all that is in it, staying on its file system.
void remove_folder(const std::string& path);

}  // namespace fp::launcher
